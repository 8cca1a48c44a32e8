//! `drctl doctor`: whether all that runs stand on is there, looked at before an outage asks for it.
//!
//! Changes nothing in the world but for one file where runs are kept, which it removes again; sends no notice, shows no
//! value of a secret, and starts no program but those that give tokens.

mod channels;
mod clock;
mod credentials;
mod network;
mod region;
mod secrets;
mod state;
mod subject;
mod text;
mod tools;
mod workspace;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::actions::azure::{Azure, Credentials};
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock, SystemClock};
use crate::edge::http::http_client;
use crate::edge::store::Store;
use crate::engine::event::Person;
use crate::error::{Error, Exit};
use crate::plan::Region;

pub use clock::compared;
pub use subject::{Subject, subjects};
pub use text::{human, json};

/// How long one answer of somebody else may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a look at one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as it should be.
    Fine,
    /// A run works, and may be worse off for it.
    Warning,
    /// A run that needs it fails.
    Broken,
    /// Nothing can tell without doing it.
    NotChecked,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub subject: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to type next, where something is to be done.
    pub next: Option<String>,
}

impl Check {
    fn new(verdict: Verdict, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict, found: found.into(), next: None }
    }

    fn fine(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Fine, subject, found)
    }

    fn warning(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, subject, found)
    }

    fn broken(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::Broken, subject, found)
    }

    fn not_checked(subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(Verdict::NotChecked, subject, found)
    }

    fn next(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }
}

/// What was looked at in one part of what runs stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The part: `workspace`, `state`, `tools`, and so on.
    pub name: &'static str,
    /// Each thing.
    pub checks: Vec<Check>,
}

/// Whether nothing is broken.
#[must_use]
pub fn is_fit(sections: &[Section]) -> bool {
    sections.iter().flat_map(|section| &section.checks).all(|check| check.verdict != Verdict::Broken)
}

/// What is looked at, and for whom.
pub struct Patient<'p> {
    /// The workspace's folder.
    pub workspace: &'p Path,
    /// Where runs are kept.
    pub store: &'p Store,
    /// Who asks.
    pub person: &'p Person,
    /// The runbooks.
    pub subjects: Vec<Subject>,
    /// A region that is thought to be down.
    pub down: Option<Region>,
}

/// Looks at everything.
///
/// # Errors
/// Nothing can be looked at: no client for requests can be made.
pub fn examine(patient: &Patient<'_>) -> Result<Vec<Section>, Error> {
    let (settings, settings_check) = workspace::settings(patient);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(Timestamp(0)));
    let http = http_client().map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
    let credentials = Credentials::new(settings.azure.credentials.clone());
    let azure = Azure::new(Arc::new(http.clone()), credentials, Arc::clone(&clock), "doctor");
    let outside = Outside { http, azure, clock: &*clock };
    let runs = state::runs(patient);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Each waits for others: together they take as long as the slowest of the four.
    let (secrets, channels, credentials, time) = runtime.block_on(async {
        tokio::join!(
            secrets::checks(patient, &settings),
            channels::checks(patient, &settings, &outside.http),
            credentials::checks(patient, &outside),
            clock::checks(patient, &outside, &runs),
        )
    });
    runtime.shutdown_background();
    let mut sections = vec![
        Section { name: "workspace", checks: workspace::checks(patient, &settings, settings_check) },
        Section { name: "state", checks: state::checks(patient, &*clock, &runs) },
        Section { name: "tools", checks: tools::checks(patient, &settings) },
        Section { name: "secrets", checks: secrets },
        Section { name: "channels", checks: channels },
        Section { name: "credentials", checks: credentials },
        Section { name: "clock", checks: time },
    ];
    if let Some(down) = &patient.down {
        sections.push(Section { name: "region", checks: region::checks(patient, &settings, down) });
    }
    sections.retain(|section| !section.checks.is_empty());
    Ok(sections)
}

/// The way to everybody else.
struct Outside<'o> {
    http: reqwest::Client,
    azure: Azure,
    clock: &'o dyn Clock,
}

/// `1 run`, `2 runs`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
