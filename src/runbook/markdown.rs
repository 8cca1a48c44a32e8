//! Text as Markdown that means nothing but itself.

/// The text, written so that Markdown shows it as it is, wherever in a line or a table it stands: signs that mark something
/// get a backslash, a line break becomes `&#10;`, so that no text ends the paragraph, the item or the cell it is in.
#[must_use]
pub fn escaped(text: &str) -> String {
    let marker = marker(text);
    let mut out = String::with_capacity(text.len());
    let mut signs = text.char_indices().peekable();
    let mut before = None;
    let mut is_start = true;
    while let Some((at, sign)) = signs.next() {
        let after = signs.peek().map(|(_, sign)| *sign);
        let is_within = [before, after].iter().all(|sign| sign.is_some_and(char::is_alphanumeric));
        match sign {
            '\r' if after == Some('\n') => {}
            '\n' | '\r' => out.push_str("&#10;"),
            ' ' | '\t' if is_start => out.push_str("&#32;"),
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '#' => out.extend(['\\', sign]),
            '_' if !is_within => out.extend(['\\', sign]),
            _ if marker == Some(at) => out.extend(['\\', sign]),
            _ => out.push(sign),
        }
        is_start = is_start && sign == ' ' || sign == '\n';
        before = Some(sign);
    }
    out
}

/// What [`escaped`] was given: for code, where Markdown shows escapes as they are.
#[must_use]
pub fn unescaped(text: &str) -> String {
    let text = text.replace("&#10;", "\n").replace("&#32;", " ");
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match signs.peek() {
            Some(after) if sign == '\\' && after.is_ascii_punctuation() => out.extend(signs.next()),
            _ => out.push(sign),
        }
    }
    out
}

/// Where the sign is that would make a list, a line or a heading of what begins with it: `- x`, `12. x`, `===`.
fn marker(text: &str) -> Option<usize> {
    let lead = text.len() - text.trim_start().len();
    let digits = text[lead..].bytes().take_while(u8::is_ascii_digit).count();
    let mut signs = text[lead + digits..].chars();
    let is_marker = match signs.next()? {
        '-' | '+' | '=' | ':' => digits == 0,
        '.' | ')' => signs.next().is_none_or(char::is_whitespace),
        _ => false,
    };
    is_marker.then_some(lead + digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_marks_something_is_escaped_and_names_stay_as_they_are() {
        for plain in
            ["orders-20261121-0312-k3f", "promote_database", "12:30, 5 s (about)", "Größe: 1.5 GiB", "a@b.example"]
        {
            assert_eq!(escaped(plain), plain);
        }
        assert_eq!(
            escaped("*a* _b_ `c` [d](e) <f> & g|h ~i~ # \\"),
            r"\*a\* \_b\_ \`c\` \[d\](e) \<f\> \& g\|h \~i\~ \# \\"
        );
        assert_eq!(unescaped(&escaped("*a*\n  - `b` \\ c")), "*a*\n  - `b` \\ c");
        assert_eq!(escaped("- a"), r"\- a");
        assert_eq!(escaped("12. a"), r"12\. a");
        assert_eq!(escaped("---"), r"\---");
        assert_eq!(escaped("    a\n\n# b\r\nc"), r"&#32;&#32;&#32;&#32;a&#10;&#10;\# b&#10;c");
    }
}
