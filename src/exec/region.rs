//! The failover of a region: the runbook that is made of the workspace's services.

use std::path::Path;
use std::sync::Arc;

use super::check::judged_services;
use super::run::Made;
use super::surroundings::Surroundings;
use crate::catalogue::Catalogue;
use crate::diag::{Diagnostic, Format, Severity, Span, render};
use crate::error::{Error, Exit};
use crate::plan::impact::{Impact, Lost, impact};
use crate::plan::region_failover::{Order, RegionFailover, region_failover};
use crate::runbook::workspace::Workspace;

/// What a lost region hits, and the runbook that recovers it.
pub struct Region {
    /// The settings.
    pub workspace: Arc<Workspace>,
    /// What is hit.
    pub impact: Impact,
    /// The runbook.
    pub failover: RegionFailover,
    /// It, to be started.
    pub made: Made,
}

/// The settings, where nothing is wrong with them; a sentence of each error where something is.
///
/// # Errors
/// A file cannot be read, or has errors.
pub fn settings(folder: &Path) -> Result<Surroundings, Error> {
    let surroundings = Surroundings::read(folder)?;
    refuse(&surroundings, surroundings.found.clone(), "`drctl.yaml` or a template is invalid")?;
    Ok(surroundings)
}

fn refuse(surroundings: &Surroundings, mut found: Vec<Diagnostic>, why: &str) -> Result<(), Error> {
    found.retain(|finding| finding.severity == Severity::Error);
    if found.is_empty() {
        return Ok(());
    }
    let found = render(&found, &surroundings.sources, Format::Human, false);
    Err(Error::new(Exit::Invalid, format!("{found}\n{why}: nothing was started")))
}

/// Makes the runbook for all that runs in a region.
///
/// # Errors
/// There is no such region, no runbook recovers what is hit, or what the settings say of it is wrong.
pub fn made(folder: &Path, region: &str, order: Order, catalogue: &Catalogue) -> Result<Region, Error> {
    let surroundings = settings(folder)?;
    let workspace = Arc::clone(&surroundings.workspace);
    let impact = impact(&workspace, &Lost::Region(region.to_owned())).map_err(Error::usage)?;
    // What is wrong with services that are not hit is in nobody's way.
    let mut hit = Workspace::clone(&workspace);
    hit.services.retain(|name, _| impact.hit.iter().any(|hit| hit.service == *name && hit.moves.is_some()));
    hit.drills.clear();
    let found = judged_services(&surroundings, &hit, catalogue)?;
    refuse(&surroundings, found, "what `drctl.yaml` says of these services is wrong")?;
    let failover = region_failover(&workspace, &impact, order).map_err(|problems| {
        let told = |(span, why): (Span, String)| Diagnostic::error("service", span, why);
        let found: Vec<Diagnostic> = problems.into_iter().map(told).collect();
        let found = render(&found, &surroundings.sources, Format::Human, false);
        Error::new(Exit::Invalid, format!("{found}\nnothing was started"))
    })?;
    if failover.steps.is_empty() {
        let message = match failover.without_runbook.as_slice() {
            [] => format!("nothing runs in `{region}`: there is nothing to recover"),
            names => format!("no service that runs in `{region}` has a runbook: {}", names.join(", ")),
        };
        let next = format!("drctl impact --region {}", shell_words::quote(region));
        return Err(Error::usage(message).next(next));
    }
    let place = format!("failover --region {region}");
    let made = Made { region: Some(region.to_owned()), announces: None, place, text: failover.text.clone() };
    Ok(Region { workspace, impact, failover, made })
}
