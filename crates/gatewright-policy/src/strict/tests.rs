use alloc::boxed::Box;

use super::*;
use crate::Rate;
use crate::table::*;

const EVERY: Setting<Rate> = Setting::Fixed(Rate { limit: 60, window: 60, burst: 60 });
const JWT: Jwt = Jwt {
    issuer: Setting::Environment { template: "${ISSUER}", at: "x:1" },
    audience: &[Setting::Fixed("bank")],
    keys: Keys::Discovery,
    algorithms: &[Algorithm::ES256],
    max_lifetime: 3600,
    leeway: 30,
    typed: true,
    scopes_claim: &["scope"],
    roles_claim: Some(&["roles"]),
    bound: None,
    introspection: None,
};
const DPOP: Bound = Bound { dpop: true, mtls: false, require: true, nonce: false };
const OAUTH: Scheme = Scheme {
    name: "oauth",
    at: "x:1",
    bit: 0,
    scopes: &[("read", 1), ("write", 2)],
    carrier: Carrier::Authorization("bearer"),
    verify: Verify::Jwt(JWT),
};
/// Bits: 0 the scheme, 1 and 2 its scopes, 3 `clerk`, 4 `chief`, who inherits `clerk`.
const CLERK: Role = Role { name: "clerk", grants: &[(0, &[0b01010])] };
const CHIEF: Role = Role { name: "chief", grants: &[(0, &[0b11110])] };

fn api() -> ApiPolicy {
    ApiPolicy {
        name: "Bank",
        prefix: "",
        bits: 5,
        schemes: &[OAUTH],
        roles: &[CLERK, CHIEF],
        levels: &[],
        networks: &[
            Network { name: "office", ranges: &[Setting::Fixed("10.0.0.0/8")] },
            Network { name: "all", ranges: &[Setting::Fixed("10.0.0.0/8"), Setting::Fixed("192.0.2.0/24")] },
        ],
        actions: &[],
        allow_networks: &[],
        limits: &[],
        store: SharedStore { on_outage: OnOutage::Closed, budget: 20 },
        transport: Transport {
            https: Https::Required,
            tls13_only: false,
            hsts: None,
            client_certificates: ClientCertificates::Off,
            hosts: &[],
            trusted_proxies: &[],
        },
        lifecycle: Lifecycle {
            status: Status::Stable,
            deprecated_at: None,
            sunset: None,
            successor: None,
            documentation: None,
        },
        type_base: None,
        validation_status: 400,
        passkeys: None,
        fields: &[],
        hash: "",
    }
}

const READ: Alternative = Alternative { schemes: &[0], authenticated: &[1], authorized: &[0b011], scopes: &["read"] };
const BOTH: Alternative =
    Alternative { schemes: &[0], authenticated: &[1], authorized: &[0b111], scopes: &["read", "write"] };
const ANYBODY: Alternative = Alternative { schemes: &[], authenticated: &[], authorized: &[], scopes: &[] };

fn policy() -> Policy {
    Policy {
        operation: "op",
        at: "x:2",
        access: Access::Guarded(&[READ]),
        roles: &[],
        level: None,
        claims: &[],
        allow_networks: None,
        allow_users: None,
        allow_devices: None,
        limits: &[],
        cost: 1,
        body_limit: Setting::Fixed(1),
        timeout: Setting::Fixed(1),
        idempotency: None,
        audit: false,
        read: None,
        write: None,
        parameters: None,
        step_up: None,
    }
}

fn row(api: ApiPolicy, policy: Policy) -> Row {
    Row { api: Box::leak(Box::new(api)), policy: Box::leak(Box::new(policy)) }
}

/// What is weaker about `old`, and that nothing is about a policy beside itself.
fn held(old: Policy, new: Policy) -> Option<Weaker> {
    assert_eq!(weaker(row(api(), old), row(api(), old)), None);
    assert_eq!(weaker(row(api(), new), row(api(), new)), None);
    weaker(row(api(), old), row(api(), new))
}

#[test]
fn security_is_implied_alternative_by_alternative() {
    let with = |access| Policy { access, ..policy() };
    let (read, both) = (with(Access::Guarded(&[READ])), with(Access::Guarded(&[BOTH])));
    assert_eq!(held(both, read), None);
    assert_eq!(held(read, both), Some(Weaker::Security));
    assert_eq!(held(with(Access::Guarded(&[BOTH, READ])), both), Some(Weaker::Security));
    assert_eq!(held(both, with(Access::Guarded(&[BOTH, READ]))), None);
    assert_eq!(held(with(Access::Public("why")), read), Some(Weaker::Security));
    assert_eq!(held(with(Access::Unguarded), read), Some(Weaker::Security));
    assert_eq!(held(with(Access::Guarded(&[READ, ANYBODY])), read), Some(Weaker::Security));
    assert_eq!(held(read, with(Access::Guarded(&[READ, ANYBODY]))), None);
    assert_eq!(held(read, with(Access::Public("why"))), None);
}

#[test]
fn a_scheme_that_verifies_less_is_weaker() {
    let new = row(api(), policy());
    let old = |change: fn(&mut Jwt)| {
        let mut jwt = JWT;
        change(&mut jwt);
        let schemes = Box::leak(Box::new([Scheme { verify: Verify::Jwt(jwt), ..OAUTH }]));
        weaker(row(ApiPolicy { schemes, ..api() }, policy()), new)
    };
    assert_eq!(old(|_| {}), None);
    assert_eq!(old(|jwt| jwt.leeway = 0), None);
    assert_eq!(old(|jwt| jwt.roles_claim = None), None);
    let less: [fn(&mut Jwt); 8] = [
        |jwt| jwt.issuer = Setting::Fixed("https://other.example"),
        |jwt| jwt.audience = &[Setting::Fixed("bank"), Setting::Fixed("shop")],
        |jwt| jwt.keys = Keys::Inline("{}"),
        |jwt| jwt.algorithms = &[Algorithm::ES256, Algorithm::RS256],
        |jwt| jwt.max_lifetime = 7200,
        |jwt| jwt.leeway = 60,
        |jwt| jwt.typed = false,
        |jwt| jwt.scopes_claim = &["scp"],
    ];
    for change in less {
        assert_eq!(old(change), Some(Weaker::Security));
    }
    // Bound tokens: what the newer one requires, the older one must.
    let bound = |old, new| {
        let of = |bound| {
            let schemes = Box::leak(Box::new([Scheme { verify: Verify::Jwt(Jwt { bound, ..JWT }), ..OAUTH }]));
            row(ApiPolicy { schemes, ..api() }, policy())
        };
        weaker(of(old), of(new))
    };
    assert_eq!(bound(Some(DPOP), None), None);
    assert_eq!(bound(Some(DPOP), Some(DPOP)), None);
    assert_eq!(bound(None, Some(Bound { require: false, ..DPOP })), None);
    for (old, new) in [
        (None, DPOP),
        (Some(Bound { require: false, ..DPOP }), DPOP),
        (Some(Bound { mtls: true, ..DPOP }), DPOP),
        (Some(DPOP), Bound { nonce: true, ..DPOP }),
    ] {
        assert_eq!(bound(old, Some(new)), Some(Weaker::Security), "{old:?}");
    }
    let carried = Box::leak(Box::new([Scheme { carrier: Carrier::Query("token"), ..OAUTH }]));
    assert_eq!(weaker(row(ApiPolicy { schemes: carried, ..api() }, policy()), new), Some(Weaker::Security));
}

#[test]
fn what_a_role_brings_counts() {
    let new = row(api(), policy());
    // In the older version a role that the newer one does not have brings `read`.
    let stranger = Role { name: "guest", grants: &[(0, &[0b00010])] };
    let old = ApiPolicy { roles: Box::leak(Box::new([CLERK, CHIEF, stranger])), ..api() };
    assert_eq!(weaker(row(old, policy()), new), Some(Weaker::Security));
    assert_eq!(weaker(new, row(old, policy())), None);

    let with = |roles| Policy { roles, ..policy() };
    let (clerk, chief) = (with(&[0b01000]), with(&[0b10000]));
    assert_eq!(held(chief, clerk), None);
    assert_eq!(held(clerk, chief), Some(Weaker::Roles));
    assert_eq!(held(policy(), clerk), Some(Weaker::Roles));
    assert_eq!(held(clerk, policy()), None);
}

#[test]
fn conditions_may_be_added_and_not_dropped() {
    const TENANT: Claim = Claim { path: &["tenant"], must: Must::Equal(Operand::Path("tenantId")) };
    const A: Claim = Claim { path: &["group"], must: Must::Equal(Operand::Text("a")) };
    const A_OR_B: Claim = Claim { path: &["group"], must: Must::In(&[Operand::Text("a"), Operand::Text("b")]) };
    let with = |claims| Policy { claims, ..policy() };
    assert_eq!(held(with(&[TENANT, A]), with(&[A_OR_B])), None);
    assert_eq!(held(with(&[A_OR_B]), with(&[A])), Some(Weaker::Claims));
    assert_eq!(held(policy(), with(&[TENANT])), Some(Weaker::Claims));

    let from = |allow_networks| Policy { allow_networks, ..policy() };
    assert_eq!(held(from(Some(&[0])), from(Some(&[1]))), None);
    assert_eq!(held(from(Some(&[1])), from(Some(&[0]))), Some(Weaker::Networks));
    assert_eq!(held(policy(), from(Some(&[0]))), Some(Weaker::Networks));
    let inside = ApiPolicy { allow_networks: &[0], ..api() };
    assert_eq!(weaker(row(inside, policy()), row(api(), from(Some(&[1])))), None);
    assert_eq!(weaker(row(api(), policy()), row(inside, policy())), Some(Weaker::Networks));

    let by = |allow_users| Policy { allow_users, ..policy() };
    assert_eq!(held(by(Some(&["a"])), by(Some(&["a", "b"]))), None);
    assert_eq!(held(by(Some(&["a", "c"])), by(Some(&["a", "b"]))), Some(Weaker::Users));
    assert_eq!(held(policy(), by(Some(&["a"]))), Some(Weaker::Users));
    let once = |required| policy().idempotency(Idempotency { required, expires: 60 });
    assert_eq!(held(once(true), once(false)), None);
    assert_eq!(held(once(false), once(true)), Some(Weaker::Idempotency));
    assert_eq!(held(policy(), once(false)), Some(Weaker::Idempotency));
    let on = |allow_devices| Policy { allow_devices, ..policy() };
    assert_eq!(held(on(Some(&["a"])), on(Some(&["a", "b"]))), None);
    assert_eq!(held(on(Some(&["c"])), on(Some(&["a", "b"]))), Some(Weaker::Devices));
    assert_eq!(held(policy(), on(Some(&["a"]))), Some(Weaker::Devices));
    assert_eq!(held(policy(), Policy { audit: true, ..policy() }), Some(Weaker::Audit));

    let off = ApiPolicy { transport: Transport { https: Https::Off, ..api().transport }, ..api() };
    assert_eq!(weaker(row(off, policy()), row(api(), policy())), Some(Weaker::Transport));
}

#[test]
fn a_step_up_is_no_older_and_of_no_other_kind() {
    const fn mfa(acr: &'static [&'static str], within: u32) -> Option<StepUp> {
        Some(StepUp { method: StepUpMethod::Mfa { acr }, within })
    }
    let with = |step_up| Policy { step_up, ..policy() };
    assert_eq!(held(with(mfa(&[], 60)), with(mfa(&[], 300))), None);
    assert_eq!(held(with(mfa(&["a"], 300)), with(mfa(&["a", "b"], 300))), None);
    assert_eq!(held(with(mfa(&[], 60)), policy()), None);
    for (old, new) in [
        (None, mfa(&[], 300)),
        (mfa(&[], 301), mfa(&[], 300)),
        (mfa(&["a", "c"], 300), mfa(&["a", "b"], 300)),
        // What `amr` says and what `acr` says are not to be compared.
        (mfa(&[], 300), mfa(&["a"], 300)),
        (mfa(&["a"], 300), mfa(&[], 300)),
    ] {
        assert_eq!(held(with(old), with(new)), Some(Weaker::StepUp), "{old:?} {new:?}");
    }
    // Passkeys: of the same domain, asked for on no more pages, and no less verified.
    let webauthn = |within| Some(StepUp { method: StepUpMethod::WebAuthn, within });
    let of = |origins, user_verification| {
        let passkeys = Passkeys {
            name: "passkey",
            at: "x:5",
            rp_id: Setting::Fixed("bank.example"),
            rp_name: "Bank",
            origins,
            user_verification,
            policy: policy(),
        };
        row(ApiPolicy { passkeys: Some(passkeys), ..api() }, with(webauthn(300)))
    };
    const ONE: &[Setting<&str>] = &[Setting::Fixed("https://bank.example")];
    const TWO: &[Setting<&str>] = &[Setting::Fixed("https://bank.example"), Setting::Fixed("https://a.bank.example")];
    use UserVerification::{Preferred, Required};
    assert_eq!(weaker(of(ONE, Required), of(TWO, Required)), None);
    assert_eq!(weaker(of(ONE, Required), of(ONE, Preferred)), None);
    assert_eq!(weaker(of(TWO, Required), of(ONE, Required)), Some(Weaker::StepUp));
    assert_eq!(weaker(of(ONE, Preferred), of(ONE, Required)), Some(Weaker::StepUp));
    assert_eq!(weaker(row(api(), with(webauthn(300))), of(ONE, Required)), Some(Weaker::StepUp));
    assert_eq!(weaker(row(api(), with(mfa(&[], 60))), of(ONE, Required)), Some(Weaker::StepUp));
}

#[test]
fn a_limit_may_not_be_missing_nor_wider() {
    const fn flat(by: &'static [Key], rate: Setting<Rate>) -> Limit {
        Limit { name: "l", by, quota: Quota::Flat(rate) }
    }
    const USER: Limit = flat(&[Key::User], EVERY);
    const WIDE: Limit = flat(&[Key::User], Setting::Fixed(Rate { limit: 61, window: 60, burst: 60 }));
    const NARROW: Limit = flat(&[Key::User], Setting::Fixed(Rate { limit: 1000, window: 3600, burst: 10 }));
    const SET: Limit = flat(&[Key::User], Setting::Environment { template: "${R:-60/min}", at: "x:3" });
    const ADDRESS: Limit = flat(&[Key::Address], EVERY);
    const CLERKS: Limit = Limit {
        name: "l",
        by: &[Key::User],
        quota: Quota::ByGrant {
            default: EVERY,
            rates: &[(3, Setting::Fixed(Rate { limit: 600, window: 60, burst: 600 }))],
        },
    };
    let with = |limits| Policy { limits, ..policy() };
    assert_eq!(held(with(&[NARROW]), with(&[USER])), None);
    assert_eq!(held(with(&[ADDRESS, USER]), with(&[USER])), None);
    assert_eq!(held(with(&[USER]), with(&[CLERKS])), None);
    assert_eq!(held(with(&[SET]), with(&[SET])), None);
    for weak in [WIDE, SET, ADDRESS, CLERKS] {
        assert_eq!(held(with(Box::leak(Box::new([weak]))), with(&[USER])), Some(Weaker::Limits), "{weak:?}");
    }
    assert_eq!(held(policy(), with(&[USER])), Some(Weaker::Limits));
}

#[test]
fn a_quota_is_compared_with_quotas_and_a_cost_may_not_be_less() {
    const DAY: Quota = Quota::Flat(Setting::Fixed(Rate { limit: 60, window: 86_400, burst: 60 }));
    const MORE: Quota = Quota::Flat(Setting::Fixed(Rate { limit: 61, window: 86_400, burst: 61 }));
    const fn of(quota: Quota) -> Limit {
        Limit { name: "l", by: &[Key::User], quota }
    }
    const DAILY: Limit = of(Quota::Calendar(&DAY));
    const MORE_DAILY: Limit = of(Quota::Calendar(&MORE));
    const AT_ONCE: Limit = of(Quota::Concurrent(&DAY));
    let with = |limits| Policy { limits, ..policy() };
    assert_eq!(held(with(&[DAILY, AT_ONCE]), with(&[DAILY])), None);
    assert_eq!(held(with(&[DAILY]), with(&[MORE_DAILY])), None);
    for weak in [MORE_DAILY, AT_ONCE, of(DAY)] {
        assert_eq!(held(with(Box::leak(Box::new([weak]))), with(&[DAILY])), Some(Weaker::Limits), "{weak:?}");
    }
    let costs = |cost| with(&[DAILY]).cost(cost);
    assert_eq!(held(costs(4), costs(5)), Some(Weaker::Limits));
    assert_eq!(held(costs(5), costs(4)), None);
}

#[test]
fn levels_are_compared_by_name() {
    const KEY: Scheme = Scheme {
        name: "key",
        at: "x:4",
        bit: 0,
        scopes: &[],
        carrier: Carrier::Header("X-Api-Key"),
        verify: Verify::ApiKey(ApiKey { prefix: "bank", rotate_every: None, grace: 60, anomaly: None }),
    };
    const FREE: Level = Level { name: "free", grants: &[(0, &[0b010])], rate: Some(EVERY) };
    const PAID: Level = Level { name: "paid", grants: &[(0, &[0b110])], rate: Some(EVERY) };
    let keys = ApiPolicy { schemes: &[KEY], roles: &[], levels: &[FREE, PAID], ..api() };
    let any = Alternative { schemes: &[0], authenticated: &[1], authorized: &[1], scopes: &[] };
    let with = |level| Policy { access: Access::Guarded(Box::leak(Box::new([any]))), level, ..policy() };
    let compare = |a, b| weaker(row(keys, with(a)), row(keys, with(b)));
    assert_eq!(compare(Some(2), Some(1)), None);
    assert_eq!(compare(Some(1), None), None);
    assert_eq!(compare(Some(1), Some(2)), Some(Weaker::Level));
    assert_eq!(compare(None, Some(1)), Some(Weaker::Level));
}

#[test]
fn guarded_properties_of_the_newer_version_are_not_compared_and_so_refused() {
    for guarded in [
        Policy { read: Some(0), ..policy() },
        Policy { write: Some(0), ..policy() },
        Policy { parameters: Some(0), ..policy() },
    ] {
        assert_eq!(weaker(row(api(), policy()), row(api(), guarded)), Some(Weaker::Properties));
        assert_eq!(weaker(row(api(), guarded), row(api(), policy())), None);
    }
}
