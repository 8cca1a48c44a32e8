//! What became of the deliveries of notices.
//!
//! Knows what a handle of the action `notify` says; not how anything is delivered. A delivery is one message to one
//! recipient through one channel. Its name is the channel's, followed by the recipient where the channel has several:
//! `pager`, `mail/ada@example.com`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::{End, Outputs};
use super::node::{Node, NodeId};
use super::state::State;
use crate::catalogue::Timestamp;
use crate::plan::Plan;

/// The action whose failures are owed rather than in the way.
const NOTIFY: &str = "notify";

/// What a `notify` step journals as its handle: all that is known of its deliveries, in earlier attempts too.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Deliveries {
    /// Those that were taken.
    pub delivered: Vec<String>,
    /// The one that is just being sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<String>,
    /// Those of which nothing tells whether they were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<String>,
    /// Why each was not, or may not have been, taken. Those that are not in doubt were not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub why: BTreeMap<String, String>,
    /// What receivers call what they made of a notice, by channel: later notices go there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<String, String>,
    /// When those were first sent that may have been taken: receivers that deduplicate want it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub first_sent: BTreeMap<String, Timestamp>,
    /// A person has given up those that were not taken: nothing is owed any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

impl Deliveries {
    /// Reads a handle; nothing where it is none of a notice.
    #[must_use]
    pub fn read(handle: &Value) -> Option<Self> {
        Self::deserialize(handle).ok()
    }

    /// Whether nothing is left to be done for the delivery without a person.
    #[must_use]
    pub fn is_settled(&self, name: &str) -> bool {
        self.delivered.iter().chain(&self.in_doubt).any(|settled| settled == name)
    }

    /// The delivery was taken.
    pub fn taken(&mut self, name: &str) {
        self.forget(name);
        self.delivered.push(name.to_owned());
    }

    /// The delivery was not taken.
    pub fn refused(&mut self, name: &str, why: String) {
        self.forget(name);
        self.why.insert(name.to_owned(), why);
    }

    /// Nothing tells whether the delivery was taken.
    pub fn doubt(&mut self, name: &str, why: String) {
        let first_sent = self.first_sent.get(name).copied();
        self.forget(name);
        self.first_sent.extend(first_sent.map(|at| (name.to_owned(), at)));
        self.in_doubt.push(name.to_owned());
        self.why.insert(name.to_owned(), why);
    }

    /// A handle that tells of these deliveries alone, to who knows the record before: what a journal holds grows with an
    /// audience, not with its square.
    #[must_use]
    pub fn changes(&self, names: &BTreeSet<String>, sending: Option<&str>) -> Value {
        let listed = |all: &[String]| all.iter().filter(|name| names.contains(*name)).cloned().collect();
        let why = names.iter().filter_map(|name| Some((name.clone(), self.why.get(name)?.clone())));
        let first_sent = names.iter().filter_map(|name| Some((name.clone(), *self.first_sent.get(name)?)));
        let deliveries = Self {
            delivered: listed(&self.delivered),
            sending: sending.map(str::to_owned),
            in_doubt: listed(&self.in_doubt),
            why: why.collect(),
            receipts: self.receipts.clone(),
            first_sent: first_sent.collect(),
            given_up: false,
        };
        json!(Changed { deliveries })
    }

    /// Takes in what a later record tells.
    fn take_in(&mut self, changed: Self) {
        changed.delivered.iter().for_each(|name| self.taken(name));
        for (name, why) in changed.why {
            if changed.in_doubt.contains(&name) { self.doubt(&name, why) } else { self.refused(&name, why) }
        }
        self.first_sent.extend(changed.first_sent);
        self.receipts.extend(changed.receipts);
        self.sending = changed.sending;
    }

    /// A person knows, or wants it all the same: it may be sent again.
    pub fn release(&mut self, name: &str) {
        self.sending.take_if(|sending| sending == name);
        self.in_doubt.retain(|doubtful| doubtful != name);
    }

    fn forget(&mut self, name: &str) {
        self.sending.take_if(|sending| sending == name);
        self.in_doubt.retain(|doubtful| doubtful != name);
        self.delivered.retain(|delivered| delivered != name);
        self.why.remove(name);
        self.first_sent.remove(name);
    }
}

/// A handle that tells only of the deliveries that have come further since the one before.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    deliveries: Deliveries,
}

/// What is known by a handle and the one before it.
#[must_use]
pub fn known_by(before: Option<Value>, handle: &Value) -> Value {
    let Ok(Changed { deliveries }) = Changed::deserialize(handle) else { return handle.clone() };
    let mut known: Deliveries = before.and_then(|before| serde_json::from_value(before).ok()).unwrap_or_default();
    known.take_in(deliveries);
    json!(known)
}

pub(super) fn is_notice(plan: &Plan, node: &Node) -> bool {
    plan.step(node.step).action.name.value == NOTIFY
}

pub(super) fn deliveries(node: &Node) -> Option<Deliveries> {
    Deliveries::read(node.handle().or(node.previous())?)
}

/// What an attempt of a notice is told of those before: of its own deliveries, and what all notices of the run were
/// given as receipts.
pub(super) fn known_before(plan: &Plan, state: &State, id: NodeId, own: Option<&Value>) -> Option<Value> {
    if !is_notice(plan, state.node(id)) {
        return own.cloned();
    }
    let others = state.iter().filter(|(_, node)| is_notice(plan, node)).filter_map(|(_, node)| deliveries(node));
    let receipts: BTreeMap<String, String> = others.flat_map(|others| others.receipts).collect();
    if receipts.is_empty() {
        return own.cloned();
    }
    let mut known = own.and_then(Deliveries::read).unwrap_or_default();
    known.receipts = receipts;
    serde_json::to_value(known).ok()
}

/// All that is known of a notice's deliveries, and what other notices of the run were given as receipts.
pub(super) fn notice_known(plan: &Plan, state: &State, id: NodeId) -> Option<Value> {
    let node = state.node(id);
    known_before(plan, state, id, node.handle().or(node.previous()))
}

/// A person has settled what the handle calls in doubt: it is sent again.
pub(super) fn release_doubts(handle: &mut Value) {
    if let Some(entries) = handle.as_object_mut() {
        entries.remove("in_doubt");
        entries.remove("sending");
    }
}

/// How a call to a gate has ended, by what is known of its deliveries; nothing where the handle tells nothing of any.
pub(super) fn end_by(handle: &Value) -> Option<End> {
    let Deliveries { delivered, sending, in_doubt, why, .. } = Deliveries::read(handle)?;
    let reached = if delivered.is_empty() { "nobody".to_owned() } else { format!("`{}`", delivered.join("`, `")) };
    let mut note = format!("delivered to {reached}");
    why.iter().for_each(|(name, why)| note.extend(["; `", name, "`: ", why]));
    Some(match (sending, in_doubt.is_empty(), why.is_empty()) {
        (None, true, true) => End::Succeeded { outputs: Outputs::None, already: false, note, label: None },
        (None, true, false) => End::Failed { reason: note, retry_at: None },
        _ => End::Ambiguous { evidence: note },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A handle for each thing that happens, those before it told apart or as a whole.
    #[test]
    fn what_changed_tells_as_much_as_the_whole() {
        type Step = fn(&mut Deliveries);
        let steps: [(&str, Option<&str>, Step); 8] = [
            ("a", Some("a"), |all| all.first_sent.extend([("a".to_owned(), Timestamp(7))])),
            ("a", Some("b"), |all| all.why.extend([("a".to_owned(), "no answer".to_owned())])),
            ("b", Some("c"), |all| all.refused("b", "550".to_owned())),
            ("c", Some("a"), |all| all.doubt("c", "it hung up".to_owned())),
            ("a", Some("b"), |all| all.taken("a")),
            ("b", Some("d"), |all| all.doubt("b", "it hung up".to_owned())),
            ("d", None, |all| all.receipts.extend([("d".to_owned(), "id-1".to_owned())])),
            ("d", None, |all| all.taken("d")),
        ];
        let (mut known, mut told) = (Deliveries::default(), None);
        for (name, sending, step) in steps {
            step(&mut known);
            told = Some(known_by(told, &known.changes(&BTreeSet::from([name.to_owned()]), sending)));
            let whole = Deliveries { sending: sending.map(str::to_owned), ..known.clone() };
            assert_eq!(told, Some(json!(whole)), "{name}");
        }
    }

    #[test]
    fn a_handle_of_something_else_is_kept_as_it_is() {
        for handle in [json!({"url": "https://x"}), json!(null), json!({"deliveries": 3}), json!({"delivered": ["a"]})]
        {
            assert_eq!(known_by(Some(json!({"delivered": ["b"]})), &handle), handle);
        }
    }
}
