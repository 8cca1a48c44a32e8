//! What `exec` and `shell` share: the parameters, the run of a process, and the judgement on its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Call, Context, Done, Failure, Observation};
use crate::catalogue::{Effect, Field, HumanDuration, Type};
use crate::edge::Act;
use crate::edge::process::{End, Exit, Job, Ports, ProcessRunner, Stop, Stream, Trace, Written};

/// How many lines of what a failed process printed are shown.
const LINES: usize = 10;

pub(super) const ENV: Field = Field {
    name: "env",
    kind: || Type::Map(Box::new(Type::String)),
    required: false,
    doc: "variables for the process; the way to hand it values and secrets",
};
pub(super) const DIR: Field = Field {
    name: "dir",
    kind: || Type::String,
    required: false,
    doc: "the folder to run in, relative to the workspace",
};
pub(super) const EXIT_CODES: Field = Field {
    name: "exit_codes",
    kind: || Type::List(Box::new(Type::Int)),
    required: false,
    doc: "the exit codes that are a success; `[0]` if absent",
};
pub(super) const READS: Field = Field {
    name: "reads",
    kind: || Type::Bool,
    required: false,
    doc: "whether it changes nothing: it may then verify a step, and is repeated without asking; false if absent. A \
        dry run starts no process, this one neither",
};
pub(super) const OUTPUTS: &[Field] = &[
    Field { name: "exit_code", kind: || Type::Int, required: true, doc: "the code it exited with" },
    Field {
        name: "stdout",
        kind: || Type::String,
        required: true,
        doc: "the last 4 KiB it printed, without the newlines at the end",
    },
    Field { name: "stdout_digest", kind: || Type::String, required: true, doc: "the SHA-256 of all it printed" },
];

/// Running a process twice may do harm, unless `reads` says that it changes nothing; the step's `on_interrupt: retry`
/// says where a change may be repeated.
pub(super) fn effect(with: &Map<String, Value>) -> Effect {
    if with.get("reads") == Some(&Value::Bool(true)) { Effect::Reads } else { Effect::UnsafeToRepeat }
}

/// The rules both actions have: names of variables, exit codes.
pub(super) fn rule(with: &Map<String, Value>) -> Result<(), String> {
    for name in entries(with, "env").map(|(name, _)| name) {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("at `env`: `{name}` is no name of a variable"));
        }
        if name.starts_with("DRCTL_") {
            return Err(format!("at `env`: `{name}` is set by drctl: choose a name without `DRCTL_`"));
        }
    }
    match accepted(with).iter().find(|code| !(0..=255).contains(*code)) {
        Some(code) => Err(format!("at `exit_codes`: wanted codes from 0 to 255, found `{code}`")),
        None => Ok(()),
    }
}

/// A process as a step describes it.
pub(super) struct Command {
    /// How messages name it.
    pub(super) name: String,
    pub(super) argv: Vec<String>,
}

/// Runs it and judges the outcome.
pub(super) async fn apply(
    runner: &ProcessRunner,
    context: &Context,
    call: &Call,
    command: Command,
) -> Result<Done, Failure> {
    if context.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let job = job(context, call, command.argv);
    let ports = ports(context);
    let trace = if call.repeatable {
        runner.run(&job, ports).await
    } else {
        let journal = Arc::clone(&context.handle);
        let started = move |handle| -> Act<'static, ()> {
            let handle = journal(serde_json::to_value(handle).unwrap_or_default());
            // The process runs: whatever becomes of the journal, its end is what counts now.
            Box::pin(async { drop(handle.await) })
        };
        runner.run_supervised(&job, ports, &started).await
    };
    judge(context, call, &command.name, trace)
}

/// Waits for the end of what an earlier drctl started, and judges it.
pub(super) async fn attach(
    runner: &ProcessRunner,
    context: &Context,
    call: &Call,
    name: &str,
) -> Result<Done, Failure> {
    match runner.follow(&call.folder, call.timeout, ports(context)).await {
        // No outcome of the step: a look at the world follows, and says that it did not happen.
        Trace::NeverStarted(why) => Err(Failure::Ambiguous(untold(call, why))),
        trace => judge(context, call, name, trace),
    }
}

/// Waits for the end of what was started, if anything, and says what is known of it.
pub(super) async fn observe(runner: &ProcessRunner, context: &Context, call: &Call, name: &str) -> Observation {
    let trace = runner.observe(&call.folder, call.timeout, ports(context)).await;
    if let Trace::NeverStarted(why) = trace {
        return Observation::NotApplied(untold(call, why));
    }
    match judge(context, call, name, trace) {
        Ok(done) => Observation::Applied(done.outputs),
        Err(failure) => Observation::Unknown(failure.to_string()),
    }
}

/// What may be repeated runs without a supervisor: nothing tells whether it was started.
fn untold(call: &Call, why: String) -> String {
    let plain = "it may have run; nothing of it runs now, and it may be repeated".to_owned();
    if call.repeatable { plain } else { why }
}

/// What both previews end with.
pub(super) fn preview_rest(with: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(dir) = text(with, "dir") {
        lines.push(format!("in the folder {}", shell_words::quote(dir)));
    }
    for (name, value) in entries(with, "env") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lines.push(format!("with {name}={}", shell_words::quote(&value)));
    }
    if with.contains_key("exit_codes") {
        lines.push(format!("exit codes that are a success: {}", list(&accepted(with))));
    }
    lines
}

/// The text of a parameter.
pub(super) fn text<'a>(with: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    with.get(name).and_then(Value::as_str)
}

fn entries<'a>(with: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    with.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn accepted(with: &Map<String, Value>) -> Vec<i32> {
    let number = |code: &Value| code.as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(-1);
    match with.get("exit_codes").and_then(Value::as_array) {
        Some(codes) => codes.iter().map(number).collect(),
        None => vec![0],
    }
}

fn list(codes: &[i32]) -> String {
    codes.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}

fn ports(context: &Context) -> Ports<'_> {
    Ports { clock: &*context.clock, cancel: &context.cancel }
}

fn job(context: &Context, call: &Call, argv: Vec<String>) -> Job {
    let given = entries(&call.with, "env").filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let ours = [
        ("DRCTL_STEP", call.step.clone()),
        ("DRCTL_ATTEMPT", call.attempt.to_string()),
        ("DRCTL_IDEMPOTENCY_KEY", call.idempotency_key.clone()),
    ];
    Job {
        argv,
        env: given.chain(ours.map(|(name, value)| (name.to_owned(), value))).collect(),
        dir: context.workspace.join(text(&call.with, "dir").unwrap_or(".")),
        accepted: accepted(&call.with),
        folder: call.folder.clone(),
        timeout: call.timeout,
        needles: context.secrets.needles(),
    }
}

fn judge(context: &Context, call: &Call, name: &str, trace: Trace) -> Result<Done, Failure> {
    match trace {
        Trace::Ended(end) => ended(call, name, &end),
        Trace::NeverStarted(_) if context.cancel.is_cancelled() => Err(Failure::Cancelled),
        Trace::NeverStarted(why) => Err(Failure::Failed(why)),
        Trace::Running(why) | Trace::Lost(why) => Err(Failure::Ambiguous(format!("{name}: {why}"))),
    }
}

fn ended(call: &Call, name: &str, end: &End) -> Result<Done, Failure> {
    let codes = accepted(&call.with);
    match (end.stopped, &end.exit) {
        (Some(stop), _) => Err(stopped(call, name, stop, end)),
        (None, Exit::Code(code)) if codes.contains(code) => succeeded(call, name, *code, end).map_err(|problem| {
            Failure::Failed(format!("{name} exited with code {code} and has had its effect, but {problem}"))
        }),
        (None, Exit::NotStarted(why)) => Err(Failure::Failed(why.clone())),
        (None, Exit::Unknown(why)) if !call.repeatable => Err(Failure::Ambiguous(format!("{name} ended: {why}"))),
        (None, exit) => {
            let wanted = list(&codes);
            let (how, more) = (how(exit), evidence(end));
            Err(Failure::Failed(format!("{name} {how}, wanted exit code {wanted}{more}")))
        }
    }
}

fn succeeded(call: &Call, name: &str, code: i32, end: &End) -> Result<Done, String> {
    let mut outputs = Map::new();
    outputs.insert("exit_code".to_owned(), code.into());
    outputs.insert("stdout".to_owned(), end.stdout.tail.trim_end_matches(['\n', '\r']).into());
    outputs.insert("stdout_digest".to_owned(), end.stdout.digest.clone().into());
    outputs.extend(declared(&call.declared, &end.written)?);
    let problems = [&end.stdout, &end.stderr].map(|stream| stream.problem.as_deref());
    let note = problems
        .into_iter()
        .flatten()
        .fold(format!("{name} exited with code {code}"), |note, problem| format!("{note}; {problem}"));
    Ok(Done { outputs, already: false, note })
}

/// What the process wrote to the file in `$DRCTL_OUTPUT`, if it is exactly what the step declares.
fn declared(wanted: &[(String, Type)], written: &Written) -> Result<Map<String, Value>, String> {
    let found = match written {
        Written::Nothing => Map::new(),
        Written::Refused(why) => return Err(format!("the file in `$DRCTL_OUTPUT` {why}")),
        Written::Text(text) if text.trim().is_empty() => Map::new(),
        Written::Text(text) => serde_json::from_str(text)
            .map_err(|error| format!("the file in `$DRCTL_OUTPUT` does not hold one JSON object: {error}"))?,
    };
    if let Some(name) = found.keys().find(|name| !wanted.iter().any(|(declared, _)| declared == *name)) {
        return Err(format!("it wrote the output `{name}`, which the step does not declare under `outputs`"));
    }
    for (name, kind) in wanted {
        let value = found.get(name).ok_or_else(|| {
            format!("it did not write the output `{name}`, which the step declares, to the file in `$DRCTL_OUTPUT`")
        })?;
        kind.check(value).map_err(|problem| format!("of the output `{name}`: {problem}"))?;
    }
    Ok(found)
}

fn stopped(call: &Call, name: &str, stop: Stop, end: &End) -> Failure {
    let why = match stop {
        Stop::Timeout => format!("timed out after {}", human(call.timeout)),
        Stop::Cancel => "was cancelled".to_owned(),
    };
    if call.repeatable {
        return Failure::Failed(format!("{name} {why}"));
    }
    Failure::Ambiguous(format!(
        "{name} {why}: TERM went to it and all it started, KILL to what was left; it {}{}",
        how(&end.exit),
        evidence(end)
    ))
}

fn human(span: Duration) -> HumanDuration {
    HumanDuration(span)
}

fn how(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exited with code {code}"),
        Exit::Signal(signal) => format!("was ended by {}", signal_name(*signal)),
        Exit::NotStarted(why) | Exit::Unknown(why) => format!("ended ({why})"),
    }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        6 => "ABRT",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        15 => "TERM",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}

/// The last lines it printed, and what of it could not be ended.
fn evidence(end: &End) -> String {
    let mut text = String::new();
    if !end.left.is_empty() {
        text = format!("; these of its processes do not end: {}", list(&end.left));
    }
    let shown = |name: &str, stream: &Stream| {
        let lines: Vec<&str> = stream.tail.trim_end().lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        (!last.is_empty()).then(|| format!("; its last lines on {name}:\n{last}"))
    };
    let printed = shown("stderr", &end.stderr).or_else(|| shown("stdout", &end.stdout));
    text + printed.as_deref().unwrap_or("; it printed nothing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(text: &str) -> Result<Map<String, Value>, String> {
        let wanted = [("count".to_owned(), Type::Int)];
        declared(&wanted, &Written::Text(text.to_owned()))
    }

    #[test]
    fn what_a_process_wrote_must_be_what_the_step_declares() {
        assert_eq!(checked(r#"{"count": 3}"#).map(Value::Object), Ok(json!({"count": 3})));
        for (text, problem) in [
            (r#"{"count": "3"}"#, "of the output `count`: wanted an int, found the string `3`"),
            (r#"{"count": 3, "b": 1}"#, "it wrote the output `b`, which the step does not declare under `outputs`"),
            ("", "it did not write the output `count`, which the step declares, to the file in `$DRCTL_OUTPUT`"),
        ] {
            assert_eq!(checked(text), Err(problem.to_owned()));
        }
        for text in ["[]", "{", "{} {}", "3"] {
            let problem = checked(text).unwrap_err();
            assert!(problem.starts_with("the file in `$DRCTL_OUTPUT` does not hold one JSON object: "), "{problem}");
        }
    }

    #[test]
    fn bad_parameters_are_refused_with_their_place() {
        for (with, problem) in [
            (json!({"env": {"A=B": "x"}}), "at `env`: `A=B` is no name of a variable"),
            (json!({"env": {"": "x"}}), "at `env`: `` is no name of a variable"),
            (
                json!({"env": {"DRCTL_STEP": "x"}}),
                "at `env`: `DRCTL_STEP` is set by drctl: choose a name without `DRCTL_`",
            ),
            (json!({"exit_codes": [0, 256]}), "at `exit_codes`: wanted codes from 0 to 255, found `256`"),
        ] {
            assert_eq!(rule(with.as_object().unwrap()), Err(problem.to_owned()));
        }
    }
}
