//! What a dry run does instead of a job: real reads, no writes, and an honest label on each.

use serde_json::{Map, Value};

use crate::actions::{Action, Call, Context, Failure, Observation};
use crate::catalogue::Effect;
use crate::engine::{Answer, DryHints, End, Job, Label, Outputs};

/// Actions that change nothing and yet are not done: waiting and asking.
const NOT_DONE: [&str; 2] = ["wait", "manual"];

/// The answer a dry run gives for a job.
pub(super) async fn answer(action: &dyn Action, context: &Context, call: &Call, job: &Job) -> Answer {
    let hints = job.dry.clone().unwrap_or_default();
    let shown = match job.with.shown() {
        Value::Object(shown) => shown,
        _ => Map::new(),
    };
    if let Some(name) = &hints.unknown {
        return told(stand_in(
            &hints,
            Label::Unknown,
            format!("it touches `{name}`, which is not known before the run"),
        ));
    }
    let preview = action.preview(&shown).join("\n");
    if NOT_DONE.contains(&job.action.as_str()) {
        return told(stand_in(&hints, Label::Unknown, preview));
    }
    if job.effect != Effect::Reads || starts_a_process(action) {
        return write(action, context, call, &hints, preview).await;
    }
    if hints.after_unsent_write {
        let note = format!("not read: it comes after a write that was not sent\n{preview}");
        return told(stand_in(&hints, Label::Unknown, note));
    }
    match action.apply(context, call).await {
        Ok(done) => told(End::Succeeded {
            outputs: Outputs::of(done.outputs),
            already: done.already,
            note: context.secrets.mask(&done.note),
            label: Some(Label::Checked),
        }),
        Err(Failure::Cancelled) => told(End::Cancelled),
        Err(failure) => told(End::Failed { reason: context.secrets.mask(&failure.to_string()), retry_at: None }),
    }
}

/// Only a step can say that its process changes nothing: a dry run does not try it out.
fn starts_a_process(action: &dyn Action) -> bool {
    matches!(action.spec().name, "shell" | "exec")
}

/// A write: its state is read, unless that read would come after a write that was not sent.
async fn write(action: &dyn Action, context: &Context, call: &Call, hints: &DryHints, preview: String) -> Answer {
    if hints.after_unsent_write {
        return told(stand_in(
            hints,
            Label::Simulated,
            format!("would do, after writes that were not sent:\n{preview}"),
        ));
    }
    let state = if starts_a_process(action) {
        // A process leaves nothing to look at before it ran.
        Observation::NotApplied("nothing was started".to_owned())
    } else {
        action.observe(context, call).await
    };
    // What would be sent is exact where the other side can be read, else as far as the parameters tell.
    let exact = match &state {
        Observation::NotApplied(_) => action.foresee(context, call).await,
        Observation::Applied(_) | Observation::Unknown(_) => None,
    };
    let preview = exact.map_or(preview, |lines| lines.join("\n"));
    let (seen, applied) = match state {
        Observation::Applied(outputs) => ("its state holds already: would do nothing".to_owned(), Some(outputs)),
        Observation::NotApplied(reason) => (format!("not done yet ({reason}); would do:\n{preview}"), None),
        Observation::Unknown(reason) => (format!("state not read ({reason}); would do:\n{preview}"), None),
    };
    let note = context.secrets.mask(&seen);
    match applied {
        Some(outputs) => {
            told(End::Succeeded { outputs: Outputs::of(outputs), already: true, note, label: Some(Label::Checked) })
        }
        None => told(stand_in(hints, Label::Simulated, note)),
    }
}

/// What stands in for a step that was not done: the outputs of its `simulate`, or nothing that is known.
fn stand_in(hints: &DryHints, label: Label, note: String) -> End {
    match &hints.assumed {
        Some(outputs) => End::Succeeded {
            outputs: Outputs::of(outputs.clone()),
            already: false,
            note,
            label: Some(if label == Label::Simulated { Label::Simulated } else { Label::Assumed }),
        },
        None => End::Succeeded { outputs: Outputs::Unknown, already: false, note, label: Some(label) },
    }
}

fn told(end: End) -> Answer {
    Answer::End(end)
}
