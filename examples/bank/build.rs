//! Compiles both versions of the spec into `OUT_DIR`.

fn main() {
    for version in ["v1", "v2"] {
        gatewright_build::Builder::new(format!("../../specs/examples/bank/{version}.yaml"))
            .name(version)
            .prefix(format!("/{version}"))
            .compile();
    }
}
