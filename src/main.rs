//! The thin binary: parse, run, print the error chain once, exit code.
fn main() {}
