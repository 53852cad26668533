//! `gatewright passkeys`: passkeys of a store. They are registered at a server, by their users; whoever runs it may see which
//! there are, and take one away whose authenticator was lost.

use gatewright_diag::show::clean;
use gatewright_store::PasskeyRecord;

use crate::args::{self, PasskeyCommand};
use crate::store::{moment, open, wait};
use crate::ui::{Exit, Outcome, Stop, Ui};

pub(crate) fn run(args: &args::Passkeys, ui: &Ui) -> Outcome {
    let store = open(&args.place, false)?;
    wait(async {
        let all = store.all_passkeys().await?;
        match &args.command {
            PasskeyCommand::List { subject } => {
                let wanted = |record: &&PasskeyRecord| subject.as_ref().is_none_or(|s| record.user.subject == *s);
                ui.out(&all.iter().filter(wanted).map(line).collect::<String>())?;
            }
            PasskeyCommand::Revoke { id } => {
                let record = all.iter().find(|record| base64url(&record.id) == *id);
                let record = record.ok_or_else(|| Stop(format!("there is no passkey `{}`", clean(id))))?;
                if !store.remove(&record.user, &record.id).await? {
                    return Err(Stop("it was taken away by somebody else".to_owned()));
                }
                ui.done("Revoked", &format!("{id} of {}", clean(&record.user.subject)));
            }
        }
        Ok(Exit::Good)
    })?
}

/// A passkey as a line. What its user calls it stands last, since it may be anything.
fn line(record: &PasskeyRecord) -> String {
    let used = record.used.map_or("never shown".to_owned(), moment);
    let backed_up = if record.backed_up { "backed up" } else { "on one device" };
    format!(
        "{}\t{}\t{}\t{}\t{}\t{used}\t{backed_up}\t{}\n",
        base64url(&record.id),
        clean(&record.user.subject),
        clean(&record.user.issuer),
        clean(&record.user.rp_id),
        moment(record.registered),
        clean(&record.name)
    )
}

/// Without padding (RFC 4648, 5): as the server's own routes show an id.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            text.extend(LETTERS.get(index).map(|letter| char::from(*letter)));
        }
    }
    text
}
