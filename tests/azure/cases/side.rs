//! The wrong side of a pair: what the action says of it, and that the simulated Azure refuses it as Azure does.

use drctl::sim::azure::Logged;
use serde_json::{Map, Value, json};

use crate::outcome::{Outcome, code};
use crate::row::{Row, SUBSCRIPTION};
use crate::rules::Case;
use crate::stage::Theatre;

/// Actions that are asked for on one of two sides.
const SIDED: [&str; 19] = [
    "azure.sql.failover_group",
    "azure.sql.instance_failover_group",
    "azure.sql.set_failover_policy",
    "azure.service_bus.failover",
    "azure.service_bus.break_pairing",
    "azure.service_bus.geo_failover",
    "azure.event_hubs.failover",
    "azure.event_hubs.break_pairing",
    "azure.event_hubs.geo_failover",
    "azure.postgres.promote_replica",
    "azure.mysql.promote_replica",
    "azure.redis.link",
    "azure.cosmos.failover",
    "azure.cosmos.offline_region",
    "azure.site_recovery.failover",
    "azure.site_recovery.commit",
    "azure.site_recovery.reprotect",
    "azure.site_recovery.cancel",
    "azure.storage.failover",
];

/// Asked for on the wrong side, the action sends nothing and says why; what it would have sent is refused there.
pub(crate) fn wrong_side(theatre: &Theatre, row: &Row, done: &Outcome) -> Case {
    let is_missing = SIDED.contains(&row.action.as_str()) && row.special.wrong_side.is_none();
    let (Some(wrong), Some(sent)) = (&row.special.wrong_side, done.writes.last()) else {
        let missing = is_missing.then(|| "wanted a `wrong_side` in `cases.yaml`".to_owned());
        return Case { name: "", shown: String::new(), wrong: missing.into_iter().collect() };
    };
    let world = [row.special.resources.clone(), wrong.resources.clone()].concat();
    let plan = theatre.plan(&row.label, &[("act", &row.action, &row.with)]);
    let act = Outcome::of(&theatre.play(&plan, &world, Vec::new()), "act");
    let refused = raw(theatre, row, sent, &world);
    let found = refused.writes.first().map(code).unwrap_or_default();
    let shown = if act.has_succeeded() { "already" } else { "told" };
    Case::new("wrong side", format!("{shown} ({found})"), &act)
        .must(act.writes.is_empty() && act.words == wrong.says, &format!("`{}`", wrong.says), &act)
        .must(found == wrong.code, &format!("the raw call refused with `{}`, found `{found}`", wrong.code), &refused)
}

/// Sends what the action sends, as it is, to the wrong side.
fn raw(theatre: &Theatre, row: &Row, sent: &Logged, world: &[Value]) -> Outcome {
    let with = request(sent);
    let plan = theatre.plan(&row.label, &[("raw", "azure.request", &with), ("act", &row.action, &row.with)]);
    Outcome::of(&theatre.play(&plan, world, Vec::new()), "raw")
}

/// The parameters of `azure.request` for what was sent.
fn request(sent: &Logged) -> Map<String, Value> {
    let url = reqwest::Url::parse(&sent.url).unwrap();
    let mut query: Map<String, Value> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
    let version = query.remove("api-version").unwrap();
    let with = json!({
        "subscription": SUBSCRIPTION,
        "method": sent.method,
        "path": url.path(),
        "api_version": version,
        "query": query,
    });
    let body = (!sent.body.is_null()).then(|| ("json".to_owned(), sent.body.clone()));
    with.as_object().unwrap().clone().into_iter().chain(body).collect()
}
