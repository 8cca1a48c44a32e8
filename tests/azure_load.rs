//! Many long operations at once, through one client: the limits of a subscription are shared fairly, what one step is
//! told holds for all of them, and memory stays small.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use drctl::actions::azure::Azure as Client;
use drctl::actions::{Call, Done, Failure};
use drctl::catalogue::Timestamp;
use drctl::edge::clock::Clock;
use drctl::edge::virtual_clock::VirtualClock;
use drctl::sim::azure::{Azure, Logged};
use drctl::sim::scenario::Fault;
use serde_json::json;
use support::{Site, call};

const FAILOVER: &str = "azure.storage.failover";
/// How long each failover takes.
const TAKES: Duration = Duration::from_mins(5);

/// Steps that run at the same time, in the order they begin.
struct Crowd {
    site: Arc<Site>,
    azure: Azure,
    steps: Vec<(String, &'static str, Call)>,
}

impl Crowd {
    /// Nobody yet, in a world with these faults. Call it on a paused clock.
    fn new(faults: Vec<Fault>) -> Self {
        let clock = Arc::new(VirtualClock::new(Timestamp::parse("2026-11-21T03:00:00Z").unwrap()));
        clock.enter();
        let clock: Arc<dyn Clock> = clock;
        let azure = Azure::new(Arc::clone(&clock), 0, Arc::new(|_| TAKES), faults);
        let mut site = Site::new();
        site.context.azure = Arc::new(Client::simulated(Arc::new(azure.clone()), Arc::clone(&clock), "run"));
        site.context.clock = clock;
        Self { site: Arc::new(site), azure, steps: Vec::new() }
    }

    /// Joined by so many steps of a group.
    fn joined_by(mut self, group: &str, count: usize, action: &'static str) -> Self {
        for number in 0..count {
            let name = format!("{group}{number}");
            let mut with = json!({ "subscription": "s", "resource_group": "rg" });
            match action {
                FAILOVER => (with["account"], with["to"]) = (json!(name), json!("eastus2")),
                _ => with["app"] = json!(name),
            }
            self.azure.derive(action, with.as_object().unwrap());
            let call = Call { step: name.clone(), timeout: Duration::from_hours(3), ..call(with) };
            self.steps.push((name, action, call));
        }
        self
    }

    /// Runs all of them; how each ended, and every request.
    async fn run(self) -> (Vec<Result<Done, Failure>>, Vec<Logged>) {
        let begin = |(_, action, call): (String, &'static str, Call)| {
            let site = Arc::clone(&self.site);
            tokio::task::spawn_local(async move { site.run(action, &call).await })
        };
        let running: Vec<_> = self.steps.into_iter().map(begin).collect();
        let mut ended = Vec::new();
        for step in running {
            ended.push(step.await.unwrap());
        }
        (ended, self.azure.requests())
    }
}

fn play(crowd: impl FnOnce() -> Crowd) -> (Vec<Result<Done, Failure>>, Vec<Logged>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async { crowd().run().await })
}

/// The group of a step: `left` of `left7`.
fn group(logged: &Logged) -> &str {
    logged.step.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// The largest memory that this process has held so far, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
fn five_hundred_operations_at_once_all_end_and_neither_of_two_groups_starves() {
    let before = peak_memory();
    let (ended, log) =
        play(|| Crowd::new(Vec::new()).joined_by("left", 250, FAILOVER).joined_by("right", 250, FAILOVER));
    let failed: Vec<_> = ended.iter().filter(|end| end.is_err()).collect();
    assert!(ended.len() == 500 && failed.is_empty(), "{failed:?}");

    let writes: Vec<&Logged> = log.iter().filter(|logged| logged.method == "POST").collect();
    assert_eq!(writes.len(), 500);
    let first_poll = log.iter().find(|logged| logged.polls).unwrap().at;
    let last_write = writes.last().unwrap().at;
    let first_end = writes[0].at.plus(TAKES);
    assert!(last_write < first_end, "all are under way at the same time: {last_write:?}, {first_end:?}");

    // From the first poll on, each group gets its share in every minute until the first operation is over.
    let mut minutes: BTreeMap<u64, BTreeMap<&str, u32>> = BTreeMap::new();
    for logged in log.iter().filter(|logged| logged.polls && (last_write..first_end).contains(&logged.at)) {
        *minutes.entry(first_poll.until(logged.at).as_secs() / 60).or_default().entry(group(logged)).or_default() += 1;
    }
    assert!(minutes.len() >= 4, "{minutes:?}");
    for shares in minutes.values() {
        let (least, most) = (shares.values().min().unwrap(), shares.values().max().unwrap());
        assert!(shares.len() == 2 && least * 3 >= most * 2, "{minutes:?}");
    }
    // The simulated Azure is in here, too, with its log of nine thousand requests.
    let grown = peak_memory() - before;
    assert!(grown < 96 << 10, "{grown} KiB");
}

#[test]
fn what_one_step_is_told_of_too_many_requests_holds_back_the_others_of_the_same_service() {
    let (wait, lasts) = (Duration::from_secs(17), Some(Duration::from_mins(1)));
    let storage = Some("Microsoft.Storage".to_owned());
    let throttled = || vec![Fault::Throttled { service: storage, lasts, retry_after: wait }];
    let crowd =
        || Crowd::new(throttled()).joined_by("storage", 300, FAILOVER).joined_by("web", 200, "azure.app_service.stop");
    let (ended, log) = play(crowd);
    let failed: Vec<_> = ended.iter().filter(|end| end.is_err()).collect();
    assert!(ended.len() == 500 && failed.is_empty(), "{failed:?}");

    let refused: Vec<&Logged> = log.iter().filter(|logged| logged.status == 429).collect();
    assert!(refused.iter().all(|logged| group(logged) == "storage"));
    // What was on its way arrives within a second; after that, nothing until the time is over.
    for refusal in &refused {
        let (from, until) = (refusal.at.plus(Duration::from_secs(1)), refusal.at.plus(wait));
        let own = |logged: &&Logged| group(logged) == "storage" && !logged.polls && logged.method == refusal.method;
        let early: Vec<&Logged> =
            log.iter().filter(own).filter(|logged| logged.at > from && logged.at < until).collect();
        assert!(early.is_empty(), "{} after {refusal:?}, such as {:?}", early.len(), early[0]);
    }
    let first = refused[0].at;
    let others = log.iter().filter(|logged| group(logged) == "web" && first.until(logged.at) < wait);
    assert!(others.count() > 200, "the other service goes on");
}
