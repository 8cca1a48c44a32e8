//! `drctl fmt`: files are laid out, or only looked at.

use crate::workspace::Workspace;

const WIDE: &str = "drctl: 1\nname: x\nkind: drill\nowner: t\nexecution:\n-   id: a  # first\n    action: exec\n    with: { argv: [\"true\"] }\n";
const LAID_OUT: &str = "drctl: 1\nname: x\nkind: drill\nowner: t\nexecution:\n  - id: a  # first\n    action: exec\n    with: { argv: [\"true\"] }\n";

#[test]
fn a_check_shows_what_would_change_and_changes_nothing() {
    let workspace = Workspace::new().file("runbooks/x.yaml", WIDE);
    let checked = workspace.drctl(&["fmt", "--check"]);
    assert_eq!(checked.code, 1);
    assert_eq!(
        checked.stdout,
        "--- runbooks/x.yaml\n+++ runbooks/x.yaml (formatted)\n@@ -5,3 +5,3 @@\n execution:\n--   id: a  # first\n\
         +  - id: a  # first\n     action: exec\n"
    );
    assert_eq!(checked.stderr, "2 files: 1 not as `drctl fmt` writes them\n  next: drctl fmt\n");
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/x.yaml")).unwrap(), WIDE);
    let laid_out = workspace.drctl(&["fmt"]);
    assert_eq!((laid_out.code, laid_out.stdout.as_str()), (0, "runbooks/x.yaml\n"), "{laid_out:?}");
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/x.yaml")).unwrap(), LAID_OUT);
    let again = workspace.drctl(&["fmt", "--check", "runbooks"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{again:?}");
}

#[test]
fn what_cannot_be_read_stays_as_it_is_and_the_rest_is_laid_out() {
    let workspace = Workspace::new().file("runbooks/broken.yaml", "a: [1\n").file("runbooks/x.yaml", WIDE);
    let ran = workspace.drctl(&["fmt"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains("runbooks/broken.yaml:1:4"), "{ran:?}");
    assert!(ran.stderr.contains("1 formatted, 1 cannot be read and stayed as they are"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/broken.yaml")).unwrap(), "a: [1\n");
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/x.yaml")).unwrap(), LAID_OUT);
    let nowhere = workspace.drctl(&["fmt", "nowhere"]);
    assert_eq!((nowhere.code, nowhere.stderr.as_str()), (2, "error: no file or folder `nowhere`\n"));
}

#[test]
fn a_file_keeps_its_mode_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let workspace = Workspace::new().file("x.yaml", WIDE);
    std::fs::set_permissions(workspace.path("x.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../x.yaml", workspace.path("runbooks/x.yaml")).unwrap();
    assert_eq!(workspace.drctl(&["fmt", "runbooks/x.yaml"]).code, 0);
    assert!(workspace.path("runbooks/x.yaml").is_symlink());
    assert_eq!(std::fs::read_to_string(workspace.path("x.yaml")).unwrap(), LAID_OUT);
    assert_eq!(std::fs::metadata(workspace.path("x.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(std::fs::read_dir(workspace.path("")).unwrap().count(), 4, "no draft is left behind");
}

#[test]
fn no_other_file_is_touched_whatever_it_is_called() {
    let workspace = Workspace::new().file("runbooks/x.yaml", WIDE).file("runbooks/x.yaml.formatted", "mine\n");
    assert_eq!(workspace.drctl(&["fmt"]).code, 0);
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/x.yaml")).unwrap(), LAID_OUT);
    assert_eq!(std::fs::read_to_string(workspace.path("runbooks/x.yaml.formatted")).unwrap(), "mine\n");
}

#[test]
fn standard_input_is_laid_out_to_standard_output() {
    let workspace = Workspace::new();
    let given = |arguments: &[&str], text: &str| {
        use std::io::Write as _;
        use std::process::Stdio;

        let mut child = workspace
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        crate::workspace::ran(child.wait_with_output().unwrap())
    };
    let laid_out = given(&["fmt", "-"], WIDE);
    assert_eq!((laid_out.code, laid_out.stdout.as_str()), (0, LAID_OUT), "{laid_out:?}");
    assert_eq!(given(&["fmt", "-", "--check"], LAID_OUT).code, 0);
    assert_eq!(given(&["fmt", "-", "--check"], WIDE).code, 1);
    let broken = given(&["fmt", "-"], "a: [1\n");
    assert!(broken.code == 5 && broken.stderr.contains("standard input:1:4"), "{broken:?}");
    assert_eq!(given(&["fmt", "-", "x"], "").code, 2);
}
