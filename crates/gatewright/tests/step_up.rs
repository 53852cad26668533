//! An authentication that must be strong and recent (RFC 9470), as the caller's token says of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;

use bank::*;
use gatewright::table::*;
use serde_json::{Value, json};

const STEP: StepUp = StepUp { method: StepUpMethod::Mfa { acr: &[] }, within: 300 };
const MFA: Policy = Policy { step_up: Some(STEP), ..GUARDED };
const GOLD: Policy = Policy {
    step_up: Some(StepUp { method: StepUpMethod::Mfa { acr: &["gold", "urn:x:2"] }, within: 300 }),
    ..GUARDED
};

fn ask(policy: Policy, claims: Value) -> Answer {
    let bank = Bank::of(policy);
    let bearer = bank.bearer(claims);
    bank.send(bank.request(&[("authorization", &bearer)]))
}

/// Rows: A10.
#[test]
fn what_a_token_says_of_its_subjects_authentication() {
    const PAPE: &str = StepUpMethod::MULTI_FACTOR;
    for (policy, claims, admitted) in [
        (MFA, json!({"auth_time": NOW, "amr": ["mfa"]}), true),
        (MFA, json!({"auth_time": NOW - 300, "amr": ["pwd", "otp", "mfa"]}), true),
        (MFA, json!({"auth_time": NOW + 30, "amr": ["mfa"]}), true),
        (MFA, json!({"auth_time": NOW, "acr": PAPE}), true),
        // Too long ago, or not yet.
        (MFA, json!({"auth_time": NOW - 301, "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": NOW + 31, "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": i64::MIN, "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": i64::MAX, "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": u64::MAX, "amr": ["mfa"]}), false),
        // Not said, or not as a number: when the token was issued is not when its subject signed in.
        (MFA, json!({"amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": null, "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": NOW.to_string(), "amr": ["mfa"]}), false),
        (MFA, json!({"auth_time": [NOW], "amr": ["mfa"]}), false),
        // One factor, or several that the issuer does not call so.
        (MFA, json!({"auth_time": NOW}), false),
        (MFA, json!({"auth_time": NOW, "amr": []}), false),
        (MFA, json!({"auth_time": NOW, "amr": ["pwd", "otp"]}), false),
        (MFA, json!({"auth_time": NOW, "amr": "mfa"}), false),
        (MFA, json!({"auth_time": NOW, "amr": ["MFA"]}), false),
        (MFA, json!({"auth_time": NOW, "amr": [["mfa"]]}), false),
        (MFA, json!({"auth_time": NOW, "acr": "gold"}), false),
        (MFA, json!({"auth_time": NOW, "acr": [PAPE]}), false),
        // Where the policy names values, one of them and nothing else.
        (GOLD, json!({"auth_time": NOW, "acr": "gold"}), true),
        (GOLD, json!({"auth_time": NOW, "acr": "urn:x:2"}), true),
        (GOLD, json!({"auth_time": NOW - 301, "acr": "gold"}), false),
        (GOLD, json!({"auth_time": NOW, "acr": "Gold"}), false),
        (GOLD, json!({"auth_time": NOW, "acr": "gold urn:x:2"}), false),
        (GOLD, json!({"auth_time": NOW, "amr": ["mfa"]}), false),
        (GOLD, json!({"auth_time": NOW, "acr": PAPE}), false),
    ] {
        let answer = ask(policy, claims.clone());
        assert_eq!(answer.entered, admitted, "{claims}");
        assert_eq!(answer.code(), if admitted { 200 } else { 401 }, "{claims}");
    }
}

/// What a challenge describes is ours and of the characters that RFC 6750, 3 permits; no part of a token stands in it, whatever
/// that holds.
///
/// Rows: B11.
#[test]
fn no_challenge_says_what_was_sent() {
    let strange = "x\"y\\z\r\n\u{7f}ü";
    for (policy, claims) in [
        (MFA, json!({"auth_time": NOW - 301, "amr": [strange], "acr": strange})),
        (GOLD, json!({"auth_time": strange, "acr": strange})),
        (GUARDED, json!({"exp": NOW - 1, "sub": strange})),
        (GUARDED, json!({"iss": strange})),
        (Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..OPEN }, json!({"scope": strange})),
    ] {
        let answer = ask(policy, claims.clone());
        assert!(matches!(answer.code(), 401 | 403), "{claims}");
        for challenge in answer.headers.get_all("www-authenticate") {
            let text = challenge.to_str().unwrap();
            assert!(!text.contains("x\\") && !text.contains("eyJ"), "{text}");
            let Some((_, described)) = text.split_once("error_description=\"") else { continue };
            let described = described.split('"').next().unwrap();
            assert!(described.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{described}");
            assert!(!described.is_empty());
        }
    }
}

/// Rows: W11.
#[test]
fn the_challenge_says_what_is_missing() {
    let challenge = |policy: Policy| {
        let answer = ask(policy, json!({"auth_time": NOW - 301, "amr": ["mfa"]}));
        assert_eq!(answer.code(), 401);
        answer.headers["www-authenticate"].to_str().unwrap().to_owned()
    };
    let text = challenge(MFA);
    assert!(text.starts_with("Bearer realm=\"Bank v1\", error=\"insufficient_user_authentication\""), "{text}");
    let pape = format!("acr_values=\"{}\"", StepUpMethod::MULTI_FACTOR);
    assert!(text.contains(&pape) && text.ends_with("max_age=\"300\""), "{text}");
    assert!(challenge(GOLD).contains("acr_values=\"gold urn:x:2\""));
}

#[test]
fn it_is_asked_for_behind_who_and_before_what() {
    let fresh = json!({"auth_time": NOW, "amr": ["mfa"], "scope": "transfers:read"});
    let write = Policy { access: Access::Guarded(&[OAUTH_WRITE]), ..MFA };
    // Whoever may not call it anyway is not sent to sign in again.
    assert_eq!(ask(write, json!({})).code(), 403);
    assert_eq!(ask(write, fresh.clone()).code(), 403);
    assert_eq!(ask(Policy { allow_users: Some(&["bob"]), ..MFA }, json!({})).code(), 403);
    const LIMITS: &[Limit] = &[Limit { name: "user", by: &[Key::User], quota: Quota::Flat(rate(1, 60)) }];
    let bank = Bank::of(Policy { limits: LIMITS, ..MFA });
    let bearer = bank.bearer(json!({}));
    let codes = [1, 2].map(|_| bank.send(bank.request(&[("authorization", &bearer)])).code());
    assert_eq!(codes, [401, 429], "a refused step-up counts against the caller's rate");
}

#[test]
fn one_credential_says_both_and_is_the_subjects_own() {
    // By AND: a key of carol's beside a token of alice's. The key says nothing, and the token speaks for its own subject.
    let both = Policy { access: Access::Guarded(&[OAUTH_AND_KEY]), ..MFA };
    let bank = Bank::of(both);
    let key = bank.key("free");
    let send = |claims: Value| {
        let bearer = bank.bearer(claims);
        bank.send(bank.request(&[("authorization", &bearer), ("x-api-key", &key)])).code()
    };
    assert_eq!(send(json!({"auth_time": NOW, "amr": ["mfa"]})), 200);
    assert_eq!(send(json!({"auth_time": NOW - 301, "amr": ["mfa"]})), 401);
    // The application's word counts as a token's does, and it says nothing here.
    let bank = Bank::of(Policy { access: Access::Guarded(&[BASIC_ANY]), ..MFA });
    assert_eq!(bank.send(bank.request(&[("authorization", "Basic Ym9iOnNlY3JldA==")])).code(), 401);
}
