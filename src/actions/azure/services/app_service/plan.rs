//! App Service plans: how many instances an app has to run on.

use std::sync::Arc;

use serde_json::json;

use super::{API, operations};
use crate::actions::azure::fields::{CHECK, HEALTHY, IDEMPOTENT, REASON, int, may, must, natural, parameters, string};
use crate::actions::azure::read::{int as number, is, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const PLAN: Field = must("plan", string, "the App Service plan");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Scale, State]
}

fn plan(with: &With<'_>) -> Resource {
    with.resource("Microsoft.Web/serverFarms", "plan", API)
}

struct Scale;

static SCALE: ActionSpec = ActionSpec {
    name: "azure.app_service_plan.scale",
    summary: "sets how many instances an App Service plan has",
    docs: "Sets the number of instances, and the size where `sku` is given. After a failover the surviving region carries \
        the load of both: scale it by what was lost.",
    parameters: parameters![
        PLAN,
        must("capacity", || Type::Between(1, 100), "how many instances"),
        may("sku", string, "the size, such as `P1v3`; as it was if absent"),
    ],
    outputs: Outputs::Fixed(&[
        must("capacity", int, "how many instances there are"),
        must("sku", string, "their size"),
    ]),
    takes: |_| Takes::guess(120, 300),
    permissions: &["Microsoft.Web/serverFarms/write"],
    ..IDEMPOTENT
};

impl Operation for Scale {
    fn spec(&self) -> &'static ActionSpec {
        &SCALE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&plan(with).get())?;
        let (name, capacity) = (with.text("plan"), with.int("capacity").unwrap_or(1));
        let sku = with.option("sku").unwrap_or(text(now, "/sku/name"));
        let found = number(now, "/sku/capacity").unwrap_or(0);
        if is(now, "/properties/provisioningState", "InProgress") {
            return Ok(Next::Wait(format!("`{name}` is being changed")));
        }
        if found == capacity && text(now, "/sku/name") == sku {
            let outputs = json!({ "capacity": found, "sku": sku });
            return Ok(Next::done(outputs, format!("`{name}` has {found} instances of `{sku}`")));
        }
        let mut wanted = now.clone();
        wanted["sku"]["capacity"] = json!(capacity);
        wanted["sku"]["name"] = json!(sku);
        Ok(Next::send(
            plan(with).put(wanted),
            format!("scale `{name}` from {found} to {capacity} instances of `{sku}`"),
        ))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        let sku = match with.option("sku") {
            Some(sku) => json!({ "name": sku, "capacity": with.int("capacity") }),
            None => json!({ "capacity": with.int("capacity") }),
        };
        vec![plan(with).put(json!({ "..": "as it was", "sku": sku }))]
    }
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.app_service_plan.state",
    summary: "reads how many instances an App Service plan has",
    docs: "Reads the size of a plan. With `at_least`, healthy means: it has as many instances.",
    parameters: parameters![PLAN, may("at_least", natural, "how many instances count as healthy; one if absent")],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("capacity", int, "how many instances there are"),
        must("sku", string, "their size"),
    ]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let now = known.body(&plan(with).get())?;
        let (capacity, sku) = (number(now, "/sku/capacity").unwrap_or(0), text(now, "/sku/name"));
        let healthy = capacity >= with.int("at_least").unwrap_or(1) && is(now, "/properties/status", "Ready");
        let reason = format!("`{}` has {capacity} instances of `{sku}`", with.text("plan"));
        Ok(Next::done(json!({ "healthy": healthy, "reason": reason, "capacity": capacity, "sku": sku }), reason))
    }
}

/// A request shows what changes; the rest of a plan is sent back as it was read.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::azure::Answer;
    use serde_json::Value;

    #[test]
    fn scaling_sends_the_plan_back_with_another_capacity_and_nothing_where_it_has_it() {
        let with = json!({ "subscription": "s", "resource_group": "rg", "plan": "p", "capacity": 6 });
        let Value::Object(with) = with else { return };
        let with = With::new(&with);
        let mut known = Known::default();
        let body =
            json!({ "location": "x", "sku": { "name": "P1v3", "capacity": 2 }, "properties": { "reserved": true } });
        known.learn(&plan(&with).get(), Answer { status: 200, body: body.clone(), etag: None });
        let Ok(Next::Send(write)) = Scale.decide(&with, &known) else { panic!("it should be sent") };
        assert_eq!(
            write.request.lines(&with.cloud()),
            [
                "PUT https://management.azure.com/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/serverFarms/p\
                 ?api-version=2024-11-01",
                r#"body: {"location":"x","sku":{"name":"P1v3","capacity":6},"properties":{"reserved":true}}"#,
            ]
        );
        let mut known = Known::default();
        let mut there = body;
        there["sku"]["capacity"] = json!(6);
        known.learn(&plan(&with).get(), Answer { status: 200, body: there, etag: None });
        assert!(matches!(Scale.decide(&with, &known), Ok(Next::Done(_))));
    }
}
