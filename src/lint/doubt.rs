//! Where a runbook has errors: what stands there may be meant otherwise, and nothing is concluded from it.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use crate::diag::{Diagnostic, Severity, Span};
use crate::plan::StepIndex;
use crate::plan::runbooks::is_call;
use crate::runbook::ast::{Phase, Runbook, Step};

/// What is in doubt, as there are errors.
#[derive(Default)]
pub(super) struct Doubt {
    /// Fields of the runbook. A phase is among them where a step of it could not be read at all.
    fields: BTreeSet<String>,
    /// Steps: fields of them, and the codes of what else is wrong with them.
    steps: BTreeMap<StepIndex, BTreeSet<String>>,
    /// The codes of all errors.
    codes: BTreeSet<&'static str>,
    /// Where the steps in doubt begin and end.
    places: BTreeMap<u32, Span>,
}

impl Doubt {
    /// By what could not be read, and what the first rules found.
    pub(super) fn new(runbook: &Runbook, found: &[Diagnostic]) -> Self {
        let mut doubt = Self { fields: runbook.unread.clone(), ..Self::default() };
        let numbered = || (0..).map(StepIndex).zip(&runbook.steps);
        for (index, step) in numbered().filter(|(_, step)| !step.unread.is_empty()) {
            doubt.steps.entry(index).or_default().extend(step.unread.iter().cloned());
        }
        if found.iter().all(|finding| finding.severity == Severity::Warning) && doubt.steps.is_empty() {
            return doubt;
        }
        let by_place: BTreeMap<u32, (StepIndex, Span)> =
            numbered().map(|(index, step)| (step.span.start, (index, step.span))).collect();
        for error in found.iter().filter(|finding| finding.severity == Severity::Error) {
            doubt.codes.insert(error.code);
            // Steps that wait for themselves have no order.
            if error.code == "cycle" {
                doubt.fields.insert("needs".to_owned());
            }
            // What is wrong with a template is told there, and names the step that sends it.
            let places = std::iter::once(error.primary).chain(error.others.iter().map(|(place, _)| *place));
            let Some(place) = places.into_iter().find(|place| place.source == runbook.source) else { continue };
            match by_place.range(..=place.start).next_back().filter(|(_, (_, step))| place.start <= step.end) {
                Some((_, (step, _))) => drop(doubt.steps.entry(*step).or_default().insert(error.code.to_owned())),
                None => drop(doubt.fields.insert(field_of(error.code).to_owned())),
            }
        }
        let place = |step: &StepIndex| runbook.steps[step.at()].span;
        doubt.places = doubt.steps.keys().map(place).map(|place| (place.start, place)).collect();
        doubt
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        !self.fields.is_empty() || !self.steps.is_empty() || !self.codes.is_empty()
    }

    /// Whether it is about one of these fields of the runbook, or about all of it, as in a format that is not known.
    pub(super) fn is_about(&self, fields: &[&str]) -> bool {
        ["", "drctl"].iter().chain(fields).any(|field| self.fields.contains(*field))
    }

    /// Whether a step of that phase or one before it could not be read at all.
    pub(super) fn has_lost_step(&self, until: Phase) -> bool {
        Phase::ALL.iter().any(|phase| *phase <= until && self.is_about(&[phase.name()]))
    }

    /// Whether one of these fields of the step is in doubt, or something else of which these codes tell.
    pub(super) fn is_about_step(&self, step: StepIndex, what: &[&str]) -> bool {
        self.steps.get(&step).is_some_and(|known| what.iter().any(|word| known.contains(*word)))
    }

    /// Whether there are errors of one of these kinds.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.codes.contains(code))
    }

    /// Whether the place is within a step in doubt.
    pub(super) fn covers(&self, place: Span) -> bool {
        let before = self.places.range(..=place.start).next_back();
        before.is_some_and(|(_, step)| step.source == place.source && place.start <= step.end)
    }
}

/// The field of the runbook that an error outside of its steps is about.
fn field_of(code: &str) -> &str {
    match code {
        "call" => "name",
        "reference" | "secret" | "type" => "outputs",
        other => other,
    }
}

/// Whether a step could not be read at all.
pub(super) fn has_lost_step(subject: &Subject<'_>) -> bool {
    subject.doubt.has_lost_step(Phase::Communication)
}

/// Whether a step could not be read at all that may change what the service stands on.
pub(super) fn has_lost_change(subject: &Subject<'_>) -> bool {
    subject.doubt.has_lost_step(Phase::Execution)
}

impl Subject<'_> {
    /// Whether nobody knows what the step does: its action is none, or what it calls cannot be read.
    pub(super) fn is_unknown(&self, step: &Step) -> bool {
        let is_read = |called: &Runbook| called.unread.is_empty() && called.steps.iter().all(|it| it.unread.is_empty());
        if is_call(step) {
            return !self.runbooks.called(self.runbook, step).is_some_and(|called| is_read(called));
        }
        self.catalogue.get(&step.action.name.value).is_none()
    }

    /// Whether what one of these fields of the step says is not known.
    pub(super) fn doubts(&self, step: StepIndex, fields: &[&str]) -> bool {
        self.doubt.is_about_step(step, fields)
    }

    /// Whether the step may wait for more than is known.
    pub(super) fn may_need_more(&self, step: StepIndex) -> bool {
        self.doubt.is_about_step(step, &["needs"])
    }
}
