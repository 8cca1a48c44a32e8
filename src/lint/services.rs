//! What only the workspace with its runbooks can tell: services are recovered by runbooks that are there, take what they
//! are given and are fast enough; drills try runbooks that are there, within their windows.

use serde_json::{Map, Value};

use super::allow;
use crate::catalogue::{Catalogue, HumanDuration, Timestamp, Type};
use crate::diag::{Diagnostic, Severity, sort};
use crate::plan::calendar::{Held, Standing, drills};
use crate::plan::critical_path::Estimates;
use crate::plan::impact::Move;
use crate::plan::{self, Runbooks, service_inputs};
use crate::runbook::ast::{Kind, Runbook};
use crate::runbook::workspace::{Drill, Service, Workspace};

/// What is wrong with the services and drills of a workspace, by place. Of runbooks that are there and were not read, as
/// they have errors, nothing more is said.
#[must_use]
pub fn services(workspace: &Workspace, runbooks: &Runbooks, catalogue: &Catalogue, is_sound: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, service) in &workspace.services {
        let about = About { name, service, runbooks, catalogue };
        about.check(&mut found);
    }
    for (name, drill) in &workspace.drills {
        found.extend(no_runbook(name, drill, runbooks));
        found.extend(too_long(workspace, name, drill));
    }
    let is_sound = is_sound && found.iter().all(|finding| finding.severity == Severity::Warning);
    let mut found = allow::without_allowed(&workspace.allowances, found, is_sound);
    sort(&mut found);
    found
}

/// The drills of the calendar that are overdue by the runs that are known.
#[must_use]
pub fn overdue(workspace: &Workspace, held: &[Held], now: Timestamp) -> Vec<Diagnostic> {
    let overdue = drills(workspace, held, now).into_iter().filter(|status| status.standing == Standing::Overdue);
    let told = |status: plan::calendar::DrillStatus<'_>| {
        let last = status
            .last
            .map_or_else(|| "no run here was one".to_owned(), |last| format!("the last one was run `{}`", last.run));
        let message = format!("the drill `{}` is overdue: {last}", status.name);
        Diagnostic::warning("calendar", status.drill.span, message).note("`drctl drills` says when it can be held next")
    };
    overdue.map(told).collect()
}

struct About<'s> {
    name: &'s str,
    service: &'s Service,
    runbooks: &'s Runbooks,
    catalogue: &'s Catalogue,
}

impl About<'_> {
    fn check(&self, found: &mut Vec<Diagnostic>) {
        let Some(named) = &self.service.runbook else {
            found.extend(self.nothing_recovers());
            return;
        };
        if !self.runbooks.known.contains(&(named.value.clone(), Kind::Failover)) {
            let message = format!("service `{}`: no failover runbook is called `{}`", self.name, named.value);
            let failovers = self.runbooks.known.iter().filter(|(_, kind)| *kind == Kind::Failover);
            let finding = Diagnostic::error("service", named.span, message);
            found.push(finding.suggest(&named.value, failovers.map(|(name, _)| name.as_str())));
            return;
        }
        let inputs = self.inputs(found);
        if let Some(runbook) = self.runbooks.get(&named.value, Kind::Failover) {
            self.given(runbook, &inputs, found);
            self.in_time(runbook, inputs, found);
        }
    }

    fn nothing_recovers(&self) -> Option<Diagnostic> {
        let (tier, rto) = (self.service.tier.as_ref()?, self.service.rto?);
        let rto = HumanDuration(rto);
        let message =
            format!("no runbook recovers service `{}`, which is to be back in {rto} (tier `{tier}`)", self.name);
        let note = "give it a `runbook`, or say why it needs none: `# drctl: allow(service) REASON`";
        Some(Diagnostic::warning("service", self.service.span, message).note(note))
    }

    /// What the runbook is given when the first region is lost; it may differ for another one only by its name.
    fn inputs(&self, found: &mut Vec<Diagnostic>) -> Map<String, Value> {
        let region = self.service.regions.first().map_or("", String::as_str);
        service_inputs(self.service, &Move::out_of(region, self.service)).unwrap_or_else(|problems| {
            let told = |(span, why)| Diagnostic::error("service", span, format!("service `{}`: {why}", self.name));
            found.extend(problems.into_iter().map(told));
            Map::new()
        })
    }

    fn given(&self, runbook: &Runbook, inputs: &Map<String, Value>, found: &mut Vec<Diagnostic>) {
        let called = &runbook.name.value;
        for (name, _) in &self.service.inputs {
            let Some(input) = runbook.inputs.iter().find(|input| input.name.value == name.value) else {
                let message = format!("service `{}`: runbook `{called}` has no input `{}`", self.name, name.value);
                let known = runbook.inputs.iter().map(|input| input.name.value.as_str());
                found.push(Diagnostic::error("service", name.span, message).suggest(&name.value, known));
                continue;
            };
            let wrong = match inputs.get(&name.value) {
                _ if input.kind == Type::Secret => {
                    Some("it is a secret: where it is read, the runbook says".to_owned())
                }
                Some(value) => input.kind.check(&input.kind.settle(value.clone())).err(),
                None => None,
            };
            let told = |why| format!("service `{}`: the input `{}` of `{called}`: {why}", self.name, name.value);
            found.extend(wrong.map(|why| Diagnostic::error("service", name.span, told(why))));
        }
        let given = |name: &String| self.service.inputs.iter().any(|(given, _)| given.value == *name);
        let is_open = |input: &crate::runbook::ast::Input| input.default.is_none() && input.kind != Type::Secret;
        let missing = runbook.inputs.iter().filter(|input| is_open(input) && !given(&input.name.value));
        found.extend(missing.map(|input| {
            let (name, kind) = (&input.name.value, &input.kind);
            let message = format!("service `{}`: runbook `{called}` needs the input `{name}` ({kind})", self.name);
            let place = self.service.runbook.as_ref().map_or(self.service.span, |runbook| runbook.span);
            Diagnostic::error("service", place, message).note(format!("write `inputs: {{ {name}: VALUE }}` there"))
        }));
    }

    fn in_time(&self, runbook: &Runbook, inputs: Map<String, Value>, found: &mut Vec<Diagnostic>) {
        let (called, name) = (&runbook.name.value, self.name);
        let place = self.service.runbook.as_ref().map_or(self.service.span, |runbook| runbook.span);
        let told = |message| Diagnostic::warning("service", place, message);
        let objectives =
            [("RTO", runbook.objectives.rto, self.service.rto), ("RPO", runbook.objectives.rpo, self.service.rpo)];
        for (what, runbook, service) in objectives {
            if let (Some(runbook), Some(service)) = (runbook, service)
                && runbook > service
            {
                let (runbook, service) = (HumanDuration(runbook), HumanDuration(service));
                found.push(told(format!(
                    "the {what} of service `{name}` is {service}, that of its runbook `{called}` {runbook}"
                )));
            }
        }
        let Some(rto) = self.service.rto.filter(|_| runbook.objectives.rto.is_none()) else { return };
        let graph = plan::graph(runbook, &plan::index(runbook));
        if graph.order().is_err() {
            return;
        }
        let defaults =
            runbook.inputs.iter().filter_map(|input| Some((input.name.value.clone(), input.default.clone()?)));
        let inputs = defaults.chain(inputs).collect();
        let estimates = Estimates { runbooks: self.runbooks, catalogue: self.catalogue };
        let path = estimates.critical_path(runbook, &graph, &inputs);
        let slow = [(path.typical, "usually"), (path.worst, "at worst")].into_iter().find(|(time, _)| *time > rto);
        found.extend(slow.map(|(time, how)| {
            let (time, rto) = (HumanDuration(time), HumanDuration(rto));
            told(format!("runbook `{called}` takes {time} {how}, the RTO of service `{name}` is {rto}"))
        }));
    }
}

fn no_runbook(name: &str, drill: &Drill, runbooks: &Runbooks) -> Option<Diagnostic> {
    let (called, kind) = (&drill.runbook.value, drill.kind);
    if runbooks.known.contains(&(called.clone(), kind)) {
        return None;
    }
    let message = format!("drill `{name}`: no {} runbook is called `{called}`", kind.name());
    let finding = Diagnostic::error("calendar", drill.runbook.span, message);
    let others = runbooks.known.iter().filter(|(other, _)| other == called).map(|(_, kind)| kind.name());
    let others: Vec<&str> = others.collect();
    if !others.is_empty() {
        return Some(finding.note(format!("there is one of kind {}: say so in `kind`", others.join(", "))));
    }
    let of_kind = runbooks.known.iter().filter(|(_, other)| *other == kind).map(|(name, _)| name.as_str());
    Some(finding.suggest(called, of_kind))
}

fn too_long(workspace: &Workspace, name: &str, drill: &Drill) -> Option<Diagnostic> {
    let (window, lasts) = (drill.window.as_ref()?, drill.lasts?);
    let open = workspace.maintenance_windows.get(window)?.lasts;
    let (lasts, open) = (lasts > open).then_some((HumanDuration(lasts), HumanDuration(open)))?;
    let message = format!("drill `{name}` may last {lasts}, its window `{window}` is open for {open}");
    Some(Diagnostic::warning("calendar", drill.span, message))
}
