//! What was checked on the way, and whether it held.

use serde_json::Value;

use super::model::Validation;
use super::moments::{Moment, Moments};
use crate::engine::{End, Event, NodeId, Side};

/// What each `verify`, `assert` and probe said in the end.
pub(super) fn validations(moments: &Moments<'_>) -> Vec<Validation> {
    let mut found = Vec::new();
    for (moment, node) in moments.of_steps() {
        if let Some((check, holds, what)) = verified(moments, moment, node).or_else(|| checked(moments, moment, node)) {
            found.push(Validation { step: moments.path(node), check, at: moment.at, holds, what });
        }
    }
    found
}

fn verified(moments: &Moments<'_>, moment: &Moment<'_>, node: NodeId) -> Option<(String, bool, String)> {
    let Event::Verified { holds, reason, .. } = moment.event else { return None };
    let verify = moments.plan.step(moments.state.node(node).step).verify.as_ref();
    let action = verify.map_or("", |verify| verify.action.name.value.as_str());
    Some((format!("verify {action}"), *holds, reason.clone()))
}

/// A step that is a check itself. A probe that finds something unhealthy has done its work, but nothing held.
fn checked(moments: &Moments<'_>, moment: &Moment<'_>, node: NodeId) -> Option<(String, bool, String)> {
    let action = moments.action(node);
    if action != "assert" && !action.starts_with("probe.") {
        return None;
    }
    let Event::Outcome { end, side: Side::Apply, .. } = moment.event else { return None };
    let (holds, what) = match end {
        End::Succeeded { outputs, note, .. } => {
            let values = outputs.values();
            let output = |name: &str| values.and_then(|values| values.get(name));
            let healthy = output("healthy").and_then(Value::as_bool).unwrap_or(true);
            let reason = output("reason").and_then(Value::as_str).unwrap_or(note);
            (healthy, reason.to_owned())
        }
        End::Failed { reason, retry_at: None } => (false, reason.clone()),
        _ => return None,
    };
    Some((action.to_owned(), holds, what))
}
