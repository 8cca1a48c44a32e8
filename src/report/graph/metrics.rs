//! How wide a text is at most: the reader's font is not known, so a wide one is assumed.

/// The width of a text in the bold of a wide sans-serif font.
pub(super) fn sans(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The width of a text in a font whose characters are equally wide.
pub(super) fn mono(text: &str, size: f64) -> f64 {
    console::measure_text_width(text) as f64 * 0.61 * size
}

/// The widths of DejaVu Sans Bold, rounded up; it is wider than Arial, Helvetica, Segoe and Verdana.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | ' ' | '\'' | 'I' | 'J' => 0.38,
        'c' | 'f' | 'r' | 's' | 't' | '.' | ',' | ':' | ';' | '(' | ')' | '[' | ']' | '/' | '-' | '|' => 0.6,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.11,
        'A'..='Z' | '0'..='9' => 0.86,
        'a'..='z' => 0.72,
        other if other.is_ascii() => 0.84,
        other => (console::measure_text_width(other.encode_utf8(&mut [0; 4])) as f64).max(1.0),
    }
}

/// The text in lines that are at most so wide; a word that is wider is broken.
pub(super) fn wrap(text: &str, width: f64, measure: impl Fn(&str) -> f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let joined = lines.last().map(|last| format!("{last} {word}")).filter(|joined| measure(joined) <= width);
        if let (Some(joined), Some(last)) = (joined, lines.last_mut()) {
            *last = joined;
            continue;
        }
        let mut part = String::new();
        for character in word.chars() {
            part.push(character);
            if measure(&part) > width && part.chars().count() > 1 {
                part.pop();
                // Names are broken where their words end.
                let end = part.rfind(['.', '_', '/', '-']).map_or(part.len(), |at| at + 1);
                let rest = part.split_off(end);
                lines.push(std::mem::replace(&mut part, rest));
                part.push(character);
            }
        }
        lines.push(part);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be_and_long_words_are_broken() {
        let measure = |text: &str| text.chars().count() as f64;
        assert_eq!(wrap("promote the replica now", 11.0, measure), ["promote the", "replica now"]);
        assert_eq!(wrap("a extraordinarily long", 6.0, measure), ["a", "extrao", "rdinar", "ily", "long"]);
        assert_eq!(wrap("azure.sql.state", 12.0, measure), ["azure.sql.", "state"]);
        assert_eq!(wrap("", 6.0, measure), [""; 0]);
    }
}
