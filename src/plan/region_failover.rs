//! The runbook that recovers all that a lost region hits: it calls the runbooks of the services, in order. It is text, so
//! that it is judged, pinned, shown and reviewed like any other.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value};

use super::impact::{Hit, Impact, Lost};
use super::service_inputs;
use crate::catalogue::HumanDuration;
use crate::diag::Span;
use crate::runbook::workspace::{Service, Workspace};

/// The generated runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionFailover {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its steps, in order, each with the services that it recovers.
    pub steps: Vec<(String, Vec<String>)>,
    /// Those that are lost, run nowhere else, and have no runbook.
    pub without_runbook: Vec<String>,
}

impl RegionFailover {
    /// The services that it recovers, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|(_, services)| services.iter().map(String::as_str))
    }
}

/// What services of lower priority wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// For those of higher priority, and for what they depend on.
    ByPriority,
    /// For what they depend on alone.
    ByDependency,
}

/// A step of it: a runbook, for each service that is recovered by it in the same way.
struct Step<'w> {
    id: String,
    services: Vec<&'w str>,
    service: &'w Service,
    runbook: &'w str,
    inputs: Map<String, Value>,
    urgency: u32,
    needs: Vec<usize>,
}

/// The runbook for what is hit. Services that are hit only through others get no step: they come back with those.
///
/// # Errors
/// What is wrong with the inputs of services, with the place in the settings.
pub fn region_failover(
    workspace: &Workspace,
    impact: &Impact,
    order: Order,
) -> Result<RegionFailover, Vec<(Span, String)>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let (mut problems, mut without_runbook) = (Vec::new(), Vec::new());
    for hit in &impact.hit {
        let (Some((name, service)), Some(moves)) = (workspace.services.get_key_value(&hit.service), &hit.moves) else {
            continue;
        };
        let Some(runbook) = &service.runbook else {
            without_runbook.extend(hit.is_lost().then(|| name.clone()));
            continue;
        };
        let inputs = match service_inputs(service, moves) {
            Ok(inputs) => inputs,
            Err(wrong) => {
                problems.extend(wrong.into_iter().map(|(span, why)| (span, format!("service `{name}`: {why}"))));
                continue;
            }
        };
        let same = |step: &&mut Step<'_>| step.runbook == runbook.value && step.inputs == inputs;
        if let Some(step) = steps.iter_mut().find(same) {
            // To fail over twice what is one thing would be worse than not to wait.
            step.services.push(name);
            continue;
        }
        let needs = needs(workspace, impact, &steps, (hit, order));
        let id = unique(&identifier(name), &steps);
        let (services, urgency) = (vec![name.as_str()], hit.urgency);
        steps.push(Step { id, services, service, runbook: &runbook.value, inputs, urgency, needs });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let lost = match &impact.lost {
        Lost::Region(name) | Lost::Service(name) => name,
    };
    let text_of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let named = steps.iter().map(|step| (step.id.clone(), text_of(&step.services))).collect();
    let name = format!("region-{}", identifier(lost).replace('_', "-"));
    let text = text(&name, lost, &steps);
    Ok(RegionFailover { name, text, steps: named, without_runbook })
}

/// The steps before this one that it waits for, less those that others imply.
fn needs(workspace: &Workspace, impact: &Impact, steps: &[Step<'_>], (hit, order): (&Hit, Order)) -> Vec<usize> {
    let mut needs: Vec<usize> = Vec::new();
    let (mut open, mut seen) = (vec![hit.service.as_str()], BTreeSet::new());
    while let Some(name) = open.pop() {
        let depends = workspace.services.get(name).map(|service| service.depends_on.as_slice()).unwrap_or_default();
        for need in depends.iter().map(String::as_str).filter(|need| impact.hit.iter().any(|one| one.service == *need))
        {
            if !seen.insert(need) {
                continue;
            }
            match steps.iter().position(|step| step.services.contains(&need)) {
                Some(step) => needs.push(step),
                // One that nothing recovers stands for what it depends on.
                None => open.push(need),
            }
        }
    }
    if order == Order::ByPriority {
        let higher = steps.iter().map(|step| step.urgency).filter(|urgency| *urgency < hit.urgency).max();
        needs.extend((0..steps.len()).filter(|step| Some(steps[*step].urgency) == higher));
    }
    needs.sort_unstable();
    needs.dedup();
    let implied = |need: &usize| needs.iter().any(|other| other != need && waits(steps, *other, *need));
    needs.iter().copied().filter(|need| !implied(need)).collect()
}

/// Whether a step waits for another one, directly or not. Steps only wait for those before them.
fn waits(steps: &[Step<'_>], step: usize, other: usize) -> bool {
    steps[step].needs.iter().any(|need| *need == other || (*need > other && waits(steps, *need, other)))
}

/// A name of the language, as near as it comes.
fn identifier(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = name.chars().map(fits).take(48).collect();
    if name.starts_with(|first: char| first.is_ascii_lowercase()) { name } else { format!("s{name}") }
}

fn unique(id: &str, steps: &[Step<'_>]) -> String {
    let is_free = |id: &String| steps.iter().all(|step| step.id != *id);
    let numbered = (2..).map(|number| format!("{id}_{number}"));
    std::iter::once(id.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

fn text(name: &str, lost: &str, steps: &[Step<'_>]) -> String {
    let longest = |time: fn(&Service) -> Option<Duration>| {
        steps.iter().filter_map(|step| time(step.service)).max().map(|time| HumanDuration(time).to_string())
    };
    let objectives = [("rto", longest(|service| service.rto)), ("rpo", longest(|service| service.rpo))];
    let objectives = objectives.into_iter().filter_map(|(name, time)| Some(format!("{name}: {}", time?)));
    let objectives = objectives.collect::<Vec<_>>().join(", ");
    let mut owners: Vec<&str> = steps.iter().map(|step| step.service.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let mut out = format!(
        "# Made of the services in `drctl.yaml` by `drctl failover --region {lost}`: it runs their runbooks in the order of\n\
         # recovery. The gates of these runbooks hold, and their notices go out.\n\
         drctl: 1\nname: {name}\nkind: failover\ntitle: {}\nowner: {}\n",
        quoted(&format!("Recover what runs in {lost}")),
        quoted(&owners.join(", ")),
    );
    if !objectives.is_empty() {
        writeln!(out, "# The longest of the services.\nobjectives: {{ {objectives} }}").ok();
    }
    out.push_str("\nexecution:\n");
    steps.iter().for_each(|step| out.push_str(&step_text(step, steps)));
    out
}

fn step_text(step: &Step<'_>, steps: &[Step<'_>]) -> String {
    let titles: Vec<&str> = match &step.service.title {
        Some(title) if step.services.len() == 1 => vec![title],
        _ => step.services.clone(),
    };
    let mut out = format!("  - id: {}\n    title: {}\n", step.id, quoted(&titles.join(", ")));
    writeln!(out, "    owner: {}\n    action: runbook", quoted(&step.service.owner)).ok();
    if !step.needs.is_empty() {
        let needs: Vec<&str> = step.needs.iter().map(|need| steps[*need].id.as_str()).collect();
        writeln!(out, "    needs: [{}]", needs.join(", ")).ok();
    }
    let inputs = step.inputs.iter().map(|(name, value)| format!("{}: {}", quoted(name), json(value)));
    let inputs = inputs.collect::<Vec<_>>().join(", ");
    let inputs = if inputs.is_empty() { String::new() } else { format!(", inputs: {{ {inputs} }}") };
    // What is independent goes on when one of them fails.
    writeln!(out, "    on_failure: ask").ok();
    writeln!(out, "    with: {{ runbook: {}, communication: true{inputs} }}", quoted(step.runbook)).ok();
    out
}

/// Text within quotes. What would be an expression is none.
fn quoted(text: &str) -> String {
    json(&Value::from(text.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #")))
}

/// JSON is YAML, if it stays on one line.
fn json(value: &Value) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::impact::impact;
    use super::*;
    use crate::diag::Sources;

    const SHOP: &str = "\
drctl: 1
region_pairs: { centralus: eastus2 }
tiers: { gold: { rto: 1h, rpo: 1m }, silver: { rto: 4h } }
services:
  identity: { owner: team_identity, tier: gold, priority: 9, regions: [centralus], runbook: identity }
  network: { owner: team_network, regions: [centralus], depends_on: [identity] }
  orders:
    { title: Orders, owner: team_orders, tier: gold, priority: 1, regions: [centralus], depends_on: [network], runbook: stamp,
      inputs: { lost: \"{{ region }}\", groups: [\"rg-{{ standby }}\"] } }
  search: { owner: team_orders, priority: 1, regions: [centralus], runbook: search }
  billing: { owner: team_orders, tier: silver, priority: 2, regions: [centralus, eastus2], runbook: billing }
  invoices: { owner: team_orders, priority: 3, regions: [centralus], runbook: billing }
  mail: { owner: team_mail, regions: [westeurope], depends_on: [orders], runbook: mail }
";

    fn made(settings: &str, order: Order) -> Result<RegionFailover, Vec<String>> {
        let mut sources = Sources::default();
        let source = sources.add("drctl.yaml", settings);
        let (workspace, found) = Workspace::parse(&sources, source);
        assert_eq!(found, []);
        let impact = impact(&workspace, &Lost::Region("centralus".to_owned())).unwrap();
        let told = |(span, why): (Span, String)| format!("{}: {why}", sources.place(span));
        region_failover(&workspace, &impact, order).map_err(|problems| problems.into_iter().map(told).collect())
    }

    #[test]
    fn services_come_in_the_order_of_priority_behind_what_they_depend_on() {
        let made = made(SHOP, Order::ByPriority).unwrap();
        assert_eq!(
            made.text,
            "\
# Made of the services in `drctl.yaml` by `drctl failover --region centralus`: it runs their runbooks in the order of
# recovery. The gates of these runbooks hold, and their notices go out.
drctl: 1
name: region-centralus
kind: failover
title: \"Recover what runs in centralus\"
owner: \"team_identity, team_orders\"
# The longest of the services.
objectives: { rto: 4h, rpo: 1m }

execution:
  - id: search
    title: \"search\"
    owner: \"team_orders\"
    action: runbook
    on_failure: ask
    with: { runbook: \"search\", communication: true }
  - id: identity
    title: \"identity\"
    owner: \"team_identity\"
    action: runbook
    on_failure: ask
    with: { runbook: \"identity\", communication: true }
  - id: orders
    title: \"Orders\"
    owner: \"team_orders\"
    action: runbook
    needs: [identity]
    on_failure: ask
    with: { runbook: \"stamp\", communication: true, inputs: { \"lost\": \"centralus\", \"groups\": [\"rg-eastus2\"] } }
  - id: billing
    title: \"billing, invoices\"
    owner: \"team_orders\"
    action: runbook
    needs: [search, orders]
    on_failure: ask
    with: { runbook: \"billing\", communication: true }
"
        );
        assert_eq!(made.name, "region-centralus");
        assert_eq!(made.services().collect::<Vec<_>>(), ["search", "identity", "orders", "billing", "invoices"]);
        assert_eq!(made.without_runbook, ["network"]);
    }

    #[test]
    fn where_priority_does_not_count_services_wait_for_what_they_depend_on_alone() {
        let text = made(SHOP, Order::ByDependency).unwrap().text;
        let needs: Vec<&str> = text.lines().filter(|line| line.contains("needs:")).collect();
        assert_eq!(needs, ["    needs: [identity]"]);
    }

    #[test]
    fn names_of_all_kinds_become_steps_of_their_own() {
        let settings = "\
drctl: 1
services:
  Web-1: { title: \"{{ x }} \\\"q\\\"\", owner: a, regions: [centralus], runbook: one }
  web_1: { owner: a, regions: [centralus], runbook: two }
  1st: { owner: a, regions: [centralus], runbook: three }
";
        let text = made(settings, Order::ByPriority).unwrap().text;
        let ids: Vec<&str> = text.lines().filter(|line| line.contains("id:") || line.contains("    title:")).collect();
        assert_eq!(
            ids,
            [
                "  - id: s1st",
                "    title: \"1st\"",
                "  - id: web_1",
                "    title: \"{ { x }} \\\"q\\\"\"",
                "  - id: web_1_2",
                "    title: \"web_1\"",
            ]
        );
    }

    #[test]
    fn inputs_that_cannot_be_filled_are_told_with_their_place() {
        let settings = "drctl: 1\nservices:\n  web: { owner: a, regions: [centralus], runbook: one, inputs: { to: \"{{ standby }}\" } }\n";
        assert_eq!(
            made(settings, Order::ByPriority),
            Err(vec!["drctl.yaml:3:66: service `web`: `to`: nothing says where the service goes from `centralus`: give it a `standby`, or the region a pair".to_owned()])
        );
    }
}
