//! The text of one line, written and read. Knows neither files nor what follows from a bad line.
//!
//! `{"v":1,"seq":7,"time":"2026-11-20T23:37:00.123Z","synced":5,"type":"intent","payload":{..},"hash":"<64 hex>"}`
//!
//! `synced` is the highest record that was durable when the line was written. `hash` is the SHA-256 of
//! the previous line's hash, as its 64 letters, followed by the line without its newline and without
//! the part `,"hash":"..."`. Before the first line stand 64 zeros.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{JournalError, Record, Seq};
use crate::catalogue::Timestamp;

/// The most bytes a line may have, its newline included.
pub const MAX_LINE: usize = 1 << 20;

const VERSION: u64 = 1;
const HASH_START: &str = ",\"hash\":\"";
const HASH_END: &str = "\"}";
const HASH_LETTERS: usize = 64;

/// The hash of a line, and through it of all lines before: 64 hexadecimal letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(String);

impl Hash {
    /// What stands before the first line.
    #[must_use]
    pub fn genesis() -> Self {
        Self("0".repeat(HASH_LETTERS))
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash of a line, given without its hash part and its closing brace.
    fn of_line(previous: &Self, open: &str) -> Self {
        let digest = Sha256::new().chain_update(&previous.0).chain_update(open).chain_update("}").finalize();
        Self(digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(letter).collect())
    }
}

fn letter(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a journal and the hash that vouches for all up to it, as one word: `14:<64 hex>`.
#[must_use]
pub fn chain_head(seq: Seq, hash: &Hash) -> String {
    format!("{seq}:{hash}")
}

/// Writes a record as a line, its newline included, and gives its hash.
pub(super) fn encode<E: Serialize>(
    record: &Record<E>,
    synced: Seq,
    previous: &Hash,
) -> Result<(String, Hash), JournalError> {
    let (seq, time) = (record.seq, record.at);
    let unwritable = |reason: String| JournalError::Unwritable { seq, reason };
    let event = serde_json::to_string(&record.event).map_err(|error| unwritable(error.to_string()))?;
    let fields = fields(&event).map_err(unwritable)?;
    let mut line = format!("{{\"v\":{VERSION},\"seq\":{seq},\"time\":\"{time}\",\"synced\":{synced},{fields}");
    let hash = Hash::of_line(previous, &line);
    for part in [HASH_START, hash.as_str(), HASH_END, "\n"] {
        line.push_str(part);
    }
    Ok((line, hash))
}

/// The fields of an event's object, to stand among those of the line.
fn fields(event: &str) -> Result<&str, String> {
    let inner = event.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inner {
        // Raw JSON within an event may hold any white space.
        Some(_) if event.contains('\n') => Err("its event contains a line break".to_owned()),
        Some(inner) if inner.starts_with("\"type\":") => Ok(inner),
        _ => Err("wanted an event of the form `{\"type\":..,\"payload\":..}`".to_owned()),
    }
}

/// What a line says.
pub(super) struct Line<'a> {
    pub(super) at: Timestamp,
    pub(super) synced: Seq,
    pub(super) hash: Hash,
    fields: &'a str,
}

impl Line<'_> {
    /// The event as JSON.
    pub(super) fn event(&self) -> String {
        format!("{{{}}}", self.fields)
    }
}

/// Reads record `seq` from a line without its newline, and checks it against the `previous` hash.
/// Says what is wrong with it otherwise.
pub(super) fn decode<'a>(line: &'a [u8], seq: Seq, previous: &Hash) -> Result<Line<'a>, String> {
    let text = str::from_utf8(line).map_err(|_| "it is not UTF-8 text")?;
    let rest = match number(text, "{\"v\":") {
        Some((VERSION, rest)) => rest,
        Some((version, _)) if version > VERSION => return Err(newer(version)),
        _ => return Err("it does not begin as a line of a journal does".to_owned()),
    };
    let (found, time, synced, rest) = header(rest).ok_or("it is not a line of a journal")?;
    if found != seq.0 {
        return Err(format!("wanted record {seq}, found record {found}"));
    }
    let (open, hash) = split_hash(text).ok_or("it does not end with a hash")?;
    let wanted = Hash::of_line(previous, open);
    if wanted.0 != hash {
        return Err("its hash does not match it and the lines before".to_owned());
    }
    let event_end = rest.len() - (text.len() - open.len());
    Ok(Line { at: Timestamp::parse(time)?, synced: Seq(synced), hash: wanted, fields: &rest[..event_end] })
}

fn newer(version: u64) -> String {
    format!("it has version {version} and this drctl knows version {VERSION}: use the newer drctl that wrote it")
}

/// How the line of a record begins, whatever it says.
pub(super) fn beginning(seq: Seq) -> String {
    format!("{{\"v\":{VERSION},\"seq\":{seq},\"time\":\"")
}

/// The highest `synced` that can be made out in damaged text, wherever in it.
pub(super) fn highest_synced(bytes: &[u8]) -> Option<Seq> {
    // A comma begins the label, so splitting there finds it without comparing at every byte.
    let parts = bytes.split(|byte| *byte == b',').skip(1);
    let synced = parts.clone().zip(parts.skip(1)).filter_map(|(part, next)| {
        let text = str::from_utf8(part).ok().filter(|_| next.starts_with(b"\"type\":"))?;
        let (synced, rest) = number(text, "\"synced\":")?;
        rest.is_empty().then_some(Seq(synced))
    });
    synced.max()
}

/// The record, time and `synced` of a line after its version, and the fields that follow.
fn header(text: &str) -> Option<(u64, &str, u64, &str)> {
    let (seq, rest) = number(text, ",\"seq\":")?;
    let (time, rest) = rest.strip_prefix(",\"time\":\"")?.split_once('"')?;
    let (synced, rest) = number(rest, ",\"synced\":")?;
    Some((seq, time, synced, rest.strip_prefix(',')?))
}

/// The number after `label`, and what follows it.
fn number<'a>(text: &'a str, label: &str) -> Option<(u64, &'a str)> {
    let rest = text.strip_prefix(label)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    Some((number.parse().ok()?, rest))
}

/// The line without its hash part and closing brace, and the letters of the hash.
fn split_hash(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_suffix(HASH_END)?;
    let (open, hash) = rest.split_at_checked(rest.len().checked_sub(HASH_LETTERS)?)?;
    Some((open.strip_suffix(HASH_START)?, hash))
}
