//! What is known before a run to be in its way: values with which a step that will begin cannot.

use serde_json::{Map, Value};

use super::call::hand_over;
use super::origin::Origin;
use super::outlook::foresee;
use super::scope::NodeScope;
use super::state::{NodeId, State};
use crate::diag::{Diagnostic, Span};
use crate::plan::{self, Plan, StepIndex};
use crate::runbook::ast::{ActionUse, OnFailure};
use crate::runbook::expr::{ExprId, Templated, Undefined};

/// A value with which a step cannot begin.
#[derive(Clone, Debug)]
pub struct Unfit {
    /// What is wrong, where, and how it is mended.
    pub finding: Diagnostic,
    /// Whether the run is given it; else it stands in the file.
    pub is_given: bool,
}

impl Unfit {
    fn note(mut self, note: impl Into<String>) -> Self {
        self.finding = self.finding.note(note);
        self
    }
}

/// Each value that is known before the run, stands in a step that surely begins, and does not fit there; of the items
/// of a `for_each`, the first. Where the run goes on without the step, nothing is in its way.
#[must_use]
pub fn unfit(plan: &Plan) -> Vec<Unfit> {
    let state = foresee(plan);
    let matters = |node: &NodeId| plan.on_failure(state.node(*node).step) != OnFailure::Continue;
    let nodes = (0..).map(NodeId).take(state.nodes.len()).filter(matters);
    let mut found: Vec<Unfit> = nodes.flat_map(|node| Look { plan, state: &state, node }.found()).collect();
    // The first of the other places is where a value that was handed over does not fit.
    let place =
        |Unfit { finding, .. }: &Unfit| (finding.primary, finding.others.first().map(|(span, _)| *span), finding.code);
    found.sort_by_key(place);
    found.dedup_by_key(|unfit| place(unfit));
    found
}

/// What cannot be, and where it is written.
struct Wrong {
    problem: String,
    span: Span,
    read: Vec<ExprId>,
}

/// A look at a node before the run.
#[derive(Clone, Copy)]
struct Look<'s> {
    plan: &'s Plan,
    state: &'s State,
    node: NodeId,
}

impl<'s> Look<'s> {
    fn found(self) -> Vec<Unfit> {
        match self.surely_applies() {
            Ok(false) => Vec::new(),
            Ok(true) => self.items().into_iter().chain(self.call()).chain(self.actions()).collect(),
            Err(wrong) => vec![self.finding("type", "when", wrong)],
        }
    }

    fn step(self) -> StepIndex {
        self.state.node(self.node).step
    }

    fn scope(self) -> NodeScope<'s> {
        NodeScope::of(self.plan, self.state, self.node)
    }

    /// Whether no condition keeps the step from beginning, nor one of those that call it. That one of those has no value
    /// is said of that one.
    fn surely_applies(self) -> Result<bool, Wrong> {
        let frame = self.state.frame(self.state.node(self.node).frame);
        let caller = frame.caller.map(|node| Self { node, ..self });
        let is_called = caller.is_none_or(|caller| matches!(caller.surely_applies(), Ok(true)));
        if frame.begun && is_called { self.condition() } else { Ok(false) }
    }

    /// Whether its own condition surely holds.
    fn condition(self) -> Result<bool, Wrong> {
        let Some(when) = self.plan.step(self.step()).when else { return Ok(true) };
        let span = self.plan.expressions(self.step()).get(when).span;
        Ok(self.known(&Templated::Expression(when), span)? == Some(Value::Bool(true)))
    }

    /// The items of a `for_each` that cannot be.
    fn items(self) -> Option<Unfit> {
        let for_each = self.plan.step(self.step()).for_each.as_ref()?;
        let items = match self.known(&for_each.items, for_each.span) {
            Ok(items) => items?,
            Err(wrong) => return Some(self.finding("repeat", "for_each", wrong)),
        };
        let (problem, mut read) = (plan::items(&items).err()?, Vec::new());
        for_each.items.expressions(&mut read);
        let wrong = Wrong { problem, span: for_each.span, read };
        Some(self.finding("repeat", "for_each", wrong).note("each instance is named after its item"))
    }

    /// What a call cannot hand over.
    fn call(self) -> Option<Unfit> {
        let frame = self.state.called(self.node)?;
        let problem = hand_over(self.plan, self.state, self.node, frame).err()?;
        let action = &self.plan.step(self.step()).action;
        let mut read = Vec::new();
        action.with.value.expressions(&mut read);
        Some(self.finding("type", "with", Wrong { problem, span: action.place("inputs"), read }))
    }

    /// Its own action, and those that check and undo it. Those of known items are looked at one by one.
    fn actions(self) -> Vec<Unfit> {
        let step = self.plan.step(self.step());
        let is_item = self.state.node(self.node).parent.is_some();
        if let Some(for_each) = step.for_each.as_ref().filter(|_| !is_item)
            && !matches!(self.known(&for_each.items, for_each.span), Ok(None))
        {
            return Vec::new();
        }
        let mut found: Vec<Unfit> = step.actions().flat_map(|action| self.action(action)).collect();
        found.extend(self.long_wait(&step.action));
        found
    }

    /// What is wrong with the parameters of an action, one by one, and then, where all are known, with them together.
    fn action(self, action: &ActionUse) -> Vec<Unfit> {
        let Some(spec) = self.plan.spec(&action.name.value) else { return Vec::new() };
        let written = || spec.parameters.iter().filter_map(|field| Some((field, action.with.value.entry(field.name)?)));
        let (mut with, mut wrong) = (Map::new(), Vec::new());
        for (field, value) in written() {
            match self.known(&value, action.place(field.name)) {
                Ok(Some(value)) => drop(with.insert(field.name.to_owned(), (field.kind)().settle(value))),
                Ok(None) => {}
                Err(found) => wrong.push(Wrong { problem: format!("at `{}`: {}", field.name, found.problem), ..found }),
            }
        }
        let all = with.len() == written().count();
        wrong.extend(with.iter().filter_map(|(name, value)| {
            let problem = spec.check_parameter(name, value).err()?;
            Some(written_at(action, name, problem))
        }));
        if let Some(problem) = spec.rule.filter(|_| all && wrong.is_empty()).and_then(|rule| rule(&with).err()) {
            let named = problem.strip_prefix("at `").and_then(|rest| rest.split(['.', '[', '`']).next());
            let name = named.unwrap_or_default().to_owned();
            wrong.push(written_at(action, &name, problem));
        }
        wrong.into_iter().map(|wrong| self.finding("type", &action.name.value, wrong)).collect()
    }

    /// A wait that the timeout of its step ends each time.
    fn long_wait(self, action: &ActionUse) -> Option<Unfit> {
        let wait = action.with.value.entry("for").filter(|_| action.name.value == "wait")?;
        let span = self.known(&wait, action.place("for")).ok()??;
        let problem = plan::too_long(span.as_str()?, self.plan.timeout(self.step()))?;
        let note = format!("raise the `timeout` of `{}`, or shorten the wait", self.plan.path(self.step()));
        Some(self.finding("type", "wait", written_at(action, "for", problem)).note(note))
    }

    /// A value that is known before the run, if it is.
    fn known(self, value: &Templated, span: Span) -> Result<Option<Value>, Wrong> {
        let expressions = self.plan.expressions(self.step());
        match expressions.render(value, &self.scope()) {
            Ok(value) => Ok(Some(value.shown())),
            Err(Undefined::Unknown(_)) => Ok(None),
            Err(Undefined::Wrong(problem)) => {
                let mut read = Vec::new();
                value.expressions(&mut read);
                let is_wrong =
                    |id: &ExprId| matches!(expressions.evaluate(*id, &self.scope()), Err(Undefined::Wrong(_)));
                let Some(id) = read.iter().copied().find(is_wrong) else { return Err(Wrong { problem, span, read }) };
                let expression = expressions.get(id);
                // The place says which expression it is.
                let short = problem.strip_prefix(&format!("`{}`: ", expression.text)).map(str::to_owned);
                Err(Wrong { problem: short.unwrap_or(problem), span: expression.span, read: vec![id] })
            }
        }
    }

    fn finding(self, code: &'static str, what: &str, wrong: Wrong) -> Unfit {
        let Wrong { problem, span, read } = wrong;
        let message = format!("`{what}` of `{}`: {problem}", self.state.node(self.node).path);
        let origin = Origin::of(self.plan, self.state, self.node, &read);
        let finding = match origin.call {
            // What is wrong is what is handed over, whoever else calls the same.
            Some(call) => Diagnostic::error(code, call, message).other(span, "it does not fit here"),
            None => Diagnostic::error(code, span, message),
        };
        Unfit { is_given: origin.is_given(), finding: origin.told(finding) }
    }
}

/// What is wrong with a parameter, or, where there is none of that name, with all of them.
fn written_at(action: &ActionUse, name: &str, problem: String) -> Wrong {
    let (mut read, with) = (Vec::new(), &action.with);
    let own = with.value.entry(name);
    own.as_deref().unwrap_or(&with.value).expressions(&mut read);
    let span = if own.is_some() { action.place(name) } else { with.span };
    Wrong { problem, span, read }
}
