//! What an operation is written with.

/// One operation: the marker `Op`, its `Request` and how that is read, and who handles it. Generated code calls it in the
/// module of the operation, beside its `Response` and its `Error`.
///
/// ```text
/// ::gatewright::operation! {
///     handler: super::ListTransfers,                  // the trait that an application implements
///     api: policy::API,
///     owner: (resources::ResolveAccount, resources::resolve_account),     // or `()`
///     caller: always,                                 // or `fresh`, `maybe`, `none`: whether a caller is known
///     meta: Meta::new(&policy::LIST_TRANSFERS, "GET", "/accounts/{accountId}/transfers")
///         .parameters(&[…]),
///     id: input.required(0, found),                   // where there is an owner: which object
///     request: |input, found| {
///         limit: i32 = input.required(1, found),      // 1: the second of the parameters
///     },
/// }
/// ```
///
/// All inputs are read before any is missed, so that a caller hears of all that is wrong at once. An id that stands in the
/// body is named behind the request.
#[macro_export]
macro_rules! operation {
    (
        handler: $handler:path,
        api: $api:path,
        owner: $owner:tt,
        caller: $caller:ident,
        meta: $meta:expr,
        request: |$input:ident, $found:ident| { $($(#[$docs:meta])* $field:ident: $type:ty = $value:expr,)* },
    ) => {
        $crate::operation! { @all
            $handler, $api, $owner, $caller, $meta, { $($(#[$docs])* $field: $type,)* },
            |$input, $found| [$($value,)*] => [$(Some($field),)*], Request { $($field),* }, ()
        }
    };
    (
        handler: $handler:path,
        api: $api:path,
        owner: $owner:tt,
        caller: $caller:ident,
        meta: $meta:expr,
        id: $id:expr,
        request: |$input:ident, $found:ident| { $($(#[$docs:meta])* $field:ident: $type:ty = $value:expr,)* },
    ) => {
        $crate::operation! { @all
            $handler, $api, $owner, $caller, $meta, { $($(#[$docs])* $field: $type,)* },
            |$input, $found| [$id, $($value,)*] => [Some(id_), $(Some($field),)*], Request { $($field),* }, id_
        }
    };
    (
        handler: $handler:path,
        api: $api:path,
        owner: $owner:tt,
        caller: $caller:ident,
        meta: $meta:expr,
        request: |$input:ident, $found:ident| { $($(#[$docs:meta])* $field:ident: $type:ty = $value:expr,)* },
        id: $id:expr,
    ) => {
        $crate::operation! { @all
            $handler, $api, $owner, $caller, $meta, { $($(#[$docs])* $field: $type,)* },
            |$input, $found| [$($value,)* $id,] => [$(Some($field),)* Some(id_),], Request { $($field),* }, id_
        }
    };
    (@all
        $handler:path, $api:path, $owner:tt, $caller:ident, $meta:expr, { $($(#[$docs:meta])* $field:ident: $type:ty,)* },
        |$input:ident, $found:ident| [$($value:expr,)*] => [$($taken:pat,)*], $request:expr, $id:expr
    ) => {
        /// Marks the operation.
        #[derive(Debug)]
        pub struct Op;

        /// A valid request.
        #[derive(Debug)]
        pub struct Request {
            $($(#[$docs])* pub $field: $type,)*
        }

        impl $crate::Operation for Op {
            const API: &'static $crate::table::ApiPolicy = &$api;
            const META: &'static $crate::Meta = &$meta;
            type Request = Request;
            type Id = $crate::operation!(@id $owner);
            #[allow(unused_variables)]
            fn read(
                $input: &$crate::Input<'_>,
                $found: &mut $crate::json::Violations,
            ) -> ::core::option::Option<(Request, Self::Id)> {
                match ($($value,)*) {
                    ($($taken,)*) => ::core::option::Option::Some(($request, $id)),
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
        pub type Cx<A> = $crate::Cx<Op, $crate::operation!(@kept A $owner)>;
        $crate::operation! { @caller $caller }

        impl<A: $handler> $crate::HandledBy<A> for Op {
            type Owner = $crate::operation!(@owner $owner);
            #[allow(refining_impl_trait)]
            fn handle(app: &A, cx: Cx<A>) -> impl ::core::future::Future<Output = Result> + ::core::marker::Send {
                <A as $handler>::handle(app, cx)
            }
        }
    };
    (@id ()) => { () };
    (@id ($resolve:path, $($module:ident)::+)) => { $($module)::+::Id };
    (@kept $app:ident ()) => { $crate::Unowned<$app> };
    (@kept $app:ident ($resolve:path, $($module:ident)::+)) => { $crate::Authorized<<$app as $resolve>::Object> };
    (@owner ()) => { $crate::NoOwner };
    (@owner ($resolve:path, $($module:ident)::+)) => { $($module)::+::Owner };
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
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+))? => $reply:expr,)*
    }) => {
        $crate::answers! { @all
            /// The declared responses.
            Response { $($(#[$docs])* $variant $(($($bind: $type),+))? => $reply,)* }
        }
    };
    (Error {
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+))? => $reply:expr,)*
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
        $($(#[$docs:meta])* $variant:ident $(($($bind:ident: $type:ty),+))? => $reply:expr,)*
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
