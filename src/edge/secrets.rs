//! Secret values: held here, handed out just before use, masked wherever text leaves the program.

use std::collections::BTreeMap;
use std::fmt;

use super::mask::Masker;

/// The values of a run's secrets, by input name. Never printed: its `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    /// Why others could not be read.
    missing: BTreeMap<String, String>,
}

/// What stands where a secret's value stood.
pub const MASK: &str = "***";

impl Secrets {
    /// Adds or replaces a value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// The secret `name` could not be read, and why: what needs it goes without.
    pub fn miss(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.missing.insert(name.into(), why.into());
    }

    /// Each secret that could not be read, and why.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.missing.iter().map(|(name, why)| (name.as_str(), why.as_str()))
    }

    /// The value of the secret `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The values to look for when masking, longest first, so that a value inside another leaves no rest.
    #[must_use]
    pub fn needles(&self) -> Vec<String> {
        let mut needles: Vec<String> = self.values.values().filter(|value| !value.is_empty()).cloned().collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        needles.dedup();
        needles
    }

    /// `text` with every secret value, and its usual encodings, replaced by [`MASK`].
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let needles = self.needles();
        if needles.is_empty() {
            return text.to_owned();
        }
        String::from_utf8_lossy(&Masker::new(&needles).mask(text.as_bytes())).into_owned()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
