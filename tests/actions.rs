//! The actions that need no process, against real servers on this machine.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use drctl::actions::{Call, Done, Failure, Observation, holds};
use drctl::catalogue::{Effect, Timestamp, Type};
use drctl::edge::clock::Clock as _;
use serde_json::{Value, json};
use support::dns::{self, Zone};
use support::http::{Reply, Server, answer};
use support::{LeapingClock, Site, call, timed, timeless};

/// Far less than any timeout here but for the short ones.
const PROMPT: Duration = Duration::from_secs(5);

fn failed(text: impl Into<String>) -> Result<Done, Failure> {
    Err(Failure::Failed(text.into()))
}

fn is_ambiguous(result: &Result<Done, Failure>) -> bool {
    matches!(result, Err(Failure::Ambiguous(_)))
}

fn with(mut base: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    base.as_object_mut().unwrap().extend(more);
    base
}

/// An address that refuses connections: nobody listens there any more.
fn nobody() -> String {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_addr().unwrap().to_string();
    // Kept without listening, so that no other test is given the port.
    std::mem::forget(socket);
    at
}

// probe.http

fn quickly(url: &str) -> Value {
    json!({"url": url, "every": "0s"})
}

#[tokio::test]
async fn the_verdict_follows_from_how_many_samples_are_good() {
    let (up, bad) = (|| answer(200, "up"), || answer(503, "busy"));
    for (script, verdict, healthy, good, status, reason) in [
        (vec![up()], "healthy", true, 3, 200, "3 of 3 samples good"),
        (
            vec![up(), bad(), up()],
            "degraded",
            true,
            2,
            200,
            "2 of 3 samples good; sample 2: answered 503, wanted a status from 200 to 299",
        ),
        (
            vec![up(), bad()],
            "down",
            false,
            1,
            503,
            "1 of 3 samples good, wanted 2; sample 3: answered 503, wanted a status from 200 to 299",
        ),
    ] {
        let server = Server::start(script).await;
        let site = Site::new();
        let done = site.apply("probe.http", quickly(&server.url("/health"))).await;
        assert_eq!(
            timeless(done),
            json!({
                "healthy": healthy, "verdict": verdict, "good": good, "samples": 3, "status": status, "reason": reason
            })
        );
    }
}

#[tokio::test]
async fn the_threshold_says_how_many_samples_must_be_good() {
    let server = Server::start(vec![answer(200, ""), answer(500, "")]).await;
    let given = json!({"samples": 4, "threshold": 1, "method": "HEAD"});
    let done = Site::new().apply("probe.http", with(quickly(&server.url("/")), given)).await;
    assert_eq!(done.unwrap().outputs["verdict"], "degraded");
    assert_eq!(server.lines(), ["HEAD /"; 4]);
}

#[tokio::test]
async fn a_target_that_cannot_be_asked_is_down_and_the_step_succeeds() {
    let silent = Server::start(vec![Reply::Silence]).await;
    let dropping = Server::start(vec![Reply::Drop]).await;
    let refused = format!("http://{}/", nobody());
    for (url, timeout, problem) in [
        (refused, "5s", "Connection refused (os error 111)"),
        (silent.url("/"), "50ms", "no answer within 50ms"),
        (dropping.url("/"), "5s", "connection closed before message completed"),
    ] {
        let given = json!({"samples": 1, "timeout": timeout});
        let done = Site::new().apply("probe.http", with(quickly(&url), given)).await.unwrap();
        let reason = format!("0 of 1 samples good, wanted 1; sample 1: {problem}");
        assert_eq!(
            json!(done.outputs),
            json!({
                "status": 0, "healthy": false, "verdict": "down", "good": 0, "samples": 1, "latency_ms": 0, "reason": reason
            })
        );
        assert_eq!(done.note, format!("`{url}` is down: {reason}"));
    }
}

#[tokio::test]
async fn a_slow_answer_is_not_good_but_its_time_is_measured() {
    let server = Server::start(vec![Reply::Late(Duration::from_millis(60))]).await;
    let given = json!({"samples": 1, "latency": "20ms"});
    let done = Site::new().apply("probe.http", with(quickly(&server.url("/")), given)).await.unwrap();
    assert_eq!(done.outputs["verdict"], "down");
    assert!(done.outputs["latency_ms"].as_u64().unwrap() >= 60, "{done:?}");
    let reason = done.outputs["reason"].as_str().unwrap();
    assert!(reason.ends_with("ms, wanted at most 20ms"), "{reason}");
}

#[tokio::test]
async fn a_probe_reads_the_body() {
    let server = Server::start(vec![answer(200, r#"{"role": "primary", "lag": 3}"#)]).await;
    for (given, healthy) in [
        (json!({"contains": "primary", "json": {"$.role": "primary", "$.lag": 3}}), true),
        (json!({"contains": "replica"}), false),
        (json!({"json": {"$.lag": 0}}), false),
        (json!({"status": 204}), false),
    ] {
        let done = Site::new().apply("probe.http", with(quickly(&server.url("/")), given)).await;
        assert_eq!(done.unwrap().outputs["healthy"], healthy);
    }
}

#[tokio::test]
async fn a_redirect_is_followed_without_the_headers_where_the_host_changes() {
    let target = Server::start(vec![answer(200, "")]).await;
    let hop = |to: &str| Reply::Raw(format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"));
    let server = Server::start(vec![hop("/next"), hop(&target.url("/there"))]).await;
    let given = json!({"samples": 1, "headers": {"X-Token": "t"}});
    let done = Site::new().apply("probe.http", with(quickly(&server.url("/")), given)).await;
    assert_eq!(done.unwrap().outputs["status"], 200);
    let tokens = |server: &Server| -> Vec<(String, bool)> {
        let asked = server.asked().into_iter();
        asked.map(|asked| (asked.line, asked.headers.contains_key("x-token"))).collect()
    };
    assert_eq!(tokens(&server), [("GET /".to_owned(), true), ("GET /next".to_owned(), true)]);
    assert_eq!(tokens(&target), [("GET /there".to_owned(), false)]);
}

#[tokio::test]
async fn a_probe_says_yes_or_no_to_who_verifies() {
    let site = Site::new();
    let spec = site.action("probe.http").spec();
    let server = Server::start(vec![answer(200, ""), answer(500, "")]).await;
    let look = || site.apply("probe.http", with(quickly(&server.url("/")), json!({"samples": 1})));
    assert_eq!(
        holds(spec, &look().await).unwrap(),
        "`TARGET` is healthy: 1 of 1 samples good".replace("TARGET", &server.url("/"))
    );
    let reason = "0 of 1 samples good, wanted 1; sample 1: answered 500, wanted a status from 200 to 299";
    assert_eq!(holds(spec, &look().await), Err(reason.to_owned()));
    let spec = site.action("assert").spec();
    assert_eq!(holds(spec, &site.apply("assert", json!({"that": true})).await), Ok("the condition holds".to_owned()));
    let no = site.apply("assert", json!({"that": false, "message": "the lag is 90 s"})).await;
    assert_eq!(holds(spec, &no), Err("the lag is 90 s".to_owned()));
}

#[tokio::test]
async fn a_probe_stops_at_once_and_fails_only_when_its_time_is_up() {
    let server = Server::start(vec![Reply::Silence]).await;
    let site = Site::new();
    let probe = call(json!({"url": server.url("/")}));
    let (cancelled, took) = timed(async {
        let (done, ()) = tokio::join!(site.run("probe.http", &probe), async {
            server.was_asked(1).await;
            site.context.cancel.cancel();
        });
        done
    })
    .await;
    assert_eq!(cancelled, Err(Failure::Cancelled));
    let short = Call { timeout: Duration::from_millis(50), ..probe };
    let (done, also_took) = timed(Site::new().run("probe.http", &short)).await;
    assert_eq!(done, failed("timed out after 50ms"));
    assert!(took + also_took < PROMPT, "{took:?} {also_took:?}");
}

// probe.tcp

#[tokio::test]
async fn a_port_accepts_connections_or_does_not() {
    let server = Server::start(vec![answer(200, "")]).await;
    let probe = |port: u16| json!({"host": "127.0.0.1", "port": port, "samples": 2, "every": "0s"});
    let done = Site::new().apply("probe.tcp", probe(server.address.port())).await;
    assert_eq!(
        timeless(done),
        json!({"healthy": true, "verdict": "healthy", "good": 2, "samples": 2, "reason": "2 of 2 samples good"})
    );
    let port = nobody().rsplit_once(':').unwrap().1.parse().unwrap();
    let done = Site::new().apply("probe.tcp", probe(port)).await;
    let reason = "0 of 2 samples good, wanted 2; sample 2: Connection refused (os error 111)";
    assert_eq!(timeless(done), json!({"healthy": false, "verdict": "down", "good": 0, "samples": 2, "reason": reason}));
}

// probe.dns

async fn zone() -> dns::Server {
    dns::Server::start(Zone::Records(vec![
        dns::a("orders.example.test", 60, "10.2.0.5"),
        dns::a("orders.example.test", 30, "10.2.0.4"),
        dns::cname("www.example.test", 90, "Orders.example.test"),
        dns::txt("orders.example.test", 5, &["region=", "east"]),
        dns::mx("orders.example.test", 7, 10, "mail.example.test"),
    ]))
    .await
}

fn question(server: &dns::Server, more: Value) -> Value {
    let base = json!({
        "name": "orders.example.test", "server": server.address.to_string(), "samples": 1, "every": "0s", "timeout": "2s"
    });
    with(base, more)
}

#[tokio::test]
async fn a_name_resolves_to_what_it_should() {
    let server = zone().await;
    for (given, answers, ttl) in [
        (json!({"expect": ["10.2.0.4"], "absent": ["10.1.0.4"]}), json!(["10.2.0.4", "10.2.0.5"]), 30),
        (json!({}), json!(["10.2.0.4", "10.2.0.5"]), 30),
        (json!({"name": "www.example.test", "expect": ["10.2.0.5"]}), json!(["10.2.0.4", "10.2.0.5"]), 30),
        (
            json!({"name": "www.example.test", "type": "CNAME", "expect": ["orders.EXAMPLE.test."]}),
            json!(["Orders.example.test"]),
            90,
        ),
        (json!({"type": "TXT", "expect": ["region=east"]}), json!(["region=east"]), 5),
        (json!({"type": "MX", "expect": ["10 mail.example.test"]}), json!(["10 mail.example.test"]), 7),
        (json!({"name": "gone.example.test", "absent": ["10.1.0.4"], "allow_none": true}), json!([]), 0),
        (json!({"name": "gone.example.test", "allow_none": true}), json!([]), 0),
    ] {
        let done = Site::new().apply("probe.dns", question(&server, given)).await;
        assert_eq!(
            timeless(done),
            json!({
                "healthy": true, "verdict": "healthy", "good": 1, "samples": 1, "reason": "1 of 1 samples good",
                "answers": answers, "ttl": ttl
            })
        );
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_something_else_is_down() {
    let zone = zone().await;
    let fails = dns::Server::start(Zone::Fails).await;
    let silent = dns::Server::start(Zone::Silent).await;
    let all = "`10.2.0.4`, `10.2.0.5`";
    for (server, given, problem) in [
        (&zone, json!({"expect": ["10.2.0.4", "10.9.9.9"]}), format!("wanted `10.9.9.9`, found {all}")),
        (&zone, json!({"absent": ["10.2.0.5"]}), format!("`10.2.0.5` should be absent, found {all}")),
        (&zone, json!({"type": "AAAA"}), "found no records".to_owned()),
        (&zone, json!({"name": "gone.example.test"}), "found no records".to_owned()),
        (&zone, json!({"name": "gone.example.test", "absent": ["10.1.0.4"]}), "found no records".to_owned()),
        (
            &zone,
            json!({"name": "gone.example.test", "expect": ["10.2.0.4"], "allow_none": true}),
            "wanted `10.2.0.4`, found no records".to_owned(),
        ),
        (
            &zone,
            json!({"type": "TXT", "expect": ["Region=east"]}),
            "wanted `Region=east`, found `region=east`".to_owned(),
        ),
        (&fails, json!({}), "DNS error: error response: Server Failure".to_owned()),
        (&silent, json!({"timeout": "100ms"}), "no answer within 100ms".to_owned()),
    ] {
        let (done, took) = timed(Site::new().apply("probe.dns", question(server, given))).await;
        let done = done.unwrap();
        assert_eq!(done.outputs["verdict"], "down");
        let reason = format!("0 of 1 samples good, wanted 1; sample 1: {problem}");
        assert_eq!(done.outputs["reason"], reason.as_str());
        assert!(took < PROMPT, "{took:?}");
    }
}

#[tokio::test]
async fn every_sample_asks_the_server_again() {
    let server = zone().await;
    let done = Site::new().apply("probe.dns", question(&server, json!({"samples": 4}))).await;
    assert_eq!(done.unwrap().outputs["good"], 4);
    assert_eq!(server.asked(), 4);
}

// http

fn post(url: &str) -> Value {
    json!({"method": "POST", "url": url, "json": {"to": "east"}})
}

/// Short only where the time must run out.
fn patience(reply: &Reply) -> &'static str {
    if matches!(reply, Reply::Silence) { "300ms" } else { "30s" }
}

fn declaring(with: Value, outputs: &[(&str, Type)]) -> Call {
    let declared = outputs.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone()));
    Call { declared: declared.collect(), ..call(with) }
}

#[tokio::test]
async fn a_request_is_sent_as_described_and_its_answer_becomes_outputs() {
    let server = Server::start(vec![answer(201, r#"{"id": 7, "note": "s3cret/x"}"#)]).await;
    let site = Site::new().with_secret("s3cret/x");
    let with = json!({
        "method": "POST",
        "url": server.url("/failover?dry=no"),
        "query": {"to": "east us", "n": 2},
        "headers": {"Authorization": "Bearer s3cret/x"},
        "json": {"mode": "forced"},
        "expect": {"status": [201], "json": {"$.id": 7}},
        "extract": {"ticket": "$.id"},
    });
    let done = site.run("http", &declaring(with, &[("ticket", Type::Int)])).await;
    assert_eq!(
        timeless(done),
        json!({
            "status": 201, "ticket": 7, "body": r#"{"id": 7, "note": "***"}"#, "json": {"id": 7, "note": "***"}
        })
    );
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "POST /failover?dry=no&to=east+us&n=2");
    assert_eq!(asked.body, r#"{"mode":"forced"}"#);
    let header = |name: &str| asked.headers.get(name).cloned().unwrap_or_default();
    assert_eq!(
        ["authorization", "content-type", "idempotency-key"].map(header),
        ["Bearer s3cret/x", "application/json", "run-1/tell[eu]"]
    );
}

#[tokio::test]
async fn only_writes_carry_an_idempotency_key_and_the_users_own_goes_before() {
    let server = Server::start(vec![answer(200, "")]).await;
    let mut keys = Vec::new();
    for (method, given) in
        [("GET", json!({})), ("DELETE", json!({})), ("PUT", json!({"headers": {"Idempotency-Key": "mine"}}))]
    {
        let base = json!({"method": method, "url": server.url("/")});
        Site::new().apply("http", with(base, given)).await.unwrap();
        keys.push(server.asked().pop().unwrap().headers.remove("idempotency-key"));
    }
    assert_eq!(keys, [None, Some("run-1/tell[eu]".to_owned()), Some("mine".to_owned())]);
}

#[tokio::test]
async fn whatever_happens_after_a_post_was_sent_leaves_it_in_doubt_and_sent_once() {
    for (reply, evidence) in [
        (Reply::Drop, "connection closed before message completed"),
        (Reply::Silence, "no answer within 300ms"),
        (answer(500, "oh\n no"), "answered 500, wanted a status from 200 to 299; the answer begins `oh no`"),
        (answer(303, ""), "answered 303, wanted a status from 200 to 299"),
        (
            Reply::Raw("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nhalf".to_owned()),
            "answered 200, but the body was lost: end of file before message length reached",
        ),
    ] {
        let timeout = patience(&reply);
        let server = Server::start(vec![reply]).await;
        let url = server.url("/failover?key=1");
        let done = Site::new().apply("http", with(post(&url), json!({"timeout": timeout}))).await;
        let text = format!("`POST {}` may have been carried out: {evidence}", server.url("/failover"));
        assert_eq!(done, Err(Failure::Ambiguous(text)));
        assert_eq!(server.lines(), ["POST /failover?key=1"]);
    }
}

#[tokio::test]
async fn a_connection_that_dies_before_it_reads_leaves_a_post_in_doubt() {
    let server = Server::start(vec![Reply::Hangup, answer(200, "")]).await;
    let done = Site::new().apply("http", post(&server.url("/"))).await;
    assert!(is_ambiguous(&done), "{done:?}");
    assert_eq!((server.connections(), server.lines().len()), (1, 0));
}

#[tokio::test]
async fn a_post_never_goes_over_a_connection_used_before() {
    let server = Server::start(vec![answer(200, ""), Reply::Drop, answer(200, "")]).await;
    let site = Site::new();
    assert!(site.apply("http", post(&server.url("/1"))).await.is_ok());
    let done = site.apply("http", post(&server.url("/2"))).await;
    assert!(is_ambiguous(&done), "{done:?}");
    assert_eq!(server.lines(), ["POST /1", "POST /2"]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_was_never_sent_has_failed_whatever_the_method() {
    let refused = nobody();
    for (url, why) in [
        (format!("http://{refused}/"), "Connection refused (os error 111)"),
        ("http://[".to_owned(), "the URL cannot be read: invalid IPv6 address"),
    ] {
        let done = Site::new().apply("http", post(&url)).await;
        let shown = format!("`POST {url}` was not sent: {why}");
        assert_eq!(done, failed(shown));
    }
    let plain = Server::start(vec![Reply::Hangup]).await;
    let done = Site::new().apply("http", post(&plain.url("/").replace("http:", "https:"))).await;
    let Err(Failure::Failed(why)) = done else { panic!("no TLS, so nothing was sent: {done:?}") };
    assert!(why.contains("was not sent"), "{why}");
    let done = Site::new().apply("http", post(&format!("http://{}.test/", "x".repeat(64)))).await;
    assert!(matches!(done, Err(Failure::Failed(_))), "{done:?}");
}

#[tokio::test]
async fn a_definite_answer_is_a_failure_and_no_doubt() {
    for (status, body, given, why) in [
        (409, "busy", json!({}), "answered 409, wanted a status from 200 to 299; the answer begins `busy`"),
        (308, "", json!({}), "answered 308, wanted a status from 200 to 299"),
        (
            409,
            "no",
            json!({"expect": {"status": [409], "contains": "ok"}}),
            "was answered with 409, but the body does not contain `ok`; the answer begins `no`",
        ),
        (
            200,
            "no",
            json!({"expect": {"contains": "ok"}, "idempotent": true}),
            "was answered with 200, but the body does not contain `ok`; the answer begins `no`",
        ),
    ] {
        let server = Server::start(vec![answer(status, body)]).await;
        let done = Site::new().apply("http", with(post(&server.url("/")), given)).await;
        assert_eq!(done, failed(format!("`POST {}` {why}", server.url("/"))));
    }
}

#[tokio::test]
async fn a_request_that_was_carried_out_is_in_doubt_if_its_answer_is_not_what_was_wanted() {
    for (given, why) in [
        (json!({"expect": {"json": {"$.state": "queued"}}}), "the body has nothing at `$.state`"),
        (json!({"extract": {"id": "$.id"}}), "of the output `id`: the body has nothing at `$.id`"),
    ] {
        let server = Server::start(vec![answer(200, "{}")]).await;
        let with = with(post(&server.url("/")), given.clone());
        let outputs: &[_] = if given.get("extract").is_some() { &[("id", Type::String)] } else { &[] };
        let done = Site::new().run("http", &declaring(with, outputs)).await;
        let url = server.url("/");
        let said = format!("`POST {url}` was answered with 200, but {why}; the answer begins `{{}}`");
        assert_eq!(done, Err(Failure::Ambiguous(said)));
    }
}

#[tokio::test]
async fn what_may_be_repeated_fails_without_doubt() {
    for given in [
        json!({"method": "GET"}),
        json!({"method": "PUT", "body": "x"}),
        json!({"method": "DELETE"}),
        json!({"method": "POST", "idempotent": true}),
    ] {
        for reply in [Reply::Drop, answer(503, "")] {
            let server = Server::start(vec![reply]).await;
            let done = Site::new().apply("http", with(json!({"url": server.url("/")}), given.clone())).await;
            assert!(matches!(done, Err(Failure::Failed(_))), "{given}: {done:?}");
            assert_eq!(server.lines().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_write_does_not_follow_a_redirect() {
    let hop = Reply::Raw("HTTP/1.1 307 X\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n".to_owned());
    let server = Server::start(vec![hop, answer(200, "")]).await;
    assert!(Site::new().apply("http", post(&server.url("/"))).await.is_err());
    assert_eq!(server.lines(), ["POST /"]);
    assert!(Site::new().apply("http", json!({"url": server.url("/")})).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_post_is_in_doubt_and_a_cancelled_get_is_not() {
    let mut results = Vec::new();
    for method in ["POST", "PUT", "GET"] {
        let server = Server::start(vec![Reply::Silence]).await;
        let site = Site::new();
        let (done, took) = timed(async {
            let request = json!({"method": method, "url": server.url("/")});
            let (done, ()) = tokio::join!(site.apply("http", request), async {
                server.was_asked(1).await;
                site.context.cancel.cancel();
            });
            done
        })
        .await;
        assert!(took < PROMPT, "{took:?}");
        let text = done.unwrap_err();
        results.push((method, matches!(text, Failure::Ambiguous(_)), text == Failure::Cancelled));
        // Once more: now it is not even sent.
        assert_eq!(site.apply("http", post(&server.url("/"))).await, Err(Failure::Cancelled));
        assert_eq!(server.lines().len(), 1);
    }
    assert_eq!(results, [("POST", true, false), ("PUT", false, false), ("GET", false, true)]);
}

#[tokio::test]
async fn outputs_are_extracted_by_their_declared_types() {
    let body = r#"{"ticket": {"id": "T-1", "open": true}, "items": [1, 2]}"#;
    for (extract, outputs, wanted) in [
        (
            json!({"id": "$.ticket.id", "items": "$.items"}),
            vec![("id", Type::String), ("items", Type::List(Box::new(Type::Int)))],
            Ok(json!({"id": "T-1", "items": [1, 2]})),
        ),
        (
            json!({"id": "$.ticket.number"}),
            vec![("id", Type::String)],
            Err("of the output `id`: the body has nothing at `$.ticket.number`"),
        ),
        (
            json!({"id": "$.ticket.open"}),
            vec![("id", Type::String)],
            Err("of the output `id`: wanted a string, found the bool `true`"),
        ),
        (
            json!({"id": "$.items[*]"}),
            vec![("id", Type::Int)],
            Err("of the output `id`: the body has 2 values at `$.items[*]`, wanted one"),
        ),
    ] {
        let server = Server::start(vec![answer(200, body)]).await;
        let with = json!({"url": server.url("/"), "extract": extract});
        let done = Site::new().run("http", &declaring(with, &outputs)).await;
        let names = outputs.iter().map(|(name, _)| *name);
        let found = match &done {
            Ok(done) => Ok(names.map(|name| (name.to_owned(), done.outputs[name].clone())).collect::<Value>()),
            Err(failure) => Err(failure.to_string()),
        };
        let wanted = wanted.map_err(|why| {
            format!("`GET {}` was answered with 200, but {why}; the answer begins `{body}`", server.url("/"))
        });
        assert_eq!(found, wanted);
    }
}

#[tokio::test]
async fn outputs_that_cannot_come_are_found_before_anything_is_sent() {
    let server = Server::start(vec![answer(200, "{}")]).await;
    for (extract, outputs, why) in [
        (json!({}), vec![("id", Type::Int)], "the step declares the output `id`, which `extract` does not name"),
        (
            json!({"x": "$.x"}),
            vec![],
            "`extract` names the output `x`, which the step does not declare under `outputs`",
        ),
    ] {
        let with = with(post(&server.url("/")), json!({"extract": extract}));
        assert_eq!(Site::new().run("http", &declaring(with, &outputs)).await, failed(why));
    }
    assert_eq!(server.connections(), 0);
}

fn observed(server: &Server) -> Value {
    let look = json!({"observe": {"url": server.url("/state"), "json": {"$.region": "east"}}});
    with(post(&server.url("/failover")), look)
}

#[tokio::test]
async fn nothing_is_sent_if_the_wanted_state_holds() {
    let server = Server::start(vec![answer(200, r#"{"region": "east"}"#)]).await;
    let done = Site::new().apply("http", observed(&server)).await.unwrap();
    assert!(done.already);
    assert_eq!(done.note, format!("`POST {}` was not sent: the wanted state holds already", server.url("/failover")));
    assert_eq!(server.lines(), ["GET /state"]);
}

#[tokio::test]
async fn it_is_sent_if_the_wanted_state_does_not_hold() {
    let server = Server::start(vec![answer(200, r#"{"region": "west"}"#), answer(202, "{}")]).await;
    let done = Site::new().apply("http", observed(&server)).await.unwrap();
    assert!(!done.already);
    assert_eq!(server.lines(), ["GET /state", "POST /failover"]);
}

#[tokio::test]
async fn a_look_says_applied_not_applied_or_unknown() {
    let east = answer(200, r#"{"region": "east"}"#);
    for (reply, wanted) in [
        (east, "applied"),
        (
            answer(200, r#"{"region": "west"}"#),
            "not applied: at `$.region`: wanted the string `east`, found the string `west`",
        ),
        (answer(404, ""), "not applied: answered 404, wanted a status from 200 to 299"),
        (answer(503, ""), "unknown: answered 503, wanted a status from 200 to 299, which tells nothing"),
        (answer(401, ""), "unknown: answered 401, wanted a status from 200 to 299, which tells nothing"),
        (Reply::Drop, "unknown: connection closed before message completed"),
        (Reply::Silence, "unknown: no answer within 300ms"),
    ] {
        let timeout = patience(&reply);
        let server = Server::start(vec![reply]).await;
        let look = with(observed(&server), json!({"timeout": timeout}));
        let found = match Site::new().observe("http", look).await {
            Observation::Applied(_) => "applied".to_owned(),
            Observation::NotApplied(why) => format!("not applied: {why}"),
            Observation::UnderWay(why) => format!("under way: {why}"),
            Observation::Unknown(why) => format!("unknown: {why}"),
        };
        assert_eq!(found, wanted);
        assert_eq!(server.lines(), ["GET /state"]);
    }
    let without = Site::new().observe("http", post("http://127.0.0.1:1/")).await;
    assert_eq!(without, Observation::Unknown("the step has no `observe` that would tell".to_owned()));
}

#[tokio::test]
async fn what_a_server_may_still_carry_out_is_looked_for_again_and_sent_once_more_at_the_most() {
    let state = |region: &str| answer(200, json!({ "region": region }).to_string());
    let site = Site::new();
    for (replies, attempt, within, wanted) in [
        (vec![state("west"), state("east")], 1, "100ms", "applied"),
        (vec![state("west"), state("west")], 1, "100ms", "not applied"),
        (vec![state("west"), state("west")], 2, "100ms", "unknown"),
        (vec![state("west"), state("east")], 2, "100ms", "applied"),
    ] {
        let looks = replies.len();
        let server = Server::start(replies).await;
        let mut with = observed(&server);
        with["observe"]["within"] = json!(within);
        let call = Call { attempt, settle: Duration::from_secs(60), ..call(with) };
        let found = match site.action("http").observe(&site.context, &call).await {
            Observation::Applied(_) => "applied",
            Observation::NotApplied(_) => "not applied",
            Observation::UnderWay(_) => "under way",
            Observation::Unknown(_) => "unknown",
        };
        assert_eq!((found, server.lines().len()), (wanted, looks));
    }
}

#[tokio::test]
async fn no_more_of_a_body_than_needed_is_kept() {
    let site = Site::new().with_secret("hunter2");
    let edge = "x".repeat(64 * 1024 - 3);
    let server = Server::start(vec![answer(200, format!("{edge}hunter2{edge}"))]).await;
    let done = site.apply("http", json!({"url": server.url("/")})).await.unwrap();
    assert_eq!(done.outputs["body"], format!("{edge}***"));
    let huge = Server::start(vec![answer(200, "y".repeat(3 * 1024 * 1024))]).await;
    let expect = json!({"url": huge.url("/"), "expect": {"contains": "z"}});
    let why = site.apply("http", expect).await.unwrap_err().to_string();
    assert!(why.contains("does not contain `z` (only its first 1 MiB was read)"), "{why}");
}

#[tokio::test]
async fn a_secret_in_an_answer_is_masked_in_whatever_is_said_of_it() {
    let secret = "long-secret-".repeat(5);
    let body = format!(r#"{{"token": "{secret}"}}"#);
    let server = Server::start(vec![answer(200, body)]).await;
    let site = Site::new().with_secret(&secret);
    let url = server.url(&format!("/{secret}"));
    let request = json!({"url": url, "expect": {"json": {"$.token": 1}}});
    let wrong = json!({"url": url, "extract": {"n": "$.token"}});
    let probe = json!({"url": url, "samples": 1, "json": {"$.token": 1}});
    for said in [
        format!("{:?}", site.apply("http", request).await),
        format!("{:?}", site.run("http", &declaring(wrong, &[("n", Type::Int)])).await),
        format!("{:?}", site.apply("probe.http", probe).await),
    ] {
        assert!(said.contains("found the string `***`"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn the_effect_of_a_request_follows_from_what_is_known_of_it() {
    let site = Site::new();
    let effect = |with: Value| (site.action("http").spec().effect)(with.as_object().unwrap());
    let look = json!({"url": "http://x/"});
    for (with, wanted) in [
        (json!({}), Effect::Reads),
        (json!({"method": "HEAD"}), Effect::Reads),
        (json!({"method": "OPTIONS"}), Effect::Reads),
        (json!({"method": "PUT", "json": 1}), Effect::Idempotent),
        (json!({"method": "DELETE"}), Effect::Idempotent),
        (json!({"method": "POST"}), Effect::UnsafeToRepeat),
        (json!({"method": "PATCH", "idempotent": false}), Effect::UnsafeToRepeat),
        (json!({"method": "POST", "idempotent": true}), Effect::Idempotent),
        (json!({"method": "POST", "observe": look}), Effect::Observable),
        (json!({"method": null}), Effect::UnsafeToRepeat),
        (json!({"method": "{{ x }}"}), Effect::UnsafeToRepeat),
        (json!({"body": "x"}), Effect::UnsafeToRepeat),
        (json!({"observe": look}), Effect::UnsafeToRepeat),
    ] {
        assert_eq!(effect(with.clone()), wanted, "{with}");
    }
}

// notify

fn notice(channels: Value) -> Value {
    json!({
        "template": "incident", "audience": "customers",
        "message": {"subject": "Orders are down", "body": "We move to the east.\n- ops"},
        "channels": channels,
    })
}

fn file(name: &str) -> Value {
    json!({"name": name, "type": "file", "path": format!("outbox/{name}")})
}

fn webhook(name: &str, server: &Server) -> Value {
    json!({"name": name, "type": "webhook", "url": server.url("/hook"), "headers": {"X-Team": "orders"}, "deduplicates": false})
}

fn deduplicating(name: &str, server: &Server) -> Value {
    with(webhook(name, server), json!({"deduplicates": true}))
}

const NOTICE: &str = "Subject: Orders are down\n\nWe move to the east.\n\n- ops\n";

/// The files in the folder of a channel, with what they hold.
fn outbox(site: &Site, name: &str) -> Vec<(String, String)> {
    let Ok(folder) = std::fs::read_dir(site.path().join("outbox").join(name)) else {
        return Vec::new();
    };
    let entries = folder.map(|entry| entry.unwrap());
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

fn one_file() -> Vec<(String, String)> {
    vec![("run-1%2Ftell[eu].txt".to_owned(), NOTICE.to_owned())]
}

/// A call with less time than is waited before anything is sent again.
fn brief(with: Value) -> Call {
    Call { timeout: Duration::from_millis(900), ..call(with) }
}

fn handles(site: &Site) -> Vec<Value> {
    site.handles.lock().unwrap().clone()
}

#[tokio::test]
async fn a_notice_goes_through_every_channel_with_a_handle_before_each() {
    let server = Server::start(vec![answer(204, "")]).await;
    let site = Site::new();
    let call = call(notice(json!([file("status"), webhook("chat", &server)])));
    let done = site.run("notify", &call).await.unwrap();
    assert_eq!(json!(done.outputs), json!({"delivered": ["status", "chat"]}));
    assert_eq!(done.note, "delivered to `status`, `chat`");
    assert_eq!(outbox(&site, "status"), one_file());
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "POST /hook");
    assert_eq!(
        serde_json::from_str::<Value>(&asked.body).unwrap(),
        json!({
            "subject": "Orders are down", "body": "We move to the east.\n- ops", "audience": "customers",
            "template": "incident", "step": "tell[eu]", "idempotency_key": "run-1/tell[eu]/chat",
        })
    );
    assert_eq!(asked.headers["x-team"], "orders");
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["idempotency-key"], "run-1/tell[eu]/chat");
    assert_eq!(
        handles(&site),
        [
            json!({"delivered": [], "sending": "status"}),
            json!({"delivered": ["status"], "sending": "chat"}),
            json!({"delivered": ["status", "chat"]}),
        ]
    );
}

#[tokio::test]
async fn one_channel_that_refuses_does_not_keep_the_others_from_being_served() {
    let refusing = Server::start(vec![answer(403, "who are you")]).await;
    let gone = nobody();
    let chat = webhook("chat", &refusing);
    let pager = with(webhook("pager", &refusing), json!({"url": format!("http://{gone}/")}));
    let odd = with(webhook("odd", &refusing), json!({"headers": {"X-A": "a\r\nX-B: b"}}));
    let site = Site::new();
    let call = brief(notice(json!([chat, pager, odd, file("status")])));
    let text = "delivered to `status`; webhook `chat`: refused with 403; \
        webhook `pager`: not sent: Connection refused (os error 111); \
        webhook `odd`: not sent: at `headers.X-A`: the value holds a line break or another control character";
    assert_eq!(site.run("notify", &call).await, failed(text));
    assert_eq!(outbox(&site, "status"), one_file());
    assert_eq!(refusing.lines().len(), 1);
    let why = json!({
        "chat": "refused with 403",
        "odd": "not sent: at `headers.X-A`: the value holds a line break or another control character",
        "pager": "not sent: Connection refused (os error 111)",
    });
    assert_eq!(handles(&site).last(), Some(&json!({"delivered": ["status"], "why": why})));
}

#[tokio::test]
async fn a_retry_sends_only_what_was_not_delivered() {
    let server = Server::start(vec![answer(429, ""), answer(200, "")]).await;
    let other = Server::start(vec![answer(200, "")]).await;
    let first = brief(notice(json!([webhook("a", &server), webhook("b", &other)])));
    let site = Site::new();
    assert_eq!(site.run("notify", &first).await, failed("delivered to `b`; webhook `a`: refused with 429"));
    let retry = Call { attempt: 2, previous: handles(&site).pop(), ..first };
    let done = site.run("notify", &retry).await.unwrap();
    assert_eq!(done.outputs["delivered"], json!(["b", "a"]));
    assert_eq!((server.lines().len(), other.lines().len()), (2, 1));
}

#[tokio::test]
async fn a_webhook_whose_answer_is_lost_is_in_doubt_unless_it_deduplicates() {
    for (reply, why) in [
        (Reply::Drop, "connection closed before message completed"),
        (answer(502, ""), "answered 502"),
        (answer(302, ""), "answered 302"),
        (Reply::Silence, "no answer within its share of the step's time"),
    ] {
        let server = Server::start(vec![reply]).await;
        let short = |channel: Value| brief(notice(json!([channel, file("status")])));
        let site = Site::new();
        let doubt = site.run("notify", &short(webhook("chat", &server))).await;
        let sure = Site::new().run("notify", &short(deduplicating("chat", &server))).await;
        assert_eq!(
            doubt,
            Err(Failure::Ambiguous(format!(
                "delivered to `status`; webhook `chat`: it may have been delivered: {why}"
            )))
        );
        assert_eq!(sure, failed(format!("delivered to `status`; webhook `chat`: {why}")));
        assert_eq!(server.lines().len(), 2);
    }
}

#[tokio::test]
async fn an_interrupted_round_ends_with_one_message_for_each_channel_or_names_it_in_doubt() {
    for room in 0..=5 {
        let (plain, sure) = (Server::start(vec![answer(200, "")]).await, Server::start(vec![answer(200, "")]).await);
        let last = Server::start(vec![answer(200, "")]).await;
        let channels =
            json!([file("f"), webhook("plain", &plain), deduplicating("sure", &sure), webhook("last", &last)]);
        let site = Site::new().with_journal_for(room);
        let call = call(notice(channels));
        let died = site.run("notify", &call).await;
        assert_eq!(died.is_ok(), room == 5, "{died:?}");
        let handle = handles(&site).pop();
        // Another process takes over, in the same workspace.
        let site = site.with_journal_for(usize::MAX);
        let done = match &handle {
            Some(handle) => site.attach("notify", &call, handle).await,
            None => site.run("notify", &call).await,
        };
        // What was being sent when the journal died, if sending it again would be a second message.
        let doubt = match room {
            2 => Some("plain"),
            4 => Some("last"),
            _ => None,
        };
        match (doubt, &done) {
            (None, Ok(done)) => assert_eq!(done.outputs["delivered"], json!(["f", "plain", "sure", "last"])),
            (Some(name), Err(Failure::Ambiguous(text))) => {
                let wanted =
                    format!("; webhook `{name}`: it may have been delivered: drctl ended before it saw an answer");
                assert!(text.ends_with(&wanted), "{text}");
                let others = ["f", "plain", "sure", "last"].into_iter().filter(|other| *other != name);
                let others: Vec<String> = others.map(|other| format!("`{other}`")).collect();
                assert!(text.starts_with(&format!("delivered to {};", others.join(", "))), "{text}");
            }
            _ => panic!("after {room} handles: {done:?}"),
        }
        assert_eq!(outbox(&site, "f"), one_file());
        assert_eq!((plain.lines().len(), last.lines().len()), (1, 1), "after {room} handles");
        let mut keys: Vec<String> = sure.asked().iter().map(|asked| asked.headers["idempotency-key"].clone()).collect();
        keys.dedup();
        assert_eq!(keys, ["run-1/tell[eu]/sure"]);
    }
}

#[tokio::test]
async fn a_doubt_is_not_forgotten_by_a_second_interruption() {
    let (lost, next) = (Server::start(vec![Reply::Drop]).await, Server::start(vec![answer(200, "")]).await);
    let call = call(notice(json!([webhook("lost", &lost), webhook("next", &next)])));
    let site = Site::new().with_journal_for(2);
    assert_eq!(site.run("notify", &call).await, failed("the journal is dead"));
    let handle = handles(&site).pop().unwrap();
    let why = json!({"lost": "connection closed before message completed"});
    assert_eq!(handle, json!({"delivered": [], "sending": "next", "in_doubt": ["lost"], "why": why}));
    let Err(Failure::Ambiguous(text)) = site.attach("notify", &call, &handle).await else {
        panic!("two channels are in doubt")
    };
    assert!(text.contains("webhook `lost`: it may have") && text.contains("webhook `next`: it may have"), "{text}");
    assert_eq!((lost.lines().len(), next.lines().len()), (1, 1));
}

#[tokio::test]
async fn a_retry_leaves_a_doubt_alone_until_a_person_has_settled_it() {
    let server = Server::start(vec![Reply::Drop, answer(200, "")]).await;
    let call = call(notice(json!([file("status"), webhook("chat", &server)])));
    let site = Site::new();
    assert!(is_ambiguous(&site.run("notify", &call).await));
    let again = Call { previous: handles(&site).pop(), ..call.clone() };
    assert!(is_ambiguous(&site.run("notify", &again).await));
    assert_eq!(server.lines().len(), 1);
    // So a person's word that it did not happen is told to the action.
    let again = Call { previous: Some(json!({"delivered": ["status"]})), ..call };
    assert_eq!(site.run("notify", &again).await.unwrap().outputs["delivered"], json!(["status", "chat"]));
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_look_at_an_interrupted_notice_says_what_its_handle_tells() {
    let server = Server::start(vec![answer(200, "")]).await;
    let call = call(notice(json!([file("status"), webhook("chat", &server)])));
    let site = Site::new();
    let unknown = || Observation::Unknown("nothing tells whether `chat` got it".to_owned());
    let not = |why: &str| Observation::NotApplied(why.to_owned());
    for (handle, seen) in [
        (None, not("no handle: nothing was sent")),
        (Some(json!({"delivered": [], "sending": "status"})), not("some channels have not got it")),
        (Some(json!({"delivered": ["status"], "sending": "chat"})), unknown()),
        (Some(json!({"delivered": ["status"], "in_doubt": ["chat"]})), unknown()),
    ] {
        let call = Call { previous: handle, ..call.clone() };
        assert_eq!(site.action("notify").observe(&site.context, &call).await, seen, "{:?}", call.previous);
    }
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_round_stops_at_once_when_cancelled() {
    let server = Server::start(vec![Reply::Silence]).await;
    let call = call(notice(json!([webhook("chat", &server), file("status")])));
    let site = Site::new();
    let (done, took) = timed(async {
        tokio::join!(site.run("notify", &call), async {
            server.was_asked(1).await;
            site.context.cancel.cancel();
        })
        .0
    })
    .await;
    let text = "delivered to nobody; webhook `chat`: it may have been delivered: \
        cancelled while waiting for the answer; file `status`: not sent: cancelled";
    assert_eq!(done, Err(Failure::Ambiguous(text.to_owned())));
    assert!(took < PROMPT, "{took:?}");
    assert_eq!(site.run("notify", &call).await, Err(Failure::Cancelled));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_file_is_not_written_through_a_link() {
    let site = Site::new();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::fs::create_dir_all(site.path().join("outbox/status")).unwrap();
    std::os::unix::fs::symlink(&victim, site.path().join("outbox/status/run-1%2Ftell[eu].txt")).unwrap();
    std::os::unix::fs::symlink(outside.path(), site.path().join("outbox/other")).unwrap();
    for name in ["status", "other"] {
        let done = site.run("notify", &call(notice(json!([file(name)])))).await;
        let text = format!(
            "delivered to nobody; file `{name}`: outbox/{name}: this is a symbolic link, which drctl does not follow"
        );
        assert_eq!(done, failed(text));
    }
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_notice_that_cannot_be_right_is_not_sent_at_all() {
    let site = Site::new();
    let broken = with(notice(json!([file("status")])), json!({"message": {"subject": "a\nBcc: b", "body": ""}}));
    for (with, why) in [
        (broken, "nothing was sent: the subject holds a line break"),
        (notice(json!([])), "nothing was sent: the audience `customers` has no channels: give it some in `drctl.yaml`"),
        (notice(json!([file("status"), file("status")])), "nothing was sent: the channel `status` is named twice"),
    ] {
        assert_eq!(site.run("notify", &call(with)).await, failed(why));
    }
    assert_eq!((handles(&site), outbox(&site, "status")), (Vec::new(), Vec::new()));
    let nothing = site.observe("notify", notice(json!([]))).await;
    assert_eq!(nothing, Observation::NotApplied("no handle: nothing was sent".to_owned()));
}

#[tokio::test]
async fn a_notice_is_safe_to_repeat_if_all_its_channels_are() {
    let server = Server::start(vec![answer(200, "")]).await;
    let site = Site::new();
    let effect = |with: Value| (site.action("notify").spec().effect)(with.as_object().unwrap());
    for (with, wanted) in [
        (json!({"template": "t", "audience": "a"}), Effect::UnsafeToRepeat),
        (notice(json!([file("f"), deduplicating("s", &server)])), Effect::Idempotent),
        (notice(json!([file("f"), webhook("w", &server)])), Effect::UnsafeToRepeat),
        (notice(json!([{"type": "pigeon"}])), Effect::UnsafeToRepeat),
    ] {
        assert_eq!(effect(with.clone()), wanted, "{with}");
    }
}

// wait, assert, manual, the registry

#[tokio::test]
async fn a_wait_journals_its_end_and_a_resumed_one_waits_for_the_rest() {
    let mut site = Site::new();
    let clock = Arc::new(LeapingClock::default());
    site.context.clock = Arc::<LeapingClock>::clone(&clock);
    let wait = Call { timeout: Duration::from_secs(7200), ..call(json!({"for": "1h"})) };
    let done = site.run("wait", &wait).await.unwrap();
    assert_eq!(done.note, "waited until 1970-01-01T01:00:00.000Z");
    assert_eq!(clock.now(), Timestamp(3_600_000));
    let handle = json!({"until": "1970-01-01T01:00:00.000Z"});
    assert_eq!(handles(&site), [handle]);
    for (until, wanted) in [("1970-01-01T01:30:00Z", 5_400_000), ("1970-01-01T00:00:01Z", 5_400_000)] {
        site.attach("wait", &wait, &json!({"until": until})).await.unwrap();
        assert_eq!(clock.now(), Timestamp(wanted));
    }
    site.apply("wait", json!({"until": "1970-01-01T01:30:20Z"})).await.unwrap();
    assert_eq!(clock.now(), Timestamp(5_420_000));
}

#[tokio::test]
async fn a_wait_that_cannot_end_in_time_fails_at_once_and_a_cancelled_one_too() {
    let site = Site::new();
    let (done, took) = timed(site.apply("wait", json!({"for": "1h"}))).await;
    assert_eq!(done, failed("the wait of 1h must be shorter than the step's timeout of 1m: raise `timeout`"));
    assert_eq!(handles(&site), [] as [Value; 0]);
    let (done, also_took) = timed(async {
        let cancel = async {
            while handles(&site).is_empty() {
                tokio::task::yield_now().await;
            }
            site.context.cancel.cancel();
        };
        tokio::join!(site.apply("wait", json!({"for": "50s"})), cancel).0
    })
    .await;
    assert_eq!(done, Err(Failure::Cancelled));
    assert!(took + also_took < PROMPT, "{took:?} {also_took:?}");
}

#[tokio::test]
async fn a_condition_that_does_not_hold_fails_with_its_message() {
    let site = Site::new().with_secret("hunter2");
    for (with, wanted) in [
        (json!({"that": true}), Ok("the condition holds".to_owned())),
        (json!({"that": false}), Err(Failure::Failed("the condition does not hold".to_owned()))),
        (json!({"that": false, "message": "lag with hunter2"}), Err(Failure::Failed("lag with ***".to_owned()))),
    ] {
        assert_eq!(site.apply("assert", with).await.map(|done| done.note), wanted);
    }
}

#[tokio::test]
async fn a_manual_step_is_for_a_person() {
    let done = Site::new().apply("manual", json!({"instructions": "Declare it.", "evidence": true})).await;
    assert_eq!(done, failed("a person answers this step"));
}

fn refused(site: &Site, name: &str, with: Value, problem: &str) {
    let found = site.action(name).spec().check(with.as_object().unwrap());
    assert_eq!(found, Err(problem.to_owned()), "{name} {with}");
}

#[test]
fn bad_parameters_of_probes_and_requests_are_refused_with_their_place() {
    let site = Site::new();
    for (name, with, problem) in [
        ("probe.http", json!({}), "missing field `url`"),
        (
            "probe.http",
            json!({"url": "ftp://x/"}),
            "at `url`: wanted a URL that starts with `http://` or `https://`, found `ftp://x/`",
        ),
        (
            "probe.http",
            json!({"url": "http://x/", "status": 99}),
            "at `status`: wanted status codes from 100 to 599, found `99`",
        ),
        (
            "probe.http",
            json!({"url": "http://x/", "method": "HEAD", "contains": "up"}),
            "at `contains`: an answer to `HEAD` has no body to look at: use `GET`",
        ),
        ("probe.tcp", json!({"host": "x", "port": 0}), "at `port`: wanted a number from 1 to 65535, found `0`"),
        (
            "probe.dns",
            json!({"name": "x.test", "server": "dns.test"}),
            "at `server`: wanted an address such as `10.0.0.2` or `10.0.0.2:53`, found `dns.test`",
        ),
        (
            "http",
            json!({"url": "http://x/", "body": "x"}),
            "at `body`: this is for requests that write, found the method `GET`: set `method`",
        ),
        (
            "http",
            json!({"url": "http://x/", "method": "POST", "body": "x", "json": 1}),
            "`json` and `body` exclude each other: give one of them",
        ),
        (
            "http",
            json!({"url": "http://x/", "headers": {"A": "b\nC: d"}}),
            "at `headers.A`: the value holds a line break or another control character",
        ),
        (
            "http",
            json!({"url": "http://x/", "extract": {"status": "$.s"}}),
            "at `extract.status`: this output is always there: choose another name",
        ),
        (
            "http",
            json!({"url": "http://x/", "method": "POST", "observe": {}}),
            "at `observe`: wanted at least one of `url`, `status`, `json`, `contains`",
        ),
        ("http", json!({"url": "http://x/", "expect": {"statuses": [200]}}), "at `expect`: unknown field `statuses`"),
        ("http", json!({"url": "http://x/", "query": {"a": [1]}}), "at `query.a`: wanted text, a number or a bool"),
    ] {
        refused(&site, name, with, problem);
    }
    let with = json!({"url": "http://x/", "extract": {"id": "ticket"}});
    let found = site.action("http").spec().check(with.as_object().unwrap()).unwrap_err();
    assert!(found.starts_with("at `extract`: `ticket` is no JSON path such as `$.status`: "), "{found}");
}

#[test]
fn bad_parameters_of_the_others_are_refused_with_their_place() {
    let site = Site::new();
    for (name, with, problem) in [
        ("wait", json!({}), "wanted `for` or `until`, found neither"),
        (
            "wait",
            json!({"for": "1s", "until": "2026-11-20T23:37:00Z"}),
            "`for` and `until` exclude each other: give one of them",
        ),
        (
            "wait",
            json!({"until": "tomorrow"}),
            "at `until`: wanted a time such as `2026-11-20T23:37:00Z`, found `tomorrow`",
        ),
        ("manual", json!({"instructions": " "}), "at `instructions`: wanted what to do, found nothing"),
        ("notify", json!({"audience": "a"}), "missing field `template`"),
    ] {
        refused(&site, name, with, problem);
    }
}

#[test]
fn previews_show_what_would_be_sent() {
    let site = Site::new();
    let preview = |name: &str, with: Value| site.action(name).preview(with.as_object().unwrap()).join("\n");
    let request = json!({
        "method": "POST", "url": "https://x/failover", "query": {"to": "east"}, "headers": {"A": "b"}, "json": {"n": 1},
        "observe": {"json": {"$.region": "east"}}
    });
    assert_eq!(
        preview("http", request),
        "POST https://x/failover?to=east\nA: b\nbody: {\"n\":1}\nsent only if this does not hold: {\"json\":{\"$.region\":\"east\"}}"
    );
    assert_eq!(
        preview("probe.http", json!({"url": "http://x/", "status": 200, "samples": 5})),
        "GET http://x/\nwanted: status 200\n5 samples, one every 1s, each up to 5s; healthy if 3 are good"
    );
    assert_eq!(
        preview("probe.dns", json!({"name": "x.test", "absent": ["10.0.0.1"]})),
        "ask the servers of this machine for the A of x.test\nabsent: [\"10.0.0.1\"]\n\
            3 samples, one every 1s, each up to 5s; healthy if 2 are good"
    );
    assert_eq!(preview("wait", json!({"for": "5m"})), "wait for 5m");
    assert_eq!(
        preview("notify", notice(json!([file("status")]))),
        "tell customers what the template incident says\nthrough file `status`\nSubject: Orders are down\n  \
            We move to the east.\n  - ops"
    );
}

#[test]
fn the_registry_knows_every_action_by_its_name() {
    let site = Site::new();
    let catalogue = site.catalogue();
    let (azure, names): (Vec<&str>, Vec<&str>) =
        catalogue.iter().map(|spec| spec.name).partition(|name| name.starts_with("azure."));
    assert!(azure.iter().all(|name| site.action(name).spec().name == *name));
    let wanted = [
        "assert",
        "exec",
        "http",
        "manual",
        "notify",
        "probe.dns",
        "probe.http",
        "probe.tcp",
        "runbook",
        "shell",
        "wait",
    ];
    assert_eq!(names, wanted);
    // The engine itself runs what is called.
    for name in wanted.into_iter().filter(|name| *name != "runbook") {
        assert_eq!(site.action(name).spec().name, name);
    }
}
