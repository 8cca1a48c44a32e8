//! When each service is back, where a region's failover goes as it usually does, and at worst.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::super::plan::Outline;
use super::plain;
use crate::catalogue::HumanDuration;
use crate::runbook::workspace::Workspace;

/// A line for each service: when it is back after the beginning, against its RTO. `steps` are those of the plan, each with
/// the services that it recovers.
#[must_use]
pub fn back(plan: &Outline, steps: &[(String, Vec<String>)], workspace: &Workspace) -> String {
    let times = times(plan);
    let services = steps.iter().flat_map(|(step, services)| services.iter().map(move |service| (step, service)));
    let width = services.clone().map(|(_, service)| service.chars().count()).max().unwrap_or(0);
    services.fold("\nback after\n".to_owned(), |mut text, (step, service)| {
        let (typical, worst) = times.get(step.as_str()).copied().unwrap_or_default();
        let rto = workspace.services.get(service).and_then(|service| service.rto);
        let times = format!("{} usually, {} at worst", HumanDuration(typical), HumanDuration(worst));
        writeln!(text, "  {:<width$}  {times}{}", plain(service), against(rto, typical, worst)).ok();
        text
    })
}

fn against(rto: Option<Duration>, typical: Duration, worst: Duration) -> String {
    let Some(rto) = rto else { return String::new() };
    let over = |time: Duration| HumanDuration(time.saturating_sub(rto));
    let verdict = match rto {
        rto if typical > rto => format!(": usually {} OVER IT", over(typical)),
        rto if worst > rto => format!(": at worst {} over it", over(worst)),
        _ => String::new(),
    };
    format!("; RTO {}{verdict}", HumanDuration(rto))
}

/// When each step of the plan has ended, usually and at worst. What a step needs stands in a wave before its own.
fn times(plan: &Outline) -> BTreeMap<&str, (Duration, Duration)> {
    let mut times: BTreeMap<&str, (Duration, Duration)> = BTreeMap::new();
    for step in plan.phases.iter().flat_map(|phase| phase.waves.iter().flatten()) {
        let needs = || step.needs.iter().filter_map(|need| times.get(need.as_str()));
        let typical = needs().map(|(typical, _)| *typical).max().unwrap_or_default();
        let worst = needs().map(|(_, worst)| *worst).max().unwrap_or_default();
        let own = step.estimate.map_or((Duration::ZERO, Duration::ZERO), |(typical, worst)| (typical.0, worst.0));
        times.insert(&step.path, (typical + own.0, worst + own.1));
    }
    times
}
