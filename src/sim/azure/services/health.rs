//! Metrics, Resource Health, Service Health, the Resource Graph.

use serde_json::{Value, json};

use super::Service;
use crate::catalogue::Timestamp;
use crate::sim::azure::answer::Answer;
use crate::sim::azure::incoming::{Incoming, Target};
use crate::sim::azure::paging;
use crate::sim::azure::world::{World, items};

pub(super) const METRICS: Service = Service { prefix: "microsoft.insights", handle: metrics, derive: |_, _| {} };
pub(super) const HEALTH: Service = Service { prefix: "microsoft.resourcehealth", handle: health, derive: |_, _| {} };
pub(super) const GRAPH: Service = Service { prefix: "microsoft.resourcegraph", handle: graph, derive: |_, _| {} };

/// What a replica is behind when all is well, in seconds.
const USUAL_LAG: f64 = 4.0;

/// The last values of a metric, one a minute. The metrics of a region that is down stop coming.
fn metrics(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    if target.action() != "metrics" {
        return None;
    }
    let name = incoming.query("metricnames").unwrap_or_default();
    let aggregation = incoming.query("aggregation").unwrap_or("Average").to_ascii_lowercase();
    let lag = world.faults.lag(&target.scope).map_or(USUAL_LAG, |lag| lag.as_secs_f64());
    // What a scenario says of the resource, as in `simulatedMetrics: { ActiveMessages: 0 }`.
    let said = world.body(&target.scope).and_then(|body| body.get("simulatedMetrics")?.get(name)?.as_f64());
    let value = said.unwrap_or(if name.contains("lag") || name.contains("delay") { lag } else { 42.0 });
    let minute = world.now.0 - world.now.0.rem_euclid(60_000);
    let point =
        |ago: i64| json!({ "timeStamp": Timestamp(minute - ago * 60_000).to_string(), (aggregation.clone()): value });
    let data: Vec<Value> = (0..5).rev().map(point).collect();
    let series = json!([{ "data": data }]);
    Some(Answer::ok(json!({ "value": [{ "name": { "value": name }, "unit": "Count", "timeseries": series }] })))
}

fn health(world: &mut World, incoming: &Incoming, target: &Target) -> Option<Answer> {
    if incoming.method != "GET" {
        return None;
    }
    if target.action() == "events" {
        let down: Vec<String> = world.faults.regions_down(world.start, world.now);
        let event = |region: &String| {
            let impact =
                json!([{ "impactedService": "Virtual Machines", "impactedRegions": [{ "impactedRegion": region }] }]);
            json!({
                "name": "TRK-1",
                "properties": { "eventType": "ServiceIssue", "status": "Active", "title": format!("Outage in {region}"), "impactStartTime": world.start.to_string(), "impact": impact },
            })
        };
        return Some(Answer::ok(json!({ "value": down.iter().map(event).collect::<Vec<_>>() })));
    }
    let region = world.resource(&target.scope).map(|resource| resource.region.clone()).unwrap_or_default();
    let is_down = world.faults.is_down(&region, world.start, world.now);
    let state = if is_down { "Unavailable" } else { "Available" };
    let properties = json!({ "availabilityState": state, "reasonType": if is_down { "Unplanned" } else { "" }, "reportedTime": world.now.to_string(), "summary": "" });
    Some(Answer::ok(json!({ "name": "current", "properties": properties })))
}

fn graph(world: &mut World, incoming: &Incoming, _: &Target) -> Option<Answer> {
    let subscriptions = items(&incoming.body, "/subscriptions").iter().filter_map(Value::as_str);
    let rows = subscriptions.flat_map(|id| world.within(&format!("/subscriptions/{id}"))).collect();
    Some(paging::rows(incoming, rows))
}
