//! Builds the binary that has faults built in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary with faults built in, beside the one that is tested: what both need is built already.
pub fn mutant() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile = Path::new(env!("CARGO_BIN_EXE_drctl")).parent().unwrap();
        let name = profile.file_name().unwrap().to_str().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args(["build", "--quiet", "--offline", "--features", "mutants", "--example", "drctl-mutant"]);
        cargo.args(["--profile", if name == "debug" { "dev" } else { name }]);
        let status = cargo.arg("--target-dir").arg(profile.parent().unwrap()).status().unwrap();
        assert!(status.success(), "the mutants could not be built");
        profile.join("examples/drctl-mutant")
    })
}
