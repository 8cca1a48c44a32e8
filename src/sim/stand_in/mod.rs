//! What does a step's work in a rehearsal: the real action where it reaches the simulated Azure, or only time;
//! for all others a stand-in with the same spec.

mod cloud;
mod durations;
mod faulty;
mod http;
mod implied;
pub(crate) mod invent;
mod ledger;
mod post;
mod probe;
mod process;
mod random;
mod stage;
mod world;

use std::sync::Arc;

pub use durations::{Source, Times};
pub use implied::{Implied, implied};
pub use ledger::{Done, Ledger, Sent};
pub use random::Random;
pub use stage::{Setting, Stage};
pub use world::{Endpoints, Probed};

use crate::actions::assert::Assert;
use crate::actions::notify::Notify;
use crate::actions::probe_dns::ProbeDns;
use crate::actions::probe_http::ProbeHttp;
use crate::actions::probe_tcp::ProbeTcp;
use crate::actions::wait::Wait;
use crate::actions::{Action, azure, exec, http as real_http, shell};
use crate::edge::process::ProcessRunner;

/// The actions of a rehearsal that are not the real ones.
#[must_use]
pub fn stand_ins(stage: &Arc<Stage>) -> Vec<Box<dyn Action>> {
    // Never run: the real ones give their specs and previews.
    let runner = Arc::new(ProcessRunner::new(""));
    let inner: Vec<Box<dyn Action>> = vec![
        Box::new(Assert),
        Box::new(Wait),
        Box::new(Notify::through(Box::new(post::Outbox(Arc::clone(stage))))),
        Box::new(process::Process::new(Box::new(shell::Shell::new(Arc::clone(&runner))), Arc::clone(stage))),
        Box::new(process::Process::new(Box::new(exec::Exec::new(runner)), Arc::clone(stage))),
        Box::new(http::Exchange::new(Box::new(real_http::Http), Arc::clone(stage))),
        Box::new(probe::Look::new(Box::new(ProbeHttp), Arc::clone(stage))),
        Box::new(probe::Look::new(Box::new(ProbeTcp), Arc::clone(stage))),
        Box::new(probe::Look::new(Box::new(ProbeDns), Arc::clone(stage))),
    ];
    // Those of Azure are the real ones: their requests go to the simulated Azure.
    inner
        .into_iter()
        .chain(azure::actions())
        .map(|action| -> Box<dyn Action> { Box::new(faulty::Faulty::new(action, Arc::clone(stage))) })
        .collect()
}
