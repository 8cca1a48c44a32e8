//! All actions there are. A new one is one line here.

use std::sync::Arc;

use super::Action;
use super::{assert, exec, http, manual, notify, probe_dns, probe_http, probe_tcp, runbook, shell, wait};
use crate::catalogue::Catalogue;
use crate::edge::process::ProcessRunner;

/// The actions, by name.
pub struct Registry {
    actions: Vec<Arc<dyn Action>>,
}

impl Registry {
    /// All actions, with what runs their processes.
    #[must_use]
    pub fn new(runner: Arc<ProcessRunner>) -> Self {
        let azure = super::azure::actions().into_iter().map(Arc::from);
        let mut actions: Vec<Arc<dyn Action>> = azure.collect();
        actions.extend(Self::own(runner).into_iter().map(Arc::from));
        actions.sort_by_key(|action| action.spec().name);
        Self { actions }
    }

    fn own(runner: Arc<ProcessRunner>) -> Vec<Box<dyn Action>> {
        vec![
            Box::new(assert::Assert),
            Box::new(exec::Exec::new(Arc::clone(&runner))),
            Box::new(http::Http),
            Box::new(manual::Manual),
            Box::new(notify::Notify::default()),
            Box::new(probe_dns::ProbeDns),
            Box::new(probe_http::ProbeHttp),
            Box::new(probe_tcp::ProbeTcp),
            Box::new(runbook::Runbook),
            Box::new(shell::Shell::new(runner)),
            Box::new(wait::Wait),
        ]
    }

    /// With `others` in place of the actions of the same names: what stands in for them in a rehearsal.
    #[must_use]
    pub fn replacing(mut self, others: Vec<Box<dyn Action>>) -> Self {
        for other in others {
            let name = other.spec().name;
            if let Some(place) = self.actions.iter_mut().find(|action| action.spec().name == name) {
                *place = Arc::from(other);
            }
        }
        self
    }

    /// The action of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Action> {
        find(&self.actions, name)
    }

    /// What is known of all of them before they run.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        let (actions, previewed) = (self.actions.clone(), self.actions.clone());
        Catalogue::new(self.actions.iter().map(|action| action.spec()).collect())
            .sending(Arc::new(move |name, with| {
                find(&actions, name).map(|action| action.sends(with)).unwrap_or_default()
            }))
            .told_by(Arc::new(move |name, with| {
                let lines = find(&previewed, name)?.preview(with);
                lines.into_iter().find(|line| !line.starts_with("reads "))
            }))
    }
}

fn find<'a>(actions: &'a [Arc<dyn Action>], name: &str) -> Option<&'a dyn Action> {
    let found = actions.binary_search_by_key(&name, |action| action.spec().name);
    found.ok().map(|index| &*actions[index])
}
