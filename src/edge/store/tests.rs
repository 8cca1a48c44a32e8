use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::*;
use crate::catalogue::Timestamp;

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_run_gets_a_private_folder_with_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("deep/.drctl");
    let store = Store::new(root.clone());
    let id = RunId::new("orders", Timestamp(0), 7);
    let made = store.create_run(&id).unwrap();
    assert_eq!(made.path(), root.join("runs/orders-19700101-0000-haa"));
    for path in [root.clone(), root.join("runs"), made.inbox(), made.outputs(), made.pinned()] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
    assert_eq!(store.open(&id).unwrap(), made);
    assert_eq!(store.create_run(&id).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let gone = store.open(&run("other")).unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
    // As after a crash while the run was made.
    fs::remove_dir(made.inbox()).unwrap();
    store.open(&id).unwrap();
    assert!(made.inbox().is_dir());
}

#[test]
fn a_link_in_place_of_an_own_folder_is_refused() {
    for linked in [".drctl", ".drctl/runs", ".drctl/runs/a", ".drctl/runs/a/inbox", ".drctl/runs/a/outputs"] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join(".drctl"));
        store.create_run(&run("a")).unwrap();
        let own = folder.path().join(linked);
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&own, &elsewhere).unwrap();
        symlink(&elsewhere, &own).unwrap();
        let error = store.open(&run("a")).unwrap_err();
        let wanted = format!(
            "`{}`: wanted a folder, found a link or a file: move it away or name another state folder with `--state`",
            own.display()
        );
        assert_eq!(error.to_string(), wanted);
        if !linked.contains('a') {
            assert_eq!(store.create_run(&run("b")).unwrap_err().to_string(), wanted);
        }
    }
}

#[test]
fn runs_are_listed_latest_first_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().to_owned());
    assert_eq!(store.runs().unwrap(), []);
    let ids = ["a-20261120-2338-aaa", "z-20261120-2337-bbb", "b-20251231-0000-ccc", "untimed"].map(run);
    for id in [2, 0, 3, 1] {
        store.create_run(&ids[id]).unwrap();
    }
    fs::write(folder.path().join("runs/a-file"), "").unwrap();
    fs::create_dir(folder.path().join("runs/Not A Run")).unwrap();
    assert_eq!(store.runs().unwrap(), ids);
}

#[test]
fn a_run_is_found_by_its_name_or_the_beginning_of_it() {
    let runs = ["orders", "orders-20261120-2337-k3f", "orders-20261120-2338-abc", "users-20261120-2337-k3f"].map(run);
    let find = |given| find_among(&runs, given).map(RunId::to_string).map_err(|error| error.to_string());
    assert_eq!(find(Some("orders")), Ok("orders".to_owned()));
    assert_eq!(find(Some("u")), Ok("users-20261120-2337-k3f".to_owned()));
    assert_eq!(
        find(Some("orders-2")),
        Err("which run? there are `orders-20261120-2337-k3f`, `orders-20261120-2338-abc`; type enough of its name to \
             tell it from the others"
            .to_owned())
    );
    assert_eq!(
        find(Some("order s")),
        Err("there is no run `order s`; there are `orders`, `orders-20261120-2337-k3f`, `orders-20261120-2338-abc`, \
             `users-20261120-2337-k3f`"
            .to_owned())
    );
    assert_eq!(find_among(&runs[3..], None).unwrap(), &runs[3]);
    assert!(matches!(find_among(&runs, None), Err(FindError::Several(several)) if several == runs));
    assert_eq!(
        find_among(&[], None).unwrap_err().to_string(),
        "there are no runs yet: start one with `drctl run RUNBOOK`"
    );
    assert_eq!(find_among(&[], Some("a")).unwrap_err().to_string(), "there is no run `a`");
}

#[test]
fn every_attempt_at_every_step_has_a_folder_of_its_own() {
    let folder = RunFolder::at(PathBuf::from("run"));
    let name = |step: &str, attempt| folder.step(step, attempt).strip_prefix("run/steps").unwrap().to_owned();
    assert_eq!(name("promote[eu/1].check", 2), Path::new("promote%5beu%2f1%5d.check.2"));
    let long = "x".repeat(300);
    let texts = ["a", "A", "a.1", "a%2f", "a/", "", ".", "..", "\u{e9}", "e", &long, &long[1..], &long[..200]];
    let names: std::collections::BTreeSet<_> = texts.iter().flat_map(|text| [name(text, 1), name(text, 11)]).collect();
    assert_eq!(names.len(), 2 * texts.len());
    for name in names {
        assert_eq!(name.components().count(), 1, "{}", name.display());
        assert!(name.as_os_str().len() < 220, "{}", name.display());
    }
}

#[test]
fn large_values_are_kept_under_their_digest_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let made = Store::new(folder.path().to_owned()).create_run(&run("a")).unwrap();
    let digest = made.put(b"abc").unwrap();
    let name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest, format!("sha256:{name}"));
    let file = made.outputs().join(name);
    assert_eq!(mode(&file), 0o600);
    assert_eq!(made.get(&digest).unwrap(), b"abc");
    fs::write(&file, "abd").unwrap();
    let spoiled = made.get(&digest).unwrap_err().to_string();
    assert_eq!(spoiled, format!("the file `outputs/{name}` was changed: its digest is another"));
    assert_eq!(made.put(b"abc").unwrap(), digest);
    assert_eq!(made.get(&digest).unwrap(), b"abc");
    assert_eq!(fs::read_dir(made.outputs()).unwrap().count(), 1);
    fs::rename(&file, folder.path().join("moved")).unwrap();
    symlink(folder.path().join("moved"), &file).unwrap();
    assert!(made.get(&digest).is_err());
    for bad in ["", name, "sha256:../../journal.jsonl", &digest.to_uppercase()] {
        let wanted = format!("wanted a digest such as `sha256:9f86..`, found `{bad}`");
        assert_eq!(made.get(bad).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn equal_values_can_be_kept_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let made = Store::new(folder.path().to_owned()).create_run(&run("a")).unwrap();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| made.put(b"same").unwrap())).collect();
        let digests: std::collections::BTreeSet<_> = all.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(digests.len(), 1);
    });
    assert_eq!(fs::read_dir(made.outputs()).unwrap().count(), 1);
}

#[test]
fn a_run_can_be_made_while_somebody_looks_at_all_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("state"));
    let done = std::sync::atomic::AtomicBool::new(false);
    let made: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                store.runs().unwrap_or_default().iter().for_each(|id| drop(store.open(id)));
            }
        });
        let ids = (0..50).map(|number| run(&format!("orders-20261120-2337-{number:03}")));
        let made = ids.map(|id| store.create_run(&id).map_err(|error| error.to_string())).collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        made
    });
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}
