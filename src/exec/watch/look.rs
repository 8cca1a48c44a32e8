//! One look: the detection phase, for real, and what its probes say.
//!
//! It is the beginning of a dry run that goes no further: the same engine, the same actions, the same reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::health::Verdict;
use crate::actions::azure::{Azure, Credentials};
use crate::actions::registry::Registry;
use crate::catalogue::{Effect as EffectClass, Timestamp};
use crate::edge::clock::Clock;
use crate::edge::secrets::Secrets;
use crate::engine::{Effect, Input, Machine, NodeId, Options, RunStarted, Seq, State, StepState};
use crate::exec::worker::{Message, Worker};
use crate::plan::definition::written;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::{Phase, Step};

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// When it began.
    pub(super) at: Timestamp,
    /// What it says; nothing where no probe could tell.
    pub(super) verdict: Option<Verdict>,
    /// What each step that counts says, in the order of the runbook.
    pub(super) evidence: Vec<String>,
}

/// Looks, as often as wanted.
pub(super) struct Looker {
    pub(super) plan: Arc<Plan>,
    pub(super) registry: Arc<Registry>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) workspace: std::path::PathBuf,
    pub(super) started: RunStarted,
    /// The steps whose verdict counts.
    pub(super) counted: Vec<StepIndex>,
}

impl Looker {
    /// Takes one look. What a process of its own would do is refused before: see [`refused`].
    pub(super) async fn look(&self) -> Look {
        let at = self.clock.now();
        let mut machine = self.machine();
        let (messages, mut heard) = mpsc::unbounded_channel();
        let worker = match self.worker(messages) {
            Ok(worker) => Arc::new(worker),
            Err(problem) => return Look { at, verdict: None, evidence: vec![problem] },
        };
        let mut input = Input::Start(Box::new(self.started.clone()));
        loop {
            let effects = match machine.handle(self.clock.now(), input) {
                Ok(effects) => effects,
                Err(illegal) => return Look { at, verdict: None, evidence: vec![illegal.to_string()] },
            };
            for effect in effects {
                match effect {
                    Effect::Do { job, .. } if self.is_detection(machine.state(), job.id.node) => worker.start(job),
                    _ => {}
                }
            }
            if self.is_over(machine.state()) {
                return self.judged(at, machine.state());
            }
            input = match heard.recv().await {
                Some(Message::Done { job, answer }) => Input::Done { job, answer },
                // A read leaves nothing that has to be found again.
                Some(Message::Handle { kept, .. }) => {
                    kept.send(()).ok();
                    Input::Time
                }
                None => return self.judged(at, machine.state()),
            };
        }
    }

    fn machine(&self) -> Machine {
        let options = Options {
            parallel: 64,
            jitter: Box::new(|| 0.0),
            #[cfg(feature = "mutants")]
            blind_retry: false,
        };
        Machine::new(Arc::clone(&self.plan), State::new(&self.plan), Seq(0), options)
    }

    fn worker(&self, messages: mpsc::UnboundedSender<Message>) -> Result<Worker, String> {
        let http = crate::edge::http::http_client().map_err(|error| error.to_string())?;
        let credentials = Credentials::new(self.plan.workspace.azure.credentials.clone());
        let clock = Arc::clone(&self.clock);
        Ok(Worker {
            registry: Arc::clone(&self.registry),
            azure: Arc::new(Azure::new(Arc::new(http.clone()), credentials, clock, "watch")),
            http,
            clock: Arc::clone(&self.clock),
            secrets: Arc::clone(&self.secrets),
            workspace: self.workspace.clone(),
            folder: None,
            run: "watch".to_owned(),
            messages,
            cancels: Mutex::new(BTreeMap::new()),
        })
    }

    fn is_detection(&self, state: &State, node: NodeId) -> bool {
        self.plan.step(state.node(node).step).phase == Phase::Detection
    }

    fn is_over(&self, state: &State) -> bool {
        let mut nodes = state.iter().filter(|(id, _)| self.is_detection(state, *id));
        let goes_on = |node: StepState| node.is_active() || node == StepState::Pending;
        state.ended.is_some() || !nodes.any(|(_, node)| goes_on(node.state))
    }

    /// The worst that a step says counts.
    fn judged(&self, at: Timestamp, state: &State) -> Look {
        let counted = state.iter().filter(|(id, node)| {
            self.counted.contains(&node.step)
                && !state.children.contains_key(id)
                && node.state != StepState::NotApplicable
        });
        let (mut verdict, mut evidence) = (None, Vec::new());
        for (_, node) in counted {
            let said = node.outputs.values().and_then(|outputs| said(outputs));
            let why = node.reason().or(Some(&*node.note)).filter(|why| !why.is_empty());
            let word = said.map_or("unknown", Verdict::word);
            evidence.push(format!("{}: {}", node.path, why.map_or(word.to_owned(), |why| format!("{word}: {why}"))));
            verdict = verdict.max(said);
        }
        Look { at, verdict, evidence }
    }
}

/// What the outputs of a probe say: its `verdict`, or whether it is `healthy`.
fn said(outputs: &Map<String, Value>) -> Option<Verdict> {
    let verdict = outputs.get("verdict").and_then(Value::as_str).and_then(Verdict::named);
    let healthy = outputs.get("healthy").and_then(Value::as_bool);
    verdict.or(healthy.map(|healthy| if healthy { Verdict::Healthy } else { Verdict::Down }))
}

/// The steps of the detection phase.
pub(super) fn detection(plan: &Plan) -> impl Iterator<Item = (StepIndex, &Step)> {
    plan.own_steps().filter(|(_, step)| step.phase == Phase::Detection)
}

/// The steps that say whether something is healthy.
pub(super) fn telling(plan: &Plan) -> Vec<StepIndex> {
    let tells = |step: StepIndex| plan.outputs(step).iter().any(|(name, _)| name == "verdict" || name == "healthy");
    detection(plan).map(|(index, _)| index).filter(|index| tells(*index)).collect()
}

/// Why the detection phase cannot be looked at again and again: a step of it does more than read, or asks people.
pub(super) fn refused(plan: &Plan) -> Option<String> {
    detection(plan).find_map(|(index, step)| {
        let (id, action) = (&step.id.value, &step.action.name.value);
        if step.approval.is_some() || action == "manual" {
            return Some(format!("`{id}` asks people"));
        }
        if matches!(action.as_str(), "shell" | "exec" | "runbook") {
            return Some(format!("`{id}` is `{action}`: nothing tells that it only reads"));
        }
        let with = match written(plan.runbook_of(index), &step.action.with.value) {
            Value::Object(with) => with,
            _ => Map::new(),
        };
        let reads = plan.effect(action, &with) == EffectClass::Reads;
        (!reads).then(|| format!("`{id}` is `{action}`, which does more than read"))
    })
}

/// The first step of the execution that would begin without anybody being asked.
pub(super) fn unasked(plan: &Plan) -> Option<String> {
    plan.steps().find_map(|(index, step)| {
        let with = match written(plan.runbook_of(index), &step.action.with.value) {
            Value::Object(with) => with,
            _ => Map::new(),
        };
        let action = step.action.name.value.as_str();
        let changes = !matches!(action, "manual" | "runbook") && plan.effect(action, &with) != EffectClass::Reads;
        let of_execution = plan.callers(index).all(|index| plan.step(index).phase == Phase::Execution);
        let asked = plan.callers(index).any(|index| is_asked(plan, index));
        (of_execution && changes && !asked).then(|| plan.path(index))
    })
}

/// Whether people are asked before the step, in its own runbook, whatever its inputs are.
fn is_asked(plan: &Plan, index: StepIndex) -> bool {
    let asks = |step: &Step| step.when.is_none() && (step.approval.is_some() || step.action.name.value == "manual");
    let own = plan.step(index);
    let before = |(other, step): (StepIndex, &Step)| {
        let earlier = step.phase.is_barrier() && step.phase < own.phase;
        asks(step) && (earlier || plan.graph.descendants(other).binary_search(&index).is_ok())
    };
    own.approval.is_some() || plan.part_of(index).indexed().any(before)
}
