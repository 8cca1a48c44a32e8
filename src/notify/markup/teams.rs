//! Markdown as the text of an Adaptive Card, of which Teams shows bold, stressed, lists and links alone
//! (<https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features>).
//!
//! No text calls people there: a mention needs an entity beside the text. `{{DATE(...)}}` would be replaced, so braces
//! are escaped.

use super::slack::rows_as_lines;
use super::writer::{Target, write};
use crate::runbook::markdown::escaped;

/// The body as the text of a `TextBlock`, which has to `wrap`.
#[must_use]
pub fn teams(body: &str) -> String {
    write::<Teams>(body)
}

struct Teams;

impl Target for Teams {
    // One line break alone is a space.
    const BREAK: &'static str = "\n\n";
    const QUOTE: &'static str = "│ ";
    const RULE: &'static str = "──────────";

    fn text(text: &str, is_start: bool) -> String {
        // What is within a line begins nothing there: the bracket before it says so.
        let text = if is_start { escaped(text) } else { escaped(&format!("({text}")).split_off(1) };
        text.replace('{', "\\{")
    }

    fn code(code: &str) -> String {
        Self::text(code, true)
    }

    fn code_block(code: &str) -> String {
        code.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| Self::text(line, true))
            .collect::<Vec<_>>()
            .join(Self::BREAK)
    }

    fn strong(text: &str) -> String {
        marked("**", text)
    }

    fn emphasis(text: &str) -> String {
        marked("_", text)
    }

    fn strikethrough(text: &str) -> String {
        text.to_owned()
    }

    fn link(label: &str, url: &str) -> String {
        let url =
            url.replace('(', "%28").replace(')', "%29").replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
        format!("[{}]({url})", if label.is_empty() { Self::text(&url, false) } else { label.to_owned() })
    }

    fn heading(text: &str, _: usize) -> String {
        marked("**", text)
    }

    fn table(rows: &[Vec<String>]) -> String {
        rows_as_lines(rows, Self::BULLET, |name| marked("**", &format!("{name}:")))
    }
}

/// Every line marked by itself: a mark does not reach over paragraphs.
fn marked(mark: &str, text: &str) -> String {
    let line = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("{mark}{line}{mark}") };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
