//! What the answers to webhooks and callbacks are written with.

/// The answers that a webhook or callback declares: by status, each with what it carries and how that is read, by a function of
/// [`Received`](crate::outbound::Received).
///
/// ```text
/// ::gatewright::received! {
///     accept ["application/json"];
///     200 => {
///         /// Heard.
///         Ok(types::Receipt) = json(&["application/json"], checks::check_receipt),
///     }
///     400..=499 => {
///         /// Not heard.
///         ClientError = nothing(),
///     }
/// }
/// ```
#[macro_export]
macro_rules! received {
    (
        accept [$($accept:literal),* $(,)?];
        $($status:pat => {
            $($(#[$docs:meta])* $variant:ident $(($type:ty))? = $how:ident($($with:expr),* $(,)?),)+
        })+
    ) => {
        /// What comes back.
        #[derive(Debug)]
        pub enum Answer {
            $($($(#[$docs])* $variant $(($type))?,)+)+
        }

        impl $crate::outbound::Answer for Answer {
            const ACCEPT: &'static [&'static str] = &[$($accept),*];

            #[allow(unreachable_patterns)]
            fn read(
                received: &$crate::outbound::Received,
            ) -> ::core::result::Result<Self, $crate::outbound::Misfit> {
                match received.status.as_u16() {
                    $($status => {
                        $(if let ::core::option::Option::Some(body) = received.$how($($with),*)? {
                            return ::core::result::Result::Ok($crate::received!(@made body $variant $($type)?));
                        })+
                        ::core::result::Result::Err($crate::outbound::Misfit::MediaType)
                    })+
                    _ => ::core::result::Result::Err($crate::outbound::Misfit::Status),
                }
            }
        }
    };
    (@made $body:ident $variant:ident) => {{
        let () = $body;
        Answer::$variant
    }};
    (@made $body:ident $variant:ident $type:ty) => { Answer::$variant($body) };
}
