//! Markdown as Slack's mrkdwn: `*bold*`, `_stressed_`, `~gone~`, `<url|label>`.
//!
//! Slack wants `&`, `<` and `>` as `&amp;`, `&lt;` and `&gt;`, with which no text is a mention
//! (<https://docs.slack.dev/messaging/formatting-message-text>). Its other marks have no escape: where Slack would take one
//! for markup, a sign that looks like it stands in its place. It has neither headings nor tables.

use super::writer::{Target, write};

/// The body as mrkdwn, for a text object of that type.
#[must_use]
pub fn slack(body: &str) -> String {
    write::<Slack>(body)
}

struct Slack;

/// Slack's own marks, and signs that look like them and mean nothing.
const MARKS: [(char, char); 4] = [('*', '\u{2217}'), ('_', '\u{ff3f}'), ('~', '\u{223c}'), ('`', '\u{2cb}')];
/// Words that call everybody where an application lets Slack look for names.
const CALLS: [&str; 4] = ["channel", "everyone", "group", "here"];
/// Parts a word for machines; readers do not see it.
const WORD_JOINER: char = '\u{2060}';

impl Target for Slack {
    const BULLET: &'static str = "• ";
    const RULE: &'static str = "──────────";

    fn text(text: &str, _: bool) -> String {
        let signs: Vec<char> = text.chars().collect();
        let in_word = |at: Option<usize>| at.and_then(|at| signs.get(at)).is_some_and(|sign| sign.is_alphanumeric());
        let shown = |(at, sign): (usize, &char)| match MARKS.iter().find(|(mark, _)| mark == sign) {
            // Within a word a mark is none.
            Some((_, alike)) if !(in_word(at.checked_sub(1)) && in_word(Some(at + 1))) => *alike,
            _ => *sign,
        };
        escaped(&uncalled(&signs.iter().enumerate().map(shown).collect::<String>()))
    }

    fn code(code: &str) -> String {
        let code = code.replace('`', "\u{2cb}").replace('\n', " ");
        if code.trim().is_empty() { code } else { format!("`{}`", escaped(&code)) }
    }

    fn code_block(code: &str) -> String {
        format!("```\n{}\n```", escaped(&code.replace("```", "\u{2cb}\u{2cb}\u{2cb}")))
    }

    fn strong(text: &str) -> String {
        marked('*', text)
    }

    fn emphasis(text: &str) -> String {
        marked('_', text)
    }

    fn strikethrough(text: &str) -> String {
        marked('~', text)
    }

    fn link(label: &str, url: &str) -> String {
        let url = escaped(&url.replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace(' ', "%20"));
        if label.is_empty() { format!("<{url}>") } else { format!("<{url}|{}>", label.replace('\n', " ")) }
    }

    fn heading(text: &str, _: usize) -> String {
        marked('*', text)
    }

    fn table(rows: &[Vec<String>]) -> String {
        rows_as_lines(rows, Self::BULLET, |name| marked('*', &format!("{name}:")))
    }
}

/// Every line marked by itself: Slack's marks end with their line.
fn marked(mark: char, text: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("{mark}{line}{mark}") };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text with no word in it that would call everybody.
fn uncalled(text: &str) -> String {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('@');
        if CALLS.iter().any(|call| part.get(..call.len()).is_some_and(|word| word.eq_ignore_ascii_case(call))) {
            out.push(WORD_JOINER);
        }
        out.push_str(part);
    }
    out
}

/// A table where there are none: a line for each row that names every column. Phones show it well.
pub(super) fn rows_as_lines(rows: &[Vec<String>], bullet: &str, name: impl Fn(&str) -> String) -> String {
    let [names, rows @ ..] = rows else { return String::new() };
    let cell = |(column, cell): (&String, &String)| match (column.is_empty(), cell.is_empty()) {
        (_, true) => None,
        (true, false) => Some(cell.clone()),
        (false, false) => Some(format!("{} {cell}", name(column))),
    };
    let line = |row: &Vec<String>| names.iter().zip(row).filter_map(cell).collect::<Vec<_>>().join(", ");
    rows.iter().map(|row| format!("{bullet}{}", line(row))).collect::<Vec<_>>().join("\n")
}
