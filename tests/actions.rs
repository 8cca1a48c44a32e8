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
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
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
    let refused = format!("http://{}/", nobody().await);
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
    assert_eq!(holds(spec, &look().await), Ok(()));
    let reason = "0 of 1 samples good, wanted 1; sample 1: answered 500, wanted a status from 200 to 299";
    assert_eq!(holds(spec, &look().await), Err(reason.to_owned()));
    let spec = site.action("assert").spec();
    assert_eq!(holds(spec, &site.apply("assert", json!({"that": true})).await), Ok(()));
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
    let port = nobody().await.rsplit_once(':').unwrap().1.parse().unwrap();
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
        (json!({"name": "gone.example.test", "absent": ["10.1.0.4"]}), json!([]), 0),
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
        let server = Server::start(vec![reply]).await;
        let url = server.url("/failover?key=1");
        let done = Site::new().apply("http", with(post(&url), json!({"timeout": "300ms"}))).await;
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
    let refused = nobody().await;
    for (url, why) in [
        (format!("http://{refused}/"), "Connection refused (os error 111)"),
        ("http:///x y".to_owned(), "the URL cannot be read: empty host"),
    ] {
        let done = Site::new().apply("http", post(&url)).await;
        let shown = format!("`POST {url}` was not sent: {why}");
        assert_eq!(done, failed(shown));
    }
    let plain = Server::start(vec![Reply::Drop]).await;
    let done = Site::new().apply("http", post(&plain.url("/").replace("http:", "https:"))).await;
    let Err(Failure::Failed(why)) = done else { panic!("no TLS, so nothing was sent: {done:?}") };
    assert!(why.contains("was not sent"), "{why}");
    let done = Site::new().apply("http", post("http://no-such-host.invalid/")).await;
    assert!(matches!(done, Err(Failure::Failed(_))), "{done:?}");
}

#[tokio::test]
async fn a_definite_answer_is_a_failure_and_no_doubt() {
    for (status, body, given, why) in [
        (409, "busy", json!({}), "answered 409, wanted a status from 200 to 299; the answer begins `busy`"),
        (308, "", json!({}), "answered 308, wanted a status from 200 to 299"),
        (
            200,
            "no",
            json!({"expect": {"contains": "ok"}}),
            "was answered with 200, but the body does not contain `ok`; the answer begins `no`",
        ),
    ] {
        let server = Server::start(vec![answer(status, body)]).await;
        let done = Site::new().apply("http", with(post(&server.url("/")), given)).await;
        assert_eq!(done, failed(format!("`POST {}` {why}", server.url("/"))));
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
        let server = Server::start(vec![reply]).await;
        let look = with(observed(&server), json!({"timeout": "300ms"}));
        let found = match Site::new().observe("http", look).await {
            Observation::Applied(_) => "applied".to_owned(),
            Observation::NotApplied(why) => format!("not applied: {why}"),
            Observation::Unknown(why) => format!("unknown: {why}"),
        };
        assert_eq!(found, wanted);
        assert_eq!(server.lines(), ["GET /state"]);
    }
    let without = Site::new().observe("http", post("http://127.0.0.1:1/")).await;
    assert_eq!(without, Observation::Unknown("the step has no `observe` that would tell".to_owned()));
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
