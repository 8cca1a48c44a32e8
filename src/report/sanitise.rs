//! Makes text from outside safe to print: what a step, a server or a person wrote cannot drive the
//! terminal, hide itself, or pass for a line of drctl's own.

use crate::edge::secrets::{MASK, Secrets};

/// How much of one text is shown on a line.
const LONGEST_LINE: usize = 500;

/// `text` without control sequences, control characters and characters that hide or reorder others.
///
/// Newlines stay; a tab becomes four spaces. Nothing else but printable characters is left.
#[must_use]
pub fn sanitise(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut rest),
            '\n' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            hidden if is_hidden(hidden) => {}
            shown => clean.push(shown),
        }
    }
    clean
}

type Chars<'t> = std::iter::Peekable<std::str::Chars<'t>>;

/// What follows an escape character: a control sequence, a string, or a short sequence.
fn skip_escape(rest: &mut Chars<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            skip_string(rest);
        }
        _ => {
            while rest.next_if(|next| matches!(next, ' '..='/')).is_some() {}
            rest.next_if(|next| matches!(next, '0'..='~'));
        }
    }
}

fn skip_control_sequence(rest: &mut Chars<'_>) {
    while rest.next_if(|next| matches!(next, ' '..='?')).is_some() {}
    rest.next_if(|next| matches!(next, '@'..='~'));
}

/// A string for the terminal ends at its terminator; one without ends with the line, so that it hides no more.
fn skip_string(rest: &mut Chars<'_>) {
    while let Some(next) = rest.next_if(|next| *next != '\n') {
        match next {
            '\u{7}' | '\u{9c}' | '\u{18}' | '\u{1a}' => return,
            '\u{1b}' => {
                rest.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// Controls, and characters of no width that reorder, hide or tag what stands around them.
#[must_use]
pub(super) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Cleans text from outside for people: secrets masked, then [`sanitise`]d.
#[derive(Clone, Debug, Default)]
pub struct Cleaner {
    needles: Vec<String>,
}

impl Cleaner {
    /// Masks these secrets.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        Self { needles: secrets.needles() }
    }

    /// Whether there is nothing to mask.
    #[must_use]
    pub fn masks_nothing(&self) -> bool {
        self.needles.is_empty()
    }

    /// `text` with the secrets masked, and nothing else changed.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let masked = self.needles.iter();
        masked.fold(text.to_owned(), |text, needle| text.replace(needle.as_str(), MASK))
    }

    /// The lines of `text`, safe to print.
    #[must_use]
    pub fn lines(&self, text: &str) -> Vec<String> {
        // Masked twice: a control sequence inside a secret would keep it from being found.
        let clean = self.mask(&sanitise(&self.mask(text)));
        clean.lines().map(|line| clip(line.trim_end())).collect()
    }

    /// `text` as a single line, safe to print: its lines behind each other.
    #[must_use]
    pub fn line(&self, text: &str) -> String {
        clip(&self.lines(text.trim()).join(" | ").replace(": | ", ": "))
    }

    /// `text` safe to print, as far in as it is: its further lines further in, and marked, so that none passes for
    /// one of drctl's own.
    #[must_use]
    pub fn block(&self, text: &str) -> Vec<String> {
        let margin = text.len() - text.trim_start_matches(' ').len();
        self.quoted(text, margin, margin + 4)
    }

    /// The same, with the first line this far in, and the further ones that far.
    #[must_use]
    pub fn quoted(&self, text: &str, margin: usize, further: usize) -> Vec<String> {
        let lines = self.lines(text.trim()).into_iter().enumerate();
        let shown = lines.map(|(at, line)| match at {
            0 => format!("{:margin$}{line}", ""),
            _ => format!("{:further$}| {line}", ""),
        });
        shown.collect()
    }

    /// [`Self::line`], as far in as `line` is.
    #[must_use]
    pub fn indented(&self, line: &str) -> String {
        let margin = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..margin], self.line(line))
    }
}

fn clip(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_sequences_vanish_and_text_stays() {
        for (raw, clean) in [
            ("a\u{1b}[31mred\u{1b}[0m b", "ared b"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jx", "x"),
            ("\u{1b}Pq#0\u{1b}\\y", "y"),
            ("\u{1b}]0;never ends\nsecond line", "\nsecond line"),
            ("\u{1b}(0\u{1b}7\u{1b}cz", "z"),
            ("50 %\rdone\u{8}\u{7}", "50 %done"),
            ("a\tb\r\nc", "a    b\nc"),
            ("a\u{202e}dcb\u{2069}\u{feff}", "adcb"),
            ("größer \u{1f600} 漢字", "größer \u{1f600} 漢字"),
        ] {
            assert_eq!(sanitise(raw), clean, "{raw:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_holds_no_secret() {
        let mut secrets = Secrets::default();
        secrets.insert("token", "s3cret");
        let cleaner = Cleaner::new(&secrets);
        let block = cleaner.block("  a failed: it printed:\n\u{1b}[1mrun succeeded\n\n  next: s3cret\n");
        assert_eq!(block, ["  a failed: it printed:", "      | run succeeded", "      | ", "      |   next: ***"]);
        assert_eq!(cleaner.line("it printed:\none\ntwo"), "it printed: one | two");
        assert_eq!(cleaner.line("got s3c\u{1b}[1mret\nnext s3cret\n"), "got *** | next ***");
        assert_eq!(cleaner.line(&"x".repeat(600)), format!("{}...", "x".repeat(500)));
    }

    proptest! {
        #[test]
        fn what_is_left_is_printable_or_a_newline(text in "(\\PC|\\x1b|[\\x00-\\x1f]|[\u{80}-\u{9f}]|[\u{200b}-\u{206f}]|[\\[\\]PX0-9;m?]){0,60}") {
            let clean = sanitise(&text);
            prop_assert!(clean.chars().all(|shown| shown == '\n' || !is_hidden(shown)), "{clean:?}");
            prop_assert_eq!(sanitise(&clean), clean.clone());
        }

        #[test]
        fn text_without_anything_hidden_is_left_alone(text in "[ -~äöü漢\n]{0,60}") {
            prop_assert_eq!(sanitise(&text), text);
        }
    }
}
