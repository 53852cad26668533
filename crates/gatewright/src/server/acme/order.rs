//! One certificate: an account, an order, a challenge for each name, the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};
use zeroize::Zeroizing;

use super::client::Client;
use super::{ANSWERS, Acme, Answers, write};

/// Between the questions whether it is ready: at first a quarter of a second, each time twice as long, five minutes in all.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(300));

/// Whether the authority says that it was asked too often (RFC 8555, 6.6).
pub(super) fn is_rate_limited(error: &Error) -> bool {
    matches!(error, Error::Api(problem)
        if problem.status == Some(429) || problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(":rateLimited")))
}

/// What challenges are answered with until the order has ended, however it ends.
struct Told<'a>(&'a Answers, Vec<String>);

impl Told<'_> {
    fn answer(&mut self, token: &str, text: &str) -> Result<(), Error> {
        let mut all = self.0.all();
        if all.len() >= ANSWERS {
            return Err(Error::Str("too many challenges at a time"));
        }
        all.insert(token.to_owned(), text.to_owned());
        self.1.push(token.to_owned());
        Ok(())
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let mut all = self.0.all();
        self.1.iter().for_each(|token| drop(all.remove(token)));
    }
}

/// The text of the file: heading, chain and key.
///
/// # Errors
/// The authority refuses, or does not answer.
pub(super) async fn issue(acme: &Acme, client: Client) -> Result<Zeroizing<Vec<u8>>, Error> {
    let account = account(acme, client).await?;
    let identifier = |name: &String| name.parse().map_or_else(|_| Identifier::Dns(name.clone()), Identifier::Ip);
    let identifiers: Vec<Identifier> = acme.names.iter().map(identifier).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut told = Told(&acme.answers, Vec::new());
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Valid => continue,
            _ => return Err(Error::Str("the authority did not believe that a name is this server's")),
        }
        let challenge = authorization.challenge(ChallengeType::Http01);
        let mut challenge = challenge.ok_or(Error::Str("the authority has no challenge by HTTP for a name"))?;
        let text = challenge.key_authorization();
        told.answer(&challenge.token, text.as_str())?;
        challenge.set_ready().await?;
    }
    if order.poll_ready(&PATIENCE).await? != OrderStatus::Ready {
        return Err(Error::Str("the authority did not believe that a name is this server's"));
    }
    let key = Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(Zeroizing::new(format!("{}\n{chain}\n{}", acme.heading(), *key).into_bytes()))
}

/// The account that is kept, if it is of this authority, or a new one.
async fn account(acme: &Acme, client: Client) -> Result<Account, Error> {
    let path = acme.folder.join("account.json");
    // The line in front says whose it is: the text behind it is the library's.
    let kept = std::fs::read_to_string(&path).ok().map(Zeroizing::new);
    let own = kept.as_ref().and_then(|text| text.strip_prefix(&acme.directory)?.strip_prefix('\n'));
    if let Some(text) = own
        && let Ok(credentials) = serde_json::from_str::<AccountCredentials>(text)
    {
        return Account::builder_with_http(Box::new(client)).from_credentials(credentials).await;
    }
    let contact: Vec<&str> = acme.contacts.iter().map(String::as_str).collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: acme.agreed, only_return_existing: false };
    let builder = Account::builder_with_http(Box::new(client));
    let (account, credentials) = builder.create(&wanted, acme.directory.clone(), None).await?;
    let text = Zeroizing::new(serde_json::to_string(&credentials)?);
    let text = Zeroizing::new(format!("{}\n{}", acme.directory, *text));
    write(&path, text.as_bytes()).map_err(|e| Error::Other(Box::new(e)))?;
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_was_asked_too_often_is_understood() {
        for (text, want) in [
            (r#"{"type":"urn:ietf:params:acme:error:rateLimited","status":400}"#, true),
            (r#"{"type":"urn:example:other","status":429}"#, true),
            (r#"{"type":"urn:ietf:params:acme:error:unauthorized","status":403}"#, false),
            ("{}", false),
        ] {
            assert_eq!(is_rate_limited(&Error::Api(serde_json::from_str(text).unwrap())), want, "{text}");
        }
        assert!(!is_rate_limited(&Error::Timeout(None)));
    }

    #[test]
    fn challenges_are_answered_until_their_order_has_ended() {
        let answers = Answers::default();
        let mut told = Told(&answers, Vec::new());
        for n in 0..ANSWERS {
            told.answer(&n.to_string(), "text").unwrap();
        }
        assert!(told.answer("more", "text").is_err());
        assert_eq!(answers.all().len(), ANSWERS);
        drop(told);
        assert!(answers.all().is_empty());
    }
}
