//! How jobs end, what people decide, and what becomes of an attempt that nobody saw end.

use std::sync::Arc;

use serde_json::Value;

use super::again::{may_retry, others_for_retry};
use super::escalation::gate_at;
use super::event::{Decided, Decision, End, Event, Mode, Outputs, Resolution, Side, Sight, StepState};
use super::gate::{in_time, may_approve};
use super::job::{Answer, Effect, JobId, JobKind};
use super::machine::{Machine, Timer};
use super::retry::wait_before_next;
use super::start::is_unknown;
use super::state::{Interrupted, NodeId};
use super::transition::{Illegal, transition};
use crate::catalogue::{Effect as EffectClass, Timestamp};
use crate::plan::{Read, StepIndex, is_main};
use crate::runbook::ast::{OnFailure, OnInterrupt, Step};

impl Machine {
    pub(super) fn keep_handle(&mut self, job: JobId, handle: Value, token: u64) -> Result<(), Illegal> {
        if !self.jobs.contains(&job) && !self.calls.contains(&job) {
            return Ok(());
        }
        let JobId { node, side, attempt } = job;
        let step = self.path(node);
        self.emit(match side {
            Side::Call => Event::CallHandle { step, call: attempt, handle },
            side => Event::Handle { step, side, attempt, handle },
        })?;
        self.effects.push(Effect::HandleKept { token, after: self.last() });
        Ok(())
    }

    /// Takes the answer of a job.
    pub(super) fn finish(&mut self, job: JobId, answer: Answer) -> Result<(), Illegal> {
        let JobId { node, side, attempt } = job;
        let step = self.path(node);
        match answer {
            Answer::End(end) => {
                let end = self.with_retry(node, side, self.unless_owed(node, side, end));
                let retry_at = if let End::Failed { retry_at, .. } = &end { *retry_at } else { None };
                self.emit(Event::Outcome { step, side, attempt, end })?;
                if let Some(at) = retry_at {
                    self.wake_at(at, Timer::Retry(node));
                }
            }
            Answer::NotAttachable => self.more(node).attached = true,
            Answer::Sight(sight) => {
                let again = matches!(sight, Sight::NotApplied { .. });
                self.emit(Event::Observed { step, side, attempt, sight })?;
                match self.state.node(node).state {
                    StepState::Pending if again => return self.apply_or_requeue(node),
                    StepState::RollingBack if again => return self.undo(node),
                    _ => {}
                }
            }
            Answer::Verified { holds, reason } => self.emit(Event::Verified { step, holds, reason })?,
            Answer::Foreseen(lines) => return self.foreseen(job, lines),
        }
        self.follow(node)
    }

    /// Whether what is not delivered by the node is owed rather than in the way.
    fn is_owed(&self, node: NodeId, side: Side) -> bool {
        let index = self.state.node(node).step;
        let step = self.plan.step(index);
        let goes_on = step.on_failure(self.plan.defaults(index)) == OnFailure::Continue || !is_main(step);
        side == Side::Apply && step.action.name.value == "notify" && goes_on
    }

    /// A notice in doubt is owed: nothing waits until a person knows.
    fn unless_owed(&self, node: NodeId, side: Side, end: End) -> End {
        match end {
            End::Ambiguous { evidence } if self.is_owed(node, side) => End::Failed { reason: evidence, retry_at: None },
            end => end,
        }
    }

    /// Nothing tells what came of the attempt: a person decides, but for a notice, which is owed.
    fn in_doubt(&mut self, node: NodeId, side: Side, evidence: String) -> Result<(), Illegal> {
        let step = self.path(node);
        if self.is_owed(node, side) {
            let attempt = self.state.node(node).attempt;
            return self.emit(Event::Outcome {
                step,
                side,
                attempt,
                end: End::Failed { reason: evidence, retry_at: None },
            });
        }
        self.emit(Event::InDoubt { step, side, evidence })
    }

    fn more(&mut self, node: NodeId) -> &mut Interrupted {
        self.state.nodes[node.at()].more().interrupted.get_or_insert_default()
    }

    /// Where the node stands after an answer: its verify, the next look, or nothing.
    fn follow(&mut self, node: NodeId) -> Result<(), Illegal> {
        let state = self.state.node(node);
        match state.state {
            StepState::Verifying if self.state.mode() == Mode::DryRun => {
                let reason = "not looked at in a dry run".to_owned();
                self.emit(Event::Verified { step: self.path(node), holds: true, reason })
            }
            StepState::Verifying => self.verify(node, None),
            StepState::Running | StepState::RollingBack if state.interrupted().is_some() => self.look(node),
            _ => Ok(()),
        }
    }

    fn apply_or_requeue(&mut self, node: NodeId) -> Result<(), Illegal> {
        if self.state.stopping.is_some() || self.state.aborted.is_some() || self.state.rollback.is_some() {
            return Ok(());
        }
        self.apply(node)
    }

    /// A failed attempt is tried again where the step says so.
    fn with_retry(&mut self, node: NodeId, side: Side, end: End) -> End {
        let End::Failed { reason, .. } = end else { return end };
        let plan = Arc::clone(&self.plan);
        let step = self.state.node(node).step;
        let effect = self.effect_of(node, side);
        let retry = match side {
            Side::Apply => plan.retry(step, effect),
            Side::Rollback => plan.defaults(step).retry.filter(|_| effect.is_repeatable()),
            Side::Call => None,
        };
        let state = self.state.node(node);
        let attempts = state.attempt - state.attempts_before;
        let may = self.state.mode() == Mode::Real && self.state.aborted.is_none();
        let jitter = (self.options.jitter)();
        let wait = retry.filter(|_| may).and_then(|retry| wait_before_next(&retry, attempts, jitter));
        End::Failed { reason, retry_at: wait.map(|wait| self.now.plus(wait)) }
    }

    /// What repeating the current attempt would do.
    pub(super) fn effect_of(&self, node: NodeId, side: Side) -> EffectClass {
        let step = self.plan.step(self.state.node(node).step);
        let action = match (side, &step.rollback) {
            (Side::Rollback, Some(rollback)) => rollback,
            _ => &step.action,
        };
        match self.parameters(node, action).map(|with| with.shown()) {
            Ok(Value::Object(with)) => self.plan.effect(&action.name.value, &with),
            _ => EffectClass::UnsafeToRepeat,
        }
    }

    pub(super) fn retry_now(&mut self, node: NodeId) -> Result<(), Illegal> {
        let state = self.state.node(node);
        if self.state.stopping.is_some() || self.jobs.iter().any(|job| job.node == node) {
            return Ok(());
        }
        match state.state {
            StepState::RetryWait => self.apply(node),
            StepState::RollingBack => self.undo(node),
            _ => Ok(()),
        }
    }

    /// Polls the step's verify; `Some` asks once about an attempt that nobody saw end.
    fn verify(&mut self, node: NodeId, once: Option<()>) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        let Some(verify) = &step.verify else { return Ok(()) };
        if is_unknown(&self.state.node(node).outputs) {
            return Ok(());
        }
        match self.parameters(node, &verify.action) {
            Ok(with) => {
                let within = if once.is_some() { std::time::Duration::ZERO } else { verify.within };
                let kind = JobKind::Verify { within, every: verify.every };
                let mut job = self.job(node, Side::Apply, kind, &verify.action, with);
                job.timeout = verify.within.max(std::time::Duration::from_secs(1));
                self.dispatch(job);
                Ok(())
            }
            Err(problem) if once.is_some() => {
                self.emit(Event::Verified { step: self.path(node), holds: false, reason: problem.to_string() })?;
                self.follow(node)
            }
            Err(problem) => self.fail(node, format!("verify: {problem}")),
        }
    }

    /// A verify that the process before did not see end is asked anew.
    pub(super) fn verify_again(&mut self, node: NodeId) -> Result<(), Illegal> {
        self.verify(node, None)
    }

    /// The next look at an attempt that nobody saw end: its handle, the world, its verify; then it is
    /// run again if that is safe, or a person decides.
    pub(super) fn look(&mut self, node: NodeId) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let state = self.state.node(node);
        let step = plan.step(state.step);
        let side = state.side();
        let Some(interrupted) = state.interrupted().cloned() else {
            return Ok(());
        };
        let effect = self.effect_of(node, side);
        let asks = step.on_interrupt == Some(OnInterrupt::Ask);
        #[cfg(feature = "mutants")]
        // A notice in doubt stays so, however often it is run: that would go on for ever.
        if self.options.blind_retry && !step.is_notice() {
            return self.run_again(node, side, step);
        }
        if !interrupted.attached {
            let handle = state.handle().cloned().unwrap_or(Value::Null);
            return self.look_with(node, side, JobKind::Attach(handle));
        }
        if !interrupted.observed && !asks && effect != EffectClass::Reads {
            return self.look_with(node, side, JobKind::Observe);
        }
        let by_verify =
            side == Side::Apply && step.verify.is_some() && !matches!(step.on_interrupt, Some(OnInterrupt::Retry));
        if by_verify && !interrupted.verified && !asks {
            return self.verify(node, Some(()));
        }
        // To begin again what goes on would meet itself: a person waits, or runs it again, which follows it.
        let goes_on = matches!(state.more.as_ref().and_then(|more| more.sight.as_ref()), Some(Sight::UnderWay { .. }));
        if plan.is_repeatable(step, effect) && !goes_on && !asks && step.on_interrupt != Some(OnInterrupt::Verify) {
            return self.run_again(node, side, step);
        }
        let evidence = interrupted.evidence.unwrap_or_else(|| self.left_behind(node, side));
        self.in_doubt(node, side, evidence)
    }

    /// What the process before left of an attempt without a handle: which it was, since when, what it did, and what the
    /// last look at the world said.
    fn left_behind(&self, node: NodeId, side: Side) -> String {
        let state = self.state.node(node);
        let action = match (side, &self.plan.step(state.step).rollback) {
            (Side::Rollback, Some(rollback)) => rollback,
            _ => &self.plan.step(state.step).action,
        };
        let with = self.parameters(node, action).map(|with| with.shown());
        let gist = match with {
            Ok(Value::Object(with)) => self.plan.catalogue.gist(&action.name.value, &with),
            _ => None,
        };
        let began = state.began.map(|began| format!(", which began at {began}")).unwrap_or_default();
        let gist = gist.map(|gist| format!(": {gist}")).unwrap_or_default();
        let seen = match state.more.as_ref().and_then(|more| more.sight.as_ref()) {
            Some(Sight::Unknown { reason }) => format!("; its state could not be read: {reason}"),
            Some(Sight::UnderWay { reason }) => format!("; {reason}"),
            _ => String::new(),
        };
        format!("drctl stopped during attempt {}{began}{gist}{seen}", state.attempt)
    }

    fn run_again(&mut self, node: NodeId, side: Side, step: &Step) -> Result<(), Illegal> {
        let attempt = self.state.node(node).attempt;
        let reason = format!("`{}` may be repeated", step.action.name.value);
        self.emit(Event::Observed { step: self.path(node), side, attempt, sight: Sight::NotApplied { reason } })?;
        match side {
            Side::Apply | Side::Call => self.apply_or_requeue(node),
            Side::Rollback => self.undo(node),
        }
    }

    pub(super) fn look_with(&mut self, node: NodeId, side: Side, kind: JobKind) -> Result<(), Illegal> {
        let plan = Arc::clone(&self.plan);
        let step = plan.step(self.state.node(node).step);
        let action = match (side, &step.rollback) {
            (Side::Rollback, Some(rollback)) => rollback,
            _ => &step.action,
        };
        match self.parameters(node, action) {
            Ok(with) => {
                let job = self.job(node, side, kind, action, with);
                self.dispatch(job);
                Ok(())
            }
            Err(problem) => {
                let evidence = format!("its parameters cannot be rendered any more: {problem}");
                self.in_doubt(node, side, evidence)
            }
        }
    }

    /// Takes a person's decision once; one that does not fit is refused, with the reason.
    pub(super) fn decide(&mut self, decided: Decided) -> Result<(), Illegal> {
        if self.state.decisions.contains(&decided.id) {
            return Ok(());
        }
        if let Err(reason) = self.judge(&decided, self.now) {
            return self.emit(Event::DecisionRefused { id: decided.id, reason });
        }
        let node = decided.step.as_ref().and_then(|path| self.state.find(&self.plan, &path.0));
        let decision = decided.decision.clone();
        let decided = self.counted(decided);
        self.emit(Event::Decided(Box::new(decided)))?;
        match node {
            Some(node) => self.after_decision(node, &decision),
            None => {
                self.cancel_running();
                let number = self.state.pauses.0 + 1;
                let reason = format!("aborted by {}", self.state.aborted.clone().unwrap_or_default());
                self.pause(number, reason)
            }
        }
    }

    /// The decision as it is journaled: how many others have to say the same is not for the person to tell.
    #[must_use]
    pub fn counted(&self, decided: Decided) -> Decided {
        let node = decided.step.as_ref().and_then(|path| self.state.find(&self.plan, &path.0));
        let others = node.filter(|_| decided.decision == Decision::Retry);
        Decided { others: others.map_or(0, |node| others_for_retry(&self.state, node)), ..decided }
    }

    fn after_decision(&mut self, node: NodeId, decision: &Decision) -> Result<(), Illegal> {
        match (decision, self.state.node(node).state) {
            (Decision::Answer { .. }, StepState::Verifying) => self.verify(node, None),
            (_, StepState::RollingBack) => self.undo(node),
            (_, StepState::Pending) if self.state.node(node).parent.is_some() => {
                let parent = self.state.node(node).parent.unwrap_or(node);
                self.waiting.entry(parent).or_default().push_front(node);
                Ok(())
            }
            (_, StepState::Pending) => {
                self.enqueue(node);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether a decision can be taken `now`.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn judge(&self, decided: &Decided, now: Timestamp) -> Result<(), String> {
        if self.state.ended.is_some() {
            return Err("the run has ended".to_owned());
        }
        let Some(path) = &decided.step else {
            return match decided.reason.as_deref().map(str::trim) {
                _ if self.state.aborted.is_some() => Err("the run is being aborted already".to_owned()),
                Some("") => Err("a reason is needed".to_owned()),
                _ => Ok(()),
            };
        };
        let Some(node) = self.state.find(&self.plan, &path.0) else {
            let paths: Vec<String> = self.plan.paths().collect();
            let meant = crate::diag::closest(&path.0, paths.iter().map(String::as_str));
            let meant = meant.map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
            return Err(format!("the run has no step `{path}`{meant}"));
        };
        // Before its instances begin, a step is asked for, and refused, as one.
        let is_one = matches!(self.state.node(node).state, StepState::AwaitingApproval | StepState::Failed);
        if self.state.is_group(&self.plan, node) && self.state.children.contains_key(&node) && !is_one {
            let children = &self.state.children[&node];
            let names: Vec<String> = children.iter().take(5).map(|child| format!("`{}`", self.path(*child))).collect();
            return Err(format!(
                "`{path}` stands for {} instances: name one of them, such as {}",
                children.len(),
                names.join(", ")
            ));
        }
        let state = self.state.node(node);
        if let Some(frame) = self.state.called(node).filter(|_| state.state == StepState::Running) {
            let steps: Vec<String> = self
                .state
                .frame(frame)
                .nodes(&self.plan)
                .take(5)
                .map(|step| format!("`{}`", self.path(step)))
                .collect();
            let names = steps.join(", ");
            return Err(format!("`{path}` stands for the steps of a runbook: name one of them, such as {names}"));
        }
        if self.jobs.iter().any(|job| job.node == node) {
            return Err(format!("`{path}` is {} right now", state.state.words()));
        }
        if transition(state, false, &Event::Decided(Box::new(decided.clone()))).is_err() {
            return Err(format!(
                "`{path}` is {}: there is nothing to {}",
                state.state.words(),
                decided.decision.name()
            ));
        }
        self.judge_content(node, decided, now)
    }

    fn judge_content(&self, node: NodeId, decided: &Decided, now: Timestamp) -> Result<(), String> {
        let state = self.state.node(node);
        let step = state.step;
        match &decided.decision {
            Decision::Approve { .. } if self.state.aborted.is_some() || self.state.rollback.is_some() => {
                Err("the run is being undone: nothing new starts".to_owned())
            }
            Decision::Retry => may_retry(&self.plan, &self.state, node, &decided.person),
            Decision::Approve { digest } => {
                // What somebody said when their time had come holds, though nobody called them then.
                let said = now.min(decided.at);
                let gate = gate_at(&self.plan, state, said).ok_or_else(|| format!("`{}` has no gate", state.path))?;
                if *digest != gate.opened.digest {
                    return Err(
                        "what would be done has changed since it was shown: look again, then approve".to_owned()
                    );
                }
                in_time(&self.plan, state, said)?;
                may_approve(&self.plan, &self.state, &gate, &decided.person)
            }
            Decision::Answer { outputs } => {
                let asked = state.more.as_ref().and_then(|more| more.asked.as_ref());
                let wanted = asked.map(|(_, answers)| answers.as_slice()).unwrap_or_default();
                if let Some((name, kind)) = wanted.iter().find(|(name, _)| !outputs.contains_key(name)) {
                    return Err(format!("an answer for `{name}` ({kind}) is missing"));
                }
                self.judge_outputs(step, outputs)
            }
            Decision::Skip { outputs } | Decision::Resolve { outputs, .. } => {
                if decided.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
                    return Err("a reason is needed".to_owned());
                }
                self.judge_outputs(step, outputs)?;
                let done = !matches!(
                    decided.decision,
                    Decision::Resolve { resolution: Resolution::DidNotHappen | Resolution::Retry, .. }
                );
                let is_resolved = matches!(decided.decision, Decision::Resolve { .. });
                if done { self.judge_missing(node, outputs, is_resolved) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// What is read of a step that people say is done has to be given: nobody could give it later.
    fn judge_missing(&self, node: NodeId, given: &serde_json::Map<String, Value>, is_done: bool) -> Result<(), String> {
        let about = self.state.node(node);
        let many = self.state.is_group(&self.plan, node);
        if many || about.side() == Side::Rollback || self.state.aborted.is_some() || self.state.rollback.is_some() {
            return Ok(());
        }
        let mut missing: Vec<String> = Vec::new();
        // What is left out is not undone either.
        let matters = |read: &Read| read.needed && (read.by != about.step || is_done);
        for read in self.plan.reads_of(about.step).into_iter().filter(matters) {
            let Some(output) = read.output.filter(|output| !given.contains_key(output)) else { continue };
            if read.key.is_none() || read.key.as_deref() == about.key() {
                let line =
                    format!("`{}` reads `{output}` of it: add `--output {output}=VALUE`", self.plan.path(read.by));
                missing.extend((!missing.contains(&line)).then_some(line));
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(missing.join("; ")) }
    }

    fn judge_outputs(&self, step: StepIndex, outputs: &serde_json::Map<String, Value>) -> Result<(), String> {
        let known = self.plan.outputs(step);
        for (name, value) in outputs {
            let Some((_, kind)) = known.iter().find(|(known, _)| known == name) else {
                let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
                let path = self.plan.path(step);
                return Err(format!("`{path}` has no output `{name}`; it has: {}", names.join(", ")));
            };
            kind.check(value).map_err(|problem| format!("output `{name}`: {problem}"))?;
        }
        Ok(())
    }
}

/// Outputs as an event carries them.
impl From<serde_json::Map<String, Value>> for Outputs {
    fn from(values: serde_json::Map<String, Value>) -> Self {
        Self::of(values)
    }
}
