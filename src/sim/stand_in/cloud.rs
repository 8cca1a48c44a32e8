//! What became of the simulated Azure, as a rehearsal is judged by it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sim::azure::{Azure, Logged};

/// What was sent to change something, and was carried out or goes on: the step's path, method and URL. Requests with
/// the same token are one to the service; what was begun and fails changes nothing.
pub(super) fn writes(azure: &Azure) -> Vec<(String, String)> {
    let requests = azure.requests();
    let mut tokens = BTreeSet::new();
    let token = |logged: &Logged| logged.body.get("idempotency_token").and_then(Value::as_str).map(str::to_owned);
    let is_new = |logged: &&Logged| token(logged).is_none_or(|token| tokens.insert(token));
    let writes = requests.iter().filter(|logged| logged.was_done && !logged.fails).filter(is_new);
    writes.map(|logged| (logged.step.clone(), format!("{} {}", logged.method, logged.url))).collect()
}
