//! What a `notify` step sends: its template, rendered for the audience, and the channels that reach it.

use serde_json::{Map, Value};

use super::claim::recovery_is_seen;
use super::scope::NodeScope;
use super::state::{NodeId, State};
use crate::plan::{Claim, Plan, channel_secret, message};
use crate::runbook::expr::{Part, Rendered, Undefined};
use crate::runbook::workspace::{Audience, Channel};

/// The step's parameters with the rendered message and the channels; secrets of channels are references.
pub(super) fn notice(
    (plan, state, node): (&Plan, &State, NodeId),
    scope: &NodeScope<'_>,
    mut with: Map<String, Value>,
) -> Result<Rendered, Undefined> {
    let text = |name: &str| with.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("template").unwrap_or_default();
    let template = plan.templates.get(&name).and_then(Option::as_ref);
    let template = template.ok_or_else(|| Undefined::Wrong(format!("no template is called `{name}`")))?;
    if template.claims == Some(Claim::Recovery) {
        recovery_is_seen(plan, state, node).map_err(Undefined::Wrong)?;
    }
    let of_template = || template.audience.as_ref().map(|audience| audience.value.clone());
    let audience = text("audience").or_else(of_template).unwrap_or_default();
    let told = plan.workspace.audiences.get(&audience);
    let told = told.ok_or_else(|| Undefined::Wrong(format!("`drctl.yaml` has no audience `{audience}`")))?;
    let vars = with.get("vars").and_then(Value::as_object).cloned().unwrap_or_default();
    let message = message(&plan.templates, &name, &scope.with_vars(&vars), (told, false))?;
    let channels = template.channels_of(&plan.workspace, told);
    let addresses = plan.workspace.addresses(told);
    let channels: Vec<Rendered> = channels.map(|(name, channel)| described(name, channel, &addresses)).collect();
    with.insert("audience".to_owned(), audience.into());
    with.insert("message".to_owned(), message.to_json());
    Ok(with_channels(with, channels))
}

/// The parameters of a call with the channels that reach who is called.
pub(super) fn addressed(plan: &Plan, with: Map<String, Value>, audience: &Audience) -> Rendered {
    let addresses = plan.workspace.addresses(audience);
    let described = |name: &String| Some(described(name, plan.workspace.channels.get(name)?, &addresses));
    with_channels(with, audience.channels.iter().filter_map(described).collect())
}

fn with_channels(mut with: Map<String, Value>, channels: Vec<Rendered>) -> Rendered {
    let plain: Option<Vec<Value>> = channels
        .iter()
        .map(|channel| match channel {
            Rendered::Plain(value) => Some(value.clone()),
            _ => None,
        })
        .collect();
    if let Some(channels) = plain {
        with.insert("channels".to_owned(), Value::Array(channels));
        return Rendered::Plain(Value::Object(with));
    }
    let plain = with.into_iter().map(|(name, value)| (name, Rendered::Plain(value)));
    Rendered::Map(plain.chain([("channels".to_owned(), Rendered::List(channels))]).collect())
}

/// The channels of those names as the action takes them, secrets as references.
#[must_use]
pub fn channels(plan: &Plan, names: &[String]) -> Rendered {
    let described = |name: &String| Some(described(name, plan.workspace.channels.get(name)?, &[]));
    Rendered::List(names.iter().filter_map(described).collect())
}

/// A channel as the action takes it.
fn described(name: &str, channel: &Channel, addresses: &[String]) -> Rendered {
    let mut settings = channel.settings.clone();
    if let Some(to) = channel.recipients(addresses) {
        settings.insert("to".to_owned(), to.into());
    }
    settings.insert("type".to_owned(), channel.kind.into());
    settings.insert("name".to_owned(), name.into());
    if channel.secrets.is_empty() {
        return Rendered::Plain(Value::Object(settings));
    }
    let mut rendered: Vec<(String, Rendered)> =
        settings.into_iter().map(|(key, value)| (key, Rendered::Plain(value))).collect();
    for (path, _) in &channel.secrets {
        let secret = Rendered::Text(vec![Part::Secret(channel_secret(name, path))]);
        match path.split_once('.') {
            None => rendered.push((path.clone(), secret)),
            Some((outer, inner)) => put(&mut rendered, outer, inner, secret),
        }
    }
    Rendered::Map(rendered)
}

/// Puts a secret into a mapping among the entries.
fn put(entries: &mut [(String, Rendered)], outer: &str, inner: &str, secret: Rendered) {
    let Some((_, value)) = entries.iter_mut().find(|(key, _)| key == outer) else { return };
    let mut inside = match std::mem::replace(value, Rendered::Plain(Value::Null)) {
        Rendered::Plain(Value::Object(plain)) => {
            plain.into_iter().map(|(key, value)| (key, Rendered::Plain(value))).collect()
        }
        Rendered::Map(entries) => entries,
        _ => Vec::new(),
    };
    inside.push((inner.to_owned(), secret));
    *value = Rendered::Map(inside);
}
