//! What a dry run does instead of a job: real reads, no writes, and an honest label on each.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::actions::{Action, Call, Context, Failure, Foreseen, Observation};
use crate::catalogue::Effect;
use crate::engine::{Answer, DryHints, End, Job, Label, Outputs};

/// The answer a dry run gives for a job. What may not run is walked as if it ran, and never taken for checked.
pub(super) async fn answer(action: &dyn Action, context: &Context, call: &Call, job: &Job) -> Answer {
    let hints = job.dry.clone().unwrap_or_default();
    let end = walked(action, context, call, job, &hints).await;
    Answer::End(match hints.unsure {
        Some(why) => unsure(end, &why),
        None => end,
    })
}

/// What comes of a job that may not run in that way, or at all.
fn unsure(end: End, why: &str) -> End {
    let led = |text: String| if text.is_empty() { why.to_owned() } else { format!("{why}; if so:\n{text}") };
    match end {
        End::Succeeded { outputs, already, note, label } => {
            let label = label.filter(|label| *label == Label::Assumed).unwrap_or(Label::Unknown);
            End::Succeeded { outputs, already, note: led(note), label: Some(label) }
        }
        End::Failed { reason, retry_at } => End::Failed { reason: led(reason), retry_at },
        other => other,
    }
}

/// What comes of a job as far as it is walked.
async fn walked(action: &dyn Action, context: &Context, call: &Call, job: &Job, hints: &DryHints) -> End {
    let shown = match job.with.shown() {
        Value::Object(shown) => shown,
        _ => Map::new(),
    };
    if let Some(name) = &hints.unknown {
        return stand_in(hints, Label::Unknown, format!("it touches `{name}`, which is not known before the run"));
    }
    let preview = action.preview(&shown).join("\n");
    match job.action.as_str() {
        // All it depends on is the clock, which a dry run has read.
        "wait" => return succeeded(Map::new(), Label::Simulated, format!("would {preview}")),
        "manual" => return stand_in(hints, Label::Unknown, preview),
        "notify" => {
            let note = format!("not sent: no channel tells before whether it takes it; would:\n{preview}");
            return stand_in(hints, Label::Unknown, note);
        }
        _ => {}
    }
    if starts_a_process(action) {
        // It leaves nothing to look at before it ran.
        let note = format!("not tried, as a dry run starts no process; would run:\n{preview}");
        return stand_in(hints, Label::Unknown, note);
    }
    let is_pure = job.action == "assert";
    if hints.after_unsent_write && !is_pure {
        let would = if job.effect == Effect::Reads { "" } else { "; would do:" };
        let note = format!("not read: it comes after a write that was not sent{would}\n{preview}");
        return stand_in(hints, Label::Unknown, note);
    }
    let unread = unread_secret(context, job);
    if job.effect != Effect::Reads {
        return write(action, context, call, hints, (preview, unread)).await;
    }
    if let Some(why) = unread {
        return stand_in(hints, Label::Unknown, format!("not read: {why}\n{preview}"));
    }
    read(action, context, call, hints, is_pure).await
}

/// A read: it is made.
async fn read(action: &dyn Action, context: &Context, call: &Call, hints: &DryHints, is_pure: bool) -> End {
    let resting = hints.rests_on.as_ref().map(|step| format!("; that rests on what `simulate` of `{step}` says"));
    let note = |text: &str| context.secrets.mask(text) + resting.as_deref().unwrap_or_default();
    // What reads nothing but assumed values is assumed itself.
    let label = if is_pure && resting.is_some() { Label::Assumed } else { Label::Checked };
    match action.apply(context, call).await {
        Ok(done) => End::Succeeded {
            outputs: Outputs::of(done.outputs),
            already: done.already,
            note: note(&done.note),
            label: Some(label),
        },
        Err(Failure::Cancelled) => End::Cancelled,
        Err(failure) => End::Failed { reason: note(&failure.to_string()), retry_at: None },
    }
}

/// Why a secret that the job wants is not there, if so.
fn unread_secret(context: &Context, job: &Job) -> Option<String> {
    let mut names = BTreeSet::new();
    job.with.secrets(&mut names);
    let name = names.into_iter().find(|name| context.secrets.get(name).is_none())?;
    Some(format!("the secret `{name}` comes from a command, which a dry run does not start"))
}

/// Only a step can say that its process changes nothing: a dry run does not try it out.
fn starts_a_process(action: &dyn Action) -> bool {
    matches!(action.spec().name, "shell" | "exec")
}

/// A write: its state is read, and what would be sent is shown. Where nobody can read it, what comes of it is unknown.
async fn write(
    action: &dyn Action,
    context: &Context,
    call: &Call,
    hints: &DryHints,
    (preview, unread): (String, Option<String>),
) -> End {
    let foreseen = match unread {
        Some(why) => Foreseen::Unknown(why),
        None => action.foresee(context, call).await,
    };
    let words = foreseen.words().unwrap_or_default();
    // What was read tells what is sent, and the preview as whom.
    let whom = preview.lines().last().filter(|line| line.starts_with("as `"));
    let sent = |lines: Vec<String>| lines.iter().map(String::as_str).chain(whom).collect::<Vec<_>>().join("\n");
    let (label, note) = match foreseen {
        Foreseen::Holds(done) => return held(done.outputs),
        Foreseen::Sends { lines, has_read: true, .. } => {
            (Label::Simulated, format!("not done yet ({words}); would do:\n{}", sent(lines)))
        }
        Foreseen::Sends { lines, .. } => {
            (Label::Unknown, format!("no state is read before it is sent; would do:\n{}", sent(lines)))
        }
        Foreseen::AsPreviewed => match action.observe(context, call).await {
            Observation::Applied(outputs) => return held(outputs),
            Observation::NotApplied(reason) => {
                (Label::Simulated, format!("not done yet ({reason}); would do:\n{preview}"))
            }
            Observation::UnderWay(reason) | Observation::Unknown(reason) => {
                let words = Foreseen::Unknown(reason).words().unwrap_or_default();
                (Label::Unknown, format!("{words}; would do:\n{preview}"))
            }
        },
        Foreseen::Waits(_) => (Label::Unknown, format!("{words}; then:\n{preview}")),
        Foreseen::Fails(_) => (Label::Unknown, format!("by its state now, {words}\n{preview}")),
        Foreseen::Unknown(_) => (Label::Unknown, format!("{words}; would do:\n{preview}")),
    };
    stand_in(hints, label, context.secrets.mask(&note))
}

fn held(outputs: Map<String, Value>) -> End {
    let note = "its state holds already: would do nothing".to_owned();
    End::Succeeded { outputs: Outputs::of(outputs), already: true, note, label: Some(Label::Checked) }
}

/// What stands in for a step that was not done: the outputs of its `simulate`, or nothing that is known.
fn stand_in(hints: &DryHints, label: Label, note: String) -> End {
    match &hints.assumed {
        Some(outputs) => {
            let label = if label == Label::Simulated { Label::Simulated } else { Label::Assumed };
            succeeded(outputs.clone(), label, format!("{note}\nits outputs are those of `simulate`"))
        }
        None => End::Succeeded { outputs: Outputs::Unknown, already: false, note, label: Some(label) },
    }
}

fn succeeded(outputs: Map<String, Value>, label: Label, note: String) -> End {
    End::Succeeded { outputs: Outputs::of(outputs), already: false, note, label: Some(label) }
}
