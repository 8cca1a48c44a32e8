//! What a gate shows beyond its parameters: what would be sent by the state that is read just before it opens.
//!
//! The look never decides anything. A gate whose look fails opens all the same and says why; one that is approved
//! with the start of the run waits for none.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::event::Side;
use super::gate::instances;
use super::job::{JobId, JobKind};
use super::machine::Machine;
use super::state::NodeId;
use super::transition::Illegal;

/// The looks of a gate that is about to open.
#[derive(Debug)]
pub(super) struct Looks {
    /// What the gate was about to ask when they began.
    digest: String,
    /// Those under way.
    open: BTreeSet<NodeId>,
    /// What they found, in the order of the instances.
    lines: Vec<(NodeId, Vec<String>)>,
}

impl Machine {
    /// What the looks of a gate found; nothing while they are under way. They begin with the first question.
    pub(super) fn look_ahead(&mut self, gate: NodeId, digest: &str) -> Option<Vec<String>> {
        let found = self.looks.remove(&gate).filter(|looks| looks.digest == digest);
        match found {
            Some(looks) if looks.open.is_empty() => Some(self.lines(looks)),
            Some(looks) => {
                self.looks.insert(gate, looks);
                None
            }
            None => self.begin_to_look(gate, digest),
        }
    }

    fn begin_to_look(&mut self, gate: NodeId, digest: &str) -> Option<Vec<String>> {
        let plan = Arc::clone(&self.plan);
        let action = &plan.step(self.state.node(gate).step).action;
        let mut open = BTreeSet::new();
        for node in instances(&plan, &self.state, gate) {
            let Ok(with) = self.parameters(node, action) else { continue };
            let Value::Object(shown) = with.shown() else { continue };
            let is_looked_at = self.jobs.iter().any(|job| job.node == node);
            if is_looked_at || plan.catalogue.sends(&action.name.value, &shown).is_empty() {
                continue;
            }
            let job = self.job(node, Side::Apply, JobKind::Foresee, action, with);
            self.dispatch(job);
            open.insert(node);
        }
        if open.is_empty() {
            return Some(Vec::new());
        }
        self.looks.insert(gate, Looks { digest: digest.to_owned(), open, lines: Vec::new() });
        None
    }

    /// Takes in what a look found; the gate opens with the last of them.
    pub(super) fn foreseen(&mut self, job: JobId, lines: Vec<String>) -> Result<(), Illegal> {
        let found = self.looks.iter_mut().find(|(_, looks)| looks.open.contains(&job.node));
        if let Some((gate, looks)) = found {
            looks.open.remove(&job.node);
            looks.lines.push((job.node, lines));
            if looks.open.is_empty() {
                let gate = *gate;
                self.enqueue(gate);
            }
        }
        Ok(())
    }

    fn lines(&self, looks: Looks) -> Vec<String> {
        let mut found = looks.lines;
        found.sort_by_key(|(node, _)| *node);
        let several = found.len() > 1;
        let of_node = |(node, lines): (NodeId, Vec<String>)| {
            let path = several.then(|| format!("{}:", self.path(node)));
            path.into_iter().chain(lines).collect::<Vec<_>>()
        };
        found.into_iter().flat_map(of_node).collect()
    }
}
