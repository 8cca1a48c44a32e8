//! A notice as each channel shows it: as text for a terminal, as one page for a browser.

mod page;

use std::fmt::Write as _;

pub use page::page;

use crate::notify::markup;
use crate::plan::Message;
use crate::report::sanitise;
use crate::runbook::sms;

/// A notice, rendered and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The template.
    pub name: String,
    /// The language of the variant that was taken; `None` for the template itself.
    pub language: Option<String>,
    /// Who would be told, where that is known.
    pub audience: Option<String>,
    /// The channels that it would go through: names and types.
    pub channels: Vec<(String, String)>,
    /// Whether it is shown as those channels show it, and no others.
    pub only_theirs: bool,
    /// What it says.
    pub message: Message,
}

/// How a type of channels shows a notice.
struct View<'m> {
    /// Of which types of channels.
    kinds: &'static [&'static str],
    /// What people call it.
    title: &'static str,
    /// The subject, where it is shown apart.
    subject: Option<&'m str>,
    text: String,
    /// What else there is to say, such as how long it is.
    note: Option<String>,
}

/// The notice as every type of channels shows it, or as those it goes through do.
fn views(preview: &Preview) -> Vec<View<'_>> {
    let message = &preview.message;
    let subject = Some(message.subject.as_str());
    let short = message.short();
    let severity = message.severity.map(|severity| format!("severity {}", severity.word()));
    let view = |kinds, title, text| View { kinds, title, subject, text, note: None };
    let all = vec![
        view(&["email", "statuspage", "file"], "Mail, status page and file", markup::text(&message.body)),
        view(&["slack"], "Slack", markup::slack(&message.body)),
        view(&["teams"], "Teams", markup::teams(&message.body)),
        view(&["webhook"], "Webhook", message.body.clone()),
        View { note: severity, ..view(&["pagerduty"], "PagerDuty", String::new()) },
        View {
            subject: None,
            note: Some(sms::length(short).to_string()),
            ..view(&["sms"], "Text message", short.to_owned())
        },
    ];
    all.into_iter().filter(|view| view.kinds.iter().any(|kind| preview.shows(kind))).collect()
}

impl Preview {
    /// What it is called: the template, its language, its audience.
    fn title(&self) -> String {
        let language = self.language.as_ref().map_or_else(String::new, |language| format!(".{language}"));
        let audience = self.audience.as_ref().map_or_else(String::new, |audience| format!(" to {audience}"));
        format!("{}{language}{audience}", self.name)
    }

    /// Whether it is shown as that type of channels shows it.
    fn shows(&self, kind: &str) -> bool {
        !self.only_theirs || self.channels.iter().any(|(_, own)| own == kind)
    }

    /// The channels of these types, by name.
    fn through(&self, kinds: &[&str]) -> String {
        let used = self.channels.iter().filter(|(_, kind)| kinds.contains(&kind.as_str()));
        used.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// The notice as text.
#[must_use]
pub fn text(preview: &Preview) -> String {
    let mut out = format!("--- {}\n", preview.title());
    for view in views(preview) {
        let through = preview.through(view.kinds);
        let note = view.note.iter().cloned();
        let further: Vec<String> = Some(through).filter(|names| !names.is_empty()).into_iter().chain(note).collect();
        let further = if further.is_empty() { String::new() } else { format!(" ({})", further.join("; ")) };
        let _ = writeln!(out, "\n{}{further}:\n", view.title);
        let subject = view.subject.map(|subject| format!("Subject: {subject}\n\n")).unwrap_or_default();
        for line in format!("{subject}{}", view.text).trim_end().lines() {
            let _ = writeln!(out, "{}", format!("  {}", sanitise(line)).trim_end());
        }
    }
    out
}
