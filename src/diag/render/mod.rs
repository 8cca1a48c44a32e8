//! Diagnostics as people and programs want them. Knows no terminal: it makes a text.

mod excerpt;
mod github;
mod human;
mod json;
mod sarif;
mod short;

pub use json::json;
pub use sarif::{Help, sarif};

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::Value;

use super::{Diagnostic, Severity, Sources};

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The source line with the place marked, for people.
    #[default]
    Human,
    /// One line each, as compilers do.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Human, Self::Short, Self::Json, Self::Sarif, Self::Github];

    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Short => "short",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(|format| format!("`{}`", format.name())).join(", ");
        let format = Self::ALL.into_iter().find(|format| format.name() == text);
        format.ok_or_else(|| format!("wanted one of {}, found `{text}`", names()))
    }
}

/// As many are shown to people with their source lines: nobody reads more at a time.
const MOST_SHOWN: usize = 100;

/// The diagnostics as a text that ends with a line break, or is empty if there is nothing to say.
/// `colour` matters to [`Format::Human`] only.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, format: Format, colour: bool) -> String {
    match format {
        Format::Human => {
            let (shown, rest) = diagnostics.split_at(diagnostics.len().min(MOST_SHOWN));
            let text = human::render(shown, sources, colour);
            let more = format!("and {} more: `--format short` lists them all\n", rest.len());
            if rest.is_empty() { text } else { text + &more }
        }
        Format::Short => short::render(&place_by_place(diagnostics, sources), sources),
        Format::Github => github::render(&place_by_place(diagnostics, sources), sources),
        Format::Json => json(diagnostics, sources, &[]),
        Format::Sarif => sarif(diagnostics, sources, &[], &|_| None),
    }
}

/// Findings for programs: each at its own place, in the order of files and places, and none twice.
fn place_by_place(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Diagnostic> {
    let mut each: Vec<Diagnostic> = diagnostics.iter().flat_map(Diagnostic::each).collect();
    sources.sort(&mut each);
    each.dedup_by(|later, one| (later.primary, later.code, &later.message) == (one.primary, one.code, &one.message));
    each
}

impl Severity {
    /// Its word: `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// `text` with nothing in it that could drive a terminal or hide: a visible sign stands for each
/// such character. Line breaks and tabs stay.
fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(|character| visible_character(character) == character) {
        return Cow::Borrowed(text);
    }
    text.chars().map(visible_character).collect::<String>().into()
}

fn visible_character(character: char) -> char {
    match character {
        '\t' | '\n' => character,
        '\u{0}'..='\u{1F}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{FFFD}'),
        '\u{7F}' => '\u{2421}',
        '\u{80}'..='\u{9F}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' => '\u{FFFD}',
        '\u{2060}'..='\u{206F}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => '\u{FFFD}',
        other => other,
    }
}

/// As [`visible`], on one line.
fn on_one_line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

/// JSON for people's eyes too: what [`visible`] would replace is escaped, and reads back the same.
fn json_text(value: &Value) -> String {
    let mut text = String::new();
    for character in format!("{value:#}\n").chars() {
        if character.is_ascii() || visible_character(character) == character {
            text.push(character);
        } else {
            let mut units = [0; 2];
            text.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Whatever the diagnostic says beside its message, one sentence a line.
fn details(diagnostic: &Diagnostic) -> impl Iterator<Item = &str> {
    let fix = diagnostic.fix.iter().map(|fix| fix.say.as_str());
    diagnostic.notes.iter().map(String::as_str).chain(fix)
}

#[cfg(test)]
mod tests;
