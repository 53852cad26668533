//! What rustc says where a handler is missing, misspelt or wrong: each file of `macro/fail/` with its message beside it;
//! each file of `macro/pass/` compiles. `TRYBUILD=overwrite` writes the messages anew.

#[test]
fn messages_are_those_that_we_promise() {
    let cases = trybuild::TestCases::new();
    cases.pass("macro/pass/*.rs");
    cases.compile_fail("macro/fail/*.rs");
}
