//! What each receiver is sent: the documented requests; and what becomes of a notice by its answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::http::{Asked, Reply, Server, answer};
use super::office::Office;

/// An office with one channel, called `way`.
fn office(channel: &str, more: &str) -> Office {
    Office::new(&format!("channels:\n  way: {channel}\naudiences:\n  customers: {{ channels: [way]{more} }}\n"))
        .with("SECRET", "s3cr3t-0123456789")
}

fn body(asked: &Asked) -> Value {
    assert_eq!(asked.headers["content-type"], "application/json");
    serde_json::from_str(&asked.body).unwrap()
}

/// What one delivery sends, where all is well.
async fn asked(reply: Reply, channel: impl Fn(&Server) -> String, more: &str) -> (Asked, Office) {
    let server = Server::start(vec![reply]).await;
    let office = office(&channel(&server), more);
    let ran = office.tell();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut all = server.asked();
    assert_eq!(all.len(), 1);
    (all.remove(0), office)
}

fn signature(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_blocks_and_a_text() {
    let channel = |server: &Server| format!("{{ type: slack, url: \"{}\" }}", server.url("/services/T0/B0/XXX"));
    let (asked, _office) = asked(answer(200, "ok"), channel, "").await;
    assert_eq!(asked.line, "POST /services/T0/B0/XXX");
    assert_eq!(
        body(&asked),
        json!({
            "text": "Orders are down",
            "blocks": [
                { "type": "header", "text": { "type": "plain_text", "text": "Orders are down", "emoji": false } },
                { "type": "section", "text": { "type": "mrkdwn", "text": "We move *Orders* to the east." } },
            ],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_gets_an_adaptive_card() {
    let channel = |server: &Server| format!("{{ type: teams, url: \"{}\" }}", server.url("/workflows/1?sig=x"));
    let (asked, _office) = asked(answer(202, ""), channel, "").await;
    assert_eq!(asked.line, "POST /workflows/1?sig=x");
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": [
            { "type": "TextBlock", "text": "Orders are down", "size": "Large", "weight": "Bolder", "wrap": true, "color": "Default" },
            { "type": "TextBlock", "text": "We move **Orders** to the east.", "wrap": true },
        ],
    });
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    assert_eq!(body(&asked), json!({ "type": "message", "attachments": [attachment] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_gets_an_event_of_the_run() {
    let channel = |server: &Server| {
        format!("{{ type: pagerduty, routing_key: {{ env: SECRET }}, url: \"{}\" }}", server.url("/v2/enqueue"))
    };
    let (asked, office) = asked(answer(202, "{}"), channel, "").await;
    let run = office.run().unwrap();
    assert_eq!(asked.line, "POST /v2/enqueue");
    assert_eq!(
        body(&asked),
        json!({
            "routing_key": "s3cr3t-0123456789",
            "event_action": "trigger",
            "dedup_key": format!("drctl/{run}"),
            "client": "drctl",
            "payload": {
                "summary": "Orders are down",
                "source": run,
                "severity": "error",
                "custom_details": { "text": "We move Orders to the east.", "step": "tell", "template": "incident" },
            },
        })
    );
    assert!(!office.state().contains("s3cr3t-0123456789"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_page_gets_one_incident_that_later_notices_update() {
    let server =
        Server::start(vec![answer(201, "{\"id\": \"p31zjtct2jer\"}"), answer(200, "{\"id\": \"p31zjtct2jer\"}")]).await;
    let url = server.url("/v1");
    let office = office(
        &format!(
            "{{ type: statuspage, page: kctbh9vrtdwd, token: {{ env: SECRET }}, components: [db], url: \"{url}\" }}"
        ),
        "",
    );
    office.edit(
        "runbooks/tell.yaml",
        "  - id: after\n",
        "  - id: again\n    action: notify\n    needs: [tell]\n    with: { template: incident, audience: customers, vars: { what: Payments } }\n  - id: after\n",
    );
    let ran = office.tell();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all = server.asked();
    let lines: Vec<&str> = all.iter().map(|asked| asked.line.as_str()).collect();
    assert_eq!(lines, ["POST /v1/pages/kctbh9vrtdwd/incidents", "PATCH /v1/pages/kctbh9vrtdwd/incidents/p31zjtct2jer"]);
    assert!(all.iter().all(|asked| asked.headers["authorization"] == "OAuth s3cr3t-0123456789"));
    let run = office.run().unwrap();
    assert_eq!(
        body(&all[0]),
        json!({ "incident": {
            "status": "investigating", "body": "We move Orders to the east.", "name": "Orders are down",
            "metadata": { "drctl": { "run": run } }, "impact_override": "major", "component_ids": ["db"],
        } })
    );
    assert_eq!(
        body(&all[1]),
        json!({ "incident": {
            "status": "identified", "body": "We move Payments to the east.", "impact_override": "major", "component_ids": ["db"],
        } })
    );
    assert!(office.state().contains("p31zjtct2jer"), "the incident's id stands in the journal");
}

const TAKEN: &str = r#"{"value":[{"to":"+441632960000","messageId":"m","httpStatusCode":202,"successful":true}]}"#;

fn sms(server: &Server) -> String {
    // The key is `key of the resource`.
    format!("{{ type: sms, endpoint: \"{}\", key: {{ env: SMS_KEY }}, from: \"+441632960999\" }}", server.url(""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_is_signed_and_says_which_one_it_is() {
    let server = Server::start(vec![answer(202, TAKEN)]).await;
    let office = office(&sms(&server), ", to: [\"+441632960000\", ada@example.com]")
        .with("SMS_KEY", &STANDARD.encode("key of the resource"));
    assert_eq!(office.tell().code, Some(0));
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "POST /sms?api-version=2021-03-07");
    let sent = body(&asked);
    let to = &sent["smsRecipients"][0];
    let id = to["repeatabilityRequestId"].as_str().unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'8', "{id}");
    let first = to["repeatabilityFirstSent"].as_str().unwrap();
    assert!(first.ends_with(" GMT") && first.len() == 29, "{first}");
    assert_eq!(
        sent,
        json!({
            "from": "+441632960999",
            "smsRecipients": [{ "to": "+441632960000", "repeatabilityRequestId": id, "repeatabilityFirstSent": first }],
            "message": "Orders are down",
            "smsSendOptions": { "enableDeliveryReport": false },
        })
    );
    let (date, hash) = (&asked.headers["x-ms-date"], &asked.headers["x-ms-content-sha256"]);
    assert_eq!(*hash, STANDARD.encode(Sha256::digest(&asked.body)));
    let text = format!("POST\n/sms?api-version=2021-03-07\n{date};{};{hash}", asked.headers["host"]);
    let proof = STANDARD.encode(signature(b"key of the resource", &text));
    assert_eq!(
        asked.headers["authorization"],
        format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={proof}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_whose_answer_is_lost_is_sent_again_as_the_same_one() {
    let server = Server::start(vec![Reply::Drop, answer(500, ""), answer(202, TAKEN)]).await;
    let office =
        office(&sms(&server), ", to: [\"+441632960000\"]").with("SMS_KEY", &STANDARD.encode("key of the resource"));
    assert_eq!(office.tell().code, Some(0));
    let recipients: Vec<Value> = server.asked().iter().map(|asked| body(asked)["smsRecipients"].clone()).collect();
    assert_eq!(recipients.len(), 3);
    assert!(recipients.iter().all(|recipient| *recipient == recipients[0]), "{recipients:?}");
}

/// How long the journal is once everybody of an audience of this size has been told.
async fn journal_of(count: usize) -> usize {
    let server = Server::start(vec![answer(202, TAKEN)]).await;
    let to: Vec<String> = (0..count).map(|number| format!("\"+44163{number:07}\"")).collect();
    let office = office(&sms(&server), &format!(", to: [{}]", to.join(", "))).with("SMS_KEY", "aw==");
    let ran = office.tell();
    assert_eq!((ran.code, server.lines().len()), (Some(0), count), "{ran:?}");
    let run = office.run().unwrap();
    std::fs::metadata(office.path().join(".drctl/runs").join(run).join("journal.jsonl")).unwrap().len() as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_grows_with_an_audience_and_not_with_its_square() {
    let [few, some, many] = [journal_of(20).await, journal_of(120).await, journal_of(220).await];
    let (first, second) = (some - few, many - some);
    assert!(second * 10 < first * 11, "{first} bytes for a hundred people, {second} for a hundred more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_that_is_refused_for_one_is_owed_to_them() {
    let refused = r#"{"value":[{"to":"+441632960000","httpStatusCode":400,"successful":false,"errorMessage":"Invalid To phone number format."}]}"#;
    let server = Server::start(vec![answer(202, refused)]).await;
    let office =
        office(&sms(&server), ", to: [\"+441632960000\"]").with("SMS_KEY", &STANDARD.encode("key of the resource"));
    assert_eq!(office.tell().code, Some(10));
    assert_eq!(office.owed(), [("way/+441632960000".to_owned(), false)]);
    assert_eq!(office.status()["owed"][0]["reason"], "refused with 400: Invalid To phone number format.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_so_that_it_cannot_be_replayed() {
    let channel =
        |server: &Server| format!("{{ type: webhook, url: \"{}\", secret: {{ env: SECRET }} }}", server.url("/hook"));
    let (asked, office) = asked(answer(204, ""), channel, "").await;
    let signed = &asked.headers["x-drctl-signature"];
    let (time, proof) = signed.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
    let wanted: String = signature(b"s3cr3t-0123456789", &format!("{time}.{}", asked.body))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(proof, wanted);
    let run = office.run().unwrap();
    assert_eq!(asked.headers["idempotency-key"], format!("{run}-tell/way"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_wants_to_be_left_alone_is_left_alone() {
    let busy = "HTTP/1.1 429 X\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n".to_owned();
    let server = Server::start(vec![Reply::Raw(busy), answer(200, "ok")]).await;
    let office = office(&format!("{{ type: slack, url: \"{}\" }}", server.url("/x")), "");
    let ran = office.tell();
    assert_eq!((ran.code, server.lines().len()), (Some(0), 2), "{ran:?}");
    let took = |status: &Value| {
        let step = status["steps"].as_array().unwrap().iter().find(|step| step["step"] == "tell").unwrap().clone();
        let at = |name: &str| step[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        at("ended").duration_since(at("started")).as_millis()
    };
    assert!(took(&office.status()) >= 2000, "{}", took(&office.status()));
    // Longer than anybody would wait for a notice: it is owed.
    let busy = "HTTP/1.1 429 X\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n".to_owned();
    let server = Server::start(vec![Reply::Raw(busy)]).await;
    let office = self::office(&format!("{{ type: slack, url: \"{}\" }}", server.url("/x")), "");
    assert_eq!((office.tell().code, server.lines().len()), (Some(10), 1));
    assert_eq!(office.status()["owed"][0]["reason"], "refused with 429");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_an_answer_leaves_a_doubt_depends_on_whether_the_receiver_deduplicates() {
    let slack = |server: &Server| format!("{{ type: slack, url: \"{}\" }}", server.url("/x"));
    let pager = |server: &Server| {
        format!("{{ type: pagerduty, routing_key: {{ env: SECRET }}, url: \"{}\" }}", server.url("/x"))
    };
    let page = |server: &Server| {
        format!("{{ type: statuspage, page: p, token: {{ env: SECRET }}, url: \"{}\" }}", server.url("/x"))
    };
    type Way<'w> = &'w dyn Fn(&Server) -> String;
    let doubt = |why: &str| json!([{ "step": "tell", "channel": "way", "to": null, "in_doubt": true, "reason": why }]);
    let owed = |why: &str| json!([{ "step": "tell", "channel": "way", "to": null, "in_doubt": false, "reason": why }]);
    let (lost, closed) = (Reply::Drop, "connection closed before message completed");
    let cases: [(Way<'_>, Vec<Reply>, Value, usize); 7] = [
        (&slack, vec![lost.clone()], doubt(closed), 1),
        (&slack, vec![answer(500, "rollup_error")], doubt("answered 500: rollup_error"), 1),
        (&slack, vec![answer(404, "no_service")], owed("refused with 404: no_service"), 1),
        (&pager, vec![lost.clone(), answer(500, ""), answer(202, "")], json!([]), 3),
        (
            &pager,
            vec![answer(400, "{\"status\":\"invalid event\"}")],
            owed("refused with 400: {\"status\":\"invalid event\"}"),
            1,
        ),
        (&page, vec![lost], doubt(closed), 1),
        (&page, vec![answer(201, "{}")], doubt("the answer names no incident"), 1),
    ];
    for (channel, replies, wanted, requests) in cases {
        let server = Server::start(replies).await;
        let office = office(&channel(&server), "");
        let code = office.tell().code;
        assert_eq!(office.status()["owed"], wanted);
        assert_eq!(
            (code, server.lines().len()),
            (Some(if wanted == json!([]) { 0 } else { 10 }), requests),
            "{wanted}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_a_secret_is_never_shown() {
    // Nobody listens there.
    let url = "http://127.0.0.1:1/services/T0/B0/s3cr3t-path";
    let office = office("{ type: slack, url: { env: HOOK } }", "").with("HOOK", url);
    office.edit("runbooks/tell.yaml", "    action: notify\n", "    action: notify\n    timeout: 900ms\n");
    let ran = office.tell();
    assert_eq!(ran.code, Some(10));
    let doctor = office.drctl(&["doctor"]);
    assert!(doctor.stdout.contains("`127.0.0.1` does not answer on port 1"), "{}", doctor.stdout);
    let run = office.run().unwrap();
    let sent = office.drctl(&["notify", "send", "--owed", &run]);
    let all = [ran.stdout, ran.stderr, doctor.stdout, sent.stdout, sent.stderr, office.state()].concat();
    assert!(!all.contains("s3cr3t-path"), "{all}");
    assert_eq!(office.status()["owed"][0]["reason"], "not sent: Connection refused (os error 111)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_nobody_can_be_reached_of_is_owed_its_notice() {
    let server = Server::start(vec![answer(202, TAKEN)]).await;
    let office = office(&sms(&server), ", to: [ada@example.com]").with("SMS_KEY", "aw==");
    assert_eq!(office.tell().code, Some(10));
    assert_eq!(office.owed(), [("way".to_owned(), false)]);
    assert_eq!(office.status()["owed"][0]["reason"], "not sent: nobody of the audience can be reached through it");
    assert_eq!(server.lines(), Vec::<String>::new());
}
