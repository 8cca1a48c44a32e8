//! Key Vault: vaults that were deleted, secrets that were deleted, and whether two vaults hold the same.
//!
//! Vaults are on Resource Manager (`Microsoft.KeyVault`, api-version 2025-05-01), what is in them on their own hosts. Values are
//! compared by digest, and never shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::operations;
use crate::actions::azure::fields::{
    CHECK, HEALTHY, IDEMPOTENT, REASON, boolean, may, must, parameters, string, strings, words,
};
use crate::actions::azure::read::{is, items, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::with::region;
use crate::actions::azure::{Api, Cloud, Known, Method, Next, Operation, Request, Resource, With, vault_host};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes};
use crate::plan::digest;

const API: &str = "2025-05-01";
const DATA: &str = "2026-04-01";
const SCOPE: &str = "https://vault.azure.net/.default";

const VAULT: Field = must("vault", string, "the key vault");

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![State, Recover, RecoverSecrets, Compare]
}

fn vault(with: &With<'_>) -> Resource {
    with.resource("Microsoft.KeyVault/vaults", "vault", API)
}

/// A request to what is in a vault, named by the vault's name.
fn inside(with: &With<'_>, vault: &str, method: Method, path: &str) -> Request {
    asked_of(&with.cloud(), vault.rsplit('/').next().unwrap_or_default(), method, path)
}

/// A request to what is in the vault of that name.
pub(in crate::actions::azure) fn asked_of(cloud: &Cloud, vault: &str, method: Method, path: &str) -> Request {
    let host = vault_host(cloud, vault);
    let scope = SCOPE.replace("vault.azure.net", cloud.key_vault_suffix());
    Request::new(Api::Data { host, scope }, method, format!("{path}?api-version={DATA}"))
}

struct State;

static STATE: ActionSpec = ActionSpec {
    name: "azure.key_vault.state",
    summary: "reads whether a key vault is there",
    docs: "Healthy means: the vault is there. While its region fails over, a vault can be read but not changed.",
    parameters: parameters![VAULT],
    outputs: Outputs::Fixed(&[HEALTHY, REASON]),
    ..CHECK
};

impl Operation for State {
    fn spec(&self) -> &'static ActionSpec {
        &STATE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let is_there = known.find(&vault(with).get())?.is_some();
        let reason = format!("`{}` is {}", with.text("vault"), if is_there { "there" } else { "not there" });
        Ok(Next::done(json!({ "healthy": is_there, "reason": reason }), reason))
    }
}

struct Recover;

static RECOVER: ActionSpec = ActionSpec {
    name: "azure.key_vault.recover",
    summary: "brings a deleted key vault back",
    docs: "Recovers a vault that was deleted and not purged yet, with all that was in it.",
    parameters: parameters![
        VAULT,
        must("location", string, "the region it was in"),
        must("tenant", string, "the id of the tenant it belongs to"),
    ],
    outputs: Outputs::Fixed(&[must("id", string, "the id of the vault")]),
    takes: |_| Takes::guess(60, 300),
    permissions: &["Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/locations/deletedVaults/read"],
    ..IDEMPOTENT
};

impl Recover {
    fn deleted(with: &With<'_>) -> Request {
        let id = format!("{}/providers/Microsoft.KeyVault", with.subscription().id);
        let location = Resource { id, api: API }.child("locations", &region(with.text("location")));
        location.child("deletedVaults", with.text("vault")).get()
    }

    fn write(with: &With<'_>) -> Request {
        vault(with).put(json!({
            "location": with.text("location"),
            "properties": {
                "createMode": "recover",
                "tenantId": with.text("tenant"),
                "sku": { "family": "A", "name": "standard" },
            },
        }))
    }
}

impl Operation for Recover {
    fn spec(&self) -> &'static ActionSpec {
        &RECOVER
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let name = with.text("vault");
        if let Some(now) = known.find(&vault(with).get())? {
            if is(now, "/properties/provisioningState", "RegisteringDns") {
                return Ok(Next::Wait(format!("`{name}` gets its address")));
            }
            return Ok(Next::done(json!({ "id": vault(with).id }), format!("`{name}` is there")));
        }
        if known.find(&Self::deleted(with))?.is_none() {
            return Ok(Next::Fail(format!("no deleted vault is called `{name}` in `{}`", with.text("location"))));
        }
        Ok(Next::send(Self::write(with), format!("recover `{name}`")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct RecoverSecrets;

static RECOVER_SECRETS: ActionSpec = ActionSpec {
    name: "azure.key_vault.recover_secrets",
    summary: "brings deleted secrets of a key vault back",
    docs: "Recovers secrets that were deleted and not purged yet: the ones named, or all.",
    parameters: parameters![VAULT, may("names", strings, "the secrets; all that were deleted if absent")],
    outputs: Outputs::Fixed(&[must("recovered", strings, "the names of those that were asked for")]),
    takes: |_| Takes::guess(20, 120),
    permissions: &["Key Vault Secrets Officer, on the vault"],
    ..IDEMPOTENT
};

/// The last part of an id of something in a vault.
fn name_of(item: &Value) -> &str {
    ["/id", "/recoveryId", "/kid"]
        .iter()
        .map(|at| text(item, at))
        .find(|id| !id.is_empty())
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

impl RecoverSecrets {
    /// Recovers one secret; its name as it stands in a path.
    fn recover(with: &With<'_>, name: &str) -> Request {
        inside(with, with.text("vault"), Method::Post, &format!("/deletedsecrets/{name}/recover"))
    }
}

impl Operation for RecoverSecrets {
    fn spec(&self) -> &'static ActionSpec {
        &RECOVER_SECRETS
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let deleted = known.body(&inside(with, with.text("vault"), Method::Get, "/deletedsecrets"))?;
        let wanted = with.list("names");
        let left: Vec<&str> = items(deleted, "/value")
            .iter()
            .map(name_of)
            .filter(|name| with.value("names").is_none() || wanted.contains(name))
            .collect();
        let recover = |name: &str| Self::recover(with, &segment(name));
        let next = left.iter().find(|name| known.sent(&recover(name)).is_none());
        Ok(match (left.len(), next) {
            (0, _) => Next::done(json!({ "recovered": wanted }), "no secret that was asked for is deleted"),
            (_, Some(name)) => Next::send(recover(name), format!("recover the secret `{name}`")),
            (count, None) => Next::Wait(format!("{count} secrets are coming back")),
        })
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        match with.value("names") {
            None => vec![Self::recover(with, "{secret}")],
            Some(_) => with.list("names").iter().map(|name| Self::recover(with, &segment(name))).collect(),
        }
    }
}

struct Compare;

static COMPARE: ActionSpec = ActionSpec {
    name: "azure.key_vault.compare",
    summary: "compares the secrets and certificates of two key vaults",
    docs: "Healthy means: every secret and certificate of `other` is in `vault` too, and, with `values`, has the same value. Values are read \
        to be compared by digest only, and never shown; reading them needs the right to.",
    parameters: parameters![
        VAULT,
        must("other", string, "the vault that is the reference"),
        may("what", || words(["secrets", "certificates", "both"]), "`both` if absent"),
        may("values", boolean, "whether values are compared, not only names; `false` if absent"),
    ],
    outputs: Outputs::Fixed(&[
        HEALTHY,
        REASON,
        must("missing", strings, "what is in `other` only, such as `secrets/db`"),
        must("differing", strings, "what has another value"),
    ]),
    takes: |_| Takes::guess(5, 30),
    permissions: &["Key Vault Secrets User and Key Vault Certificate User, on both vaults"],
    ..CHECK
};

impl Compare {
    /// The digests of what a vault holds, by name; empty ones where values are not compared.
    fn digests(with: &With<'_>, known: &Known, vault: &str, kind: &str) -> Result<BTreeMap<String, String>, Next> {
        let list = known.body(&inside(with, vault, Method::Get, &format!("/{kind}")))?;
        let names: Vec<&str> = items(list, "/value").iter().map(name_of).collect();
        if with.flag("values") != Some(true) {
            return Ok(names.into_iter().map(|name| (name.to_owned(), String::new())).collect());
        }
        let read = |name: &str| inside(with, vault, Method::Get, &format!("/{kind}/{}", segment(name)));
        known.all(&names.iter().map(|name| read(name)).collect::<Vec<_>>())?;
        let value = |name: &str| -> Result<(String, String), Next> {
            let item = known.body(&read(name))?;
            let value = if kind == "secrets" { text(item, "/value") } else { text(item, "/x5t") };
            Ok((name.to_owned(), digest::of_bytes(value.as_bytes())))
        };
        names.into_iter().map(value).collect()
    }
}

impl Operation for Compare {
    fn spec(&self) -> &'static ActionSpec {
        &COMPARE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let kinds = match with.option("what") {
            Some("secrets") => vec!["secrets"],
            Some("certificates") => vec!["certificates"],
            _ => vec!["secrets", "certificates"],
        };
        let (mut missing, mut differing) = (Vec::new(), Vec::new());
        for kind in kinds {
            let own = Self::digests(with, known, with.text("vault"), kind)?;
            for (name, digest) in Self::digests(with, known, with.text("other"), kind)? {
                match own.get(&name) {
                    None => missing.push(format!("{kind}/{name}")),
                    Some(found) if *found != digest => differing.push(format!("{kind}/{name}")),
                    Some(_) => {}
                }
            }
        }
        let reason = match (missing.len(), differing.len()) {
            (0, 0) => "the vaults hold the same".to_owned(),
            (missing, differing) => format!("{missing} missing, {differing} differing"),
        };
        let healthy = missing.is_empty() && differing.is_empty();
        let outputs = json!({ "healthy": healthy, "reason": reason, "missing": missing, "differing": differing });
        Ok(Next::done(outputs, reason))
    }
}
