//! Azure DNS: the records of a public zone.
//!
//! Calls and words: `Microsoft.Network/dnsZones`, api-version 2018-05-01. A record set is replaced as a whole, under
//! its etag; resolvers keep the old one for its time to live.

use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, int, may, must, parameters, string, strings, words,
};
use crate::actions::azure::read::{int as number, items, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2018-05-01";
/// The time to live of a record that had none before and is given none, in seconds.
const USUAL_TTL: i64 = 300;

const ZONE: Field = must("zone", string, "the DNS zone, such as `example.com`");
const NAME: Field = must("name", string, "the record's name within the zone; `@` is the zone itself");
const TYPE: Field = must("type", || words(["A", "AAAA", "CNAME", "TXT"]), "the record's type");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![SetRecord, Record, DeleteRecord]
}

fn record(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Network/dnsZones", "zone", API).child(with.text("type"), with.text("name"))
}

/// A record's values, as text, sorted: their order means nothing.
fn values(now: &Value) -> Vec<String> {
    let list = |pointer: &str, field: &str| -> Vec<String> {
        items(now, pointer).iter().map(|item| text(item, field).to_owned()).collect()
    };
    let texts = items(now, "/properties/TXTRecords").iter();
    let texts = texts.map(|item| items(item, "/value").iter().filter_map(Value::as_str).collect::<String>());
    let alias = Some(text(now, "/properties/CNAMERecord/cname").to_owned()).filter(|name| !name.is_empty());
    let mut all: Vec<String> = list("/properties/ARecords", "/ipv4Address")
        .into_iter()
        .chain(list("/properties/AAAARecords", "/ipv6Address"))
        .chain(alias)
        .chain(texts)
        .collect();
    all.sort();
    all
}

fn wanted(with: &With<'_>) -> Vec<String> {
    let mut wanted: Vec<String> = with.list("values").iter().map(|&value| value.to_owned()).collect();
    wanted.sort();
    wanted
}

fn same(found: &[String], wanted: &[String]) -> bool {
    let plain = |values: &[String]| -> Vec<String> {
        values.iter().map(|value| value.trim_end_matches('.').to_ascii_lowercase()).collect()
    };
    plain(found) == plain(wanted)
}

struct SetRecord;

static SET_RECORD: ActionSpec = ActionSpec {
    name: "azure.dns.set_record",
    summary: "sets the values of a DNS record",
    docs: "Replaces a record set: all its values, and its time to live where `ttl` is given. Whoever changed the record \
        in between is not overwritten: the change is made again on what is there then. Resolvers follow after the old \
        time to live.",
    parameters: parameters![
        ZONE,
        NAME,
        TYPE,
        may("values", strings, "its values: addresses, one host name for a CNAME, texts"),
        may("target", string, "the id of an Azure resource that an alias record follows; instead of `values`"),
        may("ttl", || Type::Between(1, 2_147_483_647), "its time to live in seconds; as it was if absent, else 300"),
    ],
    outputs: Outputs::Fixed(&[
        must("values", strings, "the values"),
        must("ttl", int, "the time to live in seconds"),
        must("etag", string, "the record's version"),
    ]),
    rule: Some(|with| match (with.contains_key("values"), with.contains_key("target")) {
        (true, true) => Err("`values` and `target` exclude each other: give one of them".to_owned()),
        (false, false) => Err("what is the record to say? give `values` or `target`".to_owned()),
        _ => Ok(()),
    }),
    takes: |_| Takes::guess(5, 60),
    permissions: &["Microsoft.Network/dnsZones/*/write"],
    ..IDEMPOTENT
};

impl SetRecord {
    fn write(with: &With<'_>, ttl: i64) -> Request {
        let values = with.list("values");
        let each = |field: &str| -> Value { values.iter().map(|value| json!({ field: value })).collect() };
        let mut properties = json!({ "TTL": with.int("ttl").unwrap_or(ttl) });
        match (with.option("target"), with.text("type")) {
            (Some(target), _) => properties["targetResource"] = json!({ "id": target }),
            (None, "A") => properties["ARecords"] = each("ipv4Address"),
            (None, "AAAA") => properties["AAAARecords"] = each("ipv6Address"),
            (None, "CNAME") => properties["CNAMERecord"] = json!({ "cname": values.first() }),
            (None, _) => properties["TXTRecords"] = values.iter().map(|value| json!({ "value": [value] })).collect(),
        }
        record(with).put(json!({ "properties": properties }))
    }
}

impl Operation for SetRecord {
    fn spec(&self) -> &'static ActionSpec {
        &SET_RECORD
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let answer = known.answer(&record(with).get())?;
        let now = &answer.body;
        let what = format!("set {} `{}` of `{}`", with.text("type"), with.text("name"), with.text("zone"));
        if answer.status == 404 {
            return Ok(Next::send(Self::write(with, USUAL_TTL).header("if-none-match", "*"), what));
        }
        let ttl = number(now, "/properties/TTL").unwrap_or(USUAL_TTL);
        let points = match with.option("target") {
            Some(target) => text(now, "/properties/targetResource/id").eq_ignore_ascii_case(target),
            None => same(&values(now), &wanted(with)) && text(now, "/properties/targetResource/id").is_empty(),
        };
        if points && with.int("ttl").is_none_or(|wanted| wanted == ttl) {
            let outputs = json!({ "values": values(now), "ttl": ttl, "etag": answer.etag.clone().unwrap_or_default() });
            return Ok(Next::done(outputs, format!("`{}` is as wanted", with.text("name"))));
        }
        Ok(Next::send(Self::write(with, ttl).if_match(answer.etag.as_deref()), what))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with, USUAL_TTL)]
    }
}

struct Record;

static RECORD: ActionSpec = ActionSpec {
    name: "azure.dns.record",
    summary: "reads a DNS record of a zone",
    docs: "Reads what the zone says, which is not yet what resolvers say: `probe.dns` asks those. With `values`, healthy \
        means: the record has exactly them.",
    parameters: parameters![
        ZONE,
        NAME,
        TYPE,
        may("values", strings, "the values that count as healthy; any if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("values", strings, "the values"),
        must("ttl", int, "the time to live in seconds"),
    ]),
    ..CHECK
};

impl Operation for Record {
    fn spec(&self) -> &'static ActionSpec {
        &RECORD
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let name = with.text("name");
        let Some(now) = known.find(&record(with).get())? else {
            let reason = format!("there is no {} `{name}`", with.text("type"));
            let outputs = json!({ "healthy": false, "reason": reason, "values": [], "ttl": 0 });
            return Ok(Next::done(outputs, reason));
        };
        let found = values(now);
        let reason = format!("`{name}` is {}", found.join(", "));
        let outputs = json!({
            "healthy": with.value("values").is_none() || same(&found, &wanted(with)),
            "reason": reason,
            "values": found,
            "ttl": number(now, "/properties/TTL").unwrap_or(0),
        });
        Ok(Next::done(outputs, reason))
    }
}

struct DeleteRecord;

static DELETE_RECORD: ActionSpec = ActionSpec {
    name: "azure.dns.delete_record",
    summary: "removes a DNS record",
    docs: "Removes a whole record set. Resolvers keep it for its time to live.",
    parameters: parameters![ZONE, NAME, TYPE],
    outputs: Outputs::Fixed(&[]),
    takes: |_| Takes::guess(5, 60),
    permissions: &["Microsoft.Network/dnsZones/*/delete"],
    ..IDEMPOTENT
};

impl Operation for DeleteRecord {
    fn spec(&self) -> &'static ActionSpec {
        &DELETE_RECORD
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let name = with.text("name");
        let answer = known.answer(&record(with).get())?;
        if answer.status == 404 {
            return Ok(Next::done(json!({}), format!("there is no `{name}`")));
        }
        Ok(Next::send(record(with).delete().if_match(answer.etag.as_deref()), format!("remove `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![record(with).delete()]
    }
}
