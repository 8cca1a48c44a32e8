//! Settings of apps: merged in, compared, and the switches of functions, which are settings too.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{API, APP, SLOT, app, operations, settings_of};
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, boolean, may, must, parameters, string, strings,
};
use crate::actions::azure::read::text;
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Outputs, Takes, Type};

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Settings, SetTriggers, Compare]
}

fn list(app: &Resource) -> Request {
    app.post("config/appsettings/list")
}

/// The change that makes the settings what is wanted; nothing where they are.
fn change(
    app: &Resource,
    now: &Value,
    set: &BTreeMap<String, String>,
    remove: &[&str],
) -> Option<(Request, Vec<String>)> {
    let mut settings: Map<String, Value> =
        settings_of(now).map(|(name, value)| (name.clone(), Value::from(value))).collect();
    let mut changed = Vec::new();
    for (name, value) in set {
        if settings.get(name).and_then(Value::as_str) != Some(value) {
            settings.insert(name.clone(), Value::from(value.as_str()));
            changed.push(name.clone());
        }
    }
    for name in remove {
        if settings.remove(*name).is_some() {
            changed.push((*name).to_owned());
        }
    }
    let put = app.child("config", "appsettings").put(json!({ "properties": settings })).private();
    (!changed.is_empty()).then_some((put, changed))
}

/// The change, as far as it is known before the settings are read.
fn unread(app: &Resource, set: &BTreeMap<String, String>, remove: &[&str]) -> Request {
    let without = if remove.is_empty() { String::new() } else { format!(", without {}", remove.join(", ")) };
    let mut settings = Map::from_iter([("..".to_owned(), json!(format!("as they were{without}")))]);
    settings.extend(set.iter().map(|(name, value)| (name.clone(), json!(value))));
    app.child("config", "appsettings").put(json!({ "properties": settings }))
}

fn set_of(with: &With<'_>) -> BTreeMap<String, String> {
    with.entries("set").map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

struct Settings;

static SETTINGS: ActionSpec = ActionSpec {
    name: "azure.app_service.settings",
    summary: "sets and removes application settings of a web or function app",
    docs: "Merges settings into those the app has; all others stay. Changing settings restarts the app. Values are never \
        shown, only names. Two changes of the same app at the same time may overwrite each other: Azure takes the \
        settings as a whole and has no version for them.",
    parameters: parameters![
        APP,
        SLOT,
        may("set", || Type::Map(Box::new(Type::String)), "the settings: names and values"),
        may("remove", strings, "the names of settings to remove"),
    ],
    outputs: Outputs::Fixed(&[must("changed", strings, "the names of the settings that were asked for")]),
    rule: Some(|with| match with.contains_key("set") || with.contains_key("remove") {
        true => Ok(()),
        false => Err("nothing to set: give `set` or `remove`".to_owned()),
    }),
    takes: |_| Takes::guess(15, 60),
    permissions: &[
        "Microsoft.Web/sites/config/list/action",
        "Microsoft.Web/sites/config/write",
        "Microsoft.Web/sites/slots/config/list/action",
        "Microsoft.Web/sites/slots/config/write",
    ],
    ..IDEMPOTENT
};

impl Operation for Settings {
    fn spec(&self) -> &'static ActionSpec {
        &SETTINGS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let app = app(with);
        let (set, remove) = (set_of(with), with.list("remove"));
        let now = known.body(&list(&app))?;
        if let Some((put, changed)) = change(&app, now, &set, &remove) {
            return Ok(Next::send(put, format!("change settings of `{}`: {}", with.text("app"), changed.join(", "))));
        }
        let names: Vec<&str> = set.keys().map(String::as_str).chain(remove).collect();
        Ok(Next::done(json!({ "changed": names }), format!("the settings of `{}` are as wanted", with.text("app"))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![unread(&app(with), &set_of(with), &with.list("remove"))]
    }
}

struct SetTriggers;

static SET_TRIGGERS: ActionSpec = ActionSpec {
    name: "azure.functions.set_triggers",
    summary: "lets functions of a function app rest, or work again",
    docs: "Sets `AzureWebJobs.NAME.Disabled` for each function, so that timers and queue triggers rest while the app runs on. \
        Use it before traffic moves, so that no message is worked on in both regions.",
    parameters: parameters![
        APP,
        SLOT,
        must("functions", strings, "the names of the functions"),
        must("enabled", boolean, "whether they work"),
    ],
    outputs: Outputs::Fixed(&[must("functions", strings, "the functions")]),
    takes: |_| Takes::guess(15, 60),
    permissions: &[
        "Microsoft.Web/sites/config/list/action",
        "Microsoft.Web/sites/config/write",
        "Microsoft.Web/sites/slots/config/list/action",
        "Microsoft.Web/sites/slots/config/write",
    ],
    ..IDEMPOTENT
};

impl SetTriggers {
    /// The settings that let the functions work or rest.
    fn set(with: &With<'_>) -> BTreeMap<String, String> {
        let rests = !with.flag("enabled").unwrap_or(true);
        let setting = |name: &&str| (format!("AzureWebJobs.{name}.Disabled"), rests.to_string());
        with.list("functions").iter().map(setting).collect()
    }
}

impl Operation for SetTriggers {
    fn spec(&self) -> &'static ActionSpec {
        &SET_TRIGGERS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (app, functions, set) = (app(with), with.list("functions"), Self::set(with));
        let is_enabled = with.flag("enabled").unwrap_or(true);
        let verb = if is_enabled { "let work" } else { "let rest" };
        let now = known.body(&list(&app))?;
        // A function without the setting works.
        let holds = is_enabled && settings_of(now).all(|(name, value)| !set.contains_key(name) || value == "false");
        if let (Some((put, _)), false) = (change(&app, now, &set, &[]), holds) {
            return Ok(Next::send(put, format!("{verb}: {} of `{}`", functions.join(", "), with.text("app"))));
        }
        Ok(Next::done(json!({ "functions": functions }), format!("{verb}: {}", functions.join(", "))))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![unread(&app(with), &Self::set(with), &[])]
    }
}

struct Compare;

static COMPARE: ActionSpec = ActionSpec {
    name: "azure.app_service.compare",
    summary: "compares what two apps run, and their settings",
    docs: "Healthy means: both apps run the same (runtime, container image, package), and the settings named are equal. Values \
        are compared, never shown. Use it before traffic moves: is the same version deployed in both regions?",
    parameters: parameters![
        APP,
        SLOT,
        must("other", string, "the other app, by name or id"),
        may("other_resource_group", string, "its resource group; the step's own if absent"),
        may("settings", strings, "the settings that must be equal, such as `APP_VERSION`"),
    ],
    outputs: Outputs::Fixed(&[HEALTHY, REASON, must("differences", strings, "what differs, by name")]),
    permissions: &["Microsoft.Web/sites/config/list/action", "Microsoft.Web/sites/slots/config/list/action"],
    ..CHECK
};

/// What says which version runs.
const RUNS: [&str; 3] = ["linuxFxVersion", "windowsFxVersion", "netFrameworkVersion"];
/// The package an app runs from, where it is deployed that way.
const PACKAGE: &str = "WEBSITE_RUN_FROM_PACKAGE";

impl Operation for Compare {
    fn spec(&self) -> &'static ActionSpec {
        &COMPARE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let group = with.option("other_resource_group").unwrap_or(with.text("resource_group"));
        let apps = [app(with), with.resource_in(group, "Microsoft.Web/sites", with.text("other"), API)];
        let config = |app: &Resource| app.child("config", "web").get();
        known.all(&[config(&apps[0]), config(&apps[1]), list(&apps[0]), list(&apps[1])])?;
        let (one, other) = (known.body(&config(&apps[0]))?, known.body(&config(&apps[1]))?);
        let runs = |name: &&&str| {
            let pointer = format!("/properties/{name}");
            text(one, &pointer) != text(other, &pointer)
        };
        let mut differences: Vec<String> = RUNS.iter().filter(runs).map(|name| (*name).to_owned()).collect();
        let settings = |app: &Resource| -> Result<BTreeMap<String, String>, Next> {
            Ok(settings_of(known.body(&list(app))?).map(|(name, value)| (name.clone(), value.to_owned())).collect())
        };
        let (one, other) = (settings(&apps[0])?, settings(&apps[1])?);
        let names = with.list("settings").into_iter().chain([PACKAGE]);
        differences.extend(names.filter(|name| one.get(*name) != other.get(*name)).map(str::to_owned));
        let reason = match differences.as_slice() {
            [] => "both run the same".to_owned(),
            differences => format!("they differ in {}", differences.join(", ")),
        };
        Ok(Next::done(
            json!({ "healthy": differences.is_empty(), "reason": reason, "differences": differences }),
            reason,
        ))
    }
}
