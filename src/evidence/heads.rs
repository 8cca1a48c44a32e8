//! What reports and notices carry of a journal: the place and hash of its last record then. A journal that was cut since
//! lacks the place, one that was rewritten has another hash there.

use crate::journal::Hash;

const LETTERS: usize = 64;

/// A head that a file carries, or a person gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The place; anywhere, where only a hash was given.
    pub seq: Option<u64>,
    /// The hash.
    pub hash: String,
}

impl Carried {
    /// Reads `14:<64 hex>`, or the hash alone.
    ///
    /// # Errors
    /// A sentence that says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (seq, hash) = match text.split_once(':') {
            Some((seq, hash)) => (Some(seq.parse().ok()), hash),
            None => (None, text),
        };
        let hash = hash.to_ascii_lowercase();
        match seq {
            Some(None) => Err(wanted(text)),
            _ if !is_hash(&hash) => Err(wanted(text)),
            seq => Ok(Self { seq: seq.flatten(), hash }),
        }
    }
}

fn wanted(text: &str) -> String {
    format!("wanted a head such as `14:9f86..` with 64 hexadecimal letters, found `{}`", text.escape_debug())
}

fn is_hash(text: &str) -> bool {
    text.len() == LETTERS && text.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
}

/// Every head in a text, whatever the text is: a page, a mail, JSON. Lines that a mail broke softly are joined.
#[must_use]
pub fn carried(text: &str) -> Vec<Carried> {
    let text = text.replace("=\r\n", "").replace("=\n", "");
    let mut found: Vec<Carried> = Vec::new();
    for (at, _) in text.match_indices(':') {
        let digits = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
        let letters = text[at + 1..].bytes().take_while(u8::is_ascii_hexdigit).count();
        // `sha256:` is no place, and nothing stands at place 0: a notice that was sent before any record.
        let word = text[..at - digits].ends_with(|before: char| before.is_alphanumeric());
        if digits == 0 || letters != LETTERS || word {
            continue;
        }
        let head = Carried::parse(&text[at - digits..=at + LETTERS]).ok();
        found.extend(head.filter(|head| head.seq != Some(0) && !found.contains(head)));
    }
    found
}

/// The record that a head names.
///
/// # Errors
/// A sentence: the journal ends before it, or holds something else there.
pub fn find(chain: &[Hash], head: &Carried) -> Result<u64, String> {
    let at = |seq: u64| chain.get(usize::try_from(seq.checked_sub(1)?).ok()?);
    let last = chain.len();
    let Some(seq) = head.seq else {
        let place = chain.iter().position(|hash| hash.as_str() == head.hash);
        return place.map(|place| place as u64 + 1).ok_or_else(|| {
            format!("no record of the journal has the hash {}: its end was cut, or it was rewritten", head.hash)
        });
    };
    match at(seq) {
        Some(hash) if hash.as_str() == head.hash => Ok(seq),
        Some(hash) => {
            Err(format!("record {seq} had the hash {}, and has {hash} now: the journal was rewritten", head.hash))
        }
        None => Err(format!("there was a record {seq}, and the journal ends with record {last}: its end was cut")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_found_in_any_text() {
        let hash = "0123456789abcdef".repeat(4);
        let head = Carried { seq: Some(14), hash: hash.clone() };
        for text in [
            format!("<meta content=\"14:{hash}\">"),
            format!("{{\"chain_head\": \"14:{hash}\"}}"),
            format!("Record 14:{}=\r\n{} vouches for it.", &hash[..30], &hash[30..]),
            format!("twice 14:{hash} and 14:{hash}"),
        ] {
            assert_eq!(carried(&text), std::slice::from_ref(&head), "{text}");
        }
        for text in [format!("sha256:{hash}"), format!("14:{hash}0"), format!("14:{}", &hash[1..]), String::new()] {
            assert_eq!(carried(&text), [], "{text}");
        }
    }

    #[test]
    fn heads_are_typed_with_their_place_or_without() {
        let hash = "ab".repeat(32);
        assert_eq!(Carried::parse(&hash), Ok(Carried { seq: None, hash: hash.clone() }));
        assert_eq!(Carried::parse(&format!("7:{}", hash.to_uppercase())), Ok(Carried { seq: Some(7), hash }));
        for wrong in ["", "7", "7:ab", "x:ab", ":", "latest"] {
            assert!(Carried::parse(wrong).is_err(), "{wrong}");
        }
    }
}
