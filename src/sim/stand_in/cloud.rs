//! What became of the simulated Azure, as a rehearsal is judged by it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sim::azure::{Azure, Logged};

/// What was sent to change something, and was carried out: the step's path, method and URL. Requests with the same
/// token are one to the service.
pub(super) fn writes(azure: &Azure) -> Vec<(String, String)> {
    let requests = azure.requests();
    let mut tokens = BTreeSet::new();
    let token = |logged: &Logged| logged.body.get("idempotency_token").and_then(Value::as_str).map(str::to_owned);
    let is_new = |logged: &&Logged| token(logged).is_none_or(|token| tokens.insert(token));
    let writes = requests.iter().filter(|logged| logged.was_done).filter(is_new);
    writes.map(|logged| (logged.step.clone(), format!("{} {}", logged.method, logged.url))).collect()
}

/// The region that a simulated resource serves from: its own, or of a Traffic Manager profile that of the enabled
/// endpoint with the first priority.
pub(super) fn region_of(azure: &Azure, resource: &str) -> Option<String> {
    let text = |resource: &Value, at: &str| resource.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = |region: &String| !region.is_empty() && region != "global";
    let found = azure.look(resource)?;
    if let Some(own) = Some(text(&found, "/location")).filter(named) {
        return Some(own);
    }
    let profile = format!("{}/", text(&found, "/id").to_ascii_lowercase());
    let resources = azure.resources();
    let endpoints = resources.iter().filter(|(id, _)| id.starts_with(&profile)).map(|(_, endpoint)| endpoint);
    let enabled = endpoints.filter(|it| text(it, "/properties/endpointStatus").eq_ignore_ascii_case("enabled"));
    let first = enabled.min_by_key(|endpoint| endpoint.pointer("/properties/priority").and_then(Value::as_u64))?;
    let target = azure.look(&text(first, "/properties/targetResourceId")).map(|target| text(&target, "/location"));
    target.filter(named).or_else(|| Some(text(first, "/properties/endpointLocation")).filter(named))
}
