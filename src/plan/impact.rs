//! What a lost region or a lost service hits, directly and through what services depend on, in the order of recovery.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{closest, listed};
use crate::runbook::workspace::{Service, Workspace};

/// What is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// All that runs in a region.
    Region(String),
    /// One service, wherever it runs.
    Service(String),
}

/// How badly a service is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// It goes on in another region, with less than it has.
    Reduced,
    /// It does not work.
    Down,
}

impl Harm {
    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reduced => "reduced",
            Self::Down => "down",
        }
    }
}

/// A service that is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its name.
    pub service: String,
    /// How badly, whatever the reason.
    pub harm: Harm,
    /// Where it is lost and where it goes; nothing where it is hit only through others.
    pub moves: Option<Move>,
    /// What it depends on that harms it more than its own loss: the next service first, the one that is lost last.
    pub through: Vec<String>,
    /// The priority of the most urgent service that waits for it: its own, or that of one that depends on it.
    pub urgency: u32,
}

impl Hit {
    /// Whether it is lost itself, and runs nowhere else.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.moves.is_some() && self.harm == Harm::Down && self.through.is_empty()
    }
}

/// From which region a service goes where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move {
    /// Where it is lost.
    pub from: String,
    /// Where it goes; nothing where nobody has said so.
    pub to: Option<String>,
}

impl Move {
    /// Out of a region: to where the service can go, else to where it runs besides.
    #[must_use]
    pub fn out_of(region: &str, service: &Service) -> Self {
        let others = service.standby.iter().chain(&service.regions);
        Self { from: region.to_owned(), to: others.into_iter().find(|other| *other != region).cloned() }
    }
}

/// What is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// By what.
    pub lost: Lost,
    /// In the order of recovery: what is needed comes first, then what is most urgent, then by name.
    pub hit: Vec<Hit>,
    /// Services that go on, and have nowhere to go as long as the region is lost.
    pub exposed: Vec<String>,
}

/// What is hit when that is lost.
///
/// # Errors
/// A sentence: there is no such region or service.
pub fn impact(workspace: &Workspace, lost: &Lost) -> Result<Impact, String> {
    let services = &workspace.services;
    let direct: BTreeMap<&str, (Harm, Move)> = match lost {
        Lost::Region(region) => {
            known("region", region, &known_regions(workspace))?;
            let own = services.iter().filter(|(_, service)| service.regions.contains(region));
            own.map(|(name, service)| (name.as_str(), (harm(service), Move::out_of(region, service)))).collect()
        }
        Lost::Service(name) => {
            known("service", name, &services.keys().map(String::as_str).collect())?;
            let service = services.get_key_value(name);
            let moved = |service: &Service| Move::out_of(service.regions.first().map_or("", String::as_str), service);
            service.into_iter().map(|(name, service)| (name.as_str(), (Harm::Down, moved(service)))).collect()
        }
    };
    let mut hit = hit(workspace, &direct);
    make_urgent(workspace, &mut hit);
    let exposed = match lost {
        Lost::Region(region) => exposed(workspace, region, &hit),
        Lost::Service(_) => Vec::new(),
    };
    Ok(Impact { lost: lost.clone(), hit: in_order(workspace, hit), exposed })
}

/// The regions that the workspace names.
#[must_use]
pub fn known_regions(workspace: &Workspace) -> BTreeSet<&str> {
    let of_services = workspace.services.values().flat_map(|service| service.regions.iter().chain(&service.standby));
    of_services.chain(workspace.region_pairs.keys()).map(String::as_str).collect()
}

fn known(what: &str, name: &str, all: &BTreeSet<&str>) -> Result<(), String> {
    if all.contains(name) {
        return Ok(());
    }
    let there = match all.len() {
        0 => format!("`drctl.yaml` names no {what}"),
        _ => format!("there are {}", listed(all.iter().copied())),
    };
    let meant = closest(name, all.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
    Err(format!("no {what} is called `{name}`: {there}{}", meant.unwrap_or_default()))
}

fn harm(service: &Service) -> Harm {
    if service.regions.len() > 1 { Harm::Reduced } else { Harm::Down }
}

/// What is hit directly, and all that depends on it; by name.
fn hit(workspace: &Workspace, direct: &BTreeMap<&str, (Harm, Move)>) -> BTreeMap<String, Hit> {
    let mut hit: BTreeMap<String, Hit> = BTreeMap::new();
    for name in needed_first(workspace) {
        let Some(service) = workspace.services.get(name) else { continue };
        let own = direct.get(name);
        let needed = service.depends_on.iter().filter_map(|need| hit.get(need));
        // Of those that harm it equally, the first is told of.
        let worst = needed.rev().max_by_key(|need| need.harm);
        let worst = worst.filter(|need| own.is_none_or(|(harm, _)| need.harm > *harm));
        let through = worst.map(|need| [&[need.service.clone()][..], &need.through].concat()).unwrap_or_default();
        let Some(harm) = worst.map(|need| need.harm).or(own.map(|(harm, _)| *harm)) else { continue };
        let moves = own.map(|(_, moves)| moves.clone());
        let one = Hit { service: name.to_owned(), harm, moves, through, urgency: service.priority };
        hit.insert(name.to_owned(), one);
    }
    hit
}

/// All services, each behind what it depends on. In a circle, which validation tells of, they come as they are named.
fn needed_first(workspace: &Workspace) -> Vec<&str> {
    let mut order: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = workspace.services.keys().map(String::as_str).collect();
    while !open.is_empty() {
        let waits = |name: &&str| {
            let needs = workspace.services.get(*name).map(|service| service.depends_on.as_slice());
            needs.unwrap_or_default().iter().any(|need| open.contains(&need.as_str()))
        };
        let (waiting, ready): (Vec<&str>, Vec<&str>) = open.iter().partition(|name| waits(name));
        order.extend(if ready.is_empty() { &waiting } else { &ready });
        open = if ready.is_empty() { Vec::new() } else { waiting };
    }
    order
}

/// What an urgent service depends on is as urgent.
fn make_urgent(workspace: &Workspace, hit: &mut BTreeMap<String, Hit>) {
    for name in needed_first(workspace).into_iter().rev() {
        let Some(urgency) = hit.get(name).map(|one| one.urgency) else { continue };
        let needs = workspace.services.get(name).map(|service| service.depends_on.as_slice()).unwrap_or_default();
        for need in needs {
            if let Some(need) = hit.get_mut(need) {
                need.urgency = need.urgency.min(urgency);
            }
        }
    }
}

/// What is needed first, then the most urgent, then by its own priority and name.
fn in_order(workspace: &Workspace, mut hit: BTreeMap<String, Hit>) -> Vec<Hit> {
    let mut order = Vec::new();
    while !hit.is_empty() {
        let service = |name: &str| workspace.services.get(name);
        let is_ready = |name: &&String| {
            let needs = service(name).map(|service| service.depends_on.as_slice()).unwrap_or_default();
            !needs.iter().any(|need| hit.contains_key(need))
        };
        let rank = |name: &&String| {
            let own = service(name).map_or(u32::MAX, |service| service.priority);
            (hit.get(*name).map_or(u32::MAX, |one| one.urgency), own, (*name).clone())
        };
        let next = hit.keys().filter(is_ready).min_by_key(rank).or(hit.keys().next()).cloned();
        order.extend(next.and_then(|next| hit.remove(&next)));
    }
    order
}

/// Services that run elsewhere, and whose every standby is in the lost region.
fn exposed(workspace: &Workspace, region: &str, hit: &BTreeMap<String, Hit>) -> Vec<String> {
    let is_exposed = |(name, service): &(&String, &Service)| {
        let is_hit = hit.get(*name).is_some_and(|one| one.moves.is_some());
        let has_other = service.standby.iter().any(|standby| standby != region);
        !is_hit && service.regions.len() == 1 && service.standby.iter().any(|standby| standby == region) && !has_other
    };
    workspace.services.iter().filter(is_exposed).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;

    const SHOP: &str = "\
drctl: 1
region_pairs: { centralus: eastus2 }
services:
  identity: { owner: a, priority: 50, regions: [centralus] }
  billing: { owner: a, priority: 10, regions: [centralus], standby: [westeurope] }
  orders: { owner: a, priority: 1, regions: [centralus], depends_on: [identity] }
  web: { owner: a, priority: 1, regions: [centralus, eastus2], depends_on: [orders] }
  search: { owner: a, priority: 2, regions: [centralus, westeurope] }
  mail: { owner: a, regions: [westeurope], depends_on: [web] }
  archive: { owner: a, regions: [eastus2] }
  wiki: { owner: a, regions: [westeurope] }
";

    fn shop() -> Workspace {
        let mut sources = Sources::default();
        let source = sources.add("drctl.yaml", SHOP);
        let (workspace, found) = Workspace::parse(&sources, source);
        assert_eq!(found, []);
        workspace
    }

    fn told(lost: &Lost) -> Vec<String> {
        let told = |hit: &Hit| {
            let moves = hit.moves.as_ref().map(|moves| format!(" to {}", moves.to.as_deref().unwrap_or("nowhere")));
            let through =
                if hit.through.is_empty() { String::new() } else { format!(" through {}", hit.through.join(", ")) };
            format!("{} {}{}{through}", hit.service, hit.harm.word(), moves.unwrap_or_default())
        };
        impact(&shop(), lost).unwrap().hit.iter().map(told).collect()
    }

    #[test]
    fn what_urgent_services_depend_on_comes_first_and_what_runs_elsewhere_too_is_reduced() {
        assert_eq!(
            told(&Lost::Region("centralus".to_owned())),
            [
                "identity down to eastus2",
                "orders down to eastus2",
                "web down to eastus2 through orders",
                "search reduced to westeurope",
                "billing down to westeurope",
                "mail down through web, orders",
            ]
        );
        assert_eq!(
            told(&Lost::Region("westeurope".to_owned())),
            ["search reduced to centralus", "mail down to nowhere", "wiki down to nowhere"]
        );
    }

    #[test]
    fn a_lost_service_hits_all_that_depends_on_it_and_nothing_else() {
        assert_eq!(
            told(&Lost::Service("orders".to_owned())),
            ["orders down to eastus2", "web down through orders", "mail down through web, orders"]
        );
    }

    #[test]
    fn what_has_nowhere_to_go_while_the_region_is_lost_is_named() {
        let impact = impact(&shop(), &Lost::Region("centralus".to_owned())).unwrap();
        assert_eq!(impact.exposed, ["archive"]);
    }

    #[test]
    fn an_unknown_region_or_service_says_which_may_be_meant() {
        let told = |lost: Lost| impact(&shop(), &lost).unwrap_err();
        assert_eq!(
            told(Lost::Region("centralsu".to_owned())),
            "no region is called `centralsu`: there are centralus, eastus2, westeurope; did you mean `centralus`?"
        );
        let other = told(Lost::Service("oders".to_owned()));
        assert!(other.ends_with("did you mean `orders`?"), "{other}");
        let none = impact(&Workspace::empty(), &Lost::Region("x".to_owned())).unwrap_err();
        assert_eq!(none, "no region is called `x`: `drctl.yaml` names no region");
    }
}
