//! Names that are made up: of runs, such that a person can type them, and random numbers to make them with.

use std::fmt;
use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::catalogue::Timestamp;

/// The letters of random words: none looks like another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrtuvwxyz346789";
const WORD: usize = 3;
/// The most letters an id may have.
const LONGEST: usize = 100;
/// The letters of `-20261120-2337-k3f`.
const ENDING: usize = 18;

/// The name of a run, such as `orders-20261120-2337-k3f`: also the name of its folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// A name for a run of the runbook `name` that starts `at` this time. `random` keeps runs of the
    /// same minute apart, up to one in 21,952: make another if the folder is taken.
    #[must_use]
    pub fn new(name: &str, at: Timestamp, random: u32) -> Self {
        let plain = |letter: char| match letter.to_ascii_lowercase() {
            letter if is_allowed(letter) => letter,
            _ => '-',
        };
        let name: String = name.chars().map(plain).take(LONGEST - ENDING).collect();
        let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        Self(format!("{name}-{}-{}", time.strftime("%Y%m%d-%H%M"), word(random)))
    }

    /// Reads the name of a run: 1 to 100 of `a-z`, `0-9`, `_` and `-`.
    ///
    /// # Errors
    /// A sentence that says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        if (1..=LONGEST).contains(&text.len()) && text.chars().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("wanted a run such as `orders-20261120-2337-k3f`, found `{}`", text.escape_debug()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that names the runbook; runbooks whose names differ in strange letters only share it.
    #[must_use]
    pub fn runbook(&self) -> Option<&str> {
        self.started()?;
        self.0.get(..self.0.len() - ENDING)
    }

    /// The part that tells when the run started, such as `20261120-2337`; sorts by time.
    #[must_use]
    pub fn started(&self) -> Option<&str> {
        let start = self.0.len().checked_sub(ENDING)?;
        let (date, word) = self.0.get(start..)?.strip_prefix('-')?.rsplit_once('-')?;
        let (day, minute) = date.split_once('-')?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(day, 8) && digits(minute, 4) && word.len() == WORD).then_some(date)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_allowed(letter: char) -> bool {
    matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-')
}

fn word(random: u32) -> String {
    let letters = (0..WORD).scan(random as usize, |rest, _| {
        let letter = ALPHABET[*rest % ALPHABET.len()];
        *rest /= ALPHABET.len();
        Some(char::from(letter))
    });
    letters.collect()
}

/// A random number from the system.
///
/// # Errors
/// What the system said.
pub fn random_u32() -> io::Result<u32> {
    let mut bytes = [0; 4];
    // The system does not split requests this small.
    rustix::io::retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))?;
    Ok(u32::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_run_is_named_after_its_runbook_its_start_and_a_random_word() {
        let start = at("2026-11-20T23:37:59.999Z");
        assert_eq!(RunId::new("orders", start, 0).as_str(), "orders-20261120-2337-aaa");
        assert_eq!(RunId::new("Orders EU/1", start, 28 * 27 + 1).as_str(), "orders-eu-1-20261120-2337-b9a");
        assert_eq!(RunId::new("orders", start, u32::MAX).started(), Some("20261120-2337"));
    }

    #[test]
    fn whatever_the_runbook_is_called_its_runs_can_be_named() {
        for name in ["", "\u{1F600}", "../..", &"x".repeat(500)] {
            let id = RunId::new(name, Timestamp::default(), 5);
            assert_eq!(RunId::parse(id.as_str()), Ok(id.clone()), "{name}");
            assert_eq!(id.started(), Some("19700101-0000"), "{name}");
        }
    }

    #[test]
    fn names_that_no_folder_may_have_are_refused() {
        for text in ["", ".", "..", "a/b", "A", "a b", "\u{e9}", "a\n", &"x".repeat(101)] {
            let wanted = format!("wanted a run such as `orders-20261120-2337-k3f`, found `{}`", text.escape_debug());
            assert_eq!(RunId::parse(text), Err(wanted));
        }
        assert!(RunId::parse(&"x".repeat(100)).is_ok());
    }

    #[test]
    fn a_name_without_a_time_has_none() {
        for text in ["x", "orders", "orders-20261120-23374-abc", "orders-2026x120-2337-abc"] {
            assert_eq!(RunId::parse(text).unwrap().started(), None, "{text}");
        }
    }

    #[test]
    fn random_numbers_differ() {
        let numbers: std::collections::BTreeSet<_> = (0..8).map(|_| random_u32().unwrap()).collect();
        assert!(numbers.len() > 1);
    }
}
