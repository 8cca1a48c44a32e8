//! `shell`: runs a script that is fixed text. Values reach it through its environment only.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::process::{self, Command};
use super::{Action, Call, Context, Done, Failure, Observation};
use crate::catalogue::{ActionSpec, Field, Outputs, Type};
use crate::edge::Act;
use crate::edge::process::ProcessRunner;

/// How messages name the process.
const NAME: &str = "the script";

static SPEC: ActionSpec = ActionSpec {
    name: "shell",
    summary: "runs a shell script",
    docs: "Runs a script with `sh -eu` or `bash -eu -o pipefail`: it ends at the first command that fails and at \
        the first variable that is not set. The script is fixed text: nothing is interpolated into it, values \
        and secrets arrive through `env`. It gets a small part of drctl's environment, no stdin, and no \
        terminal. What it starts in the background is left alone if it succeeds, and ended if it fails. What \
        the step declares under `outputs` it writes as one JSON object to the file named in `$DRCTL_OUTPUT`.",
    parameters: &[
        Field { name: "script", kind: || Type::String, required: true, doc: "the script" },
        process::ENV,
        process::DIR,
        Field {
            name: "shell",
            kind: || Type::Enum(vec!["sh".to_owned(), "bash".to_owned()]),
            required: false,
            doc: "what runs the script; `sh` if absent",
        },
        process::EXIT_CODES,
        process::READS,
    ],
    outputs: Outputs::Declared(process::OUTPUTS),
    effect: process::effect,
    code: &["script"],
    is_check: true,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    match process::text(with, "script") {
        Some(script) if script.trim().is_empty() => Err("at `script`: wanted a script, found nothing".to_owned()),
        Some(script) if script.contains('\0') => Err("at `script`: holds a NUL character".to_owned()),
        _ => process::rule(with),
    }
}

/// The action `shell`.
pub struct Shell {
    runner: Arc<ProcessRunner>,
}

impl Shell {
    /// The action, with what runs its processes.
    #[must_use]
    pub fn new(runner: Arc<ProcessRunner>) -> Self {
        Self { runner }
    }
}

fn shell(with: &Map<String, Value>) -> Vec<&str> {
    match process::text(with, "shell") {
        Some("bash") => vec!["bash", "-eu", "-o", "pipefail", "-c"],
        _ => vec!["sh", "-eu", "-c"],
    }
}

fn argv(with: &Map<String, Value>) -> Vec<String> {
    let script = process::text(with, "script").unwrap_or_default();
    // A shell would read such a script as one more option.
    let guard = if script.starts_with(['-', '+']) { " " } else { "" };
    let mut argv: Vec<String> = shell(with).into_iter().map(str::to_owned).collect();
    argv.push(format!("{guard}{script}"));
    argv
}

impl Action for Shell {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let script = process::text(with, "script").unwrap_or_default();
        let mut lines = vec![shell(with).join(" ")];
        lines.extend(script.lines().map(|line| format!("  {line}")));
        lines.extend(process::preview_rest(with));
        lines
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(process::observe(&self.runner, context, call, NAME))
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        let command = Command { name: NAME.to_owned(), argv: argv(&call.with) };
        Box::pin(process::apply(&self.runner, context, call, command))
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        _handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        Some(Box::pin(process::attach(&self.runner, context, call, NAME)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_preview_shows_the_script_and_what_it_is_given() {
        let with = json!({"script": "set -x\nrestore \"$FROM\"\n", "shell": "bash", "env": {"FROM": "a b"}});
        let shell = Shell::new(Arc::new(ProcessRunner::new("drctl")));
        assert_eq!(
            shell.preview(with.as_object().unwrap()),
            ["bash -eu -o pipefail -c", "  set -x", "  restore \"$FROM\"", "with FROM='a b'"]
        );
    }

    #[test]
    fn an_empty_script_is_refused() {
        let with = json!({"script": " \n"});
        assert_eq!(
            SPEC.check(with.as_object().unwrap()),
            Err("at `script`: wanted a script, found nothing".to_owned())
        );
    }
}
