//! The model as a page, as Markdown, as JSON.
//!
//! Page and Markdown are templates that escape whatever they are given, each for its own language.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;
use tera::{Context, Kwargs, State, Tera};

use super::super::{json as lines, words};
use super::model::RunReport;
use super::{cleaned, picture};
use crate::catalogue::Timestamp;

const PAGE: &str = "report.html";
const TEXT: &str = "report.md";
/// The style sheet, the page's own.
const STYLE: &str = include_str!("style.css");

/// A page that needs nothing but itself.
///
/// # Errors
/// The template cannot be drawn: a mistake of drctl's.
pub fn html(report: &RunReport) -> Result<String, String> {
    let mut tera = Tera::default();
    tera.autoescape_on([".html"]);
    let extra = [("picture", picture::picture(report)), ("style", STYLE.to_owned())];
    draw(tera, PAGE, include_str!("report.html"), report, &extra)
}

/// Markdown, as most sites and editors show it.
///
/// # Errors
/// As [`html`].
pub fn markdown(report: &RunReport) -> Result<String, String> {
    let mut tera = Tera::default();
    tera.autoescape_on([".md"]);
    tera.set_escape_fn(escape_markdown);
    draw(tera, TEXT, include_str!("report.md"), report, &[])
}

/// One document for programs.
#[must_use]
pub fn json(report: &RunReport) -> String {
    let text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.lines().map(|line| lines::visible(line) + "\n").collect()
}

fn draw(
    mut tera: Tera,
    name: &str,
    template: &str,
    report: &RunReport,
    extra: &[(&'static str, String)],
) -> Result<String, String> {
    let problem = |error: tera::Error| format!("the report cannot be drawn: {error}");
    tera.register_filter("span", |value: tera::Value, _: Kwargs, _: &State<'_>| span(&value));
    tera.register_filter("clock", |text: &str, _: Kwargs, _: &State<'_>| time(text, words::time_of_day));
    tera.register_filter("date", |text: &str, _: Kwargs, _: &State<'_>| time(text, words::date_and_time));
    tera.register_filter("plain", |value: tera::Value, _: Kwargs, _: &State<'_>| plain(&value));
    tera.register_filter("code", |text: &str, _: Kwargs, _: &State<'_>| tera::Value::safe_string(&code(text)));
    tera.add_raw_template(name, template).map_err(problem)?;
    let facts = cleaned(serde_json::to_value(report).map_err(|error| error.to_string())?);
    let mut context = Context::from_serialize(&facts).map_err(problem)?;
    extra.iter().for_each(|(name, value)| context.insert(*name, value));
    tera.render(name, &context).map_err(problem)
}

/// Seconds as people read them; a dash where there are none.
fn span(value: &tera::Value) -> String {
    let seconds = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.map_or_else(|| "–".to_owned(), words::span)
}

fn time(text: &str, show: fn(Timestamp) -> String) -> String {
    Timestamp::parse(text).map_or_else(|_| text.to_owned(), show)
}

/// Text as it is, anything else as JSON.
fn plain(value: &tera::Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_value(value).map(|value: Value| value.to_string()).unwrap_or_default(),
    }
}

/// A code span of Markdown, in a table too, whatever the text holds.
fn code(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let text = text.replace('\n', " ").replace('|', "\\|");
    let room = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if text.trim().is_empty() { String::new() } else { format!("{fence}{room}{text}{room}{fence}") }
}

/// Text that stays text in Markdown: no markup, no HTML, no links, no new lines.
fn escape_markdown(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for (at, letter) in text.char_indices() {
        let before = text[..at].trim_start();
        let numbered = !before.is_empty() && before.bytes().all(|digit| digit.is_ascii_digit());
        match letter {
            '\n' | '\r' => out.write_all(b" ")?,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '@' | '$' => {
                write!(out, "\\{letter}")?;
            }
            '-' | '+' | '=' if before.is_empty() => write!(out, "\\{letter}")?,
            '.' | ')' if numbered => write!(out, "\\{letter}")?,
            ':' if text[at..].starts_with("://") => out.write_all(b"\\:")?,
            '.' if text[..at].to_lowercase().ends_with("www") => out.write_all(b"\\.")?,
            _ => write!(out, "{letter}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape_markdown(text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_stays_text_in_markdown() {
        for (text, shown) in [
            ("plain words, 3.5 s (ok) - done", "plain words, 3.5 s (ok) - done"),
            ("<script>|x|</script>", "\\<script\\>\\|x\\|\\</script\\>"),
            ("[link](http://evil)", "\\[link\\](http\\://evil)"),
            ("- item\n# heading", "\\- item \\# heading"),
            ("1. first", "1\\. first"),
            ("- 2026-11-20", "\\- 2026-11-20"),
            ("www.evil.example me@evil.example", "www\\.evil.example me\\@evil.example"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    #[test]
    fn code_is_one_span_whatever_it_holds() {
        assert_eq!(code("a_b[c]"), "`a_b[c]`");
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(code("`` ` "), "``` `` `  ```");
        assert_eq!(code(" "), "");
    }
}
