//! What came from outside cannot drive the terminal.

/// `text` without escape sequences, control characters and marks that reorder what is read.
/// Newlines stay; a tab becomes a space.
#[must_use]
pub fn sanitise(text: &str) -> String {
    console::strip_ansi_codes(text).chars().filter_map(shown).collect()
}

fn shown(c: char) -> Option<char> {
    match c {
        '\n' => Some('\n'),
        '\t' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_leave_nothing_behind() {
        assert_eq!(sanitise("a\u{1b}[31mred\u{1b}[0m\u{7}\r\nb\tc"), "ared\nb c");
    }

    proptest! {
        #[test]
        fn only_printable_characters_and_newlines_are_left(text in any::<String>()) {
            let left = sanitise(&text);
            prop_assert!(left.chars().all(|c| c == '\n' || !c.is_control()), "{left:?}");
        }
    }
}
