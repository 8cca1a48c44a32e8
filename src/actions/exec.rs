//! `exec`: runs a program with a list of arguments. No shell reads them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::process::{self, Command};
use super::{Action, Call, Context, Done, Failure, Observation};
use crate::catalogue::{ActionSpec, Field, Outputs, Type};
use crate::edge::Act;
use crate::edge::process::ProcessRunner;

static SPEC: ActionSpec = ActionSpec {
    name: "exec",
    summary: "runs a program",
    docs: "Runs a program with a list of arguments, without a shell: values may be interpolated into `argv` \
        freely, but secrets may not, for command lines are public: hand them over through `env`. The program \
        gets a small part of drctl's environment, no stdin, and no terminal. What it starts in the \
        background is left alone if it succeeds, and ended if it fails. What the step declares under \
        `outputs` it writes as one JSON object to the file named in `$DRCTL_OUTPUT`.",
    parameters: &[
        Field {
            name: "argv",
            kind: Type::strings,
            required: true,
            doc: "the program, found in the PATH or from `dir` on if it has a `/`, and its arguments",
        },
        process::ENV,
        process::DIR,
        process::EXIT_CODES,
        process::READS,
    ],
    outputs: Outputs::Declared(process::OUTPUTS),
    effect: process::effect,
    code: &[],
    is_check: true,
    rule: Some(rule),
    takes: |_| None,
    loss: None,
    permissions: &[],
};

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    match with.get("argv").and_then(Value::as_array) {
        Some(argv) if argv.first().is_none_or(|name| name == "") => {
            Err("at `argv`: wanted at least the name of a program".to_owned())
        }
        _ => process::rule(with),
    }
}

/// The action `exec`.
pub struct Exec {
    runner: Arc<ProcessRunner>,
}

impl Exec {
    /// The action, with what runs its processes.
    #[must_use]
    pub fn new(runner: Arc<ProcessRunner>) -> Self {
        Self { runner }
    }
}

fn argv(with: &Map<String, Value>) -> Vec<String> {
    let items = with.get("argv").and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn name(with: &Map<String, Value>) -> String {
    format!("`{}`", argv(with).first().map_or("", String::as_str))
}

impl Action for Exec {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let mut lines = vec![shell_words::join(argv(with))];
        lines.extend(process::preview_rest(with));
        lines
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async { process::observe(&self.runner, context, call, &name(&call.with)).await })
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        let command = Command { name: name(&call.with), argv: argv(&call.with) };
        Box::pin(process::apply(&self.runner, context, call, command))
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        _handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        Some(Box::pin(async { process::attach(&self.runner, context, call, &name(&call.with)).await }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_preview_can_be_pasted_into_a_shell() {
        let with = json!({"argv": ["pg_ctl", "promote", "-D", "/data/a b"], "dir": "db", "env": {"A": "it's"}, "exit_codes": [0, 3]});
        let exec = Exec::new(Arc::new(ProcessRunner::new("drctl")));
        assert_eq!(
            exec.preview(with.as_object().unwrap()),
            [
                "pg_ctl promote -D '/data/a b'",
                "in the folder db",
                r#"with A='it'\''s'"#,
                "exit codes that are a success: 0, 3",
            ]
        );
    }

    #[test]
    fn a_program_must_be_named() {
        for with in [json!({"argv": []}), json!({"argv": [""]})] {
            assert_eq!(
                SPEC.check(with.as_object().unwrap()),
                Err("at `argv`: wanted at least the name of a program".to_owned())
            );
        }
    }
}
