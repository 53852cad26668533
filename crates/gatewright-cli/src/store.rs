//! The store of keys and passkeys, as commands open it. One process may have a file open: stop the server first, or keep them in
//! PostgreSQL, which servers and commands share.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use gatewright_store::{FileStore, KeyStore, PasskeyStore};

use crate::args;
use crate::ui::Stop;

/// Where the store is, if none is named.
const STORE: &str = "GATEWRIGHT_STORE";
pub(crate) const DAY: i64 = 86_400;

/// What keeps both.
pub(crate) trait Store: KeyStore + PasskeyStore {}

impl<S: KeyStore + PasskeyStore> Store for S {}

pub(crate) fn open(args: &args::Place, may_make: bool) -> Result<Arc<dyn Store>, Stop> {
    let named = args.store.clone().or_else(|| std::env::var(STORE).ok());
    let place = named.unwrap_or_else(|| "gatewright.redb".to_owned());
    if place.starts_with("postgres://") || place.starts_with("postgresql://") {
        return database(&place, args.store_authorities.as_deref());
    }
    if !may_make && !Path::new(&place).is_file() {
        return Err(Stop(format!("there is no store `{place}`")));
    }
    Ok(Arc::new(FileStore::open(place)?))
}

#[cfg(feature = "postgres")]
fn database(url: &str, authorities: Option<&Path>) -> Result<Arc<dyn Store>, Stop> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| Stop(format!("cannot read `{}`: {e}", path.display())));
    let authorities = authorities.map(read).transpose()?;
    Ok(Arc::new(gatewright_store::PostgresStore::new(url, authorities.as_deref())?))
}

#[cfg(not(feature = "postgres"))]
fn database(_: &str, _: Option<&Path>) -> Result<Arc<dyn Store>, Stop> {
    Err(Stop("this `gatewright` was built without its feature `postgres`".to_owned()))
}

#[cfg(feature = "postgres")]
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> Result<T, Stop> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

#[cfg(not(feature = "postgres"))]
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> Result<T, Stop> {
    gatewright_store::at_once(work).ok_or_else(|| Stop("a file waits for nobody".to_owned()))
}

/// `2026-11-26T16:30:00Z`
pub(crate) fn moment(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(DAY), unix.rem_euclid(DAY));
    // From days to a date: Howard Hinnant's algorithm over eras of 400 years.
    let shifted = days.saturating_add(719_468);
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * march + 2) / 5 + 1, if march < 10 { march + 3 } else { march - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_dates() {
        for (unix, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_795_710_600, "2026-11-26T16:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(moment(unix), want);
        }
    }
}
