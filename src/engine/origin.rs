//! Where a value of a step comes from: who has to mend it, and what to type.

use super::state::{NodeId, State};
use crate::diag::{Diagnostic, Span};
use crate::plan::runbooks::handed;
use crate::plan::{Plan, StepIndex};
use crate::runbook::ast::Input;
use crate::runbook::expr::ExprId;

/// Where a value comes from.
pub(super) struct Origin<'p> {
    /// The place of the outermost call that hands it over.
    pub(super) call: Option<Span>,
    source: Source<'p>,
}

/// What gives a value.
enum Source<'p> {
    /// A runbook itself says it.
    Runbook,
    /// The run is given it, by inputs of these names.
    Given(Vec<&'p str>),
    /// An input is left as it is by default; what to do instead.
    Default(&'p Input, String),
}

impl<'p> Origin<'p> {
    /// Of what the expressions of a node read. Where they read several inputs, those that something was given for.
    pub(super) fn of(plan: &'p Plan, state: &State, node: NodeId, read: &[ExprId]) -> Self {
        let mut call = None;
        let (mut node, mut read) = (node, read.to_vec());
        loop {
            let inputs = inputs(plan, state.node(node).step, &read);
            let Some(first) = inputs.first() else { return Self { call, source: Source::Runbook } };
            let Some(caller) = state.frame(state.node(node).frame).caller else {
                let is_given = |input: &&&Input| plan.inputs.get(&input.name.value) != input.default.as_ref();
                let given: Vec<&str> = inputs.iter().filter(is_given).map(|input| input.name.value.as_str()).collect();
                let instead = format!("give another value: --set {}=VALUE", first.name.value);
                let source = if given.is_empty() { Source::Default(first, instead) } else { Source::Given(given) };
                return Self { call, source };
            };
            let action = &plan.step(state.node(caller).step).action;
            let handed: Vec<_> = inputs.iter().filter_map(|input| handed(action, &input.name.value)).collect();
            if handed.is_empty() {
                let instead = "hand over another value in the call".to_owned();
                return Self { call, source: Source::Default(first, instead) };
            }
            read.clear();
            handed.iter().for_each(|value| value.expressions(&mut read));
            (node, call) = (caller, Some(action.place("inputs")));
        }
    }

    /// Whether the run is given it.
    pub(super) fn is_given(&self) -> bool {
        matches!(self.source, Source::Given(_))
    }

    /// The finding, with what to do about it.
    pub(super) fn told(self, finding: Diagnostic) -> Diagnostic {
        match self.source {
            Source::Runbook => finding.note("it is known before the run: mend the runbook"),
            Source::Given(names) => {
                let set: Vec<String> = names.iter().map(|name| format!("--set {name}=VALUE")).collect();
                finding.note(format!("it comes from what the run is given: {}", set.join(" ")))
            }
            Source::Default(input, instead) => finding
                .other(input.name.span, "its default stands here")
                .note(format!("mend the default of `{}`, or {instead}", input.name.value)),
        }
    }
}

/// The inputs that expressions of a step read; of an `item`, those that the items come from.
fn inputs<'p>(plan: &'p Plan, index: StepIndex, read: &[ExprId]) -> Vec<&'p Input> {
    let expressions = plan.expressions(index);
    let reads = |id: &ExprId, root: &str, name: Option<&str>| {
        let is_it =
            |parts: &[String]| parts[0] == root && name.is_none_or(|name| parts.get(1).is_some_and(|it| it == name));
        expressions.get(*id).scan.paths.iter().any(|path| is_it(&path.parts))
    };
    let mut read = read.to_vec();
    let for_each = plan.step(index).for_each.as_ref();
    if let Some(for_each) = for_each.filter(|_| read.iter().any(|id| reads(id, "item", None))) {
        for_each.items.expressions(&mut read);
    }
    let is_read = |input: &&Input| read.iter().any(|id| reads(id, "inputs", Some(&input.name.value)));
    plan.runbook_of(index).inputs.iter().filter(is_read).collect()
}
