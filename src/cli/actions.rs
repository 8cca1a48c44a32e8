//! `drctl actions`: the catalogue, from the specs.

use std::fmt::Write as _;

use clap::Args;

use super::common::console_line;
use crate::catalogue::{ActionSpec, Field, HumanDuration, Outputs, Type};
use crate::diag::closest;
use crate::error::{Error, Exit};
use crate::exec::run::registry;

/// Lists actions.
#[derive(Debug, Args)]
pub(super) struct Actions {
    /// One action, in full
    name: Option<String>,
}

impl Actions {
    pub(super) fn run(self) -> Result<Exit, Error> {
        let catalogue = registry().catalogue();
        let text = match &self.name {
            None => {
                let width = catalogue.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
                catalogue.iter().fold(String::new(), |mut text, spec| {
                    writeln!(text, "{:<width$} {}", spec.name, spec.summary).ok();
                    text
                })
            }
            Some(name) => {
                let spec = catalogue.get(name).ok_or_else(|| {
                    let meant = closest(name, catalogue.iter().map(|spec| spec.name));
                    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                    let part = catalogue.iter().any(|spec| spec.name.contains(name.as_str()));
                    let search = if part { format!(" | grep {}", shell_words::quote(name)) } else { String::new() };
                    Error::usage(format!("no action is called `{name}`{meant}")).next(format!("drctl actions{search}"))
                })?;
                describe(spec)
            }
        };
        console_line(&text)?;
        Ok(Exit::Done)
    }
}

/// An action in full: what `drctl actions NAME` prints.
pub(super) fn describe(spec: &ActionSpec) -> String {
    let mut text = format!("{}: {}\n\n{}\n\nwith:\n", spec.name, spec.summary, spec.docs);
    list(&mut text, spec.parameters, 1);
    text.push_str("\noutputs:\n");
    list(&mut text, spec.outputs.fixed(), 1);
    if matches!(spec.outputs, Outputs::Declared(_)) {
        text.push_str("  and what the step declares under `outputs`\n");
    }
    if let Some(loss) = spec.loss {
        writeln!(text, "  `{loss}` is how much data would be lost: it is compared with the RPO").ok();
    }
    let nothing = serde_json::Map::new();
    write!(text, "\neffect without parameters: {}\n", (spec.effect)(&nothing).words()).ok();
    if spec.is_check {
        let if_declared = spec.parameter("reads").map_or("", |_| " with `reads: true`");
        writeln!(text, "may be used by `verify`{if_declared}").ok();
    }
    if let Some(takes) = (spec.takes)(&nothing) {
        let (typical, worst) = (HumanDuration(takes.typical), HumanDuration(takes.worst));
        let source = takes.source.unwrap_or("a guess: nobody has published a time");
        writeln!(text, "takes: {typical}, one time in twenty longer than {worst} ({source})").ok();
    }
    if !spec.permissions.is_empty() {
        writeln!(text, "permissions, beyond reading: {}", spec.permissions.join(", ")).ok();
    }
    text
}

fn list(text: &mut String, fields: &[Field], depth: usize) {
    for field in fields {
        let kind = (field.kind)();
        let needed = if field.required { ", needed" } else { "" };
        writeln!(text, "{}{} ({kind}{needed}): {}", "  ".repeat(depth), field.name, field.doc).ok();
        if let Type::Record(fields) = kind {
            list(text, fields, depth + 1);
        }
    }
}
