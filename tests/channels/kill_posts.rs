//! `kill -9` at every record of the journal, and while any receiver has not answered yet, of a notice that goes through
//! every channel that POSTs: no message is there twice, none is forgotten. One whose answer is lost is owed and in doubt
//! until a person says something, unless the receiver takes it for the same message.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http::{Asked, Reply, Server, answer};
use super::office::Office;
use super::tool::installed;

const SMS: &str = r#"{"value":[{"to":"+441632960000","httpStatusCode":202,"successful":true}]}"#;

/// How a receiver knows a message again; nothing where it takes each request for a new one.
type Key = Option<fn(&Asked) -> String>;

/// A channel, and who listens there.
struct Way {
    /// The delivery's name.
    name: &'static str,
    receiver: Server,
    key: Key,
}

impl Way {
    /// How many messages the receiver has.
    fn messages(&self) -> usize {
        let asked = self.receiver.asked();
        self.key.map_or(asked.len(), |key| asked.iter().map(key).collect::<BTreeSet<String>>().len())
    }

    fn deduplicates(&self) -> bool {
        self.key.is_some()
    }
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn event(asked: &Asked) -> String {
    body(asked)["dedup_key"].as_str().unwrap().to_owned()
}

/// All that makes it the same text message: with another time it would be sent again.
fn text_message(asked: &Asked) -> String {
    body(asked)["smsRecipients"].to_string()
}

fn idempotency(asked: &Asked) -> String {
    asked.headers["idempotency-key"].clone()
}

/// Every channel that POSTs: its settings, how it takes a notice, and how its receiver knows one again.
const CHANNELS: [(&str, &str, (u16, &str), Key); 7] = [
    ("chat", "type: slack, url: \"URL\"", (200, "ok"), None),
    ("team", "type: teams, url: \"URL\"", (202, ""), None),
    ("pager", "type: pagerduty, routing_key: { env: SECRET }, url: \"URL\"", (202, "{}"), Some(event)),
    ("page", "type: statuspage, page: p, token: { env: SECRET }, url: \"URL\"", (201, "{\"id\": \"p31z\"}"), None),
    (
        "sms/+441632960000",
        "type: sms, endpoint: \"URL\", key: { env: SECRET }, from: \"+441632960999\"",
        (202, SMS),
        Some(text_message),
    ),
    ("hook", "type: webhook, url: \"URL\", secret: { env: SECRET }", (204, ""), None),
    ("desk", "type: webhook, url: \"URL\", deduplicates: true", (200, ""), Some(idempotency)),
];

/// An office that tells people in every way; what each receiver does with the first request is `first` of its number.
async fn office(first: impl Fn(usize) -> Option<Reply>) -> (Vec<Way>, Office) {
    let (mut ways, mut lines) = (Vec::new(), vec!["channels:".to_owned()]);
    for (number, (name, channel, (status, said), key)) in CHANNELS.into_iter().enumerate() {
        let script = first(number).into_iter().chain([answer(status, said)]).collect();
        let receiver = Server::start(script).await;
        lines.push(format!("  {}: {{ {} }}", channel_of(name), channel.replace("URL", &receiver.url("/in"))));
        ways.push(Way { name, receiver, key });
    }
    let names = CHANNELS.map(|(name, ..)| channel_of(name)).join(", ");
    lines.push(format!("audiences: {{ customers: {{ channels: [{names}], to: [\"+441632960000\"] }} }}\n"));
    (ways, Office::new(&lines.join("\n")).with("SECRET", &STANDARD.encode("a key")))
}

fn channel_of(delivery: &str) -> &str {
    delivery.split('/').next().unwrap()
}

/// Each receiver has the message once, or may have it, which is owed and in doubt; the rest is delivered on demand.
fn judge(office: &Office, ways: &[Way], what: &str) {
    let owed = office.owed();
    let is_owed = |way: &Way, in_doubt: bool| owed.contains(&(way.name.to_owned(), in_doubt));
    for way in ways {
        let (messages, name) = (way.messages(), way.name);
        let known = messages == 1 || (messages == 0 && (is_owed(way, true) || is_owed(way, false)));
        assert!(known, "{what}: {name} has {messages} messages, owed: {owed:?}");
        assert!(!(way.deduplicates() && is_owed(way, true)), "{what}: {name} may be sent to again: {owed:?}");
    }
    let requests = |doubtful: bool| -> Vec<usize> {
        let of = ways.iter().filter(|way| is_owed(way, true) == doubtful);
        of.map(|way| if doubtful { way.receiver.asked().len() } else { way.messages() }).collect()
    };
    let before = requests(true);
    let sent = office.drctl(&["notify", "send", "--owed", &office.run().unwrap()]);
    assert_eq!(requests(true), before, "{what}: what is in doubt is not sent without a person's word: {sent:?}");
    assert!(requests(false).iter().all(|messages| *messages == 1), "{what}: {sent:?}");
    assert!(office.owed().iter().all(|(_, in_doubt)| *in_doubt), "{what}: {:?}", office.owed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_record_posts_nothing_twice_and_forgets_nobody() {
    if !installed(&["strace"]) {
        return;
    }
    for loses_replies in [false, true] {
        for number in 1.. {
            let (ways, office) = office(|_| loses_replies.then_some(Reply::Drop)).await;
            let what = format!("sync {number}, replies are lost: {loses_replies}");
            let died = office.killed_at_sync(number, &["run", "runbooks/tell.yaml"]);
            let survived = died.code.is_some();
            let Some(ran) = (if survived { Some(died) } else { office.finish() }) else {
                let connections: usize = ways.iter().map(|way| way.receiver.connections()).sum();
                assert_eq!(connections, 0, "{what}: a run that never started told nobody");
                continue;
            };
            assert!(matches!(ran.code, Some(0 | 10)), "{what}: {ran:?}");
            judge(&office, &ways, &what);
            if loses_replies {
                let owed: BTreeSet<String> = office.owed().into_iter().map(|(name, _)| name).collect();
                let lost = ways.iter().filter(|way| !way.deduplicates()).map(|way| way.name.to_owned());
                assert_eq!(owed, lost.collect(), "{what}: a lost reply leaves a doubt");
            }
            if survived {
                assert!(number > CHANNELS.len() + 3, "{what}");
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_receiver_has_not_answered_yet_leaves_a_doubt_or_is_made_up_for() {
    for number in 0..CHANNELS.len() {
        let (ways, office) = office(|at| (at == number).then_some(Reply::Silence)).await;
        let way = &ways[number];
        let mut child = office.start(&["run", "runbooks/tell.yaml"]);
        way.receiver.was_asked(1).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let ran = office.finish().unwrap();
        let owed = if way.deduplicates() { Vec::new() } else { vec![(way.name.to_owned(), true)] };
        assert_eq!(office.owed(), owed, "{ran:?}");
        assert_eq!(ran.code, Some(if owed.is_empty() { 0 } else { 10 }), "{ran:?}");
        judge(&office, &ways, &format!("no answer of {}", way.name));
    }
}
