//! What needs a person, and what they type next.

use std::borrow::Cow;

use crate::engine::{Decided, Decision, Gate, NodeId, Person, Resolution, Side, State, StepState, asks, gate_of_retry};
use crate::plan::Plan;
use crate::runbook::ast::OnFailure;

/// Something only a person can bring on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nobody knows whether the step happened.
    Doubt,
    /// A gate waits for an approval.
    Approval,
    /// A manual step waits for its answers.
    Answer,
    /// A step failed, or its undoing did.
    Failure,
}

/// What needs a person, the most urgent first.
#[must_use]
pub fn needs(plan: &Plan, state: &State) -> Vec<(Need, NodeId)> {
    if state.ended.is_some() || !any(state) {
        return Vec::new();
    }
    let needed = state.iter().filter_map(|(id, _)| Some((need(plan, state, id)?, id)));
    let mut needs: Vec<(Need, NodeId)> = needed.collect();
    needs.sort_unstable();
    needs
}

/// Whether it is worth looking at each step.
fn any(state: &State) -> bool {
    use StepState::{AwaitingApproval, AwaitingPerson, Failed, InDoubt, RollbackFailed};
    let waiting = [AwaitingApproval, AwaitingPerson, Failed, InDoubt, RollbackFailed];
    waiting.iter().any(|waiting| state.count(*waiting) > 0)
}

/// What the step needs a person for.
#[must_use]
pub(super) fn need(plan: &Plan, state: &State, id: NodeId) -> Option<Need> {
    let undoing = state.rollback.is_some() || state.aborted.is_some();
    match state.node(id).state {
        // What is given up does not wait for those who know what became of it.
        StepState::InDoubt if undoing && !is_undone(state, id) => None,
        StepState::InDoubt => Some(Need::Doubt),
        StepState::RollbackFailed => Some(Need::Failure),
        StepState::AwaitingApproval if !undoing => Some(Need::Approval),
        StepState::AwaitingPerson if !undoing => Some(Need::Answer),
        StepState::Failed if !undoing && !state.is_met(plan, id) && !undoes_itself(plan, state, id) => {
            Some(Need::Failure)
        }
        _ => None,
    }
}

/// Whether the step is among those that are undone.
fn is_undone(state: &State, id: NodeId) -> bool {
    state.rollback.as_ref().is_some_and(|rollback| rollback.order.contains(&id))
}

/// Whether the run is undone because of the failed step, without anybody being asked.
fn undoes_itself(plan: &Plan, state: &State, id: NodeId) -> bool {
    let step = state.node(id).step;
    plan.on_failure(step) == OnFailure::Rollback
}

/// The commands that decide about a step.
#[must_use]
pub(super) fn commands_for(state: &State, run: &str, need: Need, id: NodeId) -> Vec<String> {
    let node = state.node(id);
    let step = format!("{} {}", quote(run), quote(&node.path.0));
    let reason = "--reason \"...\"";
    match need {
        Need::Doubt => {
            let words = ["happened", "did-not-happen", "retry"];
            let resolve = words.map(|word| format!("drctl resolve {step} --{word} {reason}"));
            resolve.into_iter().chain([format!("drctl logs {step}")]).collect()
        }
        Need::Approval => ["approve", "reject"].map(|word| format!("drctl {word} {step} {reason}")).into(),
        Need::Answer => {
            let asked = node.more.as_ref().and_then(|more| more.asked.as_ref());
            let wanted = asked.map(|(_, answers)| answers.as_slice()).unwrap_or_default();
            let outputs: String = wanted.iter().map(|(name, _)| format!(" --output {name}=VALUE")).collect();
            vec![format!("drctl approve {step}{outputs}"), format!("drctl reject {step} {reason}")]
        }
        Need::Failure => vec![format!("drctl retry {step}"), format!("drctl skip {step} {reason}")],
    }
}

/// Gives the run up.
#[must_use]
pub(super) fn abort_command(run: &str) -> String {
    format!("drctl abort {} --reason \"...\"", quote(run))
}

/// Everything one can type next, the most urgent first. `executing`: a process drives the run and goes on doing so.
#[must_use]
pub(super) fn commands(plan: &Plan, state: &State, run: &str, executing: bool) -> Vec<String> {
    if state.ended.is_some() {
        return Vec::new();
    }
    // Its world is gone with the process that drove it.
    if let Some(started) = state.started.as_ref().filter(|started| started.simulated && !executing) {
        return vec![format!("{} --simulate", started.command())];
    }
    let needs = needs(plan, state);
    let mut commands: Vec<String> = needs.iter().flat_map(|(need, id)| commands_for(state, run, *need, *id)).collect();
    let troubled = needs.iter().any(|(need, _)| matches!(need, Need::Doubt | Need::Failure));
    if troubled && state.aborted.is_none() {
        commands.push(abort_command(run));
    }
    if !executing {
        commands.push(format!("drctl resume {}", quote(run)));
    }
    commands
}

/// What one types next once nobody executes the run.
#[must_use]
pub fn next_commands(plan: &Plan, state: &State, run: &str) -> Vec<String> {
    commands(plan, state, run, false)
}

/// A word as a shell takes it: instances have brackets in their names.
fn quote(word: &str) -> Cow<'_, str> {
    shell_words::quote(word)
}

/// Who may say that a failed step is tried again, where a gate holds for it besides its own.
#[must_use]
pub(super) fn retry_asks(plan: &Plan, state: &State, id: NodeId) -> Option<String> {
    let gate = gate_of_retry(state, id)?;
    Some(format!("a retry asks {}", asks(plan, state, &gate)))
}

/// Whether it makes sense to ask this person. The engine judges the answer all the same.
#[must_use]
pub(super) fn may_approve(plan: &Plan, state: &State, gate: &Gate, person: &Person) -> bool {
    let requester = state.started.as_ref().map(|started| &started.operator.name);
    let may = gate.opened.by.is_empty() || plan.workspace.people(gate.roles()).contains(&person.name);
    let as_requester = gate.opened.requester_may_approve || requester != Some(&person.name);
    may && as_requester && !gate.votes.contains(&person.name)
}

/// What a person decided, as a past participle: `approved`, `skipped`.
#[must_use]
pub(super) fn done_word(decided: &Decided) -> &'static str {
    match &decided.decision {
        Decision::Approve { .. } => "approved",
        Decision::Reject => "rejected",
        Decision::Answer { .. } => "answered",
        Decision::Retry if decided.others > 0 => "retry approved",
        Decision::Retry => "tried again",
        Decision::Skip { .. } => "skipped",
        Decision::Resolve { resolution, .. } => match resolution {
            Resolution::Happened => "resolved as happened",
            Resolution::DidNotHappen => "resolved as not happened",
            Resolution::Retry => "resolved by running it again",
        },
        Decision::Abort => "aborted",
    }
}

/// `; 1 more person has to say the same`, where one alone is not enough.
#[must_use]
pub fn others_wanted(decided: &Decided) -> String {
    match decided.others {
        0 => String::new(),
        1 => "; 1 more person has to say the same".to_owned(),
        others => format!("; {others} more people have to say the same"),
    }
}

/// `undoing` in front of what is said of a rollback.
#[must_use]
pub(super) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Apply | Side::Call => "",
        Side::Rollback => "undoing ",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::engine::event::Instance;
    use crate::engine::{Event, Mode};
    use crate::runbook::ast::{ForEach, Phase};
    use crate::runbook::expr::Templated;

    #[test]
    fn a_gate_names_who_may_pass_it_and_how() {
        let seen = Seen::of(plan(), &to_the_gate());
        assert_eq!(
            next_commands(&seen.plan, &seen.state, RUN),
            [
                "drctl approve orders-20261120-0311-k3f promote --reason \"...\"",
                "drctl reject orders-20261120-0311-k3f promote --reason \"...\"",
                "drctl resume orders-20261120-0311-k3f",
            ]
        );
        let id = seen.state.find(&seen.plan, "promote").unwrap();
        let mut gate = seen.state.node(id).gate().unwrap().clone();
        assert_eq!(asks(&seen.plan, &seen.state, &gate), "incident_commander: alice, bob");
        (gate.opened.quorum, gate.opened.requester_may_approve) = (2, false);
        gate.votes.push("bob".to_owned());
        assert_eq!(
            asks(&seen.plan, &seen.state, &gate),
            "incident_commander: alice, bob; 2 different people, 1 so far; not alice, who started the run"
        );
        let may = |name| may_approve(&seen.plan, &seen.state, &gate, &person(name));
        assert_eq!(["alice", "bob", "carol"].map(may), [false, false, false]);
        gate.votes.clear();
        let may = |name| may_approve(&seen.plan, &seen.state, &gate, &person(name));
        assert_eq!(["alice", "bob", "carol"].map(may), [false, true, false]);
    }

    #[test]
    fn a_doubt_comes_before_a_failure_and_instances_are_quoted() {
        let mut each = step("each", Phase::Execution, "shell");
        each.for_each = Some(Box::new(ForEach {
            items: Templated::Plain(serde_json::json!(["eu", "us"])),
            span: crate::diag::Span::default(),
            max_parallel: None,
        }));
        let instance = |key: &str| Instance { key: key.to_owned(), item: key.into() };
        let seen = Seen::of(
            build(vec![each]),
            &[
                (0, started(Mode::Real)),
                (0, Event::Expanded { step: path("each"), instances: vec![instance("eu"), instance("us")] }),
                (0, intent("each[eu]", 1, "shell")),
                (0, intent("each[us]", 1, "shell")),
                (1, outcome("each[eu]", 1, failed("exit code 1"))),
                (2, Event::InDoubt { step: path("each[us]"), side: Side::Apply, evidence: "no answer".to_owned() }),
            ],
        );
        assert_eq!(
            commands(&seen.plan, &seen.state, "r", true),
            [
                "drctl resolve r 'each[us]' --happened --reason \"...\"",
                "drctl resolve r 'each[us]' --did-not-happen --reason \"...\"",
                "drctl resolve r 'each[us]' --retry --reason \"...\"",
                "drctl logs r 'each[us]'",
                "drctl retry r 'each[eu]'",
                "drctl skip r 'each[eu]' --reason \"...\"",
                "drctl abort r --reason \"...\"",
            ]
        );
    }

    #[test]
    fn after_the_end_there_is_nothing_to_type() {
        let seen = Seen::of(plan(), &to_the_end());
        assert_eq!(next_commands(&seen.plan, &seen.state, "r"), Vec::<String>::new());
    }
}
