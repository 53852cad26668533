//! Compiles the document whose body `validate` measures.

fn main() {
    gatewright_build::compile("spec/shop.yaml");
}
