//! Coverage: what of a runbook its runs have reached. A pure function of plans and their records.
//!
//! It is counted where it is written: a step of a runbook that several call is reached when one of them reaches it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::Span;
use crate::engine::{Decision, Event, Side, is_false};
use crate::plan::Plan;
use crate::runbook::ast::{RunIf, Runbook, Step};

/// What can be reached in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It began.
    Ran,
    /// It began because something failed: it has `run_if: failure`.
    RunIf,
    /// Its `when` was true.
    WhenTrue,
    /// Its `when` was false.
    WhenFalse,
    /// It was undone.
    RolledBack,
    /// Its gate was approved.
    Approved,
    /// Its gate was rejected.
    Rejected,
    /// Nobody opened its gate in time.
    TimedOut,
}

/// The columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Steps that began.
    Steps,
    /// Both ways of a `when`, and steps with `run_if: failure`.
    Branches,
    /// Steps that were undone.
    Rollbacks,
    /// Gates approved, rejected and timed out.
    Gates,
}

impl Group {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Steps, Self::Branches, Self::Rollbacks, Self::Gates];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Branches => "branches",
            Self::Rollbacks => "rollbacks",
            Self::Gates => "gates",
        }
    }
}

impl Reach {
    /// Where it is counted.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Ran => Group::Steps,
            Self::RunIf | Self::WhenTrue | Self::WhenFalse => Group::Branches,
            Self::RolledBack => Group::Rollbacks,
            Self::Approved | Self::Rejected | Self::TimedOut => Group::Gates,
        }
    }

    /// What never happened to a step where this was not reached.
    #[must_use]
    pub fn never(self) -> &'static str {
        match self {
            Self::Ran => "never runs",
            Self::RunIf => "never runs: what its `run_if` waits for never comes",
            Self::WhenTrue => "its `when` is never true",
            Self::WhenFalse => "its `when` is never false",
            Self::RolledBack => "is never undone",
            Self::Approved => "its gate is never approved",
            Self::Rejected => "its gate is never rejected",
            Self::TimedOut => "its gate never times out",
        }
    }
}

/// One thing that can be reached: in the order of runbooks, and of the places in them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The runbook: its kind and name.
    pub runbook: String,
    /// Where the step stands in it.
    at: u32,
    /// The step's id.
    pub step: String,
    /// What.
    pub reach: Reach,
}

/// Where a point is written, and whether it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    place: String,
    reached: bool,
}

/// What there is to reach, and what was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Point, Seen>);

/// How many were reached, and of how many.
pub type Count = (usize, usize);

impl Coverage {
    /// A runbook that nobody has run. `place` says where a span is, for people.
    #[must_use]
    pub fn of(runbook: &Runbook, place: impl Fn(Span) -> String) -> Self {
        let points = runbook.steps.iter().flat_map(|step| {
            let seen = Seen { place: place(step.id.span), reached: false };
            reaches(step).into_iter().map(move |reach| (point(runbook, step, reach), seen.clone()))
        });
        Self(points.collect())
    }

    /// The runbooks of a plan, and what the records of a run of it have reached.
    #[must_use]
    pub fn of_run<'e>(plan: &Plan, events: impl Iterator<Item = &'e Event>, place: impl Fn(Span) -> String) -> Self {
        let mut coverage = Self::default();
        plan.parts.iter().for_each(|part| coverage.merge(Self::of(&part.runbook, &place)));
        let mut gates = BTreeSet::new();
        for event in events {
            coverage.take(plan, event, &mut gates);
        }
        coverage
    }

    /// Adds what other runs have reached.
    pub fn merge(&mut self, other: Self) {
        for (point, seen) in other.0 {
            let reached = seen.reached;
            self.0.entry(point).or_insert(seen).reached |= reached;
        }
    }

    /// Takes an event in; `open` are the gates that wait.
    fn take(&mut self, plan: &Plan, event: &Event, open: &mut BTreeSet<String>) {
        let Some(path) = event.step().map(|path| path.0.to_string()) else { return };
        let Some(index) = plan.find(&path) else { return };
        let (runbook, step) = (plan.runbook_of(index), plan.step(index));
        let mut reach = |reach: Reach| {
            if let Some(seen) = self.0.get_mut(&point(runbook, step, reach)) {
                seen.reached = true;
            }
        };
        match event {
            Event::Intent(intent) if intent.side == Side::Rollback => reach(Reach::RolledBack),
            Event::Intent(_) | Event::PersonAsked { .. } | Event::Called { .. } => {
                open.remove(&path);
                [Reach::Ran, Reach::RunIf, Reach::WhenTrue].into_iter().for_each(reach);
            }
            Event::GateOpened(_) => {
                open.insert(path);
                reach(Reach::WhenTrue);
            }
            Event::NotApplicable { reason, .. } => {
                let when = step.when.map(|when| is_false(&plan.expressions(index).get(when).text));
                if when.as_ref() == Some(reason) {
                    reach(Reach::WhenFalse);
                }
            }
            Event::Decided(decided) if open.contains(&path) => match decided.decision {
                Decision::Approve { .. } => reach(Reach::Approved),
                Decision::Reject => reach(Reach::Rejected),
                _ => {}
            },
            Event::GateEscalated { .. } => reach(Reach::TimedOut),
            Event::StepFailed { .. } if open.contains(&path) => reach(Reach::TimedOut),
            _ => {}
        }
    }

    /// The runbooks, by name.
    #[must_use]
    pub fn runbooks(&self) -> BTreeSet<&str> {
        self.0.keys().map(|point| point.runbook.as_str()).collect()
    }

    /// How much was reached of a runbook, or of all; of a group, or of all.
    #[must_use]
    pub fn count(&self, runbook: Option<&str>, group: Option<Group>) -> Count {
        let meant = |point: &Point| {
            runbook.is_none_or(|runbook| runbook == point.runbook)
                && group.is_none_or(|group| group == point.reach.group())
        };
        let seen = self.0.iter().filter(|(point, _)| meant(point));
        seen.fold((0, 0), |(reached, all), (_, seen)| (reached + usize::from(seen.reached), all + 1))
    }

    /// What was not reached, with its place.
    pub fn missing(&self) -> impl Iterator<Item = (&Point, &str)> {
        self.0.iter().filter(|(_, seen)| !seen.reached).map(|(point, seen)| (point, seen.place.as_str()))
    }
}

/// The share in percent, rounded down: only all is a hundred. Of nothing, all was reached.
#[must_use]
pub fn percent((reached, all): Count) -> usize {
    (reached * 100).checked_div(all).unwrap_or(100)
}

fn point(runbook: &Runbook, step: &Step, reach: Reach) -> Point {
    let name = format!("{} {}", runbook.kind.name(), runbook.name.value);
    Point { runbook: name, at: step.id.span.start, step: step.id.value.clone(), reach }
}

/// What there is to reach in a step.
fn reaches(step: &Step) -> Vec<Reach> {
    let mut found = vec![if step.run_if == RunIf::Failure { Reach::RunIf } else { Reach::Ran }];
    if step.when.is_some() {
        found.extend([Reach::WhenTrue, Reach::WhenFalse]);
    }
    if step.rollback.is_some() {
        found.push(Reach::RolledBack);
    }
    if let Some(approval) = &step.approval {
        found.extend([Reach::Approved, Reach::Rejected]);
        found.extend(approval.timeout.map(|_| Reach::TimedOut));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{decided, intent, path, plan, to_the_end, to_the_gate};
    use super::*;
    use crate::engine::Intent;

    fn of(records: &[Event]) -> Coverage {
        Coverage::of_run(&plan(), records.iter(), |_| "orders.yaml:7:5".to_owned())
    }

    fn events(records: Vec<(u64, Event)>) -> Vec<Event> {
        records.into_iter().map(|(_, event)| event).collect()
    }

    /// What is missing, in a line each.
    fn missing(coverage: &Coverage) -> Vec<String> {
        let lines = coverage.missing().map(|(point, place)| format!("{place} {} {}", point.step, point.reach.never()));
        lines.map(|line| line.trim_start_matches("orders.yaml:7:5 ").to_owned()).collect()
    }

    #[test]
    fn a_run_without_trouble_leaves_the_other_ways_out() {
        let coverage = of(&events(to_the_end()));
        let left = [
            "promote its gate is never rejected",
            "promote its gate never times out",
            "switch its `when` is never false",
            "switch is never undone",
        ];
        assert_eq!(missing(&coverage), left);
        let counts = Group::ALL.map(|group| coverage.count(Some("failover orders"), Some(group)));
        assert_eq!((counts, coverage.count(None, None)), ([(5, 5), (1, 2), (0, 1), (1, 3)], (7, 11)));
        assert_eq!(percent((7, 11)), 63);
    }

    #[test]
    fn several_runs_reach_what_each_of_them_does() {
        let mut all = of(&events(to_the_end()));
        let rejected = decided(Some("promote"), Decision::Reject, "bob", Some("not yet"));
        all.merge(of(&events([to_the_gate(), vec![(200, rejected)]].concat())));
        let late = Event::GateEscalated { step: path("promote"), to: Vec::new(), level: 0 };
        all.merge(of(&events([to_the_gate(), vec![(1_000, late)]].concat())));
        let not = is_false("steps.declare.outputs.affected > 3");
        all.merge(of(&[Event::NotApplicable { step: path("switch"), reason: not }]));
        assert_eq!(missing(&all), ["switch is never undone"]);
        let Event::Intent(undone) = intent("switch", 1, "undo") else { panic!("an intent is one") };
        all.merge(of(&[Event::Intent(Box::new(Intent { side: Side::Rollback, ..*undone }))]));
        assert_eq!((missing(&all), percent(all.count(None, None))), (Vec::new(), 100));
    }

    #[test]
    fn a_gate_that_is_rejected_by_time_has_timed_out_and_a_manual_step_that_fails_has_not() {
        let late = Event::StepFailed {
            step: path("promote"),
            reason: "nobody approved it in time".to_owned(),
            side: Side::Apply,
        };
        let timed_out = of(&events([to_the_gate(), vec![(1_000, late)]].concat()));
        assert!(!missing(&timed_out).contains(&"promote its gate never times out".to_owned()));
        let given_up = Event::StepFailed { step: path("declare"), reason: "no".to_owned(), side: Side::Apply };
        assert_eq!(of(&[given_up]).count(None, None).0, 0);
    }

    #[test]
    fn nothing_that_nobody_ran_is_reached_and_less_than_all_is_never_a_hundred() {
        let nobody = Coverage::of(&plan().runbook, |_| String::new());
        assert_eq!(nobody.count(None, None), (0, 11));
        assert_eq!([percent((0, 0)), percent((999, 1_000)), percent((1_000, 1_000))], [100, 99, 100]);
    }
}
