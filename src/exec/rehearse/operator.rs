//! The people of a rehearsal: a pure function of what waits and of the scenario.

use std::time::Duration;

use serde_json::{Map, Value};

use super::watcher::Looks;
use crate::engine::{
    Decision, Gate, NodeId, NodePath, Person, Resolution, State, StepState, gate_of_retry, may_approve, may_retry,
};
use crate::plan::path::names;
use crate::plan::{Plan, StepIndex};
use crate::report::{Need, needs};
use crate::sim::scenario::{DELAY, People, RemedyAct, Scenario};
use crate::sim::stand_in::invent;

/// What a person is going to decide.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    /// Names what it answers: asked again, it is another.
    pub(super) id: String,
    /// The step; none for the whole run.
    pub(super) step: Option<NodePath>,
    /// What.
    pub(super) decision: Decision,
    /// Who.
    pub(super) person: String,
    /// Why.
    pub(super) reason: String,
    /// How long it takes.
    pub(super) after: Duration,
}

/// Whom a rehearsal asks.
pub(super) struct Operators<'a> {
    pub(super) plan: &'a Plan,
    pub(super) scenario: &'a Scenario,
    /// Who started the run.
    pub(super) operator: &'a str,
    /// Says of a step in doubt whether it happened, where somebody can look.
    pub(super) truth: Option<&'a Looks>,
}

impl Operators<'_> {
    /// All replies to what waits now, those that were given before included.
    pub(super) fn replies(&self, state: &State) -> Vec<Reply> {
        let mut replies = Vec::new();
        let mut used = Vec::new();
        for (need, id) in needs(self.plan, state) {
            match need {
                Need::Approval => replies.extend(self.approvals(state, id)),
                Need::Answer => replies.extend(self.answer(state, id)),
                Need::Failure | Need::Doubt => {
                    let reply = self.remedy(state, id, need, &mut used);
                    replies.extend(reply.into_iter().flat_map(|reply| self.with_others(state, id, reply)));
                }
            }
        }
        replies
    }

    fn people(&self) -> &People {
        &self.scenario.people
    }

    /// As many people as the gate still needs, all asked at once; one is enough to say no.
    fn approvals(&self, state: &State, id: NodeId) -> Vec<Reply> {
        let node = state.node(id);
        let Some(gate) = node.gate() else { return Vec::new() };
        let reply = self.people().reply(&node.path.0);
        if reply.silent {
            return Vec::new();
        }
        let missing = (gate.opened.quorum as usize).saturating_sub(gate.votes.len());
        let wanted = if reply.reject.is_some() { 1 } else { missing };
        let (decision, reason) = match &reply.reject {
            Some(why) => (Decision::Reject, why.clone()),
            None => (Decision::Approve { digest: gate.opened.digest.clone() }, "approved in the rehearsal".to_owned()),
        };
        let asked = gate.opened.digest.get(..12).unwrap_or_default();
        let people = self.approvers(state, gate).into_iter().take(wanted);
        let answered = people.map(|person| Reply {
            id: format!("reply-{}-{asked}-{}-{person}", node.path, node.attempts_before),
            step: Some(node.path.clone()),
            decision: decision.clone(),
            person,
            reason: reason.clone(),
            after: reply.after.or(self.people().default.after).unwrap_or(DELAY),
        });
        answered.collect()
    }

    /// Who may approve: of those asked; where nobody is named, the operator first.
    fn approvers(&self, state: &State, gate: &Gate) -> Vec<String> {
        let mut people = self.asked(gate);
        people.retain(|name| may_approve(self.plan, state, gate, &person(name)).is_ok());
        people
    }

    fn asked(&self, gate: &Gate) -> Vec<String> {
        let everybody = || {
            let others = self.plan.workspace.roles.values().flat_map(|role| &role.people).cloned();
            std::iter::once(self.operator.to_owned()).chain(others).chain(["colleague".to_owned()]).collect()
        };
        crate::engine::approvers(self.plan, gate).unwrap_or_else(everybody)
    }

    /// A retry behind a gate is said by as many as the gate wants.
    fn with_others(&self, state: &State, id: NodeId, reply: Reply) -> Vec<Reply> {
        let gate = gate_of_retry(state, id).filter(|_| reply.decision == Decision::Retry);
        let Some(gate) = gate else { return vec![reply] };
        let may = |name: &String| may_retry(self.plan, state, id, &person(name)).is_ok();
        let missing = (gate.opened.quorum as usize).saturating_sub(gate.votes.len());
        let people: Vec<String> = self.asked(&gate).into_iter().filter(may).take(missing).collect();
        let Some((last, others)) = people.split_last() else { return vec![reply] };
        let other = |name: &String| Reply { id: format!("{}-{name}", reply.id), person: name.clone(), ..reply.clone() };
        let mut replies: Vec<Reply> = others.iter().map(other).collect();
        replies.push(Reply { person: last.clone(), ..reply });
        replies
    }

    fn answer(&self, state: &State, id: NodeId) -> Option<Reply> {
        let node = state.node(id);
        let step = self.plan.step(node.step);
        let reply = self.people().reply(&node.path.0);
        if reply.silent {
            return None;
        }
        let simulate = self.scenario.simulate(&node.path.0).or(step.simulate.as_deref());
        let mut given = simulate.map(|simulate| simulate.outputs.clone()).unwrap_or_default();
        given.extend(reply.answers.clone());
        let asked = node.more.as_ref().and_then(|more| more.asked.as_ref())?;
        let mut declared = self.plan.outputs(node.step);
        declared.retain(|(name, _)| asked.1.iter().any(|(wanted, _)| wanted == name));
        let (outputs, _) = invent::outputs(&declared, &given);
        let fail = reply.reject.clone().or_else(|| simulate.and_then(|simulate| simulate.fail.clone()));
        let (decision, reason) = match fail {
            Some(why) => (Decision::Reject, why),
            None => (Decision::Answer { outputs }, "done in the rehearsal".to_owned()),
        };
        let takes = simulate.and_then(|simulate| simulate.duration);
        let takes = takes.or_else(|| step.estimate.as_ref().map(|estimate| estimate.typical));
        Some(Reply {
            id: format!("answer-{}-{}", node.path, node.attempt),
            step: Some(node.path.clone()),
            decision,
            person: self.operator.to_owned(),
            reason,
            after: reply.after.or(takes).or(self.people().default.after).unwrap_or(DELAY),
        })
    }

    /// The first remedy that fits and was not used; in doubt, else the truth where somebody can look.
    fn remedy(&self, state: &State, id: NodeId, need: Need, used: &mut Vec<usize>) -> Option<Reply> {
        let node = state.node(id);
        let fits = |act: RemedyAct| match act {
            RemedyAct::Resolve(_) => need == Need::Doubt,
            RemedyAct::Retry | RemedyAct::Skip => need == Need::Failure,
            RemedyAct::Abort => true,
        };
        // Who looks at the world goes by what is there, whatever the scenario says.
        let looks = self.truth.is_some() && need == Need::Doubt;
        let found = self.people().on_failure.iter().enumerate().filter(|_| !looks).find(|(index, remedy)| {
            let named = remedy.step.as_ref().is_none_or(|step| names(&step.value, &node.path.0));
            let free = !used.contains(index) && !state.decisions.contains(&format!("remedy-{index}"));
            named && free && fits(remedy.act)
        });
        let reply = |id: String, step, decision, reason: &str, after| Reply {
            id,
            step,
            decision,
            person: self.operator.to_owned(),
            reason: reason.to_owned(),
            after,
        };
        let Some((index, remedy)) = found else {
            let truth = self.truth.filter(|_| need == Need::Doubt)?;
            let resolution = if truth(node) { Resolution::Happened } else { Resolution::DidNotHappen };
            let side = if node.state == StepState::InDoubt { "doubt" } else { "undo" };
            let name = format!("truth-{}-{side}-{}-{}", node.path, node.attempt, state.pauses.0);
            let decision = self.resolved(resolution, node.step);
            return Some(reply(name, Some(node.path.clone()), decision, "looked at in the rehearsal", DELAY));
        };
        used.push(index);
        let name = format!("remedy-{index}");
        let path = Some(node.path.clone());
        Some(match remedy.act {
            RemedyAct::Retry => reply(name, path, Decision::Retry, "retried in the rehearsal", remedy.after),
            RemedyAct::Skip => {
                let outputs = self.stand_ins(node.step);
                reply(name, path, Decision::Skip { outputs }, "skipped in the rehearsal", remedy.after)
            }
            RemedyAct::Resolve(resolution) => {
                let decision = self.resolved(resolution, node.step);
                reply(name, path, decision, "resolved in the rehearsal", remedy.after)
            }
            RemedyAct::Abort => reply(name, None, Decision::Abort, "aborted in the rehearsal", remedy.after),
        })
    }

    fn resolved(&self, resolution: Resolution, step: StepIndex) -> Decision {
        let happened = resolution == Resolution::Happened;
        Decision::Resolve { resolution, outputs: if happened { self.stand_ins(step) } else { Map::new() } }
    }

    /// What a person says a step gave back that they call done.
    fn stand_ins(&self, step: StepIndex) -> Map<String, Value> {
        invent::outputs(&self.plan.outputs(step), &Map::new()).0
    }
}

/// A person of a rehearsal.
pub(super) fn person(name: &str) -> Person {
    Person { name: name.to_owned(), host: "rehearsal".to_owned(), claimed: true }
}

/// Whether nothing but a reply can bring the run on.
pub(super) fn is_stuck(state: &State) -> bool {
    let is_given_up = state.aborted.is_some() || state.rollback.is_some();
    let gate_may_escalate = !is_given_up
        && state.iter().any(|(_, node)| {
            node.state == StepState::AwaitingApproval && node.gate().is_some_and(Gate::waits_for_time)
        });
    let waits = [StepState::AwaitingApproval, StepState::AwaitingPerson, StepState::InDoubt, StepState::Failed];
    let undone = state.count(StepState::RollbackFailed) > 0;
    let waits = undone || state.pauses.1 || waits.iter().any(|waiting| state.count(*waiting) > 0);
    state.ended.is_none() && waits && !state.is_active() && !gate_may_escalate
}
