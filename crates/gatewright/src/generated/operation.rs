//! What an operation is written with.

/// One operation: the trait that an application implements, and the module of its inputs and answers: the marker `Op`, its
/// `Request` and how that is read, its `Response` and its `Error`.
///
/// ```text
/// operation! {
///     /// List the transfers of an account.
///     pub trait ListTransfers in list_transfers, owner (ResolveAccount, account), caller always;
///     meta: Meta::new(&policy::LIST_TRANSFERS, "GET", "/accounts/{accountId}/transfers"),
///     id: required path("accountId", &Shape::TEXT, checks::check_account_id),     // which object, where there is an owner
///     request {
///         limit: i32 = required query("limit", &Shape::NUMBER, check::is_integer).default("20"),
///     }
///     body |input, found| { body: types::Filter = input.value(found), }
///     Response {
///         /// The transfers.
///         Ok(body: Vec<types::Transfer>) => Reply::json(200, "application/json", &body),
///     }
/// }
/// ```
///
/// An id that stands in the body follows it, as `id at "/from/account",`. The caller is known `always`, and `fresh` if lately
/// authenticated, or `maybe`, or there is `none`. What stands in `with { … }` at the end is more items of the module. All inputs are read before any is missed, so that
/// a caller hears of all that is wrong at once.
#[macro_export]
macro_rules! operation {
    (
        $(#[$about:meta])*
        pub trait $handler:ident in $module:ident $(, owner $owner:tt)?, caller $caller:ident;
        meta: $meta:expr,
        $(id: $id_how:ident $id_spec:expr,)?
        $(request { $($(#[$docs:meta])* $field:ident: $type:ty = $how:ident $spec:expr,)* })?
        $(body |$input:ident, $found:ident| { $(#[$body_docs:meta])* $body:ident: $body_type:ty = $value:expr, })?
        $(id at $pointer:literal,)?
        $(Response { $($responses:tt)* })?
        $(Error { $($errors:tt)* })?
        $(with { $($more:tt)* })?
    ) => {
        $crate::operation! { @trait [$(#[$about])*] $handler $module $($owner)? }

        #[doc = ::core::concat!("Inputs and answers of `", ::core::stringify!($handler), "`.")]
        pub mod $module {
            use super::super::{policy, types, types::checks};
            use $crate::generated::*;

            /// Marks the operation.
            #[derive(Debug)]
            pub struct Op;

            /// A valid request.
            #[derive(Debug)]
            pub struct Request {
                $($($(#[$docs])* pub $field: $type,)*)?
                $($(#[$body_docs])* pub $body: $body_type,)?
            }

            impl $crate::Operation for Op {
                const API: &'static $crate::table::ApiPolicy = &policy::API;
                const META: &'static $crate::Meta = &$meta.parameters(&[$($id_spec,)? $($($spec,)*)?]);
                type Request = Request;
                type Id = $crate::operation!(@id $($owner)?);
                #[allow(unused_variables, unused_mut, unused_assignments)]
                fn read(
                    input: &$crate::Input<'_>,
                    found: &mut $crate::json::Violations,
                ) -> ::core::option::Option<(Request, Self::Id)> {
                    let mut next = 0_usize;
                    let id = $crate::operation!(@read_id input found next $($id_how)?);
                    let fields = (
                        $($(
                            {
                                next += 1;
                                input.$how(next - 1, found)
                            },
                        )*)?
                        $(
                            {
                                let ($input, $found) = (input, &mut *found);
                                $value
                            },
                        )?
                    );
                    let id = $crate::operation!(@read_late id input found $($pointer)?);
                    match fields {
                        ($($(::core::option::Option::Some($field),)*)? $(::core::option::Option::Some($body),)?) => {
                            ::core::option::Option::Some((Request { $($($field,)*)? $($body,)? }, id?))
                        }
                        #[allow(unreachable_patterns)]
                        _ => ::core::option::Option::None,
                    }
                }
            }

            impl<K> $crate::Part<$crate::Cx<Op, K>> for Request {
                fn take(cx: &mut $crate::Cx<Op, K>) -> ::core::result::Result<Self, $crate::Internal> {
                    $crate::take_request(cx)
                }
            }

            /// What the handler gives.
            pub type Result = ::core::result::Result<Response, Error>;
            /// What the pipeline hands to the handler, with the object that it may touch.
            pub type Cx<A> = $crate::Cx<Op, $crate::operation!(@kept A $($owner)?)>;
            $crate::operation! { @caller $caller }

            impl<A: super::$handler> $crate::HandledBy<A> for Op {
                type Owner = $crate::operation!(@owner $($owner)?);
                #[allow(refining_impl_trait)]
                fn handle(app: &A, cx: Cx<A>) -> impl ::core::future::Future<Output = Result> + ::core::marker::Send {
                    <A as super::$handler>::handle(app, cx)
                }
            }

            $crate::answers! { Response { $($($responses)*)? } }
            $crate::answers! { Error { $($($errors)*)? } }
            $($($more)*)?
        }
    };
    (@trait [$($about:tt)*] $handler:ident $module:ident) => {
        $($about)*
        pub trait $handler: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static {
            /// Handles an admitted, valid request.
            fn handle(
                &self,
                cx: $module::Cx<Self>,
            ) -> impl ::core::future::Future<Output = $module::Result> + ::core::marker::Send;
        }
    };
    (@trait [$($about:tt)*] $handler:ident $module:ident ($resolve:ident, $resource:ident $(,)?)) => {
        $($about)*
        pub trait $handler: super::resources::$resolve {
            /// Handles an admitted, valid request.
            fn handle(
                &self,
                cx: $module::Cx<Self>,
            ) -> impl ::core::future::Future<Output = $module::Result> + ::core::marker::Send;
        }
    };
    (@id) => { () };
    (@id ($resolve:ident, $resource:ident $(,)?)) => { super::super::resources::$resource::Id };
    (@read_id $input:ident $found:ident $next:ident) => { ::core::option::Option::Some(()) };
    (@read_id $input:ident $found:ident $next:ident $how:ident) => {{
        $next += 1;
        $input.$how($next - 1, $found)
    }};
    (@read_late $id:ident $input:ident $found:ident) => { $id };
    (@read_late $id:ident $input:ident $found:ident $pointer:literal) => { $input.at($pointer, $found) };
    (@kept $app:ident) => { $crate::Unowned<$app> };
    (@kept $app:ident ($resolve:ident, $resource:ident $(,)?)) => {
        $crate::Authorized<<$app as super::super::resources::$resolve>::Object>
    };
    (@owner) => { $crate::NoOwner };
    (@owner ($resolve:ident, $resource:ident $(,)?)) => { super::super::resources::$resource::Owner };
    (@caller none) => {};
    (@caller maybe) => {
        /// Who calls, if a credential was presented.
        pub type Caller = ::core::option::Option<$crate::Caller<Op>>;
    };
    (@caller always) => {
        /// Who calls.
        pub type Caller = $crate::Caller<Op>;
        impl $crate::Guarded for Op {}
    };
    (@caller fresh) => {
        $crate::operation! { @caller always }
        impl $crate::Fresh for Op {}
    };
}

/// What an operation may answer: each variant with what it carries, and the reply that it becomes. `Response` are the
/// declared successes; `Error` the declared failures and what broke on our side.
///
/// ```text
/// ::gatewright::answers! {
///     Response {
///         /// The transfer.
///         Created(body: types::Transfer) => Reply::json(201, "application/json", &body),
///     }
/// }
/// ```
#[macro_export]
macro_rules! answers {
    (Response {
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+ $(,)?))? => $reply:expr,)*
    }) => {
        $crate::answers! { @all
            /// The declared responses.
            Response { $($(#[$docs])* $variant $(($($bind: $type),+))? => $reply,)* }
        }
    };
    (Error {
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+ $(,)?))? => $reply:expr,)*
    }) => {
        $crate::answers! { @all
            /// The declared errors, and what broke on our side.
            Error {
                $($(#[$docs])* $variant $(($($bind: $type),+))? => $reply,)*
                /// Something broke on our side: 500; the cause is logged and never shown.
                Internal(error: $crate::Internal) => $crate::IntoReply::into_reply(error),
            }
        }

        impl ::core::convert::From<$crate::Internal> for Error {
            fn from(error: $crate::Internal) -> Self {
                Self::Internal(error)
            }
        }
    };
    (@all $(#[$what:meta])* $name:ident {
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+ $(,)?))? => $reply:expr,)*
    }) => {
        $(#[$what])*
        #[derive(Debug)]
        pub enum $name {
            $($(#[$docs])* $variant $(($($type),+))?,)*
            /// Any of these, with more header fields: made by `with_header` and `with_cookie`.
            With(::std::boxed::Box<$crate::With<$name>>),
        }

        impl $crate::IntoReply for $name {
            fn into_reply(self) -> $crate::Reply {
                match self {
                    $(Self::$variant $(($($bind),+))? => $reply,)*
                    Self::With(with) => $crate::IntoReply::into_reply(*with),
                }
            }
        }

        impl $crate::ResponseExt for $name {
            fn wrap(with: $crate::With<Self>) -> Self {
                Self::With(::std::boxed::Box::new(with))
            }
        }
    };
}
