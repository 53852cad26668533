//! The tables of limits, and of the store that counts them.

use gatewright_ir::policy::{Limit, LimitKey, Measure, Quota};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::tables::{Source, Written, rate, refused, setting};

pub(super) fn limits(source: &Source<'_>, limits: &[Limit]) -> Written {
    let written = limits.iter().enumerate().map(|(i, l)| limit(source, i, l)).collect::<Result<Vec<_>, _>>()?;
    Ok(quote!(&[#(#written),*]))
}

fn limit(source: &Source<'_>, index: usize, limit: &Limit) -> Written {
    let mut by: Vec<TokenStream> = limit.by.iter().map(key).collect();
    let mut name: Vec<&str> = limit.by.iter().map(word).collect();
    let quota = match &limit.quota {
        Quota::Flat(rate) => {
            let rate = setting(source, rate, limit.span, |r| self::rate(*r));
            quote!(Flat(#rate))
        }
        Quota::ByName { default, rates } => {
            let default = setting(source, default, limit.span, |r| self::rate(*r));
            let mut rows = Vec::new();
            for (name, rate) in rates {
                let bit = source.bits.roles.get(&name.value).or_else(|| source.bits.levels.get(&name.value));
                let missing =
                    || refused(&format!("a rate for `{}`, which is no role or level,", name.value), name.span);
                let bit = bit.copied().ok_or_else(missing)?;
                let rate = setting(source, rate, name.span, |r| self::rate(*r));
                rows.push(quote!((#bit, #rate)));
            }
            quote!(ByGrant { default: #default, rates: &[#(#rows),*] })
        }
        Quota::OfLevel => quote!(OfLevel),
        Quota::Action(action) => {
            let found = source.ir.policies.actions.iter().position(|a| a.name.value == action.value);
            let missing = || refused(&format!("the action `{}`, which is not declared,", action.value), action.span);
            let index = found.map(|i| i as u16).ok_or_else(missing)?;
            name = vec![&action.value];
            // The bucket's own limits say what is counted; a table row still names something.
            if by.is_empty() {
                by.push(quote!(Key::Address));
            }
            quote!(Action(#index))
        }
    };
    if by.is_empty() {
        return Err(refused("a rate limit that counts by nothing", limit.span));
    }
    let quota = match limit.measure {
        Measure::Rate => quota,
        Measure::Calendar => {
            name.push("quota");
            quote!(Calendar(&Quota::#quota))
        }
        Measure::Concurrent => {
            name.push("concurrent");
            quote!(Concurrent(&Quota::#quota))
        }
    };
    let name = format!("{}-{index}", name.join("-"));
    Ok(quote!(Limit { name: #name, by: &[#(#by),*], quota: Quota::#quota }))
}

fn key(key: &LimitKey) -> TokenStream {
    match key {
        LimitKey::Address => quote!(Key::Address),
        LimitKey::User => quote!(Key::User),
        LimitKey::ApiKey => quote!(Key::ApiKey),
        LimitKey::Client => quote!(Key::Client),
        LimitKey::Level => quote!(Key::Level),
        LimitKey::Claim(path) => quote!(Key::Claim(&[#(#path),*])),
    }
}

fn word(key: &LimitKey) -> &'static str {
    match key {
        LimitKey::Address => "ip",
        LimitKey::User => "user",
        LimitKey::ApiKey => "key",
        LimitKey::Client => "client",
        LimitKey::Level => "level",
        LimitKey::Claim(_) => "claim",
    }
}

pub(super) fn shared_store(source: &Source<'_>) -> TokenStream {
    let said = source.ir.policies.shared_limits.as_ref().map(|limits| limits.value).unwrap_or_default();
    let outage = if said.local_on_outage { quote!(Local) } else { quote!(Closed) };
    let budget = Literal::u32_unsuffixed(said.store_budget);
    quote!(SharedStore { on_outage: OnOutage::#outage, budget: #budget })
}
