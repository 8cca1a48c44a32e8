//! What can be wrong with a runbook that reads well: one rule a file, and the registry of all.
//!
//! Every reference is checked here, before anything runs. Rules return findings and print nothing.

mod actions;
mod all_clear;
mod allow;
mod azure;
mod calls;
mod changes;
mod cycles;
mod estimates;
mod failback;
mod failed_region;
mod gates;
mod gather;
mod ids;
mod inputs;
mod may_be_missing;
mod needs;
mod never_runs;
mod no_gate;
mod notices;
mod objectives;
mod outputs;
mod owner;
pub mod pages;
mod references;
mod repeats;
mod retries;
mod rpo;
mod secrets;
mod services;
mod silence;
mod steps;
pub mod templates;
mod timeouts;
mod types;
mod verification;
mod way_back;

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Type};
use crate::diag::{Diagnostic, Patience, Severity, limited, sort};
use crate::plan::runbooks::is_call;
use crate::plan::{self, Graph, Runbooks, StepIndex, Templates};
use crate::runbook::ast::{ActionUse, Input, Phase, Runbook, Step};
use crate::runbook::workspace::Workspace;
pub use services::{overdue, services};

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
    /// The inputs by name.
    inputs: BTreeMap<&'s str, &'s Input>,
    /// How long "did you mean" is asked.
    patience: Patience,
}

/// A rule. What it is for, `pages` says.
pub struct Rule {
    /// Its name: the code of its findings.
    pub name: &'static str,
    check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
    /// Whether it judges what a runbook lacks or does with all of it: nobody knows that while a part cannot be read.
    is_of_the_whole: bool,
}

const fn rule(name: &'static str, check: fn(&Subject<'_>, &mut Vec<Diagnostic>)) -> Rule {
    Rule { name, check, is_of_the_whole: false }
}

const fn of_the_whole(name: &'static str, check: fn(&Subject<'_>, &mut Vec<Diagnostic>)) -> Rule {
    Rule { name, check, is_of_the_whole: true }
}

/// All rules.
pub const RULES: &[Rule] = &[
    rule("steps", steps::check),
    rule("duplicate-id", ids::check),
    rule("needs", needs::check),
    rule("cycle", cycles::check),
    rule("action", actions::check),
    rule("call", calls::check),
    rule("reference", references::check),
    rule("type", types::check),
    rule("azure", azure::check),
    rule("outputs", outputs::check),
    rule("notice", notices::check),
    rule("gate", gates::check),
    rule("repeat", repeats::check),
    rule("secret", secrets::check),
    rule("owner", owner::check),
    rule("no-gate", no_gate::check),
    rule("rto", objectives::check),
    of_the_whole("no-estimate", estimates::check),
    of_the_whole("no-timeout", timeouts::check),
    of_the_whole("no-way-back", way_back::check),
    of_the_whole("no-verify", verification::check),
    of_the_whole("rpo", rpo::check),
    of_the_whole("unsafe-retry", retries::check),
    of_the_whole("never-runs", never_runs::check),
    of_the_whole("unused-input", inputs::check),
    of_the_whole("failed-region", failed_region::check),
    of_the_whole("silence", silence::check),
    of_the_whole("early-all-clear", all_clear::check),
    of_the_whole("no-failback", failback::check),
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
        inputs: runbook.inputs.iter().map(|input| (input.name.value.as_str(), input)).collect(),
        patience: Patience::default(),
    };
    let (whole, parts): (Vec<&Rule>, Vec<&Rule>) = RULES.iter().partition(|rule| rule.is_of_the_whole);
    let mut found = Vec::new();
    parts.iter().for_each(|rule| (rule.check)(&subject, &mut found));
    let is_sound = runbook.is_sound && found.iter().all(|finding| finding.severity == Severity::Warning);
    if is_sound {
        whole.iter().for_each(|rule| (rule.check)(&subject, &mut found));
    }
    let mut found = allow::without_allowed(&runbook.allowances, found, is_sound);
    sort(&mut found);
    limited(gather::gather(found))
}

impl Subject<'_> {
    fn steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        (0..).map(StepIndex).zip(&self.runbook.steps)
    }

    fn step(&self, index: StepIndex) -> &Step {
        &self.runbook.steps[index.at()]
    }

    /// With "did you mean", as long as there is patience for it.
    fn suggest<'a>(
        &self,
        diagnostic: Diagnostic,
        found: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        diagnostic.suggest(found, self.patience.with(candidates))
    }

    /// The ids that may have been meant.
    fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(|id| &**id)
    }

    /// With the place of the step that a suggestion names, so that people see whether it is the one they meant.
    fn similar(&self, diagnostic: Diagnostic) -> Diagnostic {
        let meant = diagnostic.fix.as_ref().map(|fix| fix.replacement.trim_start_matches("steps."));
        let id = meant.and_then(|meant| meant.split('.').next());
        match id.and_then(|id| self.by_id.get(id)) {
            Some(step) => diagnostic.other(self.step(*step).id.span, "a step with a similar id"),
            None => diagnostic,
        }
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
