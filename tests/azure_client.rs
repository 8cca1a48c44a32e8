//! The way to Azure, against a transport that follows a script: what is sent, when, and what a step makes of it.

#![allow(dead_code, reason = "what tests share serves several of them")]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use drctl::actions::azure::{Azure, Cloud, Credentials, SETTLE, Vaults};
use drctl::actions::{Call, Failure, Observation};
use drctl::runbook::ast::VaultSecret;
use drctl::runbook::azure::{Credential, CredentialKind, Source};
use serde_json::{Value, json};
use support::http::{Reply, Server};
use support::{LeapingClock, Site, call};

/// What the transport does with a request.
enum Act {
    Answer(u16, Vec<(&'static str, String)>, Value),
    NeverSent,
    Reset,
}

fn ok(body: Value) -> Act {
    Act::Answer(200, Vec::new(), body)
}

fn refused(status: u16, code: &str) -> Act {
    Act::Answer(status, Vec::new(), json!({ "error": { "code": code, "message": "as it is" } }))
}

fn accepted(poll: &str) -> Act {
    let url = format!("https://management.azure.com{poll}");
    Act::Answer(202, vec![("azure-asyncoperation", url), ("retry-after", "10".to_owned())], Value::Null)
}

/// Answers in the order of its script, and remembers what it was asked.
#[derive(Default)]
struct Script {
    acts: Mutex<VecDeque<Act>>,
    asked: Mutex<Vec<String>>,
    hosts: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            azure_core::http::Body::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            _ => panic!("only plain bodies are sent"),
        };
        self.hosts.lock().unwrap().extend(request.url().host_str().map(str::to_owned));
        let path = request.url().path().rsplit("/flexibleServers").next().unwrap().to_owned();
        self.asked.lock().unwrap().push(format!("{} {path} {body}", request.method()).trim_end().to_owned());
        let act = self.acts.lock().unwrap().pop_front().expect("the script is at its end");
        match act {
            Act::Answer(status, headers, body) => {
                let mut answer = Headers::new();
                for (name, value) in headers {
                    answer.insert(HeaderName::from(name), HeaderValue::from(value));
                }
                let body = if body.is_null() { String::new() } else { body.to_string() };
                Ok(AsyncRawResponse::from_bytes(status.into(), answer, body))
            }
            Act::NeverSent => Err(azure_core::Error::with_message(ErrorKind::Connection, "connection refused")),
            Act::Reset => Err(azure_core::Error::with_message(ErrorKind::Io, "connection reset by peer")),
        }
    }
}

const PROMOTE: &str = "azure.postgres.promote_replica";
const PATCH: &str = "PATCH /pg {\"properties\":{\"replica\":{\"role\":\"None\",\"promoteMode\":\"Standalone\",\"promoteOption\":\"Forced\"}}}";

fn server(role: &str) -> Act {
    ok(json!({ "properties": { "state": "Ready", "replica": { "role": role } } }))
}

fn promotion() -> Call {
    let with = json!({ "subscription": "s", "resource_group": "rg", "server": "pg", "mode": "forced" });
    Call { timeout: Duration::from_secs(1200), settle: SETTLE, ..call(with) }
}

/// A site at that script.
fn site(acts: Vec<Act>) -> (Site, Arc<Script>) {
    let script = Arc::new(Script { acts: Mutex::new(acts.into()), ..Script::default() });
    let mut site = Site::new();
    let clock = Arc::new(LeapingClock::default());
    let transport: Arc<dyn HttpClient> = Arc::clone(&script) as _;
    site.context.clock = Arc::clone(&clock) as _;
    site.context.azure = Arc::new(Azure::simulated(transport, clock, "run-1"));
    (site, script)
}

fn asked(script: &Script) -> Vec<String> {
    assert!(script.acts.lock().unwrap().is_empty(), "the script goes on");
    script.asked.lock().unwrap().clone()
}

#[tokio::test]
async fn a_replica_is_promoted_followed_and_read_again() {
    let poll = "/subscriptions/s/providers/op/1";
    let under_way = ok(json!({ "status": "InProgress" }));
    let (site, script) = site(vec![
        server("AsyncReplica"),
        accepted(poll),
        under_way,
        ok(json!({ "status": "succeeded" })),
        server("Primary"),
    ]);
    let done = site.run(PROMOTE, &promotion()).await.unwrap();
    assert_eq!((json!(done.outputs), done.already), (json!({ "role": "primary" }), false));
    let polls = format!("GET {poll}");
    assert_eq!(asked(&script), ["GET /pg", PATCH, &polls, &polls, "GET /pg"]);
    let handle = site.handles.lock().unwrap()[0].clone();
    assert_eq!(handle["poll"]["operation"], format!("https://management.azure.com{poll}"));
}

#[tokio::test]
async fn nothing_is_sent_where_the_wanted_state_holds() {
    let (site, script) = site(vec![server("Primary")]);
    let done = site.run(PROMOTE, &promotion()).await.unwrap();
    assert_eq!((done.already, done.note.as_str()), (true, "nothing was sent: `pg` is `primary`"));
    assert_eq!(asked(&script), ["GET /pg"]);
}

#[tokio::test]
async fn what_is_busy_is_waited_for_and_read_again_before_it_is_asked_again() {
    let (site, script) = site(vec![
        server("AsyncReplica"),
        refused(409, "AnotherOperationInProgress"),
        server("AsyncReplica"),
        Act::Answer(429, vec![("retry-after", "7".to_owned())], Value::Null),
        server("Primary"),
    ]);
    assert!(site.run(PROMOTE, &promotion()).await.is_ok());
    assert_eq!(asked(&script), ["GET /pg", PATCH, "GET /pg", PATCH, "GET /pg"]);
}

#[tokio::test]
async fn a_failover_whose_answer_was_lost_is_not_sent_again_and_seen_when_it_happened() {
    let (site, script) = site(vec![server("AsyncReplica"), Act::Reset, server("AsyncReplica"), server("Primary")]);
    let done = site.run(PROMOTE, &promotion()).await.unwrap();
    assert!(!done.already);
    assert_eq!(asked(&script), ["GET /pg", PATCH, "GET /pg", "GET /pg"]);
}

#[tokio::test]
async fn a_failover_whose_answer_was_lost_and_that_does_not_show_is_in_doubt() {
    let mut acts = vec![server("AsyncReplica"), refused(503, "ServiceUnavailable")];
    acts.extend((0..8).map(|_| server("AsyncReplica")));
    let (site, script) = site(acts);
    let Err(Failure::Ambiguous(evidence)) = site.run(PROMOTE, &promotion()).await else { panic!("it is in doubt") };
    assert_eq!(
        evidence,
        "promote `pg` was sent as PATCH https://management.azure.com/subscriptions/s/resourceGroups/rg/providers/\
         Microsoft.DBforPostgreSQL/flexibleServers/pg?api-version=2025-08-01; the answer was lost (503 \
         `ServiceUnavailable`: as it is); its effect is not to be seen"
    );
    assert_eq!(asked(&script).iter().filter(|line| *line == PATCH).count(), 1);
}

#[tokio::test]
async fn what_never_reached_azure_is_sent_again() {
    let (site, script) = site(vec![server("AsyncReplica"), Act::NeverSent, server("AsyncReplica"), server("Primary")]);
    // The second look says that a promotion is still wanted, the third that it is there.
    let acts = [Act::Answer(200, Vec::new(), Value::Null)];
    script.acts.lock().unwrap().insert(3, acts.into_iter().next().unwrap());
    assert!(site.run(PROMOTE, &promotion()).await.is_ok());
    assert_eq!(asked(&script), ["GET /pg", PATCH, "GET /pg", PATCH, "GET /pg"]);
}

#[tokio::test]
async fn a_failed_operation_fails_the_step_in_its_own_words() {
    let failed = json!({ "status": "Failed", "error": { "code": "ReplicaBroken", "message": "no \"wal\"\r\nleft" } });
    let (site, script) = site(vec![server("AsyncReplica"), accepted("/op"), ok(failed)]);
    let failure = site.run(PROMOTE, &promotion()).await.unwrap_err();
    assert_eq!(failure, Failure::Failed("promote `pg`: failed: `ReplicaBroken`: no \"wal\" left".to_owned()));
    assert_eq!(asked(&script).len(), 3);
}

#[tokio::test]
async fn a_killed_drctl_goes_on_following_what_it_started() {
    let (first, _) = site(vec![server("AsyncReplica"), accepted("/op")]);
    let doomed = Call { timeout: Duration::from_secs(5), ..promotion() };
    assert!(matches!(first.run(PROMOTE, &doomed).await, Err(Failure::Ambiguous(_))));
    let handle = first.handles.lock().unwrap()[0].clone();

    let (second, script) = site(vec![ok(json!({ "status": "Succeeded" })), server("Primary")]);
    let done = second.attach(PROMOTE, &promotion(), &handle).await.unwrap();
    assert!(!done.already);
    assert_eq!(asked(&script), ["GET /op", "GET /pg"]);
}

#[tokio::test]
async fn a_forgotten_operation_leaves_the_state_to_tell() {
    let gone = Act::Answer(404, Vec::new(), Value::Null);
    let (site, script) =
        site(vec![server("AsyncReplica"), accepted("/op"), gone, server("AsyncReplica"), server("Primary")]);
    assert!(site.run(PROMOTE, &promotion()).await.is_ok());
    assert_eq!(asked(&script), ["GET /pg", PATCH, "GET /op", "GET /pg", "GET /pg"]);
}

#[tokio::test]
async fn a_refusal_that_will_not_change_fails_at_once() {
    let (site, script) = site(vec![server("AsyncReplica"), refused(403, "AuthorizationFailed")]);
    let failure = site.run(PROMOTE, &promotion()).await.unwrap_err();
    assert_eq!(failure, Failure::Failed("promote `pg`: refused: 403 `AuthorizationFailed`: as it is".to_owned()));
    assert_eq!(asked(&script).len(), 2);
}

/// A failover group as one of its servers tells of it.
fn group(role: &str) -> Act {
    ok(json!({ "properties": { "replicationRole": role } }))
}

fn group_failover() -> Call {
    let with = json!({ "subscription": "s", "resource_group": "rg", "server": "pg", "group": "g" });
    Call { timeout: Duration::from_secs(1200), ..call(with) }
}

const ON_PRIMARY: &str = "FailoverGroupFailoverRequestOnPrimary";

#[tokio::test]
async fn a_refusal_which_says_that_it_holds_already_is_a_success_once_the_state_shows_it() {
    let (site, script) = site(vec![group("Secondary"), refused(400, ON_PRIMARY), group("Secondary"), group("Primary")]);
    let done = site.run("azure.sql.failover_group", &group_failover()).await.unwrap();
    assert_eq!((done.already, done.note.as_str()), (true, "nothing was sent: `pg` is the primary of `g`"));
    let path = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/pg/failoverGroups/g";
    let (get, post) = (format!("GET {path}"), format!("POST {path}/failover"));
    assert_eq!(asked(&script), [get.clone(), post, get.clone(), get]);
}

#[tokio::test]
async fn a_refusal_which_the_state_never_bears_out_fails_the_step() {
    let stale = || (0..40).map(|_| group("Secondary"));
    let (site, script) = site([group("Secondary"), refused(400, ON_PRIMARY)].into_iter().chain(stale()).collect());
    let failed = site.run("azure.sql.failover_group", &group_failover()).await.unwrap_err();
    let wanted = "make `pg` the primary of `g`: refused, and its state does not show why: \
                  400 `FailoverGroupFailoverRequestOnPrimary`: as it is";
    assert_eq!(failed, Failure::Failed(wanted.to_owned()));
    let posts = script.asked.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

/// A recovery plan that allows these operations, and its machine on that side.
fn recovery_plan(allowed: &[&str], side: &str) -> Vec<Act> {
    let groups = json!([{ "replicationProtectedItems": [{ "id": "/m" }] }]);
    let machines = json!([
        { "id": "/of/another/plan", "properties": { "activeLocation": "Elsewhere" } },
        { "id": "/M", "properties": { "activeLocation": side } },
    ]);
    vec![
        ok(json!({ "properties": { "allowedOperations": allowed, "groups": groups } })),
        ok(json!({ "value": machines })),
    ]
}

async fn recover(direction: &str, acts: Vec<Act>) -> (Result<drctl::actions::Done, Failure>, Vec<String>) {
    let with = json!({
        "subscription": "s", "resource_group": "rg", "vault": "v", "plan": "p", "mode": "unplanned", "direction": direction,
    });
    let (site, script) = site(acts);
    let call = Call { timeout: Duration::from_secs(1200), ..call(with) };
    let done = site.run("azure.site_recovery.failover", &call).await;
    let sent = asked(&script).into_iter().filter(|line| line.starts_with("POST")).collect();
    (done, sent)
}

#[tokio::test]
async fn a_failover_that_waits_for_its_commit_counts_only_in_the_direction_it_went() {
    let (done, sent) = recover("primary_to_recovery", recovery_plan(&["Commit"], "Recovery")).await;
    let note = "nothing was sent: `p` runs on its recovery side, and waits for its commit";
    assert_eq!((done.unwrap().note.as_str(), sent.len()), (note, 0));

    let (done, sent) = recover("recovery_to_primary", recovery_plan(&["Commit"], "Recovery")).await;
    let other = "`p` has failed over to its recovery side and waits for its commit: that is not `recovery_to_primary`. \
                 Run `azure.site_recovery.commit` and `azure.site_recovery.reprotect` first";
    assert_eq!((done.unwrap_err(), sent.len()), (Failure::Failed(other.to_owned()), 0));

    let (done, sent) = recover("recovery_to_primary", recovery_plan(&["Commit"], "")).await;
    let untold = "`p` waits for the commit of a failover, and its machines do not tell on which side they run";
    assert_eq!((done.unwrap_err(), sent.len()), (Failure::Failed(untold.to_owned()), 0));
}

#[tokio::test]
async fn the_fabrics_tell_the_side_whatever_re_protecting_made_of_its_words() {
    let plan = json!({ "properties": {
        "allowedOperations": ["UnplannedFailover"],
        "groups": [{ "replicationProtectedItems": [{ "id": "/m" }] }],
        "primaryFabricFriendlyName": "centralus",
        "recoveryFabricFriendlyName": "eastus2",
    }});
    // Replicated back: the item calls primary what the plan calls recovery.
    let turned = json!({ "id": "/m", "properties": {
        "activeLocation": "Primary", "primaryFabricFriendlyName": "EastUS2", "recoveryFabricFriendlyName": "CentralUS",
    }});
    let acts = vec![ok(plan), ok(json!({ "value": [turned] }))];
    let (done, sent) = recover("primary_to_recovery", acts).await;
    assert_eq!((done.unwrap().note.as_str(), sent.len()), ("nothing was sent: `p` runs on its recovery side", 0));
}

/// The credential `operations`, of these kinds.
fn operations(site: &Site, kinds: Vec<CredentialKind>) -> Credentials {
    let file = site.path().join("secret");
    std::fs::write(&file, "s3cret").unwrap();
    let secret = Some(Source::File(file.display().to_string()));
    let (tenant, client) = (Some("t".to_owned()), Some("c".to_owned()));
    let operations = Credential { kinds, tenant, client, secret, ..Credential::default() };
    Credentials::new([("operations".to_owned(), operations)].into())
}

/// A site that gets its tokens, by these kinds, from what the script answers.
fn site_with_credential(kinds: Vec<CredentialKind>, acts: Vec<Act>) -> (Site, Arc<Script>) {
    let (mut site, script) = site(acts);
    let named = operations(&site, kinds);
    let transport: Arc<dyn HttpClient> = Arc::clone(&script) as _;
    site.context.azure = Arc::new(Azure::new(transport, named, Arc::clone(&site.context.clock), "run-1"));
    (site, script)
}

#[tokio::test]
async fn a_credential_that_gives_no_token_says_what_was_tried_and_why_each_failed() {
    let refused = json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret.\r\nTrace ID: 1" });
    let kinds = vec![CredentialKind::ClientAssertion, CredentialKind::ClientSecret];
    let (site, _) = site_with_credential(kinds, vec![Act::Answer(401, Vec::new(), refused)]);
    let mut call = promotion();
    call.with.insert("credential".to_owned(), json!("operations"));
    let Failure::Failed(why) = site.run(PROMOTE, &call).await.unwrap_err() else { panic!("it is known why") };
    let tried =
        "no token by the credential `operations`; tried client_assertion: it needs `assertion_file`; client_secret: ";
    assert!(why.starts_with(tried) && why.contains("AADSTS7000215: Invalid client secret."), "{why}");
    assert!(!why.contains('\n') && !why.contains("s3cret"), "{why}");
}

#[tokio::test]
async fn a_moment_that_lies_ahead_is_no_moment_to_go_back_to() {
    let token = ok(json!({ "token_type": "Bearer", "expires_in": 86_400, "access_token": "token" }));
    let (site, script) =
        site_with_credential(vec![CredentialKind::ClientSecret], vec![token, refused(404, "ResourceNotFound")]);
    let with = json!({
        "subscription": "s", "resource_group": "rg", "credential": "operations", "server": "pg", "source_server": "old",
        "location": "eastus2", "point_in_time": "2999-11-20T23:37:00Z", "geo": true,
    });
    let Failure::Failed(why) = site.run("azure.postgres.restore", &call(with)).await.unwrap_err() else {
        panic!("nothing was sent")
    };
    assert!(why.starts_with("`point_in_time` is 2999-11-20T23:37:00.000Z, which lies ahead: it is "), "{why}");
    assert_eq!(asked(&script).last().unwrap(), "GET /pg");
}

#[tokio::test]
async fn a_change_of_priorities_that_comes_to_nothing_names_the_action_for_a_write_region_that_is_down() {
    let account = || {
        let region = |name: &str, place: u32| json!({ "locationName": name, "failoverPriority": place });
        let (west, north) = (region("westeurope", 0), region("northeurope", 1));
        ok(json!({ "properties": { "writeLocations": [west], "readLocations": [west, north] } }))
    };
    let (site, _) =
        site([account(), refused(503, "ServiceUnavailable")].into_iter().chain((0..40).map(|_| account())).collect());
    let with = json!({ "subscription": "s", "resource_group": "rg", "account": "a", "to": "northeurope" });
    let call = Call { timeout: Duration::from_secs(1200), ..call(with) };
    let Failure::Ambiguous(evidence) = site.run("azure.cosmos.failover", &call).await.unwrap_err() else {
        panic!("nothing tells what came of it")
    };
    let advice =
        "; this does not succeed while the write region is down: `azure.cosmos.offline_region` is the action for that";
    assert!(evidence.contains("503 `ServiceUnavailable`") && evidence.ends_with(advice), "{evidence}");
}

#[tokio::test]
async fn a_token_goes_to_resource_manager_and_to_nobody_else() {
    let away = Act::Answer(202, vec![("location", "https://evil.example/op".to_owned())], Value::Null);
    let (site, script) = site(vec![server("AsyncReplica"), away]);
    let Err(Failure::Ambiguous(evidence)) = site.run(PROMOTE, &promotion()).await else { panic!("it is in doubt") };
    assert!(evidence.ends_with("a token for `management.azure.com` is not sent to `evil.example`"), "{evidence}");
    assert_eq!(asked(&script).len(), 2);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let expired = || refused(401, "ExpiredAuthenticationToken");
    let (first, _) = site(vec![expired(), server("Primary")]);
    assert!(first.run(PROMOTE, &promotion()).await.is_ok());
    let (second, _) = site(vec![expired(), expired()]);
    assert!(matches!(second.run(PROMOTE, &promotion()).await, Err(Failure::Failed(_))));
}

#[tokio::test]
async fn looking_tells_what_happened_and_waits_for_what_may_still_show() {
    let (first, _) = site(vec![server("Primary")]);
    assert!(matches!(first.action(PROMOTE).observe(&first.context, &promotion()).await, Observation::Applied(_)));
    let (second, script) = site((0..9).map(|_| server("AsyncReplica")).collect());
    let seen = second.action(PROMOTE).observe(&second.context, &promotion()).await;
    assert_eq!(seen, Observation::NotApplied("still to be done: promote `pg`".to_owned()));
    assert!(asked(&script).iter().all(|line| line == "GET /pg"));
}

#[tokio::test]
async fn a_read_that_is_throttled_or_down_is_repeated_for_a_while() {
    let (first, _) = site(vec![refused(503, "Down"), Act::Reset, Act::NeverSent, server("Primary")]);
    assert!(first.run("azure.postgres.role", &promotion_read()).await.is_ok());
    let (second, _) = site((0..30).map(|_| refused(503, "Down")).collect());
    let failure = second.run("azure.postgres.role", &promotion_read()).await.unwrap_err();
    assert!(failure.to_string().ends_with("503 `Down`: as it is (tried for 1m30s)"), "{failure}");
}

fn promotion_read() -> Call {
    let with = json!({ "subscription": "s", "resource_group": "rg", "server": "pg" });
    Call { timeout: Duration::from_secs(600), ..call(with) }
}

/// Leads requests for Resource Manager to a server on this machine, as they are.
#[derive(Debug)]
struct Loopback {
    address: std::net::SocketAddr,
    client: Arc<dyn HttpClient>,
}

#[async_trait]
impl HttpClient for Loopback {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut here = request.clone();
        here.url_mut().set_scheme("http").unwrap();
        here.url_mut().set_ip_host(self.address.ip()).unwrap();
        here.url_mut().set_port(Some(self.address.port())).unwrap();
        self.client.execute_request(&here).await
    }
}

/// A cloud as `azure.clouds` describes it.
fn stack() -> Value {
    json!({
        "name": "stack", "authority": "https://login.stack.example", "management": "https://management.stack.example",
        "audience": "https://arm.stack.example",
    })
}

fn token() -> Value {
    json!({ "token_type": "Bearer", "expires_in": 86_400, "access_token": "of the stack" })
}

#[tokio::test]
async fn over_real_http_and_in_a_cloud_of_its_own_it_is_the_same() {
    let replica = json!({ "properties": { "state": "Ready", "replica": { "role": "AsyncReplica" } } }).to_string();
    let primary = json!({ "properties": { "state": "Ready", "replica": { "role": "Primary" } } }).to_string();
    let accepted = "HTTP/1.1 202 Accepted\r\nazure-asyncoperation: https://management.stack.example/op\r\nretry-after: 0\r\n\
                    content-length: 0\r\nconnection: close\r\n\r\n";
    let server = Server::start(vec![
        Reply::Answer(200, token().to_string()),
        Reply::Answer(200, replica),
        Reply::Raw(accepted.to_owned()),
        Reply::Drop,
        Reply::Answer(200, json!({ "status": "Succeeded" }).to_string()),
        Reply::Answer(200, primary),
    ])
    .await;
    let (mut site, _) = site(Vec::new());
    let client: Arc<dyn HttpClient> = Arc::new(site.context.http.clone());
    let transport = Arc::new(Loopback { address: server.address, client });
    site.context.clock = Site::new().context.clock;
    let credentials = operations(&site, vec![CredentialKind::ClientSecret]);
    site.context.azure = Arc::new(Azure::new(transport, credentials, Arc::clone(&site.context.clock), "run-1"));
    let mut call = promotion();
    call.with.extend([("credential".to_owned(), json!("operations")), ("cloud".to_owned(), stack())]);
    let done = site.run(PROMOTE, &call).await.unwrap();
    assert_eq!(json!(done.outputs), json!({ "role": "primary" }));
    let path = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg?api-version=2025-08-01";
    let (get, patch) = (format!("GET {path}"), format!("PATCH {path}"));
    assert_eq!(server.lines(), ["POST /t/oauth2/v2.0/token", &get, &patch, "GET /op", "GET /op", &get]);
    let asked = server.asked();
    assert!(asked[0].body.contains("scope=https%3A%2F%2Farm.stack.example%2F.default"), "{}", asked[0].body);
    let headers = &asked[2].headers;
    assert_eq!(headers["authorization"], "Bearer of the stack");
    assert!(headers.contains_key("x-ms-client-request-id"));
    assert_eq!(headers["x-ms-correlation-request-id"].len(), 36);
}

#[tokio::test]
async fn a_token_of_a_cloud_of_its_own_goes_to_nobody_else() {
    let (site, script) = site_with_credential(
        vec![CredentialKind::ClientSecret],
        vec![ok(token()), server("AsyncReplica"), accepted("/op")],
    );
    let mut call = promotion();
    call.with.extend([("credential".to_owned(), json!("operations")), ("cloud".to_owned(), stack())]);
    let Failure::Ambiguous(evidence) = site.run(PROMOTE, &call).await.unwrap_err() else { panic!("it is under way") };
    let refused = "a token for `management.stack.example` is not sent to `management.azure.com`";
    assert!(evidence.ends_with(refused), "{evidence}");
    assert_eq!(asked(&script).len(), 3);
}

#[tokio::test]
async fn nothing_is_sent_to_a_cloud_that_nobody_described() {
    let (site, script) = site(Vec::new());
    let mut azure = promotion();
    azure.with.insert("cloud".to_owned(), json!("stcak"));
    let lines = site.action(PROMOTE).preview(&azure.with);
    assert!(lines.iter().all(|line| !line.contains("management.azure.com")), "{lines:?}");
    assert_eq!(asked(&script), [""; 0]);
}

/// What reading a secret comes to, and what was asked for it.
async fn secret(version: Option<&str>, mut acts: Vec<Act>) -> (Result<String, String>, Vec<String>, Vec<String>) {
    acts.insert(0, ok(json!({ "token_type": "Bearer", "expires_in": 86_400, "access_token": "token" })));
    let (site, script) = site_with_credential(vec![CredentialKind::ClientSecret], acts);
    let vaults = Vaults { cloud: Cloud::Government, credential: "operations".to_owned() };
    let version = version.map(str::to_owned);
    let named = VaultSecret { vault: "kv-orders".to_owned(), secret: "pg-token".to_owned(), version };
    let value = vaults.read(&site.context.azure, &named).await;
    let asked = asked(&script).split_off(1);
    let hosts = script.hosts.lock().unwrap().split_off(1);
    (value, asked, hosts)
}

#[tokio::test]
async fn a_secret_of_a_key_vault_is_read_as_it_is_from_the_vault_s_own_host() {
    let value = || ok(json!({ "value": "two\nlines\n", "id": "https://elsewhere.example/secrets/pg-token/1" }));
    let (read, asked, hosts) = secret(None, vec![value()]).await;
    assert_eq!(read.unwrap(), "two\nlines\n");
    assert_eq!(
        (asked, hosts),
        (vec!["GET /secrets/pg-token".to_owned()], vec!["kv-orders.vault.usgovcloudapi.net".to_owned()])
    );
    let (_, asked, _) = secret(Some("0a1b"), vec![value()]).await;
    assert_eq!(asked, ["GET /secrets/pg-token/0a1b"]);
    let (read, asked, _) = secret(None, vec![Act::Reset, value()]).await;
    assert_eq!((read.unwrap().as_str(), asked.len()), ("two\nlines\n", 2), "a lost answer is asked for once more");
}

#[tokio::test]
async fn a_secret_that_a_key_vault_does_not_give_is_named_with_the_vault_and_its_words() {
    let told = |problem: &str| format!("`pg-token` of key vault `kv-orders` cannot be read: {problem}");
    for (acts, problem) in [
        (vec![refused(404, "SecretNotFound")], "404 `SecretNotFound`: as it is"),
        (
            vec![refused(403, "Forbidden")],
            "403 `Forbidden`: as it is; `operations` needs the role `Key Vault Secrets User` there",
        ),
        (vec![refused(503, "Unavailable"), refused(503, "Unavailable")], "503 `Unavailable`: as it is"),
        (vec![Act::NeverSent, Act::NeverSent], "connection refused"),
        (vec![ok(json!({ "id": "x" }))], "the answer holds no value"),
    ] {
        let (read, ..) = secret(None, acts).await;
        assert_eq!(read.unwrap_err(), told(problem));
    }
}
