//! An issuer's metadata (OpenID Connect Discovery 1.0, 4; RFC 8414): where its keys stand. Metadata whose `issuer` is not
//! exactly ours is somebody else's, and keys are taken only from the issuer's own host or one that the deployment names.

use http::Uri;
use serde_json::Value;

use super::json;
use super::remote::PATIENCE;
use crate::outbound::{Ask, Failed, Fetch, checked};

/// Larger metadata is nobody's.
const LARGEST: usize = 256 << 10;

pub(super) struct Issuer {
    name: String,
    /// Where its metadata may stand, in the order in which they are asked.
    places: Vec<Uri>,
    /// Whose keys are taken.
    hosts: Vec<String>,
    development: bool,
}

impl Issuer {
    pub(super) fn new(name: &str, hosts: &[String], development: bool) -> Result<Issuer, String> {
        let uri = checked(name, development)?;
        if name.contains('?') {
            return Err(format!("the issuer `{name}` has a query, so nothing can be discovered"));
        }
        let bare = name.strip_suffix('/').unwrap_or(name);
        let path = uri.path().strip_suffix('/').unwrap_or(uri.path());
        let root = bare.strip_suffix(path).unwrap_or(bare);
        // OpenID Connect appends; RFC 8414, 3.1 inserts.
        let texts = [
            format!("{bare}/.well-known/openid-configuration"),
            format!("{root}/.well-known/oauth-authorization-server{path}"),
        ];
        let places = texts.iter().map(|text| checked(text, development)).collect::<Result<_, _>>()?;
        let own = uri.host().unwrap_or_default().to_ascii_lowercase();
        let hosts = hosts.iter().map(|h| h.to_ascii_lowercase()).chain([own]).collect();
        Ok(Issuer { name: name.to_owned(), places, hosts, development })
    }

    /// Where its keys stand now.
    pub(super) async fn keys(&self, fetch: &dyn Fetch) -> Result<Uri, String> {
        let mut last = String::new();
        for place in &self.places {
            let ask = Ask { uri: place.clone(), most: LARGEST, within: PATIENCE, form: None };
            match fetch.fetch(ask).await {
                Ok(answer) => return self.judge(&answer.body),
                // Only where nothing stands there may it stand elsewhere.
                Err(Failed::Status(404)) => last = format!("no metadata at `{place}`"),
                Err(why) => return Err(format!("the metadata at `{place}`: {why}")),
            }
        }
        Err(last)
    }

    fn judge(&self, metadata: &[u8]) -> Result<Uri, String> {
        let Some(Value::Object(metadata)) = json::read(metadata) else {
            return Err("the metadata is no JSON object, or a member stands twice".to_owned());
        };
        if metadata.get("issuer").and_then(Value::as_str) != Some(&*self.name) {
            return Err(format!("the metadata is not of the issuer `{}`", self.name));
        }
        let keys = metadata.get("jwks_uri").and_then(Value::as_str).ok_or("the metadata has no `jwks_uri`")?;
        let uri = checked(keys, self.development)?;
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if !self.hosts.contains(&host) {
            return Err(format!(
                "the keys are on another host than the issuer, `{host}`: `Config::key_hosts` allows it"
            ));
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn asks_both_places_in_order() {
        for (issuer, want) in [
            (
                "https://login.example.com",
                [
                    "https://login.example.com/.well-known/openid-configuration",
                    "https://login.example.com/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "https://login.example.com/",
                [
                    "https://login.example.com/.well-known/openid-configuration",
                    "https://login.example.com/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "https://login.example.com:8443/realms/bank",
                [
                    "https://login.example.com:8443/realms/bank/.well-known/openid-configuration",
                    "https://login.example.com:8443/.well-known/oauth-authorization-server/realms/bank",
                ],
            ),
        ] {
            let found = Issuer::new(issuer, &[], false).unwrap();
            assert_eq!(found.places.iter().map(ToString::to_string).collect::<Vec<_>>(), want);
        }
        for bad in ["http://login.example.com", "https://login.example.com?a", "login", "https://a@login.example.com"] {
            assert!(Issuer::new(bad, &[], false).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_is_the_issuers_and_keys_are_on_its_host() {
        const ISSUER: &str = "https://login.example.com/a";
        const KEYS: &str = "https://login.example.com/keys";
        let issuer = Issuer::new(ISSUER, &["Keys.example.net".to_owned()], false).unwrap();
        for (metadata, good) in [
            (json!({"issuer": ISSUER, "jwks_uri": KEYS}), true),
            (json!({"issuer": ISSUER, "jwks_uri": "https://LOGIN.example.com/keys"}), true),
            (json!({"issuer": ISSUER, "jwks_uri": "https://keys.example.net/keys"}), true),
            (json!({"issuer": "https://login.example.com/a/", "jwks_uri": KEYS}), false),
            (json!({"issuer": "https://login.example.com/A", "jwks_uri": KEYS}), false),
            (json!({"issuer": "https://evil.example.com/a", "jwks_uri": KEYS}), false),
            (json!({"issuer": [ISSUER], "jwks_uri": KEYS}), false),
            (json!({"jwks_uri": KEYS}), false),
            (json!({"issuer": ISSUER}), false),
            (json!({"issuer": ISSUER, "jwks_uri": 1}), false),
            (json!({"issuer": ISSUER, "jwks_uri": "http://login.example.com/keys"}), false),
            (json!({"issuer": ISSUER, "jwks_uri": "https://other.example.com/keys"}), false),
            (json!({"issuer": ISSUER, "jwks_uri": "https://login.example.com.evil.net/keys"}), false),
            (json!({"issuer": ISSUER, "jwks_uri": "https://169.254.169.254/keys"}), false),
            (json!({"issuer": ISSUER, "jwks_uri": "https://x@login.example.com/keys"}), false),
            (json!([]), false),
        ] {
            assert_eq!(issuer.judge(metadata.to_string().as_bytes()).is_ok(), good, "{metadata}");
        }
        assert!(issuer.judge(b"{\"issuer\":\"a\",\"issuer\":\"https://login.example.com/a\"}").is_err());
    }
}
