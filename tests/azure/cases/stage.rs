//! Where the cases are played: a runbook of a few steps, rehearsed with faults.

use std::fs;
use std::sync::Arc;

use drctl::actions::Registry;
use drctl::catalogue::Catalogue;
use drctl::diag::{Span, Spanned};
use drctl::edge::http::http_client;
use drctl::edge::process::ProcessRunner;
use drctl::exec::load::load;
use drctl::exec::rehearse::{Attempt, Rehearsed, Subject, rehearse};
use drctl::exec::view::plan_of;
use drctl::plan::Plan;
use drctl::sim::scenario::{Fault, Scenario};
use drctl::sim::stand_in::implied;
use serde_json::{Map, Value};
use tempfile::TempDir;

/// A step: its id, its action, its parameters.
pub(crate) type Step<'s> = (&'s str, &'s str, &'s Map<String, Value>);

/// A workspace for runbooks.
pub(crate) struct Theatre {
    folder: TempDir,
    catalogue: Catalogue,
    http: reqwest::Client,
}

impl Theatre {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("drctl.yaml"), "drctl: 1\n").unwrap();
        let catalogue = Registry::new(Arc::new(ProcessRunner::new(""))).catalogue();
        Self { folder, catalogue, http: http_client().unwrap() }
    }

    /// A runbook of these steps, one after the other.
    pub(crate) fn plan(&self, name: &str, steps: &[Step<'_>]) -> Arc<Plan> {
        let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        let name: String = name.chars().map(letter).take(64).collect();
        let head = format!("drctl: 1\nname: {name}\nkind: failover\nowner: t\nobjectives: {{ rto: 1d }}\nexecution:\n");
        let step = |(place, (id, action, with)): (usize, &Step<'_>)| {
            let needs = if place == 0 { String::new() } else { format!("    needs: [{}]\n", steps[place - 1].0) };
            let with = Value::Object((*with).clone());
            format!("  - id: {id}\n    action: {action}\n{needs}    timeout: 2d\n    with: {with}\n")
        };
        let text: String = steps.iter().enumerate().map(step).collect();
        let file = self.folder.path().join(format!("{name}.yaml"));
        fs::write(&file, head + &text).unwrap();
        let loaded = load(self.folder.path(), &file, &self.catalogue).unwrap();
        Arc::new(plan_of(&loaded, &Map::new(), &self.catalogue).unwrap_or_else(|error| panic!("{name}: {error}")))
    }

    /// Rehearses a runbook in a world with these resources and faults.
    pub(crate) fn play(&self, plan: &Arc<Plan>, resources: &[Value], faults: Vec<Fault>) -> Rehearsed {
        let runbook = &plan.runbook;
        let mut scenario = Scenario::healthy(&runbook.name.value, runbook.kind);
        scenario.resources = resources.iter().cloned().map(spanned).collect();
        scenario.faults = faults.into_iter().map(spanned).collect();
        let subject = Subject {
            plan: Arc::clone(plan),
            scenario: Arc::new(scenario),
            implied: Arc::new(implied(plan)),
            path: String::new(),
            secrets: Vec::new(),
            parallel: 4,
            http: self.http.clone(),
        };
        rehearse(&subject, Attempt { steady: true, ..Attempt::default() })
    }
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::default() }
}
