//! What can be wrong with a runbook that reads well: one rule a file, and the registry of all.
//!
//! Every reference is checked here, before anything runs. Rules return findings and print nothing.

mod actions;
mod azure;
mod calls;
mod cycles;
mod gates;
mod ids;
mod needs;
mod notices;
mod objectives;
mod outputs;
mod owner;
mod references;
mod repeats;
mod secrets;
mod steps;
mod types;

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Type};
use crate::diag::{Diagnostic, sort};
use crate::plan::runbooks::is_call;
use crate::plan::{self, Graph, Runbooks, StepIndex, Templates};
use crate::runbook::ast::{ActionUse, Phase, Runbook, Step};
use crate::runbook::workspace::Workspace;

/// What a rule looks at.
pub struct Subject<'s> {
    /// The runbook.
    pub runbook: &'s Runbook,
    /// Those that can be called; none where following the calls would not come to an end.
    pub runbooks: &'s Runbooks,
    /// Whether that is so.
    pub has_too_many_calls: bool,
    /// The workspace's settings.
    pub workspace: &'s Workspace,
    /// The templates of its notices.
    pub templates: &'s Templates,
    /// What is known about actions.
    pub catalogue: &'s Catalogue,
    /// The steps by id.
    pub by_id: BTreeMap<Box<str>, StepIndex>,
    /// Who needs whom.
    pub graph: Graph,
    /// How often it was looked which id was meant.
    suggestions: Cell<usize>,
}

/// The most often that is looked for.
const MOST_SUGGESTIONS: usize = 100;

/// A rule.
pub struct Rule {
    /// Its name: the code of its findings.
    pub name: &'static str,
    /// One line for people.
    pub doc: &'static str,
    check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule { name: "steps", doc: "a runbook has steps", check: steps::check },
    Rule { name: "duplicate-id", doc: "no two steps share an id", check: ids::check },
    Rule { name: "needs", doc: "needs name steps that come earlier", check: needs::check },
    Rule { name: "cycle", doc: "no step waits for itself", check: cycles::check },
    Rule { name: "action", doc: "actions exist and get what they take", check: actions::check },
    Rule { name: "call", doc: "called runbooks exist and get what they take", check: calls::check },
    Rule { name: "reference", doc: "every name an expression reads is there", check: references::check },
    Rule { name: "type", doc: "expressions give the type that is wanted", check: types::check },
    Rule { name: "azure", doc: "subscriptions and credentials that steps name are there", check: azure::check },
    Rule { name: "outputs", doc: "declared outputs are of actions that allow them", check: outputs::check },
    Rule { name: "notice", doc: "templates and audiences exist and get their variables", check: notices::check },
    Rule { name: "gate", doc: "gates ask roles that somebody has", check: gates::check },
    Rule { name: "repeat", doc: "repetitions end, items are not repeated", check: repeats::check },
    Rule { name: "secret", doc: "secrets stay out of command lines and notices", check: secrets::check },
    Rule { name: "owner", doc: "a runbook has an owner", check: owner::check },
    Rule { name: "rto", doc: "the critical path fits the objective", check: objectives::check },
];

/// All findings about a runbook, by place.
#[must_use]
pub fn check(
    runbook: &Runbook,
    runbooks: &Runbooks,
    workspace: &Workspace,
    templates: &Templates,
    catalogue: &Catalogue,
) -> Vec<Diagnostic> {
    let has_too_many_calls = runbooks.has_too_many_calls(runbook);
    let none = Runbooks::default();
    let runbooks = if has_too_many_calls { &none } else { runbooks };
    let by_id = plan::index(runbook);
    let graph = plan::graph(runbook, &by_id);
    let subject = Subject {
        runbook,
        runbooks,
        has_too_many_calls,
        workspace,
        templates,
        catalogue,
        by_id,
        graph,
        suggestions: Cell::new(0),
    };
    let mut found = Vec::new();
    RULES.iter().for_each(|rule| (rule.check)(&subject, &mut found));
    sort(&mut found);
    found
}

impl Subject<'_> {
    fn steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        (0..).map(StepIndex).zip(&self.runbook.steps)
    }

    fn step(&self, index: StepIndex) -> &Step {
        &self.runbook.steps[index.at()]
    }

    /// The ids that may have been meant. Nobody reads the hundredth suggestion, and each looks at every id.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let asked = self.suggestions.get();
        self.suggestions.set(asked + 1);
        let most = if asked < MOST_SUGGESTIONS { usize::MAX } else { 0 };
        self.by_id.keys().map(|id| &**id).take(most)
    }

    /// The outputs of a step; nothing where it calls a runbook that cannot be read.
    fn outputs(&self, step: &Step) -> Option<Vec<(String, Type)>> {
        if is_call(step) {
            return self.runbooks.called(self.runbook, step).map(|called| plan::outputs_of_runbook(called));
        }
        Some(plan::outputs_of(self.catalogue, step))
    }

    /// How many of the first phases have ended before the step starts.
    fn phases_before(&self, index: StepIndex) -> usize {
        let own = |step: &Step| match step.phase {
            Phase::Communication if !step.needs.is_empty() => 0,
            phase => phase as usize,
        };
        let ancestors = self.graph.ancestors(index);
        ancestors.into_iter().chain([index]).map(|index| own(self.step(index))).max().unwrap_or(0)
    }
}

/// The actions a step uses: its own, its verify, its rollback.
fn actions_of(step: &Step) -> impl Iterator<Item = (&ActionUse, Use)> {
    let verify = step.verify.as_ref().map(|verify| (&verify.action, Use::Verify));
    let rollback = step.rollback.as_ref().map(|rollback| (&**rollback, Use::Rollback));
    std::iter::once((&step.action, Use::Step)).chain(verify).chain(rollback)
}

/// What a step uses an action for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Step,
    Verify,
    Rollback,
}
