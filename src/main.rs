//! The `drctl` binary: parse, call, map the result to an exit code.

fn main() {}
