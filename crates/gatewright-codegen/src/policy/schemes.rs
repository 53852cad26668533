//! The table of a scheme: where its credential stands, and how it is verified.

use gatewright_ir::api::Location;
use gatewright_ir::policy::{Bound, Introspection, Keys, Scheme, SchemeKind, Verify};
use proc_macro2::TokenStream;
use quote::quote;

use super::tables::{Source, Written, none, refused, small, text_setting};

pub(super) fn scheme(source: &Source<'_>, scheme: &Scheme) -> Written {
    let name = &scheme.name.value;
    let at = source.sources.at(scheme.name.span);
    let Some((_, bits)) = source.bits.scheme(name) else {
        return Err(refused("a scheme without a number", scheme.name.span));
    };
    let bit = small(bits.bit);
    let scopes = bits.scopes.iter().map(|(scope, bit)| {
        let bit = small(*bit);
        quote!((#scope, #bit))
    });
    let carrier = match &scheme.kind {
        SchemeKind::ApiKey { location: Location::Query, name } => quote!(Query(#name)),
        SchemeKind::ApiKey { location: Location::Cookie, name } => quote!(Cookie(#name)),
        SchemeKind::ApiKey { location: Location::Header, name } => quote!(Header(#name)),
        SchemeKind::ApiKey { .. } => return Err(refused("an API key in this place", scheme.name.span)),
        SchemeKind::Http { scheme, .. } => quote!(Authorization(#scheme)),
        SchemeKind::OAuth2 | SchemeKind::OpenIdConnect { .. } => quote!(Authorization("bearer")),
        SchemeKind::MutualTls => quote!(ClientCertificate),
    };
    let verify = verify(source, scheme)?;
    Ok(quote! {
        Scheme { name: #name, at: #at, bit: #bit, scopes: &[#(#scopes),*], carrier: Carrier::#carrier, verify: Verify::#verify }
    })
}

fn verify(source: &Source<'_>, scheme: &Scheme) -> Written {
    let jwt = match &scheme.verify {
        Verify::Application => return Ok(quote!(Application)),
        Verify::ApiKey(key) => {
            let (prefix, grace) = (&key.prefix, key.grace);
            let rotate = key.rotate_every.map_or_else(none, |s| quote!(::core::option::Option::Some(#s)));
            let anomaly = key.anomaly.as_ref().map_or_else(none, |anomaly| {
                let network = match anomaly.value.new_network.as_deref() {
                    None => quote!(Ignore),
                    Some("warn") => quote!(Warn),
                    // Whatever a later word means, it is not less.
                    Some(_) => quote!(Refuse),
                };
                let spike = anomaly.value.spike.map_or_else(none, |times| quote!(::core::option::Option::Some(#times)));
                quote!(::core::option::Option::Some(Anomaly { new_network: NewNetwork::#network, spike: #spike }))
            });
            return Ok(quote! {
                ApiKey(ApiKey { prefix: #prefix, rotate_every: #rotate, grace: #grace, anomaly: #anomaly })
            });
        }
        Verify::Introspection(asked) => {
            let asked = introspection(source, &asked.value);
            return Ok(quote!(Introspection(#asked)));
        }
        // No credential of a request: the rules refuse it in `security`.
        Verify::WebAuthn(_) => return Err(refused("`webauthn` in `security`", scheme.name.span)),
        Verify::Jwt(jwt) => jwt,
    };
    let issuer = text_setting(source, &jwt.issuer.value, jwt.issuer.span);
    let audience = jwt.audience.iter().map(|a| text_setting(source, &a.value, a.span));
    let keys = match &jwt.keys.value {
        Keys::File(path) => {
            let path = text_setting(source, path, jwt.keys.span);
            quote!(File(#path))
        }
        Keys::Inline(text) => quote!(Inline(#text)),
        Keys::Url(url) => {
            let url = text_setting(source, url, jwt.keys.span);
            quote!(Url(#url))
        }
        Keys::Discovery => quote!(Discovery),
    };
    let algorithms = jwt.algorithms.iter().map(|a| {
        let name = crate::names::ident(&format!("{:?}", a.value));
        quote!(Algorithm::#name)
    });
    let (lifetime, leeway, typed, scopes) = (jwt.max_lifetime, jwt.leeway, jwt.typed, &jwt.scopes_claim);
    let roles = roles_claim(jwt.roles_claim.as_deref());
    let bound = bound(jwt.bound.as_ref().map(|b| b.value));
    let asked = match &jwt.introspection {
        Some(asked) => {
            let asked = introspection(source, &asked.value);
            quote!(::core::option::Option::Some(#asked))
        }
        None => none(),
    };
    Ok(quote! {
        Jwt(Jwt {
            issuer: #issuer, audience: &[#(#audience),*], keys: Keys::#keys, algorithms: &[#(#algorithms),*],
            max_lifetime: #lifetime, leeway: #leeway, typed: #typed, scopes_claim: &[#(#scopes),*], roles_claim: #roles,
            bound: #bound, introspection: #asked,
        })
    })
}

fn roles_claim(path: Option<&[String]>) -> TokenStream {
    path.map_or_else(none, |path| quote!(::core::option::Option::Some(&[#(#path),*])))
}

fn bound(bound: Option<Bound>) -> TokenStream {
    bound.map_or_else(none, |Bound { dpop, mtls, require, nonce }| {
        quote!(::core::option::Option::Some(Bound { dpop: #dpop, mtls: #mtls, require: #require, nonce: #nonce }))
    })
}

fn introspection(source: &Source<'_>, asked: &Introspection) -> TokenStream {
    let url = text_setting(source, &asked.url.value, asked.url.span);
    let issuer = match &asked.issuer {
        Some(issuer) => {
            let issuer = text_setting(source, &issuer.value, issuer.span);
            quote!(::core::option::Option::Some(#issuer))
        }
        None => none(),
    };
    let audience = asked.audience.iter().map(|a| text_setting(source, &a.value, a.span));
    let (cache, leeway, scopes) = (asked.cache, asked.leeway, &asked.scopes_claim);
    let roles = roles_claim(asked.roles_claim.as_deref());
    let bound = bound(asked.bound.as_ref().map(|b| b.value));
    quote! {
        Introspection {
            url: #url, issuer: #issuer, audience: &[#(#audience),*], cache: #cache, leeway: #leeway,
            scopes_claim: &[#(#scopes),*], roles_claim: #roles, bound: #bound,
        }
    }
}
