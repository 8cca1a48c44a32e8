//! The built binary as a person in a folder would start it, whatever workspace the tests themselves run in.

use std::path::Path;
use std::process::{Command, Output};

/// Runs drctl to its end.
pub(crate) fn drctl(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1");
    command.env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE");
    command.output().unwrap()
}

/// What it printed, stderr after stdout.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}
