//! A question to the operator, answered line by line. Knows no terminal: it is given lines.

use serde_json::{Map, Value};

use super::answers::{hint, parse_answer};
use super::consequences::{abort_preview, skip_preview};
use super::needs::Need;
use super::status::needed;
use super::summary::clock_words;
use super::view::View;
use crate::catalogue::{Timestamp, Type};
use crate::engine::{Decision, NodeId, NodePath, Resolution, State, StepState};
use crate::plan::Read;

/// What was answered at the prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptAnswer {
    /// The step; none for the whole run.
    pub step: Option<NodePath>,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Option<String>,
}

/// What a line led to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// The next question, after these lines.
    Ask(Vec<String>),
    /// It is answered; nothing means that the operator leaves the run as it is.
    Answered(Option<PromptAnswer>),
    /// Not now.
    Later,
}

/// A question as it stands.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) need: Need,
    pub(super) node: NodeId,
    /// Which occasion it is: the same step may be asked about again.
    pub(super) tick: u32,
    path: NodePath,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Choose,
    Outputs { decision: Decision, wanted: Vec<Wanted>, given: Map<String, Value> },
    Reason(Decision),
}

/// An output that is asked for.
#[derive(Clone, Debug)]
struct Wanted {
    name: String,
    kind: Type,
    /// Whether it cannot be left out.
    needed: bool,
}

impl Prompt {
    /// The first question about a step.
    pub(super) fn new(state: &State, need: Need, node: NodeId) -> Self {
        let about = state.node(node);
        Self { need, node, tick: about.ended_tick, path: about.path.clone(), stage: Stage::Choose }
    }

    /// What the operator has to know before the question; raw.
    pub(super) fn opening(&self, view: &View, now: Timestamp) -> Vec<String> {
        let mut lines = needed(&view.plan, &view.state, now, self.need, self.node);
        lines.push(format!("  {}", clock_words(&view.timeline.clock(&view.plan, now))));
        lines
    }

    /// The question; raw.
    pub(super) fn text(&self, view: &View) -> String {
        match &self.stage {
            Stage::Choose => {
                let question = match self.need {
                    Need::Doubt => format!("did {} happen?", self.path),
                    Need::Approval => format!("approve {}?", self.path),
                    Need::Answer => format!("is {} done?", self.path),
                    Need::Failure => format!("{}: what now?", self.path),
                };
                format!("{question} [{}] ", self.choices(view).join("/"))
            }
            Stage::Outputs { wanted, .. } => {
                let question = |Wanted { name, kind, needed }: &Wanted| {
                    let optional = if *needed { "" } else { ", enter for none" };
                    format!("{name} ({}{optional}): ", hint(kind))
                };
                wanted.first().map_or_else(String::new, question)
            }
            Stage::Reason(decision) if is_reason_needed(decision) => "reason (enter to go back): ".to_owned(),
            Stage::Reason(_) => "reason (enter for none): ".to_owned(),
        }
    }

    /// Whether the operator is about to type more than a word.
    pub(super) fn is_free_text(&self) -> bool {
        !matches!(self.stage, Stage::Choose)
    }

    fn needs_all(&self) -> bool {
        self.need == Need::Answer
    }

    fn choices(&self, view: &View) -> &'static [&'static str] {
        match self.need {
            Need::Doubt => &["happened", "did-not-happen", "retry", "leave"],
            Need::Approval | Need::Answer => &["yes", "no", "later"],
            Need::Failure if view.state.node(self.node).state == StepState::RollbackFailed => {
                &["retry", "skip", "leave"]
            }
            Need::Failure => &["retry", "skip", "abort", "leave"],
        }
    }

    /// Takes a line the operator typed.
    pub(super) fn answer(&mut self, view: &View, line: &str) -> Reply {
        let line = line.trim();
        match std::mem::replace(&mut self.stage, Stage::Choose) {
            Stage::Choose => self.choose(view, line),
            Stage::Outputs { decision, wanted, given } => self.output(line, decision, wanted, given),
            Stage::Reason(decision) if line.is_empty() && is_reason_needed(&decision) => Reply::Ask(Vec::new()),
            Stage::Reason(decision) => self.decided(decision, Some(line).filter(|line| !line.is_empty())),
        }
    }

    fn choose(&mut self, view: &View, word: &str) -> Reply {
        let choices = self.choices(view);
        if !choices.contains(&word) {
            return Reply::Ask(vec![format!("wanted one of: {}", choices.join(", "))]);
        }
        let resolve = |resolution| Decision::Resolve { resolution, outputs: Map::new() };
        let decision = match (word, self.need) {
            ("later", _) => return Reply::Later,
            ("leave", _) => return Reply::Answered(None),
            ("yes", Need::Approval) => match view.state.node(self.node).gate() {
                Some(gate) => Decision::Approve { digest: gate.opened.digest.clone() },
                None => return Reply::Later,
            },
            ("yes", _) => Decision::Answer { outputs: Map::new() },
            ("no", _) => Decision::Reject,
            ("happened", _) => resolve(Resolution::Happened),
            ("did-not-happen", _) => resolve(Resolution::DidNotHappen),
            ("retry", Need::Doubt) => resolve(Resolution::Retry),
            ("retry", _) => return self.decided(Decision::Retry, None),
            ("skip", _) => {
                let starts = skip_preview(&view.plan, &view.state, self.node);
                return match self.begin(view, Decision::Skip { outputs: Map::new() }) {
                    Reply::Ask(more) => Reply::Ask(std::iter::once(starts).chain(more).collect()),
                    other => other,
                };
            }
            _ => {
                self.stage = Stage::Reason(Decision::Abort);
                return Reply::Ask(abort_preview(&view.plan, &view.state));
            }
        };
        self.begin(view, decision)
    }

    /// Asks for outputs first, where the decision carries some, then for the reason.
    fn begin(&mut self, view: &View, decision: Decision) -> Reply {
        let wanted = match &decision {
            Decision::Answer { .. } | Decision::Skip { .. } => self.wanted(view),
            Decision::Resolve { resolution, .. } if *resolution == Resolution::Happened => self.wanted(view),
            _ => Vec::new(),
        };
        self.after_outputs(decision, wanted, Map::new())
    }

    /// The answers a manual step wants; else the outputs that anything reads.
    fn wanted(&self, view: &View) -> Vec<Wanted> {
        let node = view.state.node(self.node);
        let step = node.step;
        let known = view.plan.outputs(step);
        let asked = node.more.as_ref().and_then(|more| more.asked.as_ref());
        let Some((_, answers)) = asked.filter(|_| self.needs_all()) else {
            let reads = view.plan.reads_of(step);
            let wanted = known.into_iter().filter_map(|(name, kind)| {
                let of_it = |read: &&Read| read.output.as_ref().is_none_or(|output| *output == name);
                let needed = reads.iter().filter(of_it).map(|read| read.needed).reduce(|one, other| one || other)?;
                Some(Wanted { name, kind, needed })
            });
            return wanted.collect();
        };
        let kind = |name: &str| known.iter().find(|(known, _)| known == name).map(|(_, kind)| kind.clone());
        let typed = |(name, _): &(String, String)| {
            let kind = kind(name).unwrap_or(Type::String);
            Wanted { name: name.clone(), kind, needed: true }
        };
        answers.iter().map(typed).collect()
    }

    fn output(
        &mut self,
        line: &str,
        decision: Decision,
        mut wanted: Vec<Wanted>,
        mut given: Map<String, Value>,
    ) -> Reply {
        let Some(Wanted { name, kind, needed }) = wanted.first().cloned() else {
            return self.after_outputs(decision, wanted, given);
        };
        let problem = match (line.is_empty(), needed) {
            (true, true) => Some("an answer is needed".to_owned()),
            (true, false) => None,
            (false, _) => match parse_answer(line, &kind) {
                Ok(value) => {
                    given.insert(name, value);
                    None
                }
                Err(problem) => Some(problem),
            },
        };
        if problem.is_none() {
            wanted.remove(0);
            return self.after_outputs(decision, wanted, given);
        }
        self.stage = Stage::Outputs { decision, wanted, given };
        Reply::Ask(problem.into_iter().collect())
    }

    fn after_outputs(&mut self, decision: Decision, wanted: Vec<Wanted>, given: Map<String, Value>) -> Reply {
        if !wanted.is_empty() {
            self.stage = Stage::Outputs { decision, wanted, given };
            return Reply::Ask(Vec::new());
        }
        let decision = match decision {
            Decision::Answer { .. } => return self.decided(Decision::Answer { outputs: given }, None),
            Decision::Skip { .. } => Decision::Skip { outputs: given },
            Decision::Resolve { resolution, .. } => Decision::Resolve { resolution, outputs: given },
            other => other,
        };
        self.stage = Stage::Reason(decision);
        Reply::Ask(Vec::new())
    }

    fn decided(&self, decision: Decision, reason: Option<&str>) -> Reply {
        let step = (decision != Decision::Abort).then(|| self.path.clone());
        Reply::Answered(Some(PromptAnswer { step, decision, reason: reason.map(str::to_owned) }))
    }
}

fn is_reason_needed(decision: &Decision) -> bool {
    matches!(decision, Decision::Skip { .. } | Decision::Resolve { .. } | Decision::Abort)
}
