//! What all stand-ins of a rehearsal share. Outlives the drctl that is rehearsed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use azure_core::http::HttpClient;
use serde_json::{Map, Value};

use super::cloud;
use super::durations::{Times, times};
use super::{Endpoints, Implied, Ledger, Probed, Random};
use crate::actions::Call;
use crate::catalogue::{Effect, Takes, Timestamp, Type};
use crate::edge::clock::Clock;
use crate::engine::mentions;
use crate::plan::path::{names, without_keys};
use crate::plan::{Plan, Region};
use crate::runbook::ast::Step;
use crate::sim::azure::{Attempt, Azure, Logged, paired};
use crate::sim::scenario::{Endpoint, Fault, Scenario};

/// What a rehearsal is made of.
#[derive(Clone)]
pub struct Setting {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The clock all waiting goes through.
    pub clock: Arc<dyn Clock>,
    /// Where randomness starts.
    pub seed: u64,
    /// Whether everything takes its typical time, rather than one drawn by the seed.
    pub steady: bool,
    /// What is known of the plan's actions.
    pub implied: Arc<Vec<Implied>>,
    /// The run's id.
    pub run: String,
}

impl Setting {
    /// How long the step of a path takes.
    fn times(&self, path: &str) -> Times {
        let step = self.plan.find(path).map(|index| self.plan.step(index));
        let scenario = self.scenario.simulate(path);
        times(step, &self.plan.runbook.defaults, scenario, self.takes(path))
    }

    /// How long the action of a path's step takes, where that is known.
    fn takes(&self, path: &str) -> Option<Takes> {
        let index = self.plan.find(path)?;
        let action = self.plan.step(index).action.name.value.as_str();
        (self.plan.spec(action)?.takes)(self.known(path)?)
    }

    /// The parameters of a path's step, as far as they are known before the run.
    fn known(&self, path: &str) -> Option<&Map<String, Value>> {
        let index = self.plan.find(path)?;
        let action = self.plan.step(index).action.name.value.as_str();
        let own = |implied: &&Implied| implied.step == without_keys(path) && implied.action == action;
        self.implied.iter().find(own).map(|implied| &implied.with)
    }
}

/// The simulated world outside Azure.
pub struct Stage {
    /// What the rehearsal is made of.
    pub setting: Setting,
    azure: Azure,
    endpoints: Endpoints,
    ledger: Mutex<Ledger>,
    /// How often each fault has struck.
    struck: Mutex<BTreeMap<usize, u32>>,
    /// Values that nobody gave: step and what.
    assumed: Mutex<BTreeMap<String, String>>,
    /// When the rehearsal began.
    start: Timestamp,
    /// The faults that were told of.
    told: Mutex<BTreeSet<usize>>,
}

impl Stage {
    /// The world as it is before the run.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        let endpoints = Endpoints::new(&setting.scenario, setting.clock.now());
        let (azure, start) = (azure(&setting), setting.clock.now());
        Self {
            setting,
            azure,
            endpoints,
            ledger: Mutex::default(),
            struck: Mutex::default(),
            assumed: Mutex::default(),
            start,
            told: Mutex::default(),
        }
    }

    /// The faults that have struck since this was asked last, in words.
    #[must_use]
    pub fn news(&self) -> Vec<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let faults = self.setting.scenario.faults.iter().enumerate();
        let struck = faults.filter(|(index, fault)| match &fault.value {
            Fault::RegionDown { at, .. } => self.start.until(self.now()) >= *at,
            // It is so from the beginning.
            Fault::SlowReplication { .. } => true,
            _ => self.has_struck(*index),
        });
        struck.filter(|(index, _)| told.insert(*index)).map(|(_, fault)| fault.value.words()).collect()
    }

    /// What happened so far.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was assumed because nobody said it: by step.
    #[must_use]
    pub fn assumed(&self) -> BTreeMap<String, String> {
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn assume(&self, path: &str, what: String) {
        let step = without_keys(path);
        self.assumed.lock().unwrap_or_else(PoisonError::into_inner).entry(step).or_insert(what);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.setting.clock.now()
    }

    /// What answers at `url`.
    #[must_use]
    pub fn probe(&self, url: &str) -> Probed {
        let region = |resource: &str| self.azure.served_from(resource);
        self.endpoints.probe(url, self.now(), (&|step| self.has_run(step), &region))
    }

    /// Whether a step has had its effect, and it was not undone.
    fn has_run(&self, step: &str) -> bool {
        let ledger = self.ledger();
        let last = ledger.done.iter().rfind(|done| names(step, &done.step) && done.fails.is_none());
        last.is_some_and(|done| !done.undo && done.ends <= self.now()) || self.azure.has_arrived(step)
    }

    /// Why a check that follows a step cannot hold yet: the step has had no effect.
    pub(super) fn holds_not(&self, call: &Call) -> Option<String> {
        let step = self.step(&call.step).filter(|_| is_verify(call))?;
        let stood_in = matches!(step.action.name.value.as_str(), "shell" | "exec" | "http");
        (stood_in && !self.has_run(&call.step)).then(|| format!("`{}` has had no effect yet", call.step))
    }

    /// The way to the simulated Azure.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn HttpClient> {
        Arc::new(self.azure.clone())
    }

    /// A simulated resource, by type and name.
    #[must_use]
    pub fn look(&self, resource: &str) -> Option<Value> {
        self.azure.look(resource)
    }

    /// All simulated resources, by id.
    #[must_use]
    pub fn resources(&self) -> BTreeMap<String, Value> {
        self.azure.resources()
    }

    /// All simulated resources, by id, once everything that was begun has ended.
    #[must_use]
    pub fn settled(&self) -> BTreeMap<String, Value> {
        self.azure.settled()
    }

    /// Every request that reached the simulated Azure.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        self.azure.requests()
    }

    /// What was sent to Azure to change something, and may have been carried out: the step's path, method and URL.
    #[must_use]
    pub fn writes(&self) -> Vec<(String, String)> {
        cloud::writes(&self.azure)
    }

    /// Whether the action of a path's step may be repeated without asking anybody.
    #[must_use]
    pub fn is_repeatable(&self, path: &str) -> bool {
        let plan = &self.setting.plan;
        let Some(step) = self.step(path) else { return false };
        let with = self.setting.known(path).cloned().unwrap_or_default();
        plan.is_repeatable(step, plan.effect(&step.action.name.value, &with))
    }

    /// The step of a path.
    #[must_use]
    pub fn step(&self, path: &str) -> Option<&Step> {
        let plan = &self.setting.plan;
        plan.find(path).map(|index| plan.step(index))
    }

    /// How long the step of a path takes.
    #[must_use]
    pub fn times(&self, path: &str) -> Times {
        self.setting.times(path)
    }

    /// How long this attempt takes.
    pub(super) fn duration(&self, call: &Call) -> std::time::Duration {
        let times = self.times(&call.step);
        let key = format!("{}#{}", call.idempotency_key, call.attempt);
        let takes =
            if self.setting.steady { times.typical } else { times.draw(&mut Random::of(self.setting.seed, &key)) };
        if times.source != super::Source::Assumed {
            return takes;
        }
        self.assume(&call.step, "how long it takes".to_owned());
        // What nobody says is no reason to fail.
        takes.min(call.timeout / 2)
    }

    /// Why the step fails here, by the scenario or the runbook.
    pub(super) fn fails(&self, path: &str) -> Option<String> {
        let said = self.setting.scenario.simulate(path).and_then(|simulate| simulate.fail.clone());
        said.or_else(|| self.step(path)?.simulate.as_ref()?.fail.clone())
    }

    /// What the scenario says the step gives back.
    pub(super) fn said(&self, path: &str) -> Map<String, Value> {
        self.setting.scenario.simulate(path).map(|simulate| simulate.outputs.clone()).unwrap_or_default()
    }

    /// The outputs declared: as the scenario says, else as the runbook says, else invented.
    pub(super) fn outputs(&self, path: &str, declared: &[(String, Type)]) -> Map<String, Value> {
        let mut given = self.step(path).and_then(|step| step.simulate.as_ref()).map(|it| it.outputs.clone());
        let given = given.get_or_insert_default();
        given.extend(self.said(path));
        let (outputs, invented) = super::invent::outputs(declared, given);
        if !invented.is_empty() {
            self.assume(path, format!("its outputs {}", invented.join(", ")));
        }
        outputs
    }

    /// Whether the last attempt of a node on its side happened, as somebody who looks at the world sees it.
    #[must_use]
    pub fn happened(&self, node: &crate::engine::Node) -> bool {
        let undo = if node.side() == crate::engine::Side::Rollback { "undo" } else { "" };
        let key = format!("{}-{undo}{}", self.setting.run, node.path);
        let action = self.step(&node.path.0).map(|step| step.action.name.value.as_str()).unwrap_or_default();
        if action.starts_with("azure.") {
            return self.writes().iter().any(|(step, _)| **step == *node.path.0);
        }
        let ledger = self.ledger();
        if action != "notify" {
            return ledger.succeeded(&key).is_some();
        }
        // Of a notice, only some channels are in doubt: the handle names them.
        let handle = node.more.as_ref().and_then(|more| more.handle.as_ref().or(more.previous.as_ref()));
        let named = |name: &str| handle.and_then(|handle| handle.get(name)).cloned().unwrap_or_default();
        let doubtful = named("in_doubt").as_array().cloned().unwrap_or_default().into_iter().chain([named("sending")]);
        let mut names = doubtful.filter_map(|name| name.as_str().map(str::to_owned));
        names.all(|name| ledger.sent.iter().any(|sent| sent.key == key && sent.delivery() == name))
    }

    /// Whether the fault has struck a step, or a request to Azure.
    #[must_use]
    pub fn has_struck(&self, fault: usize) -> bool {
        let here = self.struck.lock().unwrap_or_else(PoisonError::into_inner).get(&fault).copied().unwrap_or(0);
        here > 0 || self.azure.has_struck(fault)
    }

    /// Whether a fault is about something that there is: of a region that nothing is in, nor in that it is paired with,
    /// the name is a slip of the pen.
    #[must_use]
    pub fn concerns(&self, fault: &Fault) -> bool {
        match fault {
            Fault::RegionDown { region, .. } => self.knows_region(region) || self.knows_region(paired(region)),
            Fault::SlowReplication { resource: Some(resource), .. } => self.azure.knows_resource(resource),
            _ => true,
        }
    }

    fn knows_region(&self, region: &str) -> bool {
        let Some(named) = Region::named(region) else { return false };
        let serves =
            |endpoint: &Endpoint| endpoint.region.iter().chain([&endpoint.url]).any(|place| named.is_named_in(place));
        self.azure.knows_region(region)
            || !mentions(&self.setting.plan, &named).is_empty()
            || self.setting.scenario.endpoints.iter().any(serves)
    }

    /// Whether the call undoes its step.
    pub(super) fn is_undo(&self, call: &Call) -> bool {
        call.idempotency_key == format!("{}-undo{}", self.setting.run, call.step)
    }

    /// Whether the step began something in Azure that takes its own time.
    pub(super) fn has_operation(&self, path: &str) -> bool {
        self.azure.has_operation(path)
    }

    /// Whether the call does the step's own work: an action of that name, no look afterwards, no undoing.
    fn is_own(&self, call: &Call, action: &str) -> bool {
        let own = self.step(&call.step).is_some_and(|step| step.action.name.value == action);
        own && !is_verify(call) && !self.is_undo(call)
    }

    /// An attempt on Azure begins: what strikes the step strikes its requests there, of one that only reads its reads.
    pub(super) fn attempt(&self, call: &Call, (action, reads): (&str, bool)) -> Option<Attempt> {
        self.is_own(call, action).then(|| self.azure.attempt(&call.step, reads))
    }

    /// The fault that strikes this call of a step's own action now; counted. What is sent to Azure is struck there: all
    /// but a step that hangs, and so sends nothing.
    pub(super) fn strike(&self, call: &Call, action: &str) -> Option<Fault> {
        if !self.is_own(call, action) {
            return None;
        }
        let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, fault) in self.setting.scenario.faults.iter().enumerate() {
            let most = match &fault.value {
                Fault::Hang { .. } => 1,
                _ if on_azure(action) => continue,
                Fault::FailedOperation { times, .. } => times.unwrap_or(u32::MAX),
                Fault::LostResponse { times, .. } => times.unwrap_or(1),
                Fault::Timeout { .. } | Fault::StuckOperation { .. } => 1,
                _ => continue,
            };
            let count = struck.entry(index).or_default();
            if fault.value.is_of(&call.step) && *count < most {
                *count += 1;
                return Some(fault.value.clone());
            }
        }
        None
    }
}

/// The simulated Azure as it is before the run: what the steps imply, and what the scenario adds to it or changes.
fn azure(setting: &Setting) -> Azure {
    let faults = setting.scenario.faults.iter().map(|fault| fault.value.clone()).collect();
    let (own, counter) = (setting.clone(), AtomicU64::new(0));
    let times = move |path: &str| {
        let (times, number) = (own.times(path), counter.fetch_add(1, Ordering::Relaxed));
        if own.steady { times.typical } else { times.draw(&mut Random::of(own.seed, &format!("{path}~{number}"))) }
    };
    let azure = Azure::new(Arc::clone(&setting.clock), setting.seed, Arc::new(times), faults);
    setting.plan.workspace.azure.clouds.values().for_each(|described| azure.answer_in(described));
    let mut implied: Vec<&Implied> = setting.implied.iter().collect();
    // What a step changes tells more of the state before the run than what another one reads, and a request of any kind
    // least: it says no more than that there is something.
    let reads = |action: &str, with: &Map<String, Value>| setting.plan.effect(action, with) == Effect::Reads;
    implied.sort_by_key(|one| (one.action == "azure.request", reads(&one.action, &one.with)));
    for one in implied.iter().filter(|one| one.action.starts_with("azure.")) {
        azure.derive(&one.action, &one.with);
    }
    for resource in &setting.scenario.resources {
        // What is wrong with one was said when the scenario was read.
        azure.put(&resource.value).ok();
    }
    azure
}

/// Whether an action reaches Azure: then most faults strike there.
pub(super) fn on_azure(action: &str) -> bool {
    action.starts_with("azure.")
}

/// Whether the call is one of the looks of a step's `verify`: their folders are named so.
fn is_verify(call: &Call) -> bool {
    let folder = call.folder.file_name().and_then(std::ffi::OsStr::to_str);
    folder.is_some_and(|name| name.starts_with("verify-"))
}
