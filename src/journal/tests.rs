//! The contract that every journal keeps, and what the file adds to it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
enum Event {
    Note(String),
    /// JSON taken over as it is; not read back here.
    #[serde(skip_deserializing)]
    Raw(RawJson),
}

#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct RawJson(Box<serde_json::value::RawValue>);

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

fn note(seq: u64) -> Record<Event> {
    event(seq, Event::Note(format!("note {seq}")))
}

fn notes(seqs: std::ops::RangeInclusive<u64>) -> Vec<Record<Event>> {
    seqs.map(note).collect()
}

fn event(seq: u64, event: Event) -> Record<Event> {
    Record { seq: Seq(seq), at: Timestamp(1_000 * i64::try_from(seq).unwrap()), event }
}

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.jsonl")
    }

    fn create(&self) -> FileJournal<Event> {
        FileJournal::create(&self.path()).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

/// Runs a scenario on every kind of journal; the second argument gives the lines it holds.
fn on_every_journal(scenario: impl Fn(Box<dyn Journal<Event>>, &dyn Fn() -> Vec<u8>)) {
    let site = Site::new();
    scenario(Box::new(site.create()), &|| site.bytes());
    let memory = MemoryJournal::new();
    let contents = memory.contents();
    scenario(Box::new(memory), &|| contents.bytes());
}

/// Waits until nothing queued is left; gives what became of it.
fn settle(journal: &dyn Journal<Event>, last: u64) -> Durability {
    let mut durability = journal.durability();
    let settled = |state: &Durability| match state {
        Durability::UpTo(seq, _) => *seq >= Seq(last),
        Durability::Failed(_) => true,
    };
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    waiting.block_on(durability.wait_for(settled)).unwrap().clone()
}

#[test]
fn what_is_appended_becomes_durable_in_order() {
    on_every_journal(|mut journal, bytes| {
        assert!(matches!(*journal.durability().borrow(), Durability::UpTo(Seq(0), _)));
        journal.append(notes(1..=2));
        journal.append(Vec::new());
        journal.append(notes(3..=3));
        assert!(matches!(settle(&*journal, 3), Durability::UpTo(Seq(3), _)));
        assert_eq!(recover(&bytes()).unwrap().records, notes(1..=3));
        assert_eq!(journal.unsaved(), Vec::<String>::new());
        assert_eq!(journal.close().unwrap(), Seq(3));
    });
}

#[test]
fn closing_writes_what_is_queued() {
    on_every_journal(|mut journal, bytes| {
        for seq in 1..=500 {
            journal.append(vec![note(seq)]);
        }
        assert_eq!(journal.close().unwrap(), Seq(500));
        assert_eq!(recover(&bytes()).unwrap().records, notes(1..=500));
    });
}

#[test]
fn a_record_that_cannot_be_written_ends_the_journal_after_those_before_it() {
    let raw = |text: &str| Event::Raw(RawJson(serde_json::from_str(text).unwrap()));
    for (bad, wanted) in [
        (
            event(2, Event::Note("x".repeat(MAX_LINE))),
            "record 2 takes 1048738 bytes; at most 1048576 fit a line: keep large values in a file of the run and \
             journal their digest",
        ),
        (note(7), "record 7 cannot be written: record 2 comes next"),
        (event(2, raw("[1,\n2]")), "record 2 cannot be written: its event contains a line break"),
    ] {
        on_every_journal(|mut journal, bytes| {
            journal.append(vec![note(1), bad.clone(), note(3)]);
            let Durability::Failed(error) = settle(&*journal, 3) else { panic!("not failed") };
            assert_eq!(error.to_string(), wanted);
            journal.append(vec![note(4)]);
            assert_eq!(journal.unsaved().len(), 3);
            assert!(journal.unsaved()[2].contains("note 4"));
            assert_eq!(recover(&bytes()).unwrap().records, notes(1..=1));
            assert_eq!(journal.close().unwrap_err().to_string(), wanted);
        });
    }
}

#[test]
fn the_longest_line_that_fits_is_written() {
    let fits = MAX_LINE - 162;
    on_every_journal(|mut journal, bytes| {
        journal.append(vec![event(1, Event::Note("x".repeat(fits)))]);
        assert_eq!(journal.close().unwrap(), Seq(1));
        assert_eq!(bytes().len(), MAX_LINE);
    });
}

#[test]
fn an_event_of_another_form_is_refused() {
    let mut journal = MemoryJournal::new();
    let seq = Seq(1);
    let at = Timestamp(0);
    journal.append(vec![Record { seq, at, event: 5 }]);
    assert_eq!(
        (Box::new(journal) as Box<dyn Journal<i32>>).close().unwrap_err().to_string(),
        "record 1 cannot be written: wanted an event of the form `{\"type\":..,\"payload\":..}`"
    );
}

#[test]
fn a_new_journal_is_private_and_takes_nobodys_place() {
    let site = Site::new();
    drop(site.create());
    assert_eq!(fs::metadata(site.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(FileJournal::<Event>::create(&site.path()).is_err());
    let link = site.folder.path().join("link");
    symlink(site.folder.path().join("elsewhere"), &link).unwrap();
    assert!(FileJournal::<Event>::create(&link).is_err());
    fs::remove_file(&link).unwrap();
    symlink(site.path(), &link).unwrap();
    assert!(FileJournal::<Event>::recover_and_open(&link, |_| ()).is_err());
    assert!(read::<Event>(&link).is_err());
}

#[test]
fn torn_ends_are_kept_aside_one_by_one_and_the_chain_goes_on() {
    let site = Site::new();
    Box::new(site.create()).close().unwrap();
    for (number, torn) in [(1, "{\"v\":1,"), (2, "{\"v\":1,\"seq\":2"), (3, "{")] {
        fs::write(site.path(), [&site.bytes(), torn.as_bytes()].concat()).unwrap();
        let mut seen = Vec::new();
        let reopened = FileJournal::recover_and_open(&site.path(), |record| seen.push(record)).unwrap();
        assert_eq!(seen, notes(1..=number - 1));
        let beside = site.folder.path().join(format!("journal.torn-{number}"));
        assert_eq!(reopened.torn_file.as_ref(), Some(&beside));
        assert_eq!(reopened.end.torn.unwrap().length, torn.len() as u64);
        assert_eq!(fs::read_to_string(&beside).unwrap(), torn);
        assert_eq!(fs::metadata(&beside).unwrap().permissions().mode() & 0o777, 0o600);
        let mut journal: Box<dyn Journal<Event>> = Box::new(reopened.journal);
        assert!(matches!(*journal.durability().borrow(), Durability::UpTo(seq, _) if seq == Seq(number - 1)));
        journal.append(vec![note(number)]);
        assert_eq!(journal.close().unwrap(), Seq(number));
        assert_eq!(read(&site.path()).unwrap().records, notes(1..=number));
    }
}

#[test]
fn a_damaged_journal_is_not_opened_and_not_changed() {
    let site = Site::new();
    let mut journal: Box<dyn Journal<Event>> = Box::new(site.create());
    journal.append(notes(1..=3));
    journal.close().unwrap();
    let damaged = String::from_utf8(site.bytes()).unwrap().replace("note 2", "note 9");
    fs::write(site.path(), &damaged).unwrap();
    let wanted = format!(
        "the journal `{}` is damaged: line 2 (after byte {}): its hash does not match it and the lines before; no \
         crash does this, and nothing was changed: put back a good copy of the file, or keep this one as evidence and \
         start a new run",
        site.path().display(),
        damaged.find('\n').unwrap() + 1
    );
    let opened = FileJournal::<Event>::recover_and_open(&site.path(), |_| ()).err().unwrap();
    assert_eq!(opened.to_string(), wanted);
    assert_eq!(read::<Event>(&site.path()).unwrap_err().to_string(), wanted);
    assert_eq!(verify_chain(&site.path()).unwrap_err().to_string(), wanted);
    assert_eq!(site.bytes(), damaged.as_bytes());
    assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_follower_sees_each_whole_line_once_and_knows_which_are_proven_durable() {
    let mut journal = MemoryJournal::new();
    journal.append(notes(1..=2));
    journal.append(notes(3..=3));
    let bytes = journal.contents().bytes();
    let site = Site::new();
    let mut follower = Follower::new(&site.path());
    assert!(follower.poll::<Event>().is_err());
    let mut seen = Vec::new();
    for length in 0..=bytes.len() {
        fs::write(site.path(), &bytes[..length]).unwrap();
        let new = follower.poll::<Event>().unwrap();
        seen.extend(new.records.into_iter().map(|record| (record, new.proven, length)));
    }
    let ends: Vec<_> = (1..=bytes.len()).filter(|end| bytes[end - 1] == b'\n').collect();
    let proven = [Seq(0), Seq(0), Seq(2)];
    let wanted: Vec<_> = (1..=3).map(|seq| (note(seq), proven[seq as usize - 1], ends[seq as usize - 1])).collect();
    assert_eq!(seen, wanted);
    fs::write(site.path(), [&bytes, &b"oops\n"[..]].concat()).unwrap();
    assert!(matches!(follower.poll::<Event>(), Err(JournalError::Damaged { .. })));
    fs::write(site.path(), b"").unwrap();
    assert!(follower.poll::<Event>().unwrap_err().to_string().ends_with("it became shorter while it was followed"));
}
