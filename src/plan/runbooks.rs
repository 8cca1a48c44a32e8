//! The runbooks that runbooks call: which step calls which, and all that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::runbook::ast::{ActionUse, Input, Kind, Runbook, Step};
use crate::runbook::expr::{Scope, Templated, Undefined};

/// The action of a step that runs another runbook.
pub const CALL: &str = "runbook";

/// How deep runbooks may call each other, the first included.
pub const DEEPEST: usize = 8;

/// The most calls a plan may have.
pub const MOST_CALLS: usize = 1_000;

/// Whether the step runs another runbook.
#[must_use]
pub fn is_call(step: &Step) -> bool {
    step.action.name.value == CALL
}

/// What a step calls, as far as it is written as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The runbook's name.
    pub name: String,
    /// Its kind: the caller's, unless the step says otherwise.
    pub kind: Kind,
    /// Whether its communication phase runs too.
    pub communication: bool,
}

/// What the step of a runbook of `kind` calls; `None` where it calls nothing, or not by a fixed name.
#[must_use]
pub fn call(kind: Kind, step: &Step) -> Option<Call> {
    if !is_call(step) {
        return None;
    }
    let fixed = |name: &str| step.action.with.value.entry(name).and_then(|value| value.plain().cloned());
    let kind = match fixed("kind") {
        Some(Value::String(word)) => Kind::named(&word)?,
        Some(_) => return None,
        None => kind,
    };
    let Value::String(name) = fixed("runbook")? else { return None };
    Some(Call { name, kind, communication: fixed("communication") == Some(Value::Bool(true)) })
}

/// What a call hands to the input of that name, as written.
#[must_use]
pub fn handed(action: &ActionUse, input: &str) -> Option<Templated> {
    let inputs = action.with.value.entry("inputs")?;
    inputs.entry(input).map(std::borrow::Cow::into_owned)
}

/// The value that a call by `caller` gives to an input: what it hands over, or the default.
///
/// # Errors
/// It is not known yet, or there is none of the input's type.
pub fn value_of(caller: &Runbook, action: &ActionUse, input: &Input, scope: &dyn Scope) -> Result<Value, Undefined> {
    let Some(written) = handed(action, &input.name.value) else {
        return input.default.clone().ok_or_else(|| Undefined::Wrong("it is needed, and not given".to_owned()));
    };
    let value = input.kind.settle(caller.expressions.render(&written, scope)?.shown());
    input.kind.check(&value).map_err(Undefined::Wrong)?;
    Ok(value)
}

/// The runbooks that were read, by name and kind.
#[derive(Debug, Default)]
pub struct Runbooks {
    read: BTreeMap<(String, Kind), Arc<Runbook>>,
    /// The name and kind of every runbook there is, read or not.
    pub known: Arc<BTreeSet<(String, Kind)>>,
    /// The names that failovers call, as far as those are known.
    pub parts: Arc<BTreeSet<String>>,
}

impl Runbooks {
    /// Adds one that was read.
    pub fn insert(&mut self, runbook: Arc<Runbook>) {
        let name = (runbook.name.value.clone(), runbook.kind);
        if !self.known.contains(&name) {
            Arc::make_mut(&mut self.known).insert(name.clone());
        }
        self.read.insert(name, runbook);
    }

    /// The runbook of that name and kind.
    #[must_use]
    pub fn get(&self, name: &str, kind: Kind) -> Option<&Arc<Runbook>> {
        self.read.get(&(name.to_owned(), kind))
    }

    /// What a step of `caller` calls.
    #[must_use]
    pub fn called(&self, caller: &Runbook, step: &Step) -> Option<&Arc<Runbook>> {
        let call = call(caller.kind, step)?;
        self.get(&call.name, call.kind)
    }

    /// Whether a run of `runbook` comes to more calls than a plan may have. Where it does not, whoever follows calls
    /// [`DEEPEST`] deep comes to an end soon, even where they go round in a circle.
    #[must_use]
    pub fn has_too_many_calls(&self, runbook: &Runbook) -> bool {
        self.count(runbook, 1) > MOST_CALLS
    }

    /// How many calls a runbook comes to, as far as that is of interest.
    fn count(&self, runbook: &Runbook, depth: usize) -> usize {
        let mut calls = 0;
        for called in runbook.steps.iter().filter_map(|step| self.called(runbook, step)) {
            if depth > DEEPEST || calls > MOST_CALLS {
                break;
            }
            calls += 1 + self.count(called, depth + 1);
        }
        calls
    }

    /// Every step of a run of `runbook` by its path, with the runbook it stands in.
    #[must_use]
    pub fn steps<'r>(&'r self, runbook: &'r Runbook) -> Vec<(String, &'r Runbook, &'r Step)> {
        let mut found = Vec::new();
        let deep = if self.has_too_many_calls(runbook) { 1 } else { DEEPEST };
        self.collect(runbook, true, "", deep, &mut found);
        found
    }

    /// `deep` is how deep calls are followed: what is not checked yet may go round in a circle.
    fn collect<'r>(
        &'r self,
        runbook: &'r Runbook,
        communication: bool,
        before: &str,
        deep: usize,
        found: &mut Vec<(String, &'r Runbook, &'r Step)>,
    ) {
        for step in runbook.steps.iter().filter(|step| communication || step.phase.is_barrier()) {
            let path = format!("{before}{}", step.id.value);
            found.push((path.clone(), runbook, step));
            let Some(call) = call(runbook.kind, step).filter(|_| deep > 1) else { continue };
            if let Some(called) = self.get(&call.name, call.kind) {
                self.collect(called, call.communication, &format!("{path}."), deep - 1, found);
            }
        }
    }

    /// All that were read, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Runbook>> {
        self.read.values()
    }
}
