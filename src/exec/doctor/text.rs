//! How what was found is shown.

use std::fmt::Write as _;

use console::style;
use serde_json::json;

use super::{Check, Section, Verdict, is_fit};
use crate::report::sanitise;

/// A line for each thing, by section, and how many of each verdict there are.
#[must_use]
pub fn human(sections: &[Section], colour: bool) -> String {
    let mut text = String::new();
    for section in sections {
        writeln!(text, "{}", section.name).ok();
        let width = section.checks.iter().map(|check| check.subject.chars().count()).max().unwrap_or(0).min(40);
        section.checks.iter().for_each(|check| text.push_str(&lines(check, width, colour)));
    }
    let number =
        |verdict| sections.iter().flat_map(|section| &section.checks).filter(|check| check.verdict == verdict).count();
    let all = [Verdict::Broken, Verdict::Warning, Verdict::NotChecked, Verdict::Fine];
    let counts: Vec<String> = all.map(|verdict| format!("{} {}", number(verdict), word(verdict))).to_vec();
    writeln!(text, "{}", counts.join(", ")).ok();
    text
}

fn lines(check: &Check, width: usize, colour: bool) -> String {
    let one_line = |text: &str| sanitise(text).replace('\n', " ");
    let verdict = format!("{:<11}", word(check.verdict));
    let verdict = match check.verdict {
        Verdict::Fine => style(verdict).green(),
        Verdict::Warning => style(verdict).yellow(),
        Verdict::Broken => style(verdict).red().bold(),
        Verdict::NotChecked => style(verdict).dim(),
    };
    let verdict = verdict.force_styling(colour);
    let mut text = format!("  {verdict}  {:<width$}  {}\n", one_line(&check.subject), one_line(&check.found));
    if let Some(next) = &check.next {
        writeln!(text, "  {:<11}  {:<width$}  next: {}", "", "", one_line(next)).ok();
    }
    text
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fine => "fine",
        Verdict::Warning => "warning",
        Verdict::Broken => "broken",
        Verdict::NotChecked => "not checked",
    }
}

/// One JSON document.
#[must_use]
pub fn json(sections: &[Section]) -> String {
    json!({ "version": 1, "fit": is_fit(sections), "sections": sections }).to_string()
}
