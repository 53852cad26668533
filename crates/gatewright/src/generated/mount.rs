//! What binds the operations of a version together.

/// The functions that mount a version: each of its operations by its trait and its module, then each scheme that the
/// application verifies.
///
/// ```text
/// ::gatewright::mounts! {
///     operations { accounts::GetAccount as accounts::get_account, }
///     verified { "session": schemes::Session, }
/// }
/// ```
#[macro_export]
macro_rules! mounts {
    (
        operations { $($handler:path as $($module:ident)::+,)* }
        $(verified { $($word:literal: $marker:path,)* })?
    ) => {
        /// This version with all its operations, to be mounted beside others with `gatewright::router`.
        #[allow(dead_code, unreachable_pub)]
        pub fn mount<A>(app: ::std::sync::Arc<A>) -> $crate::Mount
        where
            A: $($handler +)* $($($crate::Verify<$marker> +)*)? ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            $crate::Mount::new(&policy::API, &app, &[$(<$($module)::+::Op as $crate::HandledBy<A>>::ROUTE),*])
                $($(.verifier($crate::Verifier::new::<$marker, A>($word, ::std::sync::Arc::clone(&app))))*)?
        }

        /// The router of this version alone.
        ///
        /// # Errors
        /// A setting of the deployment is missing or wrong.
        #[allow(dead_code, unreachable_pub)]
        pub fn router<A>(
            app: A,
            config: $crate::Config,
        ) -> ::core::result::Result<$crate::Router, $crate::StartError>
        where
            A: $($handler +)* $($($crate::Verify<$marker> +)*)? ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            $crate::router([mount(::std::sync::Arc::new(app))], config)
        }

        /// This version with some of its operations: those that are added to it.
        #[allow(dead_code, unreachable_pub)]
        pub fn partial<A>(app: ::std::sync::Arc<A>) -> $crate::Partial<A>
        where
            A: $($($crate::Verify<$marker> +)*)? ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            $crate::Partial::new(
                &policy::API,
                ::std::sync::Arc::clone(&app),
                &[$(<$($module)::+::Op as $crate::Operation>::META),*],
            )
            $($(.verifier($crate::Verifier::new::<$marker, A>($word, ::std::sync::Arc::clone(&app))))*)?
        }
    };
}
