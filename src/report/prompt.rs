//! Questions to the person at the terminal.
//!
//! The terminal stays in its ordinary mode and is polled, so that Ctrl-C stays a signal, and an answer
//! from another terminal ends the question at once. A prompt that blocks could do neither.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PromptAnswer;
use crate::actions::manual::parse_answer;
use crate::catalogue::Type;
use crate::engine::event::{Decision, NodePath, Resolution};
use crate::engine::{NodeId, State, StepState, undo_plan};
use crate::plan::Plan;

/// What is asked, and what was answered so far.
pub(super) struct Prompt {
    /// What it is about.
    pub(super) node: NodeId,
    path: NodePath,
    asks: Asks,
    /// What was chosen, once a reason is asked for.
    chosen: Option<Decision>,
}

enum Asks {
    Gate { digest: String },
    Answers { wanted: Vec<(String, Type)>, given: Map<String, Value> },
    Failed,
    Doubt,
}

/// What a line that was typed leads to.
pub(super) enum Step {
    /// Another question.
    Ask(String),
    /// An answer.
    Answer(PromptAnswer),
    /// The person leaves the run as it is.
    Leave,
}

impl Prompt {
    /// The question that the state of a run calls for; `idle` says that nothing else goes on.
    pub(super) fn wanted(plan: &Plan, state: &State, idle: bool, later: &[NodeId]) -> Option<Self> {
        let asked = |(id, _): &(NodeId, &crate::engine::Node)| !later.contains(id);
        let mut nodes = state.iter().filter(asked);
        let waiting =
            nodes.find(|(_, node)| matches!(node.state, StepState::AwaitingApproval | StepState::AwaitingPerson));
        let (node, it) = match waiting {
            Some(found) => found,
            None if idle => state.iter().filter(asked).find(|(id, node)| match node.state {
                StepState::InDoubt | StepState::RollbackFailed => true,
                StepState::Failed => !state.is_met(plan, *id),
                _ => false,
            })?,
            None => return None,
        };
        let asks = match it.state {
            StepState::AwaitingApproval => Asks::Gate { digest: it.gate()?.opened.digest.clone() },
            StepState::AwaitingPerson => {
                let names =
                    it.more.as_ref().and_then(|more| more.asked.as_ref()).map(|(_, answers)| answers.clone())?;
                let kinds: BTreeMap<String, Type> = plan.outputs(plan.step(it.step)).into_iter().collect();
                let kind = |name: &str| kinds.get(name).cloned().unwrap_or(Type::String);
                Asks::Answers {
                    wanted: names.into_iter().map(|(name, _)| (name.clone(), kind(&name))).collect(),
                    given: Map::new(),
                }
            }
            StepState::InDoubt => Asks::Doubt,
            _ => Asks::Failed,
        };
        Some(Self { node, path: it.path.clone(), asks, chosen: None })
    }

    /// Whether what it asks is still open.
    pub(super) fn is_open(&self, state: &State) -> bool {
        match (&self.asks, state.node(self.node).state) {
            (Asks::Gate { digest }, StepState::AwaitingApproval) => {
                state.node(self.node).gate().is_some_and(|gate| gate.opened.digest == *digest)
            }
            (Asks::Answers { .. }, StepState::AwaitingPerson)
            | (Asks::Failed, StepState::Failed | StepState::RollbackFailed)
            | (Asks::Doubt, StepState::InDoubt) => true,
            _ => false,
        }
    }

    /// The question.
    pub(super) fn question(&self) -> String {
        if self.chosen.is_some() {
            return "reason: ".to_owned();
        }
        let path = &self.path;
        match &self.asks {
            Asks::Gate { .. } => format!("approve {path}? [yes/no/later] "),
            Asks::Answers { wanted, given } => match wanted.get(given.len()) {
                Some((name, kind)) => format!("{path}: {name} ({kind}): "),
                None => format!("{path}: is it done? [yes/no/later] "),
            },
            Asks::Failed => format!("{path} failed. [retry/skip/abort/leave] "),
            Asks::Doubt => format!("did {path} happen? [happened/did-not-happen/retry/leave] "),
        }
    }

    /// What an end of the input means: nobody is there any more.
    pub(super) fn typed(&mut self, line: &str, plan: &Plan, state: &State) -> Step {
        let line = line.trim();
        if let Some(decision) = self.chosen.take() {
            return self.reasoned(decision, line);
        }
        let again = |problem: &str, prompt: &Self| Step::Ask(format!("{problem}\n{}", prompt.question()));
        match &mut self.asks {
            Asks::Gate { digest } => match line.to_lowercase().as_str() {
                "yes" | "y" => {
                    let digest = std::mem::take(digest);
                    let step = self.choose(Decision::Approve { digest: digest.clone() });
                    self.asks = Asks::Gate { digest };
                    step
                }
                "no" | "n" => self.choose(Decision::Reject),
                "later" | "leave" => Step::Leave,
                _ => again("please type yes, no or later", self),
            },
            Asks::Answers { wanted, given } => {
                if let Some((name, kind)) = wanted.get(given.len()).cloned() {
                    if line == "later" || line == "leave" {
                        return Step::Leave;
                    }
                    match parse_answer(line, &kind) {
                        Ok(value) => drop(given.insert(name, value)),
                        Err(problem) => return again(&problem, self),
                    }
                    return Step::Ask(self.question());
                }
                match line.to_lowercase().as_str() {
                    "yes" | "y" => {
                        let outputs = std::mem::take(given);
                        Step::Answer(self.answer(Decision::Answer { outputs }, None))
                    }
                    "no" | "n" => self.choose(Decision::Reject),
                    "later" | "leave" => Step::Leave,
                    _ => again("please type yes, no or later", self),
                }
            }
            Asks::Failed => match line.to_lowercase().as_str() {
                "retry" => self.choose(Decision::Retry),
                "skip" => self.choose(Decision::Skip { outputs: Map::new() }),
                "abort" => self.abort(plan, state),
                "leave" | "later" => Step::Leave,
                _ => again("please type retry, skip, abort or leave", self),
            },
            Asks::Doubt => match line.to_lowercase().as_str() {
                "happened" => self.resolve(Resolution::Happened),
                "did-not-happen" => self.resolve(Resolution::DidNotHappen),
                "retry" => self.resolve(Resolution::Retry),
                "leave" | "later" => Step::Leave,
                _ => again("please type happened, did-not-happen, retry or leave", self),
            },
        }
    }

    fn choose(&mut self, decision: Decision) -> Step {
        self.chosen = Some(decision);
        Step::Ask(self.question())
    }

    fn resolve(&mut self, resolution: Resolution) -> Step {
        self.choose(Decision::Resolve { resolution, outputs: Map::new() })
    }

    fn abort(&mut self, plan: &Plan, state: &State) -> Step {
        let undo = undo_plan(plan, state);
        let names: Vec<String> = undo.steps.iter().map(|id| state.node(*id).path.to_string()).collect();
        let mut text =
            format!("will be undone: {}\n", if names.is_empty() { "nothing".to_owned() } else { names.join(", ") });
        undo.kept.iter().for_each(|(path, why)| text.extend(["cannot be undone: ", &path.0, ": ", why, "\n"]));
        self.chosen = Some(Decision::Abort);
        Step::Ask(text + &self.question())
    }

    fn reasoned(&mut self, decision: Decision, line: &str) -> Step {
        let needs = matches!(decision, Decision::Skip { .. } | Decision::Resolve { .. } | Decision::Abort);
        if needs && line.is_empty() {
            self.chosen = Some(decision);
            return Step::Ask("a reason is needed: it is what the report will say\nreason: ".to_owned());
        }
        let reason = (!line.is_empty()).then(|| line.to_owned());
        Step::Answer(self.answer(decision, reason))
    }

    fn answer(&self, decision: Decision, reason: Option<String>) -> PromptAnswer {
        let step = (decision != Decision::Abort).then(|| self.path.clone());
        PromptAnswer { step, decision, reason }
    }
}

/// Reads what was typed, if anything was; never waits.
#[derive(Default)]
pub(super) struct Typed {
    bytes: Vec<u8>,
    pub(super) ended: bool,
}

impl Typed {
    /// The next whole line.
    pub(super) fn line(&mut self) -> Option<String> {
        let stdin = std::io::stdin();
        let mut ready = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let is_ready = rustix::event::poll(&mut ready, Some(&now)).is_ok_and(|count| count > 0);
        if is_ready && !self.ended && !self.bytes.contains(&b'\n') {
            let mut buffer = [0; 1024];
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(0) | Err(_) => self.ended = true,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
            }
        }
        let at = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=at).collect();
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
