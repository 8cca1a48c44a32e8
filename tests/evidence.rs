//! The evidence of a run: every bit of it counts, nothing can be taken away, and it holds no secret.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]
#![allow(dead_code, reason = "the workspace offers more than these scenarios use")]

#[path = "scenarios/workspace.rs"]
mod workspace;

use drctl::evidence::{Files, PublicKey, SecretKey, Signed, carried, check, find, names, pack, seal, unpack};
use drctl::journal;

use workspace::Workspace;

/// As `openssl genpkey -algorithm ed25519` wrote it, and `openssl pkey -pubout`.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGfKBB5JVuPfoV0fsxvAb5jhxJw2pQlOCXA+Pvc/FeGJ\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAvhYEyXNorBBfDZ8vIx9gPCZOTULP9vrnicThxzpiFWA=\n-----END PUBLIC KEY-----\n";
/// Of the same, by `openssl pkey -pubin -outform DER | sha256sum`.
const FINGERPRINT: &str = "d5fcd92990a84f07a0c1d15cbd3e3fdbf880fd5c555a96c3f6759b66c808e6fe";
const OTHER: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAFfRvGN3wQKXdnMc3ZMZQ9cLsS7Thdc7CUfM3TkJT6Lg=\n-----END PUBLIC KEY-----\n";

const STEPS: &str =
    "objectives: { rto: 1h }\nexecution:\n  - id: go\n    action: shell\n    with: { script: 'echo printed' }\n";

fn ran() -> Workspace {
    let workspace = Workspace::of(STEPS).file("key.pem", KEY).file("public.pem", PUBLIC).file("other.pem", OTHER);
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 0);
    workspace
}

fn packed(workspace: &Workspace, more: &[&str]) -> Vec<u8> {
    let arguments = [&["evidence", "--out", "e.tar"], more].concat();
    let ran = workspace.drctl(&arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::read(workspace.path("e.tar")).unwrap()
}

fn key() -> SecretKey {
    SecretKey::read(KEY).unwrap()
}

fn public() -> PublicKey {
    PublicKey::read(PUBLIC).unwrap()
}

/// The head that a report carries.
fn head(files: &Files) -> String {
    let report: serde_json::Value = serde_json::from_slice(&files[names::REPORT]).unwrap();
    report["chain_head"].as_str().unwrap().to_owned()
}

/// The same evidence with reports of a line each, so that every bit of it can be turned.
fn small(workspace: &Workspace) -> (Files, String) {
    let files = unpack(&packed(workspace, &[])).unwrap();
    let (run, head) = (workspace.run(), head(&files));
    let slim = files.into_iter().map(|(name, bytes)| {
        let report = name.starts_with("report.");
        (name, if report { format!("{head}\n").into_bytes() } else { bytes })
    });
    (seal(slim.collect(), &run, &head, Some(&key())), head)
}

#[test]
fn evidence_holds_what_happened_and_verifies() {
    let workspace = ran();
    let files = unpack(&packed(&workspace, &["--key", "key.pem"])).unwrap();
    let listed: Vec<&str> = files.keys().map(String::as_str).collect();
    let wanted = [
        "MANIFEST.json",
        "MANIFEST.json.sig",
        "journal.jsonl",
        "key.pem",
        "pinned/drctl.yaml",
        "pinned/runbook.yaml",
        "printed/go.1/stdout",
        "report.html",
        "report.json",
        "report.md",
    ];
    assert_eq!(listed, wanted);
    assert_eq!(String::from_utf8_lossy(&files["printed/go.1/stdout"]), "printed\n");
    let run = workspace.run();
    let journal = workspace.journal();
    assert_eq!(String::from_utf8_lossy(&files[names::JOURNAL]), journal);
    let (seq, hash) =
        (journal.lines().count(), journal.trim_end().rsplit("\"hash\":\"").next().unwrap()[..64].to_owned());
    let verified = workspace.drctl(&["verify", "e.tar", "--key", "public.pem", "--head", &format!("{seq}:{hash}")]);
    let said = format!(
        "the archive holds: 10 files of run {run}\nthe chain holds: {seq} records, head {hash}\n\
         signed by the key {FINGERPRINT}\n`--head`: the journal holds its record {seq}\n"
    );
    assert_eq!((verified.code, verified.stdout.as_str()), (0, said.as_str()), "{verified:?}");
    assert_eq!(packed(&workspace, &["--key", "key.pem"]), std::fs::read(workspace.path("e.tar")).unwrap());
}

#[test]
fn a_changed_bit_anywhere_is_found() {
    let workspace = ran();
    let (files, _) = small(&workspace);
    let archive = pack(&files).unwrap();
    assert_eq!(check(&archive, Some(&public())).unwrap().signed, Signed::By(FINGERPRINT.to_owned()));
    // Every byte of the archive, its headers too, of the zeros between them each seventh; with a key that is known, and without.
    let turned = |at: usize| {
        let mut changed = archive.clone();
        changed[at] ^= 1 << (at % 8);
        let wanted = at.is_multiple_of(2).then(public);
        assert!(check(&changed, wanted.as_ref()).is_err(), "bit {} of byte {at} was turned, and not found", at % 8);
    };
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (turned, archive) = (&turned, &archive);
            let bytes = (part..archive.len()).step_by(4).filter(|at| archive[*at] != 0 || at.is_multiple_of(7));
            scope.spawn(move || bytes.for_each(turned));
        }
    });
    // Every bit of what vouches for the rest.
    for name in [names::SIGNATURE, names::KEY] {
        for bit in 0..files[name].len() * 8 {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&pack(&changed).unwrap(), None).is_err(), "bit {bit} of {name}");
        }
    }
}

#[test]
fn a_changed_bit_of_a_whole_archive_is_found_by_the_command() {
    let workspace = ran();
    let archive = packed(&workspace, &["--key", "key.pem"]);
    for at in (0..archive.len()).step_by(archive.len() / 40) {
        let mut changed = archive.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(workspace.path("e.tar"), changed).unwrap();
        let verified = workspace.drctl(&["verify", "e.tar"]);
        assert_eq!((verified.code, verified.stdout.as_str()), (8, ""), "byte {at}: {verified:?}");
    }
}

#[test]
fn a_cut_tail_is_found_by_any_report_and_any_head() {
    let workspace = ran();
    let (files, head) = small(&workspace);
    let report = carried(&head);
    let journal = workspace.journal();
    let lines: Vec<&str> = journal.lines().collect();
    for kept in 0..lines.len() {
        let cut: String = lines[..kept].iter().map(|line| format!("{line}\n")).collect();
        let chain = journal::chain(cut.as_bytes()).unwrap();
        let found = find(&chain, &report[0]);
        assert_eq!(
            found,
            Err(format!(
                "there was a record {}, and the journal ends with record {kept}: its end was cut",
                lines.len()
            ))
        );
        // Whoever has the key could seal what is left: the reports beside it still tell.
        let last = chain.last().map_or("0".repeat(64), |hash| hash.as_str().to_owned());
        let mut sealed = files.clone();
        sealed.insert(names::JOURNAL.to_owned(), cut.into_bytes());
        let sealed = pack(&seal(sealed, &workspace.run(), &format!("{kept}:{last}"), Some(&key()))).unwrap();
        assert!(check(&sealed, Some(&public())).is_err(), "cut to {kept} records");
    }
    // In the state folder, too.
    let run = workspace.run();
    assert_eq!(workspace.drctl(&["report", "--out", "r.html"]).code, 0);
    let notice = format!("Subject: done\n\nThe record {head} vouches for it.\n");
    workspace.write("notice.txt", &notice);
    let whole = workspace.drctl(&["verify", &run, "--report", "r.html", "--notice", "notice.txt", "--head", &head]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let cut: String = lines[..lines.len() - 1].iter().map(|line| format!("{line}\n")).collect();
    workspace.write(&format!(".drctl/runs/{run}/journal.jsonl"), &cut);
    assert_eq!(workspace.drctl(&["verify", &run]).code, 0, "nothing within the journal tells");
    for given in [["--report", "r.html"], ["--notice", "notice.txt"], ["--head", &head]] {
        let verified = workspace.drctl(&["verify", &run, given[0], given[1]]);
        assert!(verified.code == 8 && verified.stderr.contains("its end was cut"), "{verified:?}");
    }
}

#[test]
fn files_that_are_missing_added_or_replaced_are_named() {
    let workspace = ran();
    let (files, _) = small(&workspace);
    let told = |change: &dyn Fn(&mut Files)| {
        let mut changed = files.clone();
        change(&mut changed);
        check(&pack(&changed).unwrap(), None).unwrap_err().join("; ")
    };
    assert_eq!(told(&|files| drop(files.remove("pinned/runbook.yaml"))), "`pinned/runbook.yaml` is missing");
    assert_eq!(told(&|files| drop(files.insert("extra".to_owned(), Vec::new()))), "`extra` was added");
    assert_eq!(told(&|files| files.get_mut("report.md").unwrap().push(b'x')), "`report.md` was changed");
    assert_eq!(told(&|files| drop(files.remove(names::MANIFEST))), "`MANIFEST.json` is missing");
    assert_eq!(
        told(&|files| drop(files.remove(names::KEY))),
        "`MANIFEST.json.sig` and `key.pem` belong together, and one is missing"
    );
    // Sealed anew, so that the manifest is right: the journal still says what it stood on.
    let resealed = |change: &dyn Fn(&mut Files)| {
        let mut changed = files.clone();
        change(&mut changed);
        let head = head_of(&changed);
        check(&pack(&seal(changed, &workspace.run(), &head, Some(&key()))).unwrap(), None).unwrap_err().join("; ")
    };
    let gone = resealed(&|files| drop(files.remove("pinned/runbook.yaml")));
    assert_eq!(gone, "the pinned file `runbook.yaml` is missing, or is another");
    let other = resealed(&|files| drop(files.insert("report.md".to_owned(), b"# all went well\n".to_vec())));
    assert_eq!(other, "`report.md` is of another journal, or of a part of this one");
}

fn head_of(files: &Files) -> String {
    let journal = String::from_utf8_lossy(&files[names::JOURNAL]);
    let hash = journal.trim_end().rsplit("\"hash\":\"").next().unwrap()[..64].to_owned();
    format!("{}:{hash}", journal.lines().count())
}

#[test]
fn the_key_that_signed_is_the_one_that_was_asked_for() {
    let workspace = ran();
    packed(&workspace, &["--key", "key.pem"]);
    let verify = |key: &str| workspace.drctl(&["verify", "e.tar", "--key", key]);
    assert_eq!(verify("public.pem").code, 0);
    let other = verify("other.pem");
    assert!(other.code == 8 && other.stderr.contains("it is signed by another key: wanted "), "{other:?}");
    let secret = verify("key.pem");
    assert!(secret.code == 2 && secret.stderr.contains("wanted a public ed25519 key in PEM"), "{secret:?}");
    assert!(!secret.stderr.contains("MC4C"), "{secret:?}");
    let anybody = workspace.drctl(&["verify", "e.tar"]);
    assert!(anybody.code == 0 && anybody.stdout.contains("that came with it"), "{anybody:?}");

    packed(&workspace, &[]);
    let unsigned = verify("public.pem");
    assert!(unsigned.code == 8 && unsigned.stderr.contains("it is not signed"), "{unsigned:?}");
    assert!(workspace.drctl(&["verify", "e.tar"]).stdout.contains("not signed"));
    let public = workspace.drctl(&["evidence", "--out", "f.tar", "--key", "public.pem"]);
    assert!(public.code == 2 && public.stderr.contains("wanted a secret ed25519 key in PEM"), "{public:?}");
    let run = workspace.run();
    let journal = workspace.drctl(&["verify", &run, "--key", "public.pem"]);
    assert!(journal.code == 2 && journal.stderr.contains("`--key` is for archives"), "{journal:?}");
}

/// An archive of one entry, as somebody who wants harm would write it.
fn crafted(name: &str, kind: tar::EntryType, claimed: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(claimed);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 2048]);
    bytes
}

#[test]
fn archives_made_to_harm_are_refused_and_write_nothing() {
    use tar::EntryType;
    let huge = 1 << 40;
    for (bytes, why) in [
        (crafted("../../etc/passwd", EntryType::Regular, 1), "leads elsewhere"),
        (crafted("/etc/passwd", EntryType::Regular, 1), "leads elsewhere"),
        (crafted("a/../../b", EntryType::Regular, 1), "leads elsewhere"),
        (crafted("a\\..\\b", EntryType::Regular, 1), "leads elsewhere"),
        (crafted("a\u{1b}[2J", EntryType::Regular, 1), "leads elsewhere"),
        (crafted("link", EntryType::Symlink, 0), "no regular file"),
        (crafted("hard", EntryType::Link, 0), "no regular file"),
        (crafted("folder", EntryType::Directory, 0), "no regular file"),
        (crafted("sparse", EntryType::GNUSparse, huge), "no regular file"),
        (crafted("long", EntryType::GNULongName, huge), "no regular file"),
        (crafted("bomb", EntryType::Regular, huge), "archive"),
        (Vec::new(), "holds no file"),
        (vec![0; 10_240], "holds no file"),
        (b"not an archive at all".to_vec(), "archive"),
    ] {
        let told = check(&bytes, None).unwrap_err().join("; ");
        assert!(told.contains(why), "wanted {why}, found {told}");
    }
    let workspace = ran();
    workspace.write("noise.tar", "noise");
    let noise = workspace.drctl(&["verify", "noise.tar"]);
    assert!(noise.code == 8 && noise.stdout.is_empty(), "{noise:?}");
    for head in ["--head=7", "--head=x:y"] {
        assert_eq!(workspace.drctl(&["verify", "noise.tar", head]).code, 2);
    }
    let run = workspace.run();
    let nothing = workspace.drctl(&["verify", &run, "--report", "key.pem"]);
    assert_eq!((nothing.code, nothing.stderr.as_str()), (2, "error: `key.pem` carries no head of a journal\n"));
}

#[test]
fn no_secret_is_in_evidence_or_report() {
    const CANARY: &str = "canary-9f86d081884c";
    let steps = "inputs: { token: { type: secret, from: { env: CANARY_TOKEN } } }\nexecution:\n  - id: go\n    action: shell\n    with: { script: 'echo token is $TOKEN; echo $TOKEN >&2; exit 3', env: { TOKEN: '{{ inputs.token }}' } }\n";
    let workspace = Workspace::of(steps);
    let failed = workspace.command(&["failover", "r"]).env("CANARY_TOKEN", CANARY).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let files = unpack(&packed(&workspace, &[])).unwrap();
    assert!(String::from_utf8_lossy(&files["printed/go.1/stdout"]).contains("token is ***"));
    for (name, bytes) in files {
        assert!(!String::from_utf8_lossy(&bytes).contains(CANARY), "{name} holds the secret");
    }
}

#[test]
fn evidence_of_a_run_that_goes_on_is_of_whole_records() {
    let workspace = Workspace::of(
        "execution:\n  - id: go\n    action: shell\n    approval: { by: [commander] }\n    with: { script: 'exit 0' }\n",
    );
    assert_eq!(workspace.drctl(&["failover", "r"]).code, 3);
    let run = workspace.run();
    let torn = workspace.journal() + "{\"v\":1,\"seq\":";
    workspace.write(&format!(".drctl/runs/{run}/journal.jsonl"), &torn);
    let archive = packed(&workspace, &[]);
    let checked = check(&archive, None).unwrap();
    assert_eq!(checked.chain.len() + 1, torn.lines().count());
    let report: serde_json::Value = serde_json::from_slice(&unpack(&archive).unwrap()[names::REPORT]).unwrap();
    assert_eq!((&report["run"]["state"], &report["run"]["ended"]), (&"awaiting_approval".into(), &false.into()));
}
