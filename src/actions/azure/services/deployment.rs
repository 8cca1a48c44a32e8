//! Deployments: what a template would change, and changing it.
//!
//! Calls and words: `Microsoft.Resources/deployments`, api-version 2025-04-01. A deployment is known by its name: reading
//! it tells whether it happened. Bicep is compiled beforehand.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::operations;
use crate::actions::azure::fields::{CHECK, IDEMPOTENT, any, anywhere, int, may, must, string, words};
use crate::actions::azure::read::{is, items, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Type};

const API: &str = "2025-04-01";

const NAME: Field =
    must("name", string, "the name of the deployment: the same name and template is the same deployment");
const TEMPLATE: Field = may("template", || Type::Map(Box::new(any())), "the ARM template itself, as a mapping");
const FILE: Field = may(
    "template_file",
    string,
    "instead of `template`: a file in the workspace's `templates/`, as `templates/NAME.json`; read with the runbook",
);
const LINK: Field = may("template_link", string, "instead of `template`: the URL of an ARM template");
const PARAMETERS: Field =
    may("parameters", || Type::Map(Box::new(any())), "the template's parameters: names and values");
const SCOPE: Field =
    may("scope", || words(["resource_group", "subscription"]), "where it is deployed to; `resource_group` if absent");
const LOCATION: Field = may("location", string, "for `scope: subscription`: where the deployment's own data is kept");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![WhatIf, Deploy]
}

fn deployment(with: &With<'_>) -> Resource {
    let scope = match with.option("scope") {
        Some("subscription") => with.subscription(),
        _ => with.group(with.text("resource_group")),
    };
    let scope = Resource { id: format!("{}/providers/Microsoft.Resources", scope.id), api: API };
    scope.child("deployments", with.text("name"))
}

fn body(with: &With<'_>) -> Value {
    let parameter = |(name, value): (&String, &Value)| (name.clone(), json!({ "value": value }));
    let parameters: Map<String, Value> = with.entries("parameters").map(parameter).collect();
    let mut properties = json!({ "mode": "Incremental", "parameters": parameters });
    match with.option("template_link") {
        Some(link) => properties["templateLink"] = json!({ "uri": link }),
        None => properties["template"] = with.value("template").cloned().unwrap_or_default(),
    }
    match with.option("location").filter(|_| with.option("scope") == Some("subscription")) {
        Some(location) => json!({ "location": location, "properties": properties }),
        None => json!({ "properties": properties }),
    }
}

fn rule(with: &Map<String, Value>) -> Result<(), String> {
    let given = ["template", "template_file", "template_link"].into_iter().filter(|name| with.contains_key(*name));
    if given.count() != 1 {
        return Err("what is to be deployed? give one of `template`, `template_file` and `template_link`".to_owned());
    }
    match with.get("scope").and_then(Value::as_str) {
        Some("subscription") if !with.contains_key("location") => {
            Err("`scope: subscription` needs `location`".to_owned())
        }
        Some("subscription") => Ok(()),
        _ if !with.contains_key("resource_group") => Err("where to? give `resource_group`".to_owned()),
        _ => Ok(()),
    }
}

struct WhatIf;

static WHAT_IF: ActionSpec = ActionSpec {
    name: "azure.deployment.what_if",
    summary: "asks what a deployment would change",
    docs: "Lets Azure compare a template with what is there. Nothing is changed. The same is asked in a dry run of \
        `azure.deployment.deploy`.",
    parameters: anywhere![NAME, TEMPLATE, FILE, LINK, PARAMETERS, SCOPE, LOCATION],
    outputs: Outputs::Fixed(&[
        must("creates", int, "how many resources would be created"),
        must("modifies", int, "how many would be changed"),
        must("deletes", int, "how many would be removed"),
        must("changes", || Type::List(Box::new(any())), "each change's `resource` and `kind`"),
    ]),
    is_check: false,
    rule: Some(rule),
    takes: |_| Takes::guess(30, 180),
    permissions: &["Microsoft.Resources/deployments/whatIf/action"],
    ..CHECK
};

fn what_if(with: &With<'_>) -> Request {
    deployment(with).post("whatIf").body(body(with))
}

/// What would be changed: each resource, and how.
fn changes(answer: &Value) -> Vec<Value> {
    let found = [items(answer, "/properties/changes"), items(answer, "/changes")].concat();
    let change =
        |change: &Value| json!({ "resource": text(change, "/resourceId"), "kind": snake(text(change, "/changeType")) });
    found.iter().map(change).collect()
}

impl Operation for WhatIf {
    fn spec(&self) -> &'static ActionSpec {
        &WHAT_IF
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let answer = known.body(&what_if(with))?;
        let changes = changes(answer);
        let count = |kind: &str| changes.iter().filter(|change| change["kind"] == kind).count();
        let (creates, modifies, deletes) = (count("create"), count("modify") + count("deploy"), count("delete"));
        let note = format!("would create {creates}, change {modifies}, remove {deletes}");
        let outputs = json!({ "creates": creates, "modifies": modifies, "deletes": deletes, "changes": changes });
        Ok(Next::done(outputs, note))
    }
}

struct Deploy;

static DEPLOY: ActionSpec = ActionSpec {
    name: "azure.deployment.deploy",
    summary: "deploys an ARM template",
    docs: "Deploys a template, incrementally: what it does not name stays. A deployment of the same name that is under way is waited \
        for; one that has ended is made anew, as resources may have changed since. Compile Bicep beforehand.",
    parameters: anywhere![NAME, TEMPLATE, FILE, LINK, PARAMETERS, SCOPE, LOCATION],
    outputs: Outputs::Fixed(&[must("outputs", any, "the template's outputs: names and values")]),
    rule: Some(rule),
    takes: |_| Takes::guess(300, 1_800),
    permissions: &["Microsoft.Resources/deployments/write", "and those of every resource in the template"],
    ..IDEMPOTENT
};

impl Operation for Deploy {
    fn spec(&self) -> &'static ActionSpec {
        &DEPLOY
    }

    fn foretold(&self, with: &With<'_>, known: &Known) -> Result<Vec<String>, Next> {
        let changes = changes(known.body(&what_if(with))?);
        let line = |change: &Value| format!("would {}: {}", text(change, "/kind"), text(change, "/resource"));
        Ok(changes.iter().filter(|change| text(change, "/kind") != "no_change").map(line).collect())
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (name, write) = (with.text("name"), deployment(with).put(body(with)));
        let Some(now) = known.find(&deployment(with).get())? else {
            return Ok(Next::send(write, format!("deploy `{name}`")));
        };
        let state = snake(text(now, "/properties/provisioningState"));
        if matches!(state.as_str(), "running" | "accepted") {
            return Ok(Next::Wait(format!("the deployment `{name}` is `{state}`")));
        }
        if known.sent(&write).is_none() {
            return Ok(Next::send(write, format!("deploy `{name}`")));
        }
        if !is(now, "/properties/provisioningState", "Succeeded") {
            let error = text(now, "/properties/error/message");
            return Ok(Next::Fail(format!("the deployment `{name}` ended as `{state}`: {error}")));
        }
        let outputs = now.pointer("/properties/outputs").and_then(Value::as_object);
        let value =
            |(name, output): (&String, &Value)| (name.clone(), output.get("value").cloned().unwrap_or_default());
        let outputs: Map<String, Value> = outputs.into_iter().flatten().map(value).collect();
        Ok(Next::done(json!({ "outputs": outputs }), format!("`{name}` is deployed")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![deployment(with).put(body(with))]
    }
}
