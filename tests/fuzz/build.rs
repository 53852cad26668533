//! Compiles the document of the `request` target.

fn main() {
    #[cfg(feature = "server")]
    gatewright_build::Builder::new("api/openapi.yaml").name("api").compile();
}
