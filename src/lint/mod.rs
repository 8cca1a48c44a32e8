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
mod doubt;
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
pub mod types;
mod verification;
mod way_back;

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Type};
use crate::diag::{Diagnostic, Patience, Severity, limited, sort};
use crate::plan::runbooks::is_call;
use crate::plan::{self, Graph, Runbooks, StepIndex, Templates};
use crate::runbook::ast::{ActionUse, Input, Phase, Runbook, Step};
use crate::runbook::workspace::Workspace;
use doubt::Doubt;
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
    /// Where it has errors.
    doubt: Doubt,
    /// How long "did you mean" is asked.
    patience: Patience,
}

/// A rule. What it is for, `pages` says.
pub struct Rule {
    /// Its name: the code of its findings.
    pub name: &'static str,
    check: fn(&Subject<'_>, &mut Vec<Diagnostic>),
    /// How it takes what others found to be wrong; none where it looks before them, at all there is.
    after: Option<After>,
}

/// What a rule makes of errors: it says nothing of a step that has some, and nothing at all where it is blind. What a step
/// lacks because of an error, a rule takes to be as bad as can be: it is held back then, and known to be.
struct After {
    /// The fields of the runbook that it stands on, besides steps.
    fields: &'static [&'static str],
    /// Whether errors in steps keep it from judging any.
    is_blind: fn(&Subject<'_>) -> bool,
    /// Whether it may have more to say of what could not be read at all.
    may_miss: fn(&Subject<'_>) -> bool,
}

type Check = fn(&Subject<'_>, &mut Vec<Diagnostic>);

/// A rule that tells what is wrong.
const fn first(name: &'static str, check: Check) -> Rule {
    Rule { name, check, after: None }
}

/// A rule that judges what is said in steps and in these fields of the runbook.
const fn after(name: &'static str, fields: &'static [&'static str], check: Check) -> Rule {
    Rule { name, check, after: Some(After { fields, is_blind: |_| false, may_miss: |_| false }) }
}

impl Rule {
    const fn unless(mut self, is_blind: fn(&Subject<'_>) -> bool) -> Self {
        if let Some(after) = &mut self.after {
            after.is_blind = is_blind;
        }
        self
    }

    const fn missing(mut self, may_miss: fn(&Subject<'_>) -> bool) -> Self {
        if let Some(after) = &mut self.after {
            after.may_miss = may_miss;
        }
        self
    }
}

/// What is found in a runbook.
pub struct Judged {
    /// The findings, by place.
    pub found: Vec<Diagnostic>,
    /// The rules that may say more once the errors are mended; sorted.
    pub waiting: Vec<&'static str>,
}

/// All rules.
pub const RULES: &[Rule] = &[
    first("steps", steps::check),
    first("duplicate-id", ids::check),
    first("needs", needs::check),
    first("cycle", cycles::check),
    first("action", actions::check),
    first("call", calls::check),
    first("reference", references::check),
    first("type", types::check),
    first("azure", azure::check),
    first("outputs", outputs::check),
    first("notice", notices::check),
    first("gate", gates::check),
    first("repeat", repeats::check),
    first("secret", secrets::check),
    after("rto", &["objectives", "needs"], objectives::check)
        .unless(objectives::is_blind)
        .missing(objectives::may_miss),
    after("owner", &["owner"], owner::check),
    after("no-gate", &[], no_gate::check).unless(no_gate::is_blind).missing(doubt::has_lost_step),
    after("no-estimate", &["objectives"], estimates::check).missing(estimates::may_miss),
    after("no-timeout", &["defaults"], timeouts::check).missing(doubt::has_lost_change),
    after("no-way-back", &[], way_back::check).missing(doubt::has_lost_change),
    after("no-verify", &["needs"], verification::check).unless(verification::is_blind).missing(doubt::has_lost_change),
    after("rpo", &["objectives", "outputs"], rpo::check).unless(rpo::is_blind).missing(rpo::may_miss),
    after("unsafe-retry", &[], retries::check).missing(doubt::has_lost_step),
    after("never-runs", &["inputs"], never_runs::check).missing(doubt::has_lost_step),
    after("unused-input", &["inputs", "outputs", "title", "azure"], inputs::check).unless(inputs::is_blind),
    after("failed-region", &["kind", "defaults"], failed_region::check).missing(failed_region::may_miss),
    after("silence", &["kind"], silence::check).unless(silence::is_blind),
    after("early-all-clear", &[], all_clear::check).unless(all_clear::is_blind).missing(doubt::has_lost_step),
    after("no-failback", &["kind", "name"], failback::check),
];

/// The names of all rules, sorted.
#[must_use]
pub fn all_names() -> Vec<&'static str> {
    let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names
}

/// All findings about a runbook, by place.
#[must_use]
pub fn check(
    runbook: &Runbook,
    runbooks: &Runbooks,
    workspace: &Workspace,
    templates: &Templates,
    catalogue: &Catalogue,
) -> Judged {
    let has_too_many_calls = runbooks.has_too_many_calls(runbook);
    let none = Runbooks::default();
    let runbooks = if has_too_many_calls { &none } else { runbooks };
    let by_id = plan::index(runbook);
    let graph = plan::graph(runbook, &by_id);
    let mut subject = Subject {
        runbook,
        runbooks,
        has_too_many_calls,
        workspace,
        templates,
        catalogue,
        by_id,
        graph,
        inputs: runbook.inputs.iter().map(|input| (input.name.value.as_str(), input)).collect(),
        doubt: Doubt::default(),
        patience: Patience::default(),
    };
    let mut found = Vec::new();
    RULES.iter().filter(|rule| rule.after.is_none()).for_each(|rule| (rule.check)(&subject, &mut found));
    subject.doubt = Doubt::new(runbook, &found);
    let mut waiting: Vec<&'static str> =
        RULES.iter().filter(|rule| rule.holds_back(&subject, &mut found)).map(|rule| rule.name).collect();
    waiting.sort_unstable();
    let is_sound = !subject.doubt.is_any() && found.iter().all(|finding| finding.severity == Severity::Warning);
    let mut found = allow::without_allowed(&runbook.allowances, found, is_sound);
    sort(&mut found);
    Judged { found: limited(gather::gather(found)), waiting }
}

impl Rule {
    /// Tells what holds in spite of the errors there are, and says whether something else may hold that it cannot tell.
    fn holds_back(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) -> bool {
        let Some(after) = &self.after else { return false };
        if subject.doubt.is_about(after.fields) {
            return true;
        }
        let mut own = Vec::new();
        (self.check)(subject, &mut own);
        // What the file allows is not told once the errors are mended, either.
        let is_allowed =
            |finding: &Diagnostic| subject.runbook.allowances.iter().any(|it| it.has_reason && it.covers(finding));
        let is_blind = (after.is_blind)(subject);
        let is_held = |finding: &Diagnostic| is_blind || subject.doubt.covers(finding.primary);
        let holds_back = own.iter().any(|finding| is_held(finding) && !is_allowed(finding));
        // An allowance of what is held back is not in vain.
        own.retain(|finding| !is_held(finding));
        found.append(&mut own);
        holds_back || (after.may_miss)(subject)
    }
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

    /// The outputs of a step; nothing where it calls a runbook that cannot be read, or its action is none.
    fn outputs(&self, step: &Step) -> Option<Vec<(String, Type)>> {
        if is_call(step) {
            return self.runbooks.called(self.runbook, step).map(|called| plan::outputs_of_runbook(called));
        }
        // What an unknown action gives, nobody knows.
        self.catalogue.get(&step.action.name.value)?;
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
