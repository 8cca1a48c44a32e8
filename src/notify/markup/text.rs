//! Markdown as text that reads well without any markup: for mails, status pages, files.

use console::measure_text_width;

use super::writer::{Target, write};

/// The body as text: lists, quotes and tables drawn with signs, links with their URL behind them.
#[must_use]
pub fn text(body: &str) -> String {
    write::<Text>(body)
}

struct Text;

impl Target for Text {
    const RULE: &'static str = "----------------------------------------";

    fn text(text: &str, _: bool) -> String {
        text.to_owned()
    }

    fn code(code: &str) -> String {
        code.to_owned()
    }

    fn code_block(code: &str) -> String {
        let lines: Vec<String> = code.lines().map(|line| format!("    {line}").trim_end().to_owned()).collect();
        lines.join("\n")
    }

    fn strong(text: &str) -> String {
        text.to_owned()
    }

    fn emphasis(text: &str) -> String {
        text.to_owned()
    }

    fn strikethrough(text: &str) -> String {
        format!("~{text}~")
    }

    fn link(label: &str, url: &str) -> String {
        let shown = url.strip_prefix("mailto:").or_else(|| url.strip_prefix("tel:")).unwrap_or(url);
        if label == shown || label == url { shown.to_owned() } else { format!("{label} ({shown})") }
    }

    fn heading(text: &str, level: usize) -> String {
        let widest = text.lines().map(measure_text_width).max().unwrap_or_default();
        format!("{text}\n{}", if level == 1 { "=" } else { "-" }.repeat(widest))
    }

    fn table(rows: &[Vec<String>]) -> String {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widest =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell)).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
        let mut lines: Vec<String> = rows.iter().map(|row| aligned(row, &widths)).collect();
        let line = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  ");
        lines.insert(1.min(lines.len()), line);
        lines.join("\n")
    }
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let padded = |(cell, width): (&String, &usize)| {
        format!("{cell}{}", " ".repeat(width.saturating_sub(measure_text_width(cell))))
    };
    row.iter().zip(widths).map(padded).collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
