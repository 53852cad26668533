//! Derive macros and attributes for handlers, and `api!`.
//!
//! The macros know nothing of the spec: they read no file, leave the item they stand on as it is, and add one `impl`
//! beside it, so an editor works while the code does not compile. Only `api!` compiles a spec, behind its own feature.
//!
//! Every macro takes the generated *trait* (`v1::CreateTransfer`), because a misspelt trait gets "a trait with a similar
//! name exists" from the compiler, and finds the operation's module by spelling the last segment in snake case
//! (`v1::create_transfer`). A trait that is renamed on import (`use … as …`) can therefore not be named.

use proc_macro::TokenStream;

#[cfg(feature = "api")]
mod api;
mod app;
mod arguments;
mod derive_handler;
mod handler;
mod principal;
mod problem;
mod resolver;

/// Makes a function the handler of an operation.
///
/// The first argument is a reference to the application; the others are inputs, told apart by their types, in any order
/// and any subset. The function stays as it is and can be called in a test.
///
/// ```text
/// #[handler(CreateTransfer)]
/// async fn create_transfer(bank: &Bank, from: Authorized<Account>, req: create_transfer::Request) -> create_transfer::Result { … }
/// ```
///
/// `#[handler(v2::GetAccount, also = v1::GetAccount)]` answers an older version's operation too: its request becomes the
/// newer one's by `From<v1::get_account::Request>`, the answer goes back by `From<v2::get_account::Response>` and
/// `From<v2::get_account::Error>`. The older policy must ask at least as much as the newer one, or the build fails.
#[proc_macro_attribute]
pub fn handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(arguments.into(), item.into()).into()
}

/// Makes a function the resolver of an owned object: it finds it, and says whether this caller may touch it.
///
/// ```text
/// #[resolver(ResolveAccount)]
/// async fn account(bank: &Bank, id: AccountId, who: &Identity) -> Result<Owned<Account>, ResolveError> { … }
/// ```
///
/// With `also = v1::ResolveAccount` it finds an older version's objects too; an id of another type converts by `Into`.
#[proc_macro_attribute]
pub fn resolver(arguments: TokenStream, item: TokenStream) -> TokenStream {
    resolver::expand(arguments.into(), item.into()).into()
}

/// Makes a struct a use case: its fields are its inputs, `#[state]` fields come from the application, and its own
/// `handle` runs it.
///
/// ```text
/// #[derive(Handler)]
/// #[handler(CreateTransfer, app = Bank)]
/// struct MakeTransfer { #[state] ledger: Ledger, from: Authorized<Account>, req: create_transfer::Request }
/// impl MakeTransfer { async fn handle(self) -> create_transfer::Result { … } }
/// ```
#[proc_macro_derive(Handler, attributes(handler, state))]
pub fn derive_handler(item: TokenStream) -> TokenStream {
    derive_handler::expand(item.into()).into()
}

/// Lets use cases take the fields of an application as `#[state]`: each field's type gets `FromApp` by `Clone`.
/// `#[app(skip)]` leaves a field out; two fields of one type need it on one of them.
#[proc_macro_derive(App, attributes(app))]
pub fn derive_app(item: TokenStream) -> TokenStream {
    app::expand(item.into()).into()
}

/// Makes a type the owned object of a resource; its own `resolve` finds it.
///
/// ```text
/// #[derive(Resource)]
/// #[resolver(ResolveAccount, app = Bank)]
/// struct Account { … }
/// impl Account {
///     async fn resolve(bank: &Bank, id: resolve_account::Id, who: &Identity) -> Result<Owned<Self>, ResolveError> { … }
/// }
/// ```
#[proc_macro_derive(Resource, attributes(resolver))]
pub fn derive_resource(item: TokenStream) -> TokenStream {
    resolver::expand_derive(item.into()).into()
}

/// Reads the caller's claims into a struct that handlers take as an input. A caller whose claims do not fit is refused
/// with 403. `#[claim("realm_access.roles")]` names a claim that the field is not called after.
#[proc_macro_derive(Principal, attributes(claim))]
pub fn derive_principal(item: TokenStream) -> TokenStream {
    principal::expand(item.into()).into()
}

/// Makes the variants of a domain error the error responses of operations, for `?` in their handlers.
///
/// ```text
/// #[derive(Problem)]
/// #[problem(CreateTransfer)]
/// enum TransferError {
///     #[problem(Conflict, title = "the account is frozen")]
///     Frozen,
///     #[problem(internal)]
///     Store(StoreError),
/// }
/// ```
#[proc_macro_derive(Problem, attributes(problem))]
pub fn derive_problem(item: TokenStream) -> TokenStream {
    problem::expand(item.into()).into()
}

/// Includes what `gatewright-build` wrote for one API version: `include_api!(v1)` in a module of your choice.
#[proc_macro]
pub fn include_api(input: TokenStream) -> TokenStream {
    arguments::include_api(input.into()).into()
}

/// Compiles a spec where it stands: for demos and small specs. The path is relative to the crate's `Cargo.toml`;
/// `api!("bank.yaml", prefix = "/v1")` serves it under `/v1`.
#[cfg(feature = "api")]
#[proc_macro]
pub fn api(input: TokenStream) -> TokenStream {
    api::expand(input.into()).into()
}
