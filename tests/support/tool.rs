//! Programs that tests start, and that a machine may lack.

use std::path::Path;

/// Whether all of these are installed. Where one is not, the test that asks checks nothing, and says so; where everything has
/// to be installed, as in CI, it fails.
#[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
#[expect(clippy::disallowed_methods, reason = "whether it is CI, and where programs are, stands in the environment")]
pub(crate) fn installed(tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).to_owned()));
    let missing = tools.iter().find(|tool| !folders.iter().any(|folder| folder.join(tool).is_file()));
    if let Some(tool) = missing {
        assert!(std::env::var_os("CI").is_none(), "`{tool}` is not installed");
        eprintln!("skipped: `{tool}` is not installed");
    }
    missing.is_none()
}
