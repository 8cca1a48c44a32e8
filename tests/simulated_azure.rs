//! The simulated Azure misbehaves as the real one does, and the real client copes: each scenario is an action that is
//! applied on a virtual clock, with every request and answer on the way.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Url};
use drctl::actions::azure::{Azure as Client, SETTLE};
use drctl::actions::{Call, Done, Failure};
use drctl::catalogue::Timestamp;
use drctl::edge::Act;
use drctl::edge::clock::Clock;
use drctl::sim::azure::{Azure, Logged};
use drctl::sim::scenario::{Fault, Lost};
use serde_json::{Value, json};
use support::{LeapingClock, Site, call};

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// What came back: the request's line, the status, the headers.
#[derive(Clone, Debug)]
struct Heard {
    line: String,
    status: u16,
    headers: Vec<(String, String)>,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What somebody else does between two requests.
type Meddler = Box<dyn Fn(&Azure, usize) + Send + Sync>;

/// Listens on the way to the simulated Azure.
struct Wire {
    azure: Azure,
    heard: Mutex<Vec<Heard>>,
    meddler: Option<Meddler>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answered = self.azure.execute_request(request).await;
        let line = format!("{} {}", request.method(), request.url());
        let (status, headers) = match &answered {
            Ok(response) => {
                let headers = response.headers().iter();
                let headers = headers.map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
                (u16::from(response.status()), headers.collect())
            }
            Err(_) => (0, Vec::new()),
        };
        let mut heard = self.heard.lock().unwrap();
        heard.push(Heard { line, status, headers });
        if let Some(meddler) = &self.meddler {
            meddler(&self.azure, heard.len());
        }
        answered
    }
}

/// A simulated Azure, and a client at it.
struct Place {
    azure: Azure,
    wire: Arc<Wire>,
    clock: Arc<LeapingClock>,
    site: Arc<Site>,
}

fn place_with(seed: u64, faults: Vec<Fault>, meddler: Option<Meddler>) -> Place {
    let clock = Arc::new(LeapingClock::default());
    let times = Arc::new(|_: &str| Duration::from_mins(2));
    let azure = Azure::new(Arc::clone(&clock) as _, seed, times, faults);
    let wire = Arc::new(Wire { azure: azure.clone(), heard: Mutex::default(), meddler });
    let site = client(&clock, &(Arc::clone(&wire) as _));
    Place { azure, wire, clock, site }
}

fn place(seed: u64, faults: Vec<Fault>) -> Place {
    place_with(seed, faults, None)
}

/// A client with limits of its own.
fn client(clock: &Arc<LeapingClock>, transport: &Arc<dyn HttpClient>) -> Arc<Site> {
    let mut site = Site::new();
    site.context.clock = Arc::clone(clock) as _;
    site.context.azure = Arc::new(Client::simulated(Arc::clone(transport), Arc::clone(clock) as _, "run-1"));
    Arc::new(site)
}

/// An action with its parameters, as a step called `step`.
fn step(with: Value) -> Call {
    let mut all = json!({ "subscription": SUBSCRIPTION, "resource_group": "rg" });
    all.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    Call { step: "step".to_owned(), timeout: Duration::from_hours(2), settle: SETTLE, ..call(all) }
}

impl Place {
    fn implies(&self, action: &str, with: Value) -> Call {
        let call = step(with);
        self.azure.derive(action, &call.with);
        call
    }

    /// Applies an action to a world in which what it names is there.
    async fn run(&self, action: &str, with: Value) -> Result<Done, Failure> {
        let call = self.implies(action, with);
        self.site.run(action, &call).await
    }

    fn heard(&self) -> Vec<Heard> {
        self.wire.heard.lock().unwrap().clone()
    }

    fn log(&self) -> Vec<Logged> {
        self.azure.requests()
    }

    /// Sends a request by itself, past the client and its limits.
    async fn send(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> (Heard, Value) {
        let url = if path.starts_with('/') { format!("https://management.azure.com{path}") } else { path.to_owned() };
        let mut request = Request::new(Url::parse(&url).unwrap(), method);
        let token = "Bearer simulated for https://management.azure.com/.default, token 99";
        for (name, value) in [("authorization", token)].iter().chain(headers) {
            request.insert_header(HeaderName::from_static(name), HeaderValue::from((*value).to_owned()));
        }
        self.wire.execute_request(&request).await.ok();
        (self.heard().pop().unwrap(), self.log().pop().unwrap().answer)
    }
}

const PROMOTE: &str = "azure.postgres.promote_replica";
const SQL: &str = "azure.sql.failover_group";

fn promotion() -> Value {
    json!({ "server": "shop-pg-eastus2", "mode": "forced" })
}

fn sql() -> Value {
    json!({ "server": "shop-eastus2", "group": "fog", "mode": "forced" })
}

fn path(kind_and_name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{kind_and_name}")
}

fn failure(result: Result<Done, Failure>) -> String {
    // Ids are drawn by the seed, and long.
    let said = result.unwrap_err().to_string();
    said.split(" (request ").next().unwrap().to_owned()
}

const ROLE: &str = "azure.postgres.role";
const SERVER: &str = "Microsoft.DBforPostgreSQL/flexibleServers/shop-pg-eastus2";

/// The time of another clock, without any waiting: however many requests there are, they come at the same moment.
struct Moment(Arc<LeapingClock>);

impl Clock for Moment {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, _: Duration) -> Act<'_, ()> {
        Box::pin(async {})
    }
}

/// A simulated Azure that answers in no time.
async fn prompt() -> Place {
    let clock = Arc::new(LeapingClock::default());
    clock.sleep(Duration::from_hours(1)).await;
    let times = Arc::new(|_: &str| Duration::from_mins(2));
    let azure = Azure::new(Arc::new(Moment(Arc::clone(&clock))), 1, times, Vec::new());
    let wire = Arc::new(Wire { azure: azure.clone(), heard: Mutex::default(), meddler: None });
    let site = client(&clock, &(Arc::clone(&wire) as _));
    Place { azure, wire, clock, site }
}

/// Reads that often, by these clients in turn: how often there were too many.
async fn crowd(place: &Place, clients: &[Arc<Site>]) -> usize {
    let call = place.implies(ROLE, json!({ "server": "shop-pg-eastus2" }));
    for number in 0..600 {
        clients[number % clients.len()].run(ROLE, &call).await.unwrap();
    }
    place.heard().iter().filter(|heard| heard.status == 429).count()
}

#[tokio::test]
async fn e1_a_subscription_takes_so_many_requests_and_the_client_never_sends_more() {
    let alone = prompt().await;
    assert_eq!(crowd(&alone, &[Arc::clone(&alone.site)]).await, 0);
    assert_eq!(alone.clock.now(), Timestamp(3_600_000 + 350 * 40));

    // Clients that know nothing of each other are too many together, as one without limits is: they are told, and wait.
    let many = prompt().await;
    let clients: Vec<Arc<Site>> = (0..6).map(|_| client(&many.clock, &(Arc::clone(&many.wire) as _))).collect();
    assert!(crowd(&many, &clients).await > 0);
    let refused = many.log().into_iter().find(|logged| logged.status == 429).unwrap();
    assert_eq!(refused.answer["error"]["code"], "SubscriptionRequestsThrottled");

    // Without any limits.
    let (none, read) = (prompt().await, format!("{}?api-version=2025-08-01", path(SERVER)));
    none.implies(ROLE, json!({ "server": "shop-pg-eastus2" }));
    let (first, _) = none.send(Method::Get, &read, &[]).await;
    assert_eq!(first.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    let start = format!("{}/start?api-version=2024-11-01", path("Microsoft.Web/sites/shop"));
    for _ in 0..201 {
        none.send(Method::Post, &start, &[]).await;
    }
    let refused: Vec<Heard> = none.heard().into_iter().filter(|heard| heard.status == 429).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].header("retry-after"), Some("1"));
    assert_eq!(refused[0].header("x-ms-ratelimit-remaining-subscription-writes"), Some("0"));
}

/// The refusals that an action meets while something else is being done there, over many seeds: status and code.
async fn refusals(action: &str, with: Value, code_at: &str) -> BTreeSet<(u16, String)> {
    let mut met = BTreeSet::new();
    for seed in 0..12 {
        let busy = Fault::Busy { step: Some("step".to_owned()), service: None, lasts: Duration::from_mins(1) };
        let place = place(seed, vec![busy]);
        place.run(action, with.clone()).await.unwrap();
        let refused = place.log().into_iter().filter(|logged| matches!(logged.status, 409 | 429));
        met.extend(
            refused.map(|logged| (logged.status, logged.answer.pointer(code_at).unwrap().as_str().unwrap().to_owned())),
        );
    }
    met
}

#[tokio::test]
async fn e2_a_429_may_be_a_lock_and_is_waited_for() {
    let record = json!({ "zone": "example.com", "name": "www", "type": "A", "values": ["192.0.2.20"] });
    let network = refusals("azure.dns.set_record", record, "/error/code").await;
    assert_eq!(network, BTreeSet::from([(429, "RetryableErrorDueToAnotherOperation".to_owned())]));
    let app = refusals("azure.app_service.stop", json!({ "app": "shop-web" }), "/Code").await;
    assert_eq!(app, BTreeSet::from([(429, "Conflict".to_owned())]));
}

#[tokio::test]
async fn e3_each_service_has_its_own_word_for_being_busy() {
    let aks = refusals("azure.aks.stop", json!({ "cluster": "shop-aks" }), "/error/code").await;
    // Taken, and then in the way of the other operation after all.
    let inside = (409, "AnotherOperationInProgress".to_owned());
    assert!(aks.contains(&(409, "OperationNotAllowed".to_owned())), "{aks:?}");
    assert!(aks.is_subset(&BTreeSet::from([(409, "OperationNotAllowed".to_owned()), inside.clone()])), "{aks:?}");
    let sql = refusals(SQL, sql(), "/error/code").await;
    assert!(sql.contains(&(409, "FailoverGroupBusy".to_owned())), "{sql:?}");
    let postgres = refusals(PROMOTE, promotion(), "/error/code").await;
    assert_eq!(postgres, BTreeSet::from([inside]));
}

#[tokio::test]
async fn e3_an_operation_may_end_because_of_another_one() {
    let ends = |logged: &Logged| logged.polls && logged.answer["error"]["code"] == "AnotherOperationInProgress";
    let mut met = 0;
    for seed in 0..12 {
        let busy = Fault::Busy { step: Some("step".to_owned()), service: None, lasts: Duration::from_mins(1) };
        let place = place(seed, vec![busy]);
        place.run(PROMOTE, promotion()).await.unwrap();
        met += usize::from(place.log().iter().any(ends));
    }
    assert!(met > 0);
}

#[tokio::test]
async fn e4_a_sql_failover_is_refused_for_what_it_is() {
    let failed = |code: &str| {
        let code = Some(code.to_owned());
        vec![Fault::FailedOperation { step: "step".to_owned(), code, message: None, times: None }]
    };
    let what = "make `shop-eastus2` the primary of `fog`";
    for (code, status) in [
        ("FailoverGroupNotSecondary", 400),
        ("PlannedFailoverTimedOutForDatabase", 400),
        ("GeoReplicationCannotBecomePrimaryDuringUndo", 409),
    ] {
        let said = failure(place(1, failed(code)).run(SQL, sql()).await);
        assert!(said.starts_with(&format!("{what}: refused: {status} `{code}`: ")), "{said}");
    }
    // Whether these were carried out nobody knows: the state is read, and does not tell.
    for (code, status) in [("OperationTimedOut", 500), ("DatabaseUnavailable", 503), ("RequestTimeout", 504)] {
        let place = place(1, failed(code));
        let Err(Failure::Ambiguous(said)) = place.run(SQL, sql()).await else { panic!("{code}: it is in doubt") };
        assert!(said.contains(&format!("the answer was lost ({status} `{code}`")), "{said}");
        assert_eq!(place.log().iter().filter(|logged| logged.method == "POST").count(), 1);
    }
}

#[tokio::test]
async fn e4_a_failover_is_asked_for_on_the_secondary_and_planned_only_while_the_primary_answers() {
    let fine = place(1, Vec::new());
    fine.run(SQL, sql()).await.unwrap();
    let again =
        format!("{}/failover?api-version=2023-08-01", path("Microsoft.Sql/servers/shop-eastus2/failoverGroups/fog"));
    let (answer, body) = fine.send(Method::Post, &again, &[]).await;
    assert_eq!((answer.status, &body["error"]["code"]), (400, &json!("FailoverGroupFailoverRequestOnPrimary")));

    let down = Fault::RegionDown { region: "centralus".to_owned(), at: Duration::ZERO, lasts: None };
    let planned = json!({ "server": "shop-eastus2", "group": "fog", "mode": "planned" });
    let said = failure(place(1, vec![down]).run(SQL, planned).await);
    assert!(said.contains("refused: 400 `PlannedFailoverTimedOut`"), "{said}");
}

#[tokio::test]
async fn e5_operations_are_told_of_in_many_ways_and_all_are_followed_to_their_end() {
    let (mut told, mut words) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..60 {
        let place = place(seed, Vec::new());
        place.run(PROMOTE, promotion()).await.unwrap();
        place.run(SQL, sql()).await.unwrap();
        place.run("azure.aks.scale_pool", json!({ "cluster": "aks", "pool": "web", "count": 5 })).await.unwrap();
        for heard in place.heard() {
            let (follows, locates) = (heard.header("azure-asyncoperation"), heard.header("location"));
            if follows.is_some() || locates.is_some() {
                told.insert(format!("{} {} {}", heard.status, follows.is_some(), locates.is_some()));
                told.insert(format!("retry-after {}", heard.header("retry-after").is_some()));
            }
            if heard.line.contains("simulatedOperations") {
                words.insert(format!("answer {}", heard.status));
                words.insert(format!("regional {}", !heard.line.contains("//management.azure.com")));
            }
        }
        let polls = place.log().into_iter().filter(|logged| logged.polls);
        words.extend(polls.filter_map(|logged| logged.answer["status"].as_str().map(str::to_owned)));
    }
    let ways = ["201 true false", "201 true true", "202 false true", "202 true false", "202 true true"];
    let ways = ways.into_iter().chain(["retry-after false", "retry-after true"]).map(str::to_owned);
    assert_eq!(told, ways.collect());
    let met =
        ["answer 0", "answer 200", "answer 202", "answer 204", "answer 404", "answer 500", "answer 502", "answer 503"];
    let met = met.into_iter().chain(["regional false", "regional true", "Succeeded", "succeeded", "SUCCEEDED"]);
    let missing: Vec<&str> = met.chain(["Running", "WaitingForQuorum"]).filter(|word| !words.contains(*word)).collect();
    assert_eq!(missing, [""; 0], "{words:?}");
}

#[tokio::test]
async fn e5_an_operation_that_fails_says_so_in_many_ways() {
    let mut words = BTreeSet::new();
    for seed in 0..24 {
        let (code, message) = (Some("ReplicaBroken".to_owned()), Some("no \"wal\"\r\nleft".to_owned()));
        let fault = Fault::FailedOperation { step: "step".to_owned(), code, message, times: None };
        let place = place(seed, vec![fault]);
        let said = failure(place.run(SQL, sql()).await);
        assert!(said.ends_with("`ReplicaBroken`: no \"wal\" left"), "{said}");
        let last = place.log().pop().unwrap();
        words.insert(last.answer["status"].as_str().map_or(last.status.to_string(), str::to_owned));
    }
    assert_eq!(words, ["409", "Canceled", "Failed", "failed"].map(str::to_owned).into());
}

#[tokio::test]
async fn e5_an_operation_that_azure_has_forgotten_leaves_the_state_to_tell() {
    let place = place(1, Vec::new());
    let call = place.implies(SQL, sql());
    let doomed = Call { timeout: Duration::from_secs(10), ..call.clone() };
    assert!(matches!(place.site.run(SQL, &doomed).await, Err(Failure::Ambiguous(_))));
    let handle = place.site.handles.lock().unwrap()[0].clone();
    place.clock.sleep(Duration::from_hours(3)).await;
    let done = place.site.attach(SQL, &call, &handle).await.unwrap();
    assert_eq!(done.outputs["role"], "primary");
    assert!(place.log().iter().any(|logged| logged.polls && logged.status == 404));
    // What a command wrote is told by its operation alone.
    let script = place.implies("azure.vm.run_command", json!({ "vm": "vm-1", "script": ["true"] }));
    let doomed = Call { timeout: Duration::from_secs(10), ..script.clone() };
    assert!(place.site.run("azure.vm.run_command", &doomed).await.is_err());
    let handle = place.site.handles.lock().unwrap().last().unwrap().clone();
    place.clock.sleep(Duration::from_hours(3)).await;
    let doubt = place.site.attach("azure.vm.run_command", &script, &handle).await.unwrap_err();
    assert!(matches!(&doubt, Failure::Ambiguous(why) if why.contains("Azure has forgotten the operation")), "{doubt}");
}

#[tokio::test]
async fn e6_a_lost_answer_looks_like_a_reset_a_500_or_a_504_and_nothing_is_started_twice() {
    let mut seen = BTreeSet::new();
    for seed in 0..24 {
        let fault = Fault::LostResponse { step: "step".to_owned(), effect: Lost::AfterEffect, times: None };
        let place = place(seed, vec![fault]);
        // An operation nobody follows: it shows in the end, or is in doubt after a minute.
        let result =
            place.run("azure.service_bus.failover", json!({ "namespace": "bus-eastus2", "alias": "bus" })).await;
        assert!(matches!(result, Ok(_) | Err(Failure::Ambiguous(_))), "{result:?}");
        let sent: Vec<Logged> = place.log().into_iter().filter(|logged| logged.method == "POST").collect();
        assert_eq!((sent.len(), sent[0].was_done), (1, true));
        seen.insert(sent[0].status);
    }
    assert_eq!(seen, BTreeSet::from([0, 500, 504]));
}

#[tokio::test]
async fn e7_what_was_changed_is_seen_late_and_the_two_sides_of_a_failover_at_different_times() {
    let (mut late, mut apart) = (0, 0);
    for seed in 0..40 {
        let place = place(seed, Vec::new());
        place.run(SQL, sql()).await.unwrap();
        let read = |server: &str| {
            format!("{}?api-version=2023-08-01", path(&format!("Microsoft.Sql/servers/{server}/failoverGroups/fog")))
        };
        let (_, there) = place.send(Method::Get, &read("shop-centralus"), &[]).await;
        apart += usize::from(there["properties"]["replicationRole"] == "Primary");
        let truth = place.azure.look("Microsoft.Sql/servers/shop-centralus/failoverGroups/fog").unwrap();
        assert_eq!(truth["properties"]["replicationRole"], "Secondary");
        // Between the end of the operation and the answer that shows it.
        let log = place.log();
        let over = log.iter().rposition(|logged| logged.polls).unwrap();
        late += usize::from(log[over..].iter().any(|logged| {
            logged.answer["properties"]["replicationRole"] == "Secondary" && logged.url.contains("shop-eastus2")
        }));
    }
    assert!(late > 0 && apart > 0, "{late} {apart}");
}

#[tokio::test]
async fn e7_a_new_record_may_not_be_found_yet() {
    let mut missed = 0;
    for seed in 0..40 {
        let place = place(seed, Vec::new());
        let record = json!({ "zone": "example.com", "name": "new", "type": "A", "values": ["192.0.2.20"] });
        let call = step(record);
        place.site.run("azure.dns.set_record", &call).await.unwrap();
        let log = place.log();
        let put = log.iter().position(|logged| logged.method == "PUT").unwrap();
        missed += usize::from(log[put..].iter().any(|logged| logged.status == 404));
        assert_eq!(log.iter().filter(|logged| logged.method == "PUT").count(), 1);
    }
    assert!(missed > 0);
}

#[tokio::test]
async fn e7_front_door_is_done_before_its_edges_are() {
    let place = place(1, Vec::new());
    let origin = json!({ "profile": "shop", "origin_group": "web", "origin": "centralus" });
    let mut off = origin.clone();
    off["enabled"] = json!(false);
    let done = place.run("azure.front_door.set_origin", off).await.unwrap();
    assert_eq!(json!([done.outputs["enabled"], done.outputs["deployment_status"]]), json!([false, "in_progress"]));
    place.clock.sleep(Duration::from_mins(45)).await;
    let later = place.run("azure.front_door.origin", origin).await.unwrap();
    assert_eq!(later.outputs["deployment_status"], "succeeded");
}

#[tokio::test]
async fn e8_errors_come_in_the_shape_of_their_service_and_are_read() {
    let refused = |code: &str| {
        let (code, message) = (Some(code.to_owned()), Some("no \"room\"\r\nleft".to_owned()));
        vec![Fault::FailedOperation { step: "step".to_owned(), code, message, times: None }]
    };
    let job = json!({ "account": "shop", "region": "eastus2", "job": "nightly", "enabled": false });
    let offline = json!({ "account": "shop", "region": "Central US" });
    let set = json!({ "profile": "shop", "endpoint": "centralus", "status": "disabled" });
    for (action, with, fields) in [
        (
            "azure.app_service.stop",
            json!({ "app": "shop-web" }),
            vec!["Code", "Message", "Target", "Details", "Innererror"],
        ),
        ("azure.cosmos.offline_region", offline, vec!["code", "message"]),
        ("azure.batch.set_job", job, vec!["odata.metadata", "code", "message"]),
        ("azure.traffic_manager.set_endpoint", set, vec!["error"]),
    ] {
        let place = place(3, refused("FailoverGroupNotSecondary"));
        let said = failure(place.run(action, with).await);
        assert!(said.contains("refused: 400 `FailoverGroupNotSecondary`: no \"room\" left"), "{action}: {said}");
        let answer = place.log().pop().unwrap().answer;
        assert_eq!(answer.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), fields, "{action}");
    }
}

#[tokio::test]
async fn e8_a_refusal_may_be_empty_full_or_a_page() {
    let mut shapes = BTreeSet::new();
    for seed in 0..40 {
        let span = Some(Duration::from_secs(40));
        let down = Fault::RegionDown { region: "eastus2".to_owned(), at: Duration::ZERO, lasts: span };
        let full = Fault::Throttled {
            service: None,
            lasts: Some(Duration::from_secs(6)),
            retry_after: Duration::from_secs(5),
        };
        let place = place(seed, vec![full, down]);
        place.run(PROMOTE, promotion()).await.unwrap();
        for logged in place.log().iter().filter(|logged| logged.status >= 400) {
            shapes.insert(match &logged.answer {
                Value::Null => "empty".to_owned(),
                Value::String(page) => page.split(['<', '>']).nth(6).unwrap().to_owned(),
                body => body["error"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" "),
            });
        }
    }
    let pages = ["502 Bad Gateway", "503 Service Unavailable"];
    let wanted =
        ["empty", "code message", "code message target details additionalInfo", pages[0], pages[1]].map(str::to_owned);
    assert!(BTreeSet::from(wanted).is_subset(&shapes), "{shapes:?}");
}

#[tokio::test]
async fn e9_every_answer_has_its_ids_and_a_failure_names_them() {
    let fault = Fault::FailedOperation {
        step: "step".to_owned(),
        code: Some("AuthorizationFailed".to_owned()),
        message: None,
        times: None,
    };
    let place = place(1, vec![fault]);
    let said = place.run(PROMOTE, promotion()).await.unwrap_err().to_string();
    let heard = place.heard();
    let last = heard.last().unwrap();
    assert!(said.ends_with(&format!(" (request {})", last.header("x-ms-request-id").unwrap())), "{said}");
    let correlation = place.site.context.azure.correlation();
    assert!(heard.iter().all(|heard| heard.header("x-ms-correlation-request-id") == Some(correlation)));
    let routing = last.header("x-ms-routing-request-id").unwrap();
    assert!(routing.starts_with("SIMULATED:19700101T0000") && routing.split(':').count() == 3, "{routing}");

    let (read, id) = (format!("{}?api-version=2025-08-01", path(SERVER)), ("x-ms-client-request-id", "mine"));
    let (silent, _) = place.send(Method::Get, &read, &[id]).await;
    let (asked, _) = place.send(Method::Get, &read, &[id, ("x-ms-return-client-request-id", "true")]).await;
    let echo = "x-ms-client-request-id";
    assert_eq!((silent.header(echo), asked.header(echo)), (None, Some("mine")));
}

/// Changes a resource once, after the first answer: somebody else was faster.
fn meddler(resource: Value) -> Option<Meddler> {
    Some(Box::new(move |azure, count| {
        if count == 1 {
            azure.put(&resource).unwrap();
        }
    }))
}

#[tokio::test]
async fn e10_a_change_of_what_somebody_else_has_changed_is_refused_and_made_on_what_is_there_now() {
    let record = json!({ "zone": "example.com", "name": "www", "type": "A", "values": ["192.0.2.20"] });
    let theirs = json!({ "id": path("Microsoft.Network/dnsZones/example.com/A/www"), "properties": { "TTL": 77 } });
    let dns = place_with(1, Vec::new(), meddler(theirs));
    let done = dns.run("azure.dns.set_record", record).await.unwrap();
    assert_eq!(done.outputs["ttl"], 77);
    let statuses = |place: &Place| -> Vec<u16> {
        place.log().iter().filter(|logged| logged.method == "PUT").map(|logged| logged.status).collect()
    };
    assert_eq!(statuses(&dns), [412, 200]);

    let pool = path("Microsoft.ContainerService/managedClusters/aks/agentPools/web");
    let theirs = json!({ "id": pool, "properties": { "maxPods": 77 } });
    let aks = place_with(1, Vec::new(), meddler(theirs));
    aks.run("azure.aks.scale_pool", json!({ "cluster": "aks", "pool": "web", "count": 5 })).await.unwrap();
    assert_eq!(statuses(&aks)[0], 412);
    let now = aks.azure.look("Microsoft.ContainerService/managedClusters/aks/agentPools/web").unwrap();
    assert_eq!((&now["properties"]["count"], &now["properties"]["maxPods"]), (&json!(5), &json!(77)));
}

#[tokio::test]
async fn e10_data_factory_and_batch_have_versions_too() {
    let place = place(1, Vec::new());
    place.implies("azure.batch.pool", json!({ "account": "shop", "region": "eastus2", "pool": "web" }));
    place.implies("azure.data_factory.trigger", json!({ "factory": "adf", "trigger": "nightly" }));
    let batch = "https://shop.eastus2.batch.azure.com/pools/web?api-version=2025-06-01";
    let factory = format!("{}?api-version=2018-06-01", path("Microsoft.DataFactory/factories/adf/triggers/nightly"));
    for url in [batch, &factory] {
        let (read, _) = place.send(Method::Get, url, &[]).await;
        assert!(read.header("etag").is_some());
    }
    let (put, body) = place.send(Method::Put, &factory, &[("if-match", "\"old\"")]).await;
    assert_eq!((put.status, &body["error"]["code"]), (412, &json!("PreconditionFailed")));
    let resize = batch.replace("web?", "web/resize?");
    let (post, body) = place.send(Method::Post, &resize, &[("if-match", "\"old\"")]).await;
    assert_eq!((post.status, &body["code"]), (412, &json!("ConditionNotMet")));
    let (post, _) = place.send(Method::Post, &resize, &[("if-match", "*")]).await;
    assert_eq!(post.status, 202);
}

#[tokio::test]
async fn e11_an_old_token_is_refused_whatever_the_reason_and_a_new_one_is_fetched_once() {
    let mut reasons = BTreeSet::new();
    for seed in 0..12 {
        let place = place(seed, vec![Fault::ExpiredToken { at: Duration::from_secs(1) }]);
        place.run(PROMOTE, promotion()).await.unwrap();
        let refused: Vec<Heard> = place.heard().into_iter().filter(|heard| heard.status == 401).collect();
        assert_eq!(refused.len(), 1);
        let logged = place.log().into_iter().find(|logged| logged.status == 401).unwrap();
        let code = logged.answer["error"]["code"].as_str().unwrap().to_owned();
        reasons.insert((code, refused[0].header("www-authenticate").unwrap().contains("claims=\"ey")));
    }
    let wanted = [
        ("ExpiredAuthenticationToken", false),
        ("InvalidAuthenticationToken", false),
        ("InvalidAuthenticationToken", true),
    ];
    assert_eq!(reasons, wanted.map(|(code, claims)| (code.to_owned(), claims)).into());
}

#[tokio::test]
async fn e11_what_is_forbidden_or_locked_fails_at_once() {
    for (code, status) in [("AuthorizationFailed", 403), ("ScopeLocked", 409), ("MissingSubscriptionRegistration", 409)]
    {
        let fault =
            Fault::FailedOperation { step: "step".to_owned(), code: Some(code.to_owned()), message: None, times: None };
        let place = place(1, vec![fault]);
        let said = failure(place.run("azure.app_service.stop", json!({ "app": "shop-web" })).await);
        assert!(said.starts_with(&format!("stop `shop-web`: refused: {status} `{code}`: ")), "{said}");
        assert_eq!(place.log().iter().filter(|logged| logged.method == "POST").count(), 1);
    }
}

fn down() -> Vec<Fault> {
    vec![Fault::RegionDown { region: "eastus2".to_owned(), at: Duration::ZERO, lasts: None }]
}

#[tokio::test]
async fn e12_a_region_that_is_down_shows_in_many_ways_while_resource_manager_answers() {
    let mut ways = BTreeSet::new();
    for seed in 0..24 {
        let place = place(seed, down());
        let said = failure(place.run(ROLE, json!({ "server": "shop-pg-eastus2" })).await);
        assert!(said.starts_with(&format!("cannot read `{}`: ", path(SERVER))), "{said}");
        ways.extend(place.log().iter().map(|logged| logged.status.to_string()));
        ways.insert(if said.contains("no answer within 30 s") { "silence" } else { "said" }.to_owned());
        let listed = format!("/subscriptions/{SUBSCRIPTION}/resources");
        let list = place.run("azure.request", json!({ "path": listed, "api_version": "2021-04-01" })).await.unwrap();
        assert!(list.outputs["body"].to_string().contains("shop-pg-eastus2"));
    }
    assert_eq!(ways, ["0", "502", "503", "504", "said", "silence"].map(str::to_owned).into());

    // A service's own host takes no connections.
    let mut ways = BTreeSet::new();
    for seed in 0..12 {
        let pool = json!({ "account": "shop", "region": "eastus2", "pool": "web" });
        let said = failure(place(seed, down()).run("azure.batch.pool", pool).await);
        ways.insert(said.split(": ").nth(1).unwrap().split(" (tried").next().unwrap().to_owned());
    }
    let wanted = ["connection refused", "connection reset by peer"].map(str::to_owned);
    assert!(BTreeSet::from(wanted).is_subset(&ways), "{ways:?}");
}

/// Trap 1: the provider of a storage account does not fail over with it.
#[tokio::test]
async fn e12_a_storage_account_fails_over_while_its_region_is_down_and_is_managed_only_when_that_is_up_again() {
    let down = Fault::RegionDown { region: "centralus".to_owned(), at: Duration::ZERO, lasts: Some(DAY) };
    let place = place(1, vec![down]);
    let lag = place.run("azure.storage.state", json!({ "account": "shop", "primary_location": "centralus" })).await;
    assert_eq!(lag.unwrap().outputs["lag_seconds"], json!(140));
    let moved = place.run("azure.storage.failover", json!({ "account": "shop", "to": "eastus2" })).await.unwrap();
    assert_eq!(moved.outputs["primary_location"], json!("eastus2"));

    let again = || place.run("azure.storage.reprotect", json!({ "account": "shop", "sku": "Standard_RAGRS" }));
    let said = failure(again().await);
    assert!(said.contains("make `shop` `Standard_RAGRS`: "), "{said}");
    place.clock.sleep(DAY).await;
    assert_eq!(again().await.unwrap().outputs["sku"], json!("Standard_RAGRS"));
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn e13_names_are_the_same_in_any_case() {
    let place = place(1, Vec::new());
    place.run(PROMOTE, promotion()).await.unwrap();
    let upper =
        json!({ "subscription": SUBSCRIPTION, "resource_group": "RG", "server": "SHOP-PG-EASTUS2", "is": "primary" });
    let read = place.site.run(ROLE, &step(upper)).await.unwrap();
    assert_eq!(read.outputs["healthy"], true);
    let path = path(SERVER).to_uppercase();
    let read = place.run("azure.request", json!({ "path": path, "api_version": "2025-08-01" })).await.unwrap();
    assert_eq!(read.outputs["body"]["id"], self::path(SERVER));
    let polled = place.log().into_iter().find(|logged| logged.polls).unwrap().url;
    let (poll, _) = place.send(Method::Get, &polled.replace("simulatedOperations", "SIMULATEDOPERATIONS"), &[]).await;
    assert_eq!(poll.status, 200);
}

#[tokio::test]
async fn e13_the_hosts_of_other_clouds_are_answered_from_the_same_world() {
    let place = place(1, Vec::new());
    let stack = json!({ "name": "stack", "authority": "https://login.stack.example", "key_vault": "vault.stack.example",
        "management": "https://arm.stack.example", "batch": "batch.stack.example" });
    place.azure.answer_in(&stack);
    for (cloud, vault) in [
        (json!("public"), "https://shop-kv.vault.azure.net/"),
        (json!("government"), "https://shop-kv.vault.usgovcloudapi.net/"),
        (json!("china"), "https://shop-kv.vault.azure.cn/"),
        (stack, "https://shop-kv.vault.stack.example/"),
    ] {
        place.run(PROMOTE, with_cloud(promotion(), &cloud)).await.unwrap();
        let with = json!({ "vault": "shop-kv", "other": "other-kv", "what": "secrets" });
        place.run("azure.key_vault.compare", with_cloud(with, &cloud)).await.unwrap();
        assert!(place.log().iter().any(|logged| logged.url.starts_with(vault)), "{cloud}");
    }
}

fn with_cloud(mut with: Value, cloud: &Value) -> Value {
    with["cloud"] = cloud.clone();
    with
}

#[tokio::test]
async fn e14_an_api_version_is_needed_and_has_to_be_a_date() {
    let place = place(1, Vec::new());
    place.implies(ROLE, json!({ "server": "shop-pg-eastus2" }));
    let ask = async |name: &str, version: &str| {
        failure(place.run("azure.request", json!({ "path": path(name), "api_version": version })).await)
    };
    let read = |code: &str, said: &str| assert!(said.contains(&format!(": 400 `{code}`: ")), "{said}");
    read("MissingApiVersionParameter", &ask(SERVER, "").await);
    read("InvalidApiVersionParameter", &ask(SERVER, "newest").await);
    read("InvalidApiVersionParameter", &ask(SERVER, "2024-13-01").await);
    // Which dates a service knows, nobody but Azure can tell.
    for version in ["2019-01-01", "2031-12-31-preview"] {
        assert_eq!(
            place.run("azure.request", json!({ "path": path(SERVER), "api_version": version })).await.map(|_| ()),
            Ok(())
        );
    }
}

#[tokio::test]
async fn e15_lists_come_in_pages_whose_address_azure_gives() {
    let full = Fault::Throttled {
        service: Some("skiptoken".to_owned()),
        lasts: Some(Duration::from_secs(9)),
        retry_after: Duration::from_secs(2),
    };
    let place = place(1, vec![full]);
    for number in 0..20 {
        place.azure.put(&json!({ "id": path(&format!("Microsoft.Web/sites/shop-{number:02}")) })).unwrap();
    }
    let listed = json!({ "path": path("Microsoft.Web/sites"), "api_version": "2024-11-01" });
    let done = place.site.run("azure.request", &step(listed)).await.unwrap();
    let names: BTreeSet<&str> =
        done.outputs["body"]["value"].as_array().unwrap().iter().map(|site| site["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 20);
    let pages = place.log();
    assert_eq!(pages.iter().filter(|logged| logged.status == 200).count(), 7);
    let next = pages[0].answer["nextLink"].as_str().unwrap();
    assert!(next.starts_with("https://management.azure.com/subscriptions/") && pages[1].url == next, "{next}");
    assert!(pages.iter().any(|logged| logged.status == 429));

    let rows = place.run("azure.resource_graph.query", json!({ "query": "resources" })).await.unwrap();
    assert_eq!(rows.outputs["count"], 20);
    let asked: Vec<bool> =
        place.log()[pages.len()..].iter().map(|logged| logged.body["options"]["$skipToken"].is_string()).collect();
    assert_eq!(asked, [false, true, true]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let run = async |seed| {
        let place =
            place(seed, vec![Fault::LostResponse { step: "step".to_owned(), effect: Lost::AfterEffect, times: None }]);
        place.run(PROMOTE, promotion()).await.ok();
        let answers = place.log().into_iter().map(|logged| (logged.at, logged.url, logged.status, logged.answer));
        answers.collect::<Vec<_>>()
    };
    for seed in 0..8 {
        assert_eq!(run(seed).await, run(seed).await);
    }
    assert_ne!(run(1).await, run(2).await);
}
