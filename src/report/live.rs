//! The live area at the foot of a terminal: the clock, what is under way, what needs the operator.

use super::needs::{Need, commands_for, need, needs};
use super::story::Tone;
use super::summary::clock_words;
use super::timeline::Clock;
use super::view::View;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{Mode, Node, NodeId, Person, StepState, may_retry, step_title};
use crate::plan::critical_path::estimate;
use crate::plan::is_main;
use crate::runbook::ast::Phase;
use std::fmt::Write as _;

/// How many steps are shown at a time.
const MOST_STEPS: usize = 8;

/// The lines of the live area, with how they are meant.
#[must_use]
pub(super) fn lines(view: &View, now: Timestamp, operator: &Person) -> Vec<(Tone, String)> {
    let mut lines = vec![header(view, now)];
    let steps = shown_steps(view);
    let shown = steps.iter().take(MOST_STEPS);
    lines.extend(shown.map(|(tone, id)| (*tone, step_line(view, now, *id))));
    if let Some(more) = steps.len().checked_sub(MOST_STEPS).filter(|more| *more > 0) {
        lines.push((Tone::Progress, format!("  and {more} more")));
    }
    lines.extend(needs_line(view, operator));
    let clean = |(tone, line): (Tone, String)| (tone, view.cleaner.indented(&line));
    lines.into_iter().map(clean).collect()
}

fn header(view: &View, now: Timestamp) -> (Tone, String) {
    let kind = view.plan.runbook.kind.name();
    let phase = phase(view).map(|phase| format!(", {phase}")).unwrap_or_default();
    if view.state.mode() == Mode::DryRun {
        return (Tone::Notice, format!("dry run | {kind}{phase} | {}", view.run));
    }
    let clock = view.timeline.clock(&view.plan, now);
    let text = format!("{} | {kind}{phase} | {}", clock_words(&clock), view.run);
    (clock_tone(&clock), text)
}

/// Well, while more than a fifth of the objective is left.
fn clock_tone(clock: &Clock) -> Tone {
    match (clock.objective, clock.left()) {
        (_, Some(Err(_))) => Tone::Bad,
        (Some(objective), Some(Ok(left))) if left * 5 < objective => Tone::Notice,
        _ => Tone::Good,
    }
}

/// The first phase that is not over.
fn phase(view: &View) -> Option<Phase> {
    let open = view.plan.own_steps().filter(|(index, step)| {
        let id = NodeId(index.0);
        is_main(step) && !view.state.is_met(&view.plan, id)
    });
    open.map(|(_, step)| step.phase).min()
}

/// Steps that need people first, then those under way, the longest first.
fn shown_steps(view: &View) -> Vec<(Tone, NodeId)> {
    let (plan, state) = (&view.plan, &view.state);
    let mut steps: Vec<(bool, _, Tone, NodeId)> = Vec::new();
    for (id, node) in state.iter() {
        let active = node.state.is_active() || node.state == StepState::RetryWait;
        let tone = match need(plan, state, id) {
            Some(Need::Approval | Need::Answer) => Tone::Needed,
            Some(Need::Doubt | Need::Failure) => Tone::Bad,
            None if active && !state.stands_for_others(plan, id) => Tone::Progress,
            None => continue,
        };
        steps.push((tone == Tone::Progress, node.started, tone, id));
    }
    steps.sort_by_key(|(active, started, _, id)| (*active, *started, *id));
    steps.into_iter().map(|(_, _, tone, id)| (tone, id)).collect()
}

fn step_line(view: &View, now: Timestamp, id: NodeId) -> String {
    let node = view.state.node(id);
    let mut line = format!("  {}: {}", node.path, node.state.words());
    let since = match node.state {
        StepState::AwaitingApproval | StepState::AwaitingPerson => node.ended,
        _ => node.started,
    };
    if let Some(since) = since {
        write!(line, " for {}", words::span(since.until(now))).ok();
    }
    line += &expected(view, now, node);
    if node.attempt > 1 {
        write!(line, ", attempt {}", node.attempt).ok();
    }
    if let Some(what) = node.reason().map(str::to_owned).or_else(|| step_title(&view.plan, &view.state, id)) {
        write!(line, ": {what}").ok();
    }
    line
}

/// What comes next for the step, and when: a usual time, another attempt, a deadline.
fn expected(view: &View, now: Timestamp, node: &Node) -> String {
    let estimate = estimate(view.plan.step(node.step), &view.plan.catalogue);
    let deadline = node.gate().and_then(|gate| gate.opened.deadline);
    let again = node.more.as_ref().and_then(|more| more.retry_at);
    match (node.state, estimate, again, deadline) {
        (StepState::Running, Some(estimate), ..) => format!(" of about {}", words::span(estimate.typical)),
        (StepState::RetryWait, _, Some(again), _) => format!(", again in {}", words::span(now.until(again))),
        (StepState::AwaitingApproval, _, _, Some(deadline)) if deadline > now => {
            format!(", {} left", words::span(now.until(deadline)))
        }
        (StepState::AwaitingApproval, _, _, Some(_)) => ", its time is over".to_owned(),
        _ => String::new(),
    }
}

fn needs_line(view: &View, operator: &Person) -> Option<(Tone, String)> {
    let needs = needs(&view.plan, &view.state);
    let (need, id) = *needs.first()?;
    let command = view.from_here.typed(commands_for(&view.state, &view.run, need, id).first()?);
    let who = match view.state.node(id).gate() {
        Some(gate) if need == Need::Approval => {
            let may = super::needs::may_approve(&view.plan, &view.state, gate, operator);
            if may { "you" } else { "somebody else" }
        }
        _ if need == Need::Failure && may_retry(&view.plan, &view.state, id, operator).is_err() => "somebody else",
        _ => "you",
    };
    let more = match needs.len() - 1 {
        0 => String::new(),
        more => {
            let status = view.from_here.typed(&format!("drctl status {}", view.run));
            format!(" (and {more} more: {status})")
        }
    };
    Some((Tone::Needed, format!("needs {who}: {command}{more}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::fixture::*;
    use super::super::sanitise::Cleaner;
    use super::*;
    use crate::engine::{End, Event};
    use crate::plan::Plan;
    use crate::report::FromHere;
    use crate::runbook::ast::Estimate;

    fn live(plan: Plan, records: &[(u64, Event)], now: u64, operator: &str) -> Vec<(Tone, String)> {
        let mut view = View::new(Arc::new(plan), RUN.to_owned(), Cleaner::default());
        for (seconds, event) in records {
            view.apply(at(*seconds), event).unwrap();
        }
        lines(&view, at(now), &person(operator))
    }

    fn said(lines: &[(Tone, &str)]) -> Vec<(Tone, String)> {
        lines.iter().map(|(tone, line)| (*tone, (*line).to_owned())).collect()
    }

    #[test]
    fn an_open_gate_shows_the_clock_what_is_left_and_the_command() {
        let clock = "RTO 45m: 2m40s so far, 42m20s left | failover, execution | orders-20261120-0311-k3f";
        let gate = "  promote: awaiting approval for 1m, 14m left";
        let command = "drctl approve orders-20261120-0311-k3f promote --reason \"...\"";
        for (operator, who) in [("bob", "you"), ("carol", "somebody else")] {
            assert_eq!(
                live(plan(), &to_the_gate(), 160, operator),
                said(&[(Tone::Good, clock), (Tone::Needed, gate), (Tone::Needed, &format!("needs {who}: {command}")),])
            );
        }
    }

    #[test]
    fn what_else_needs_people_is_shown_by_a_command_that_works_where_one_stands() {
        let steps = ["a", "b"].map(|id| step(id, Phase::Execution, "shell"));
        let mut view = View::new(Arc::new(build(steps.into())), RUN.to_owned(), Cleaner::default());
        view.from_here = FromHere::new(vec![("--workspace", "dr".to_owned())]);
        let failed = ["a", "b"].map(|id| [(0, intent(id, 1, "shell")), (1, outcome(id, 1, failed("exit code 1")))]);
        for (seconds, event) in
            [(0, started(crate::engine::Mode::Real))].into_iter().chain(failed.into_iter().flatten())
        {
            view.apply(at(seconds), &event).unwrap();
        }
        let needed = needs_line(&view, &person("alice")).unwrap().1;
        let retry = "drctl --workspace dr retry orders-20261120-0311-k3f a";
        let status = "drctl --workspace dr status orders-20261120-0311-k3f";
        assert_eq!(needed, format!("needs you: {retry} (and 1 more: {status})"));
    }

    #[test]
    fn many_steps_are_cut_short_and_what_needs_people_is_never_cut() {
        let ids = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let mut steps = ids.map(|id| step(id, Phase::Execution, "shell"));
        steps[1].estimate = Some(Box::new(Estimate { typical: Duration::from_mins(4), worst: None }));
        let mut records = vec![(0, started(crate::engine::Mode::Real))];
        records.extend(ids.map(|id| (0, intent(id, 1, "shell"))));
        records.push((2600, outcome("j", 1, failed("exit \u{1b}[5mcode 1"))));
        let retry = End::Failed { reason: "busy".to_owned(), retry_at: Some(at(2610)) };
        records.push((2600, outcome("a", 1, retry)));
        assert_eq!(
            live(build(steps.into()), &records, 2601, "alice"),
            said(&[
                (Tone::Notice, "RTO 45m: 43m21s so far, 1m39s left | failover, execution | orders-20261120-0311-k3f"),
                (Tone::Bad, "  j: failed for 43m21s: exit code 1"),
                (Tone::Progress, "  a: waiting to retry for 43m21s, again in 9s: busy"),
                (Tone::Progress, "  b: running for 43m21s of about 4m"),
                (Tone::Progress, "  c: running for 43m21s"),
                (Tone::Progress, "  d: running for 43m21s"),
                (Tone::Progress, "  e: running for 43m21s"),
                (Tone::Progress, "  f: running for 43m21s"),
                (Tone::Progress, "  g: running for 43m21s"),
                (Tone::Progress, "  and 2 more"),
                (Tone::Needed, "needs you: drctl retry orders-20261120-0311-k3f j"),
            ])
        );
    }
}
