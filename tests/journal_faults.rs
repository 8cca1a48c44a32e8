//! What damage does to a journal: a torn last batch is cut off, everything else is refused.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use drctl::catalogue::Timestamp;
use drctl::journal::{Damage, Journal as _, MemoryJournal, Record, Recovered, Seq, Torn, recover};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const SECTOR: usize = 512;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
enum Event {
    Paused,
    Note(String),
    Intent { step: String, with: Value },
}

/// A journal and what it was made of.
struct Sample {
    records: Vec<Record<Event>>,
    bytes: Vec<u8>,
    /// The records of the batches before the last one.
    durable: usize,
}

impl Sample {
    fn of(batches: &[Vec<Event>]) -> Self {
        let mut journal = MemoryJournal::new();
        let mut records = Vec::new();
        let mut durable = 0;
        for batch in batches {
            durable = records.len();
            let batch: Vec<_> = batch.iter().zip(durable as u64 + 1..).map(numbered).collect();
            records.extend(batch.clone());
            journal.append(batch);
        }
        let bytes = journal.contents().bytes();
        Self { records, bytes, durable }
    }

    /// Twelve records in five batches; the last one spans several sectors.
    fn varied() -> Self {
        let note = |text: &str| Event::Note(text.to_owned());
        let intent = |step: &str, with| Event::Intent { step: step.to_owned(), with };
        Self::of(&[
            vec![intent("promote[eu/1]", json!({"nested": [{"synced": 9, "type": "x"}, null, 1.5, "\n"]}))],
            vec![note(""), Event::Paused, note("Grüße @ home, \u{1F600}")],
            vec![note("{\"v\":1,\"seq\":9,\"time\":\"\",\"synced\":9,\"type\":\"note\"}\n"), Event::Paused],
            vec![note(&"long ".repeat(150)), intent("a", json!({})), note("J * J")],
            vec![intent("b", json!({"text": "y".repeat(700)})), note(&"z".repeat(600)), Event::Paused],
        ])
    }

    /// The bytes of each line, its line break included.
    fn lines(&self) -> Vec<&[u8]> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').collect()
    }

    /// How many records end within the first `length` bytes.
    fn records_within(&self, length: usize) -> usize {
        self.bytes[..length].iter().filter(|byte| **byte == b'\n').count()
    }

    /// Where the last batch begins.
    fn last_batch(&self) -> usize {
        self.lines()[..self.durable].concat().len()
    }

    /// Checks that the damaged bytes give the first `count` records and the rest is torn.
    fn assert_prefix(&self, damaged: &[u8], count: usize, what: &str) {
        let found: Recovered<Event> = recover(damaged).unwrap_or_else(|damage| panic!("{what}: {damage}"));
        let byte = self.lines()[..count].concat().len();
        let length = (damaged.len() - byte) as u64;
        let (line, byte) = (count as u64 + 1, byte as u64);
        assert_eq!(found.records, self.records[..count], "{what}");
        assert_eq!(found.end.valid_bytes, byte, "{what}");
        assert_eq!(found.end.torn, (length > 0).then_some(Torn { line, byte, length }), "{what}");
    }
}

fn numbered((event, seq): (&Event, u64)) -> Record<Event> {
    Record { seq: Seq(seq), at: Timestamp(1_795_218_000_000 + 137 * i64::try_from(seq).unwrap()), event: event.clone() }
}

fn refusal(damaged: &[u8], what: &str) -> Damage {
    match recover::<Event>(damaged) {
        Ok(found) => panic!("{what}: accepted {} records", found.records.len()),
        Err(damage) => damage,
    }
}

#[test]
fn an_undamaged_journal_gives_every_record() {
    let sample = Sample::varied();
    assert_eq!(sample.records.len(), 12);
    sample.assert_prefix(&sample.bytes, 12, "whole");
    let end = recover::<Event>(&sample.bytes).unwrap().end;
    assert_eq!((end.seq, end.proven), (Seq(12), Seq(9)));
    assert_eq!(end.proven_bytes, sample.last_batch() as u64);
    Sample::of(&[]).assert_prefix(b"", 0, "empty");
}

#[test]
fn a_line_looks_as_documented() {
    let sample = Sample::of(&[vec![Event::Paused], vec![Event::Note("hi".to_owned())]]);
    assert_eq!(
        String::from_utf8(sample.bytes).unwrap(),
        concat!(
            r#"{"v":1,"seq":1,"time":"2026-11-20T23:40:00.137Z","synced":0,"type":"paused","hash":"02a3cfea618bcbf83e5aee38a773ee3f0839f3c05be090d4083fdb1277bbf0ef"}"#,
            "\n",
            r#"{"v":1,"seq":2,"time":"2026-11-20T23:40:00.274Z","synced":1,"type":"note","payload":"hi","hash":"1b3eaee4480af229271db5da37e2cbcd684afd91d5e2be0e42011dd4a28a531c"}"#,
            "\n",
        )
    );
}

#[test]
fn cut_at_any_byte_the_whole_lines_remain() {
    let sample = Sample::varied();
    for length in 0..sample.bytes.len() {
        sample.assert_prefix(&sample.bytes[..length], sample.records_within(length), &format!("cut at {length}"));
    }
}

#[test]
fn any_flipped_bit_is_refused_naming_its_line() {
    let sample = Sample::varied();
    for at in 0..sample.bytes.len() {
        for bit in 0..8 {
            let mut damaged = sample.bytes.clone();
            damaged[at] ^= 1 << bit;
            let what = format!("bit {bit} of byte {at}");
            let line = sample.records_within(at) as u64 + 1;
            assert_eq!(refusal(&damaged, &what).line, line, "{what}");
        }
    }
}

#[test]
fn a_sector_missing_from_the_last_batch_cuts_it_there_and_any_other_is_refused() {
    let sample = Sample::varied();
    let batch = sample.last_batch();
    for start in (0..sample.bytes.len()).step_by(SECTOR) {
        let end = (start + SECTOR).min(sample.bytes.len());
        let what = format!("sector at {start}");
        // A sector that holds the end of an earlier batch loses no more than what was to be written to it.
        let lost = if end > batch { start.max(batch) } else { start };
        let mut damaged = sample.bytes.clone();
        damaged[lost..end].fill(0);
        let kept = sample.records_within(lost);
        if lost >= batch {
            sample.assert_prefix(&damaged, kept, &what);
        } else {
            assert_eq!(refusal(&damaged, &what).line, kept as u64 + 1, "{what}");
        }
    }
}

#[test]
fn a_lost_sector_that_takes_durable_records_with_it_is_refused_while_one_header_survives() {
    let sample = Sample::varied();
    let start = sample.last_batch() / SECTOR * SECTOR;
    let mut damaged = sample.bytes.clone();
    damaged[start..start + SECTOR].fill(0);
    // Nothing whole is left of what follows: only a header in the middle of a torn line.
    let header = sample.lines()[..10].concat().len() + 100;
    damaged.truncate(header);
    let line = sample.records_within(start) as u64 + 1;
    assert_eq!(
        refusal(&damaged, "lost sector").to_string(),
        format!(
            "line {line} (after byte {}): it is incomplete, but what follows says that record 9 was durable; no crash \
             does this, and nothing was changed: put back a good copy of the file, or keep this one as evidence and \
             start a new run",
            sample.lines()[..usize::try_from(line).unwrap() - 1].concat().len()
        )
    );
}

#[test]
fn a_line_that_is_missing_is_refused_unless_it_was_the_last() {
    let sample = Sample::varied();
    for gone in 0..12 {
        let mut lines = sample.lines();
        lines.remove(gone);
        let what = format!("without line {}", gone + 1);
        if gone == 11 {
            sample.assert_prefix(&lines.concat(), 11, &what);
        } else {
            let damage = refusal(&lines.concat(), &what);
            let reason = format!("wanted record {}, found record {}", gone + 1, gone + 2);
            assert_eq!((damage.line, damage.reason), (gone as u64 + 1, reason), "{what}");
        }
    }
}

#[test]
fn lines_out_of_their_place_are_refused() {
    let sample = Sample::varied();
    for (one, other) in (0..12).flat_map(|one| (0..12).map(move |other| (one, other))) {
        let mut repeated = sample.lines();
        repeated.insert(other, repeated[one]);
        let mut swapped = sample.lines();
        swapped.swap(one, other);
        let what = format!("lines {} and {}", one + 1, other + 1);
        // A line repeated before itself is bad only after itself.
        let place = if one == other { one + 1 } else { other };
        assert_eq!(refusal(&repeated.concat(), &what).line, place as u64 + 1, "repeated: {what}");
        if one != other {
            assert_eq!(refusal(&swapped.concat(), &what).line, one.min(other) as u64 + 1, "swapped: {what}");
        }
    }
}

#[test]
fn what_drctl_did_not_write_is_refused() {
    let sample = Sample::varied();
    for (added, reason) in [
        (&b"\n"[..], "it does not begin as a line of a journal does"),
        (b"oops", "it does not begin as a line of a journal does"),
        (b"oops\n", "it does not begin as a line of a journal does"),
        (b"\xff\n", "it is not UTF-8 text"),
        (b"{\"v\":1}\n", "it is not a line of a journal"),
        (
            b"{\"v\":0,\"seq\":13,\"time\":\"\",\"synced\":1,\"type\":\"x\"}\n",
            "it does not begin as a line of a journal does",
        ),
        (b"{\"v\":1,\"seq\":13,\"time\":\"\",\"synced\":1,\"type\":\"x\"}\n", "it does not end with a hash"),
        (b"{\"v\":2,\"anything", "it has version 2 and this drctl knows version 1: use the newer drctl that wrote it"),
    ] {
        let damaged = [&sample.bytes, added].concat();
        let byte = sample.bytes.len() as u64;
        let reason = reason.to_owned();
        assert_eq!(refusal(&damaged, &reason), Damage { line: 13, byte, reason });
    }
}

#[test]
fn an_event_this_drctl_does_not_know_is_refused_even_in_the_last_line() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type", content = "payload", rename_all = "snake_case")]
    enum Older {
        Paused,
    }
    let sample = Sample::of(&[vec![Event::Paused], vec![Event::Note("new".to_owned())]]);
    let damage = recover::<Older>(&sample.bytes).unwrap_err();
    assert_eq!(damage.line, 2);
    assert_eq!(
        damage.reason,
        "its event cannot be read: unknown variant `note`, expected `paused` at line 1 column 14"
    );
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Paused),
        any::<String>().prop_map(Event::Note),
        (0..2000_usize).prop_map(|size| Event::Note("x".repeat(size))),
        ("[a-z]{1,8}", any::<Vec<i64>>()).prop_map(|(step, with)| Event::Intent { step, with: json!(with) }),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Vec<Event>>> {
    prop::collection::vec(prop::collection::vec(events(), 1..6), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_crash_leaves_of_the_last_batch_the_earlier_ones_remain(
        batches in batches(),
        cut in any::<prop::sample::Index>(),
        missing in prop::collection::vec(any::<bool>(), 64),
    ) {
        let sample = Sample::of(&batches);
        let batch = sample.last_batch();
        let mut damaged = sample.bytes.clone();
        let mut first = batch + cut.index(damaged.len() - batch + 1);
        damaged.truncate(first);
        for (start, _) in (0..damaged.len()).step_by(SECTOR).zip(missing).filter(|(_, missing)| *missing) {
            let (start, end) = (start.max(batch), (start + SECTOR).min(damaged.len()));
            if start < end {
                damaged[start..end].fill(0);
                first = first.min(start);
            }
        }
        sample.assert_prefix(&damaged, sample.records_within(first), "torn");
    }

    #[test]
    fn whatever_happens_to_the_bytes_no_record_is_lost_that_a_later_line_proves_durable(
        batches in batches(),
        holes in prop::collection::vec((any::<prop::sample::Index>(), 0..700_usize, any::<u8>(), any::<bool>()), 1..4),
    ) {
        let sample = Sample::of(&batches);
        let mut damaged = sample.bytes.clone();
        for (at, size, byte, cut) in holes {
            let start = at.index(damaged.len() + 1);
            let end = (start + size).min(damaged.len());
            if cut {
                damaged.drain(start..end);
            } else {
                damaged[start..end].fill(byte);
            }
        }
        if let Ok(found) = recover::<Event>(&damaged) {
            prop_assert_eq!(&found.records[..], &sample.records[..found.records.len()]);
            for line in sample.lines().iter().filter(|line| damaged.windows(line.len()).any(|window| window == **line)) {
                let line: Value = serde_json::from_slice(line).unwrap();
                prop_assert!(line["synced"].as_u64().unwrap() <= found.records.len() as u64, "lost records: {}", line);
            }
        }
    }
}
