//! Compiles both versions of the spec into `OUT_DIR`. The second succeeds the first: what is mechanical between them is
//! generated too.

use gatewright_build::Builder;

fn main() {
    let version = |name: &str| {
        Builder::new(format!("../../specs/examples/bank/{name}.yaml")).name(name).prefix(format!("/{name}"))
    };
    let v1 = version("v1");
    v1.compile();
    version("v2").succeeds(&v1).compile();
}
