//! What must come of each case, and the line that shows it.

use std::time::Duration;

use drctl::catalogue::Effect;
use drctl::sim::scenario::{CrashPoint, Fault, Lost};

use crate::outcome::Outcome;
use crate::row::Row;
use crate::side::wrong_side;
use crate::stage::Theatre;

/// Azure's own words for what fails.
const CODE: &str = "NoCapacityLeft";
const MESSAGE: &str = "the region is full";

/// What came of a row.
pub(crate) struct Judged {
    /// All its cases, in a line.
    pub(crate) line: String,
    /// What is not as it must be.
    pub(crate) problems: Vec<String>,
}

/// A case: its name, what is shown of it, and what is wrong.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) shown: String,
    pub(crate) wrong: Vec<String>,
}

impl Case {
    pub(crate) fn new(name: &'static str, shown: impl Into<String>, outcome: &Outcome) -> Self {
        let case = Self { name, shown: shown.into(), wrong: outcome.misunderstood.clone() };
        case.must(outcome.is_proof, "the fault to strike", outcome)
    }

    /// With what must hold, and what is said where it does not.
    pub(crate) fn must(mut self, holds: bool, wanted: &str, outcome: &Outcome) -> Self {
        if !holds {
            self.wrong.push(format!(
                "wanted {wanted}; it is {}, {} writes: {}",
                outcome.state.words(),
                outcome.writes.len(),
                outcome.words
            ));
        }
        self
    }
}

/// Plays all cases of a row.
pub(crate) fn judge(theatre: &Theatre, row: &Row) -> Judged {
    let plan = theatre.plan(&row.label, &[("act", &row.action, &row.with), ("again", &row.action, &row.with)]);
    let play = |faults: Vec<Fault>| theatre.play(&plan, &row.special.resources, faults);
    let healthy = play(Vec::new());
    let (done, again) = (Outcome::of(&healthy, "act"), Outcome::of(&healthy, "again"));
    let with_fault = |fault: Fault| Outcome::of(&play(vec![fault]), "act");
    let once = done.carried_out();
    let cases = [
        is_done(&done),
        is_there_already(row, &again, once),
        is_busy(&with_fault(busy()), once),
        fails(&with_fault(failed_operation())),
        lost_before(row, &with_fault(lost(Lost::BeforeEffect)), once),
        lost_after(row, &with_fault(lost(Lost::AfterEffect)), once),
        killed(&with_fault(crash(CrashPoint::Polling)), once),
        killed_early(row, &with_fault(crash(CrashPoint::AfterEffect)), once),
        wrong_side(theatre, row, &done),
    ];
    let unknown = row.special.excused.keys().filter(|name| cases.iter().all(|case| case.name != *name));
    let unknown = unknown.map(|name| format!("{}: there is no case `{name}` to excuse", row.label));
    let problems = cases.iter().filter_map(|case| problem(row, case)).chain(unknown).collect();
    let shown: Vec<String> = cases.iter().map(|case| shown(row, case)).filter(|shown| !shown.is_empty()).collect();
    Judged { line: format!("{}: {}", row.label, shown.join(" | ")), problems }
}

fn shown(row: &Row, case: &Case) -> String {
    let excused = if row.special.excused.contains_key(case.name) { "(excused)" } else { "" };
    let shown = [case.name, &case.shown, excused];
    shown.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn problem(row: &Row, case: &Case) -> Option<String> {
    let head = format!("{}, {}", row.label, case.name);
    match (case.wrong.as_slice(), row.special.excused.get(case.name)) {
        ([], None) | ([_, ..], Some(_)) => None,
        ([], Some(reason)) => Some(format!("{head}: passes, and needs no excuse any more: {reason}")),
        (wrong, None) => Some(format!("{head}: {}", wrong.join("; "))),
    }
}

fn busy() -> Fault {
    Fault::Busy { step: Some("act".to_owned()), service: None, lasts: Duration::from_mins(1) }
}

fn failed_operation() -> Fault {
    let (code, message) = (Some(CODE.to_owned()), Some(MESSAGE.to_owned()));
    Fault::FailedOperation { step: "act".to_owned(), code, message, times: None }
}

fn lost(effect: Lost) -> Fault {
    Fault::LostResponse { step: "act".to_owned(), effect, times: None }
}

fn crash(point: CrashPoint) -> Fault {
    Fault::Crash { step: "act".to_owned(), point }
}

fn is_done(done: &Outcome) -> Case {
    let once = done.carried_out();
    Case::new("done", once.to_string(), done).must(done.has_succeeded() && once > 0, "success and a change", done)
}

fn is_there_already(row: &Row, again: &Outcome, once: usize) -> Case {
    let sent = again.carried_out();
    if row.effect == Effect::UnsafeToRepeat {
        let case = Case::new("again", format!("sends {sent}"), again);
        return case.must(again.has_succeeded() && sent == once, "the same change once more", again);
    }
    let says_so = again.already && again.words.starts_with("nothing was sent");
    let shown = if says_so { "already".to_owned() } else { format!("sends {sent}") };
    Case::new("again", shown, again).must(again.has_succeeded() && says_so && sent == 0, "nothing sent", again)
}

fn is_busy(busy: &Outcome, once: usize) -> Case {
    let sent = busy.carried_out();
    let waited = busy.writes.iter().any(|logged| matches!(logged.status, 409 | 429));
    let holds = busy.has_succeeded() && waited && sent == once;
    Case::new("busy", sent.to_string(), busy).must(holds, "success after waiting", busy)
}

fn fails(failed: &Outcome) -> Case {
    let says_so = failed.words.contains(CODE) && failed.words.contains(MESSAGE);
    let is_last = failed.writes.len() == 1;
    let mut case = Case::new("fails", if says_so { "" } else { "otherwise" }, failed);
    case.wrong.retain(|refused| !refused.contains(CODE));
    let is_failed = failed.state == drctl::engine::StepState::Failed;
    case.must(is_failed && says_so && is_last, "a failure in Azure's words, and nothing sent after it", failed)
}

/// How a step ended whose answer was lost.
fn ending(outcome: &Outcome, sent: usize) -> String {
    if outcome.has_succeeded() { sent.to_string() } else { format!("{} {sent}", outcome.state.words()) }
}

fn lost_before(row: &Row, lost: &Outcome, once: usize) -> Case {
    let sent = lost.carried_out();
    let sets_a_state = row.effect == Effect::Idempotent;
    let holds = if sets_a_state { lost.has_succeeded() && sent == once } else { is_careful(lost, sent, once) };
    Case::new("lost before", ending(lost, sent), lost).must(holds, "no more changes than once", lost)
}

fn lost_after(row: &Row, lost: &Outcome, once: usize) -> Case {
    let sent = lost.carried_out();
    let holds = match row.effect {
        // What sets a state may be sent again: a look soon after may still show the old one.
        Effect::Idempotent => lost.has_succeeded() && sent >= once,
        Effect::UnsafeToRepeat => is_careful(lost, sent, once),
        _ => is_careful(lost, sent, once) && lost.has_succeeded(),
    };
    Case::new("lost after", ending(lost, sent), lost).must(holds, "no more changes than once, and seen", lost)
}

fn is_careful(outcome: &Outcome, sent: usize, once: usize) -> bool {
    sent <= once && (outcome.has_succeeded() || outcome.is_in_doubt())
}

/// Killed once it is noted what was sent, and where its end is told.
fn killed(killed: &Outcome, once: usize) -> Case {
    let sent = killed.carried_out();
    let holds = killed.has_succeeded() && sent == once;
    Case::new("killed", ending(killed, sent), killed).must(holds, "no change but the one, and its end", killed)
}

/// Killed after it was carried out, and before anything of that was noted.
fn killed_early(row: &Row, killed: &Outcome, once: usize) -> Case {
    let case = lost_after(row, killed, once);
    Case { name: "killed early", ..case }
}
