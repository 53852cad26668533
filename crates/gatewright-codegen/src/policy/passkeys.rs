//! Passkeys as tokens: the scheme that `step-up` speaks of, and who may come to its ceremonies.

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{
    Access, Alternative, Limit, LimitKey, Measure, Need, Quota, Scheme, Setting, Verify, WebAuthn,
};
use gatewright_policy::Rate;
use proc_macro2::TokenStream;
use quote::quote;

use super::limits::limits;
use super::tables::{Source, alternative, none, text_setting};
use crate::CodegenError;

/// Bytes of what a browser sends at most: an attestation with its certificates.
const BODY: u64 = 65_536;
/// Milliseconds.
const TIMEOUT: u64 = 10_000;
/// Of each user, in all ceremonies.
const RATE: Rate = Rate { limit: 30, window: 60, burst: 30 };

/// The passkeys that operations ask for.
pub(super) fn asked(ir: &CheckedIr) -> Option<(&Scheme, &WebAuthn)> {
    let webauthn = |scheme: &'_ Scheme| matches!(scheme.verify, Verify::WebAuthn(_));
    ir.api.operations.iter().find(|o| asks(ir, o))?;
    // The rules refuse a second one.
    let scheme = ir.policies.schemes.iter().find(|s| webauthn(s))?;
    match &scheme.verify {
        Verify::WebAuthn(passkeys) => Some((scheme, passkeys)),
        _ => None,
    }
}

fn asks(ir: &CheckedIr, operation: &gatewright_ir::Operation) -> bool {
    let step = ir.policies.get(operation.policy).step_up.as_ref();
    step.is_some_and(|step| step.value.method.value == "webauthn")
}

/// Who may come to the ceremonies: whoever may call an operation that asks for a passkey, as far as his credentials go.
/// Scopes and roles are not asked for: they say what a caller may do with the passkey.
pub(super) fn callers(ir: &CheckedIr) -> Vec<Alternative> {
    let mut found: Vec<Alternative> = Vec::new();
    for operation in ir.api.operations.iter().filter(|o| asks(ir, o)) {
        let Access::Guarded(alternatives) = &ir.policies.get(operation.policy).access.value else { continue };
        for alternative in alternatives.iter().filter(|a| !a.needs.is_empty()) {
            let bare = |need: &Need| Need { scopes: Vec::new(), ..need.clone() };
            let needs: Vec<Need> = alternative.needs.iter().map(bare).collect();
            let same = |other: &Alternative| {
                other.needs.len() == needs.len()
                    && needs.iter().all(|n| other.needs.iter().any(|o| o.scheme.value == n.scheme.value))
            };
            if !found.iter().any(same) {
                found.push(Alternative { needs, ..alternative.clone() });
            }
        }
    }
    found
}

/// The value of `ApiPolicy::passkeys`.
pub(super) fn passkeys(source: &Source<'_>) -> Result<TokenStream, CodegenError> {
    let Some((scheme, passkeys)) = asked(source.ir) else { return Ok(none()) };
    let (name, at) = (&scheme.name.value, source.sources.at(scheme.name.span));
    let rp_id = text_setting(source, &passkeys.rp_id, passkeys.span);
    let rp_name = passkeys.rp_name.as_ref().unwrap_or(&source.ir.api.title);
    let origins = passkeys.origins.iter().map(|origin| text_setting(source, &origin.value, origin.span));
    let verification = crate::names::ident(word(&passkeys.user_verification));
    let callers = callers(source.ir);
    let callers = callers.iter().map(|a| alternative(source, a)).collect::<Result<Vec<_>, _>>()?;
    let (by, quota) = (vec![LimitKey::User], Quota::Flat(Setting::Fixed(RATE)));
    let own = Limit { by, measure: Measure::Rate, quota, span: scheme.name.span };
    let limits: Vec<Limit> = source.ir.policies.limits.iter().cloned().chain([own]).collect();
    let limits = self::limits(source, &limits)?;
    let (body, timeout) = (proc_macro2::Literal::u64_unsuffixed(BODY), proc_macro2::Literal::u64_unsuffixed(TIMEOUT));
    Ok(quote! {
        ::core::option::Option::Some(Passkeys {
            name: #name, at: #at, rp_id: #rp_id, rp_name: #rp_name, origins: &[#(#origins),*],
            user_verification: UserVerification::#verification,
            policy: Policy::CLOSED
                .operation("passkeys", #at, Access::Guarded(&[#(#callers),*]))
                .limits(#limits)
                .body_limit(Setting::Fixed(#body))
                .timeout(Setting::Fixed(#timeout))
                .audit(true)
                .checked(),
        })
    })
}

/// The variant of a word of `user-verification`.
pub(super) fn word(text: &str) -> &'static str {
    match text {
        "preferred" => "Preferred",
        "discouraged" => "Discouraged",
        _ => "Required",
    }
}
