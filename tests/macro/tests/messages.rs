//! What rustc says where a handler is missing, misspelt or wrong: each file of `fail/` with its message beside it.
//! `TRYBUILD=overwrite` writes the messages anew. What must compile are the crate's examples.

#[test]
fn messages_are_those_that_we_promise() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}
