//! Values with expressions in them, before and after they are rendered.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::ExprId;
use crate::catalogue::Type;

/// A value as written: plain, or with `{{ }}` in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Templated {
    /// No expression anywhere inside.
    Plain(Value),
    /// The whole value is one `{{ }}`: keeps its type.
    Expression(ExprId),
    /// One `{{ inputs.NAME }}` where the input is a secret.
    Secret(String),
    /// Text around expressions.
    Text(Vec<Segment>),
    /// A list with an expression somewhere inside.
    List(Vec<Self>),
    /// A mapping with an expression somewhere inside.
    Map(Vec<(String, Self)>),
}

/// A piece of [`Templated::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// As it stands.
    Text(String),
    /// Replaced by its value.
    Expression(ExprId),
    /// Replaced by a secret's value, just before use.
    Secret(String),
}

impl Templated {
    /// The value where it is plain.
    #[must_use]
    pub fn plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            _ => None,
        }
    }

    /// A mapping as far as it is known before a run: what has an expression in it is null.
    #[must_use]
    pub fn known(&self) -> Option<Map<String, Value>> {
        match self {
            Self::Plain(Value::Object(with)) => Some(with.clone()),
            Self::Map(entries) => {
                let value = |value: &Self| value.plain().cloned().unwrap_or(Value::Null);
                Some(entries.iter().map(|(name, item)| (name.clone(), value(item))).collect())
            }
            _ => None,
        }
    }

    /// The entry of that name, where this is a mapping with expressions in it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<std::borrow::Cow<'_, Self>> {
        match self {
            Self::Plain(Value::Object(entries)) => {
                entries.get(name).map(|value| std::borrow::Cow::Owned(Self::Plain(value.clone())))
            }
            Self::Map(entries) => {
                entries.iter().find(|(key, _)| key == name).map(|(_, value)| std::borrow::Cow::Borrowed(value))
            }
            _ => None,
        }
    }

    /// Puts an entry into a mapping, in the place of one of that name.
    pub fn add_entry(&mut self, name: &str, value: Self) {
        if let (Self::Plain(Value::Object(entries)), Self::Plain(value)) = (&mut *self, &value) {
            entries.insert(name.to_owned(), value.clone());
            return;
        }
        let entries: Vec<(String, Self)> = match std::mem::replace(self, Self::Plain(Value::Null)) {
            Self::Plain(Value::Object(entries)) => {
                entries.into_iter().map(|(name, value)| (name, Self::Plain(value))).collect()
            }
            Self::Map(entries) => entries,
            _ => Vec::new(),
        };
        let others = entries.into_iter().filter(|(key, _)| key != name);
        *self = Self::Map(others.chain([(name.to_owned(), value)]).collect());
    }

    /// Takes an entry out of a mapping.
    pub fn remove_entry(&mut self, name: &str) {
        match self {
            Self::Plain(Value::Object(entries)) => drop(entries.remove(name)),
            Self::Map(entries) => entries.retain(|(key, _)| key != name),
            _ => {}
        }
    }

    /// The secrets inside, by name, in order; they stand in no expression.
    #[must_use]
    pub fn secrets<'s>(&'s self) -> Vec<&'s str> {
        match self {
            Self::Plain(_) | Self::Expression(_) => Vec::new(),
            Self::Secret(name) => vec![name],
            Self::Text(segments) => {
                let secret = |segment: &'s Segment| match segment {
                    Segment::Secret(name) => Some(name.as_str()),
                    _ => None,
                };
                segments.iter().filter_map(secret).collect()
            }
            Self::List(items) => items.iter().flat_map(Self::secrets).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, item)| item.secrets()).collect(),
        }
    }

    /// Every expression inside, in order.
    pub fn expressions(&self, found: &mut Vec<ExprId>) {
        match self {
            Self::Plain(_) | Self::Secret(_) => {}
            Self::Expression(id) => found.push(*id),
            Self::Text(segments) => found.extend(segments.iter().filter_map(|segment| match segment {
                Segment::Expression(id) => Some(*id),
                _ => None,
            })),
            Self::List(items) => items.iter().for_each(|item| item.expressions(found)),
            Self::Map(entries) => entries.iter().for_each(|(_, item)| item.expressions(found)),
        }
    }
}

/// A rendered value. Secrets are still references.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// No secret inside.
    Plain(Value),
    /// Text with secrets in it.
    Text(Vec<Part>),
    /// A list with a secret inside.
    List(Vec<Self>),
    /// A mapping with a secret inside.
    Map(Vec<(String, Self)>),
}

/// A piece of rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// The secret of that name.
    Secret(String),
}

impl Rendered {
    /// The value with every secret replaced by what `secret` gives for its name.
    pub fn resolve(&self, secret: &impl Fn(&str) -> String) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(parts) => Value::String(
                parts
                    .iter()
                    .map(|part| match part {
                        Part::Text(text) => text.clone(),
                        Part::Secret(name) => secret(name),
                    })
                    .collect(),
            ),
            Self::List(items) => Value::Array(items.iter().map(|item| item.resolve(secret)).collect()),
            Self::Map(entries) => Value::Object(
                entries.iter().map(|(key, item)| (key.clone(), item.resolve(secret))).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The value as it may be shown and journaled: secrets by name.
    #[must_use]
    pub fn shown(&self) -> Value {
        self.resolve(&|name| format!("<secret {name}>"))
    }

    /// A form for digests: unlike [`Self::shown`], text that merely looks like a reference differs from one.
    #[must_use]
    pub fn canonical(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(parts) => json!({ "$parts": parts.iter().map(|part| match part {
                Part::Text(text) => json!({ "text": text }),
                Part::Secret(name) => json!({ "secret": name }),
            }).collect::<Vec<_>>() }),
            Self::List(items) => Value::Array(items.iter().map(Self::canonical).collect()),
            Self::Map(entries) => {
                Value::Object(entries.iter().map(|(key, item)| (key.clone(), item.canonical())).collect())
            }
        }
    }

    /// The value as its type takes it; see [`Type::settle`].
    #[must_use]
    pub fn settle(self, kind: &Type) -> Self {
        match (self, kind) {
            (Self::Plain(value), kind) => Self::Plain(kind.settle(value)),
            (Self::List(items), Type::List(of)) => Self::List(items.into_iter().map(|item| item.settle(of)).collect()),
            (Self::Map(entries), Type::Map(of)) => {
                Self::Map(entries.into_iter().map(|(key, item)| (key, item.settle(of))).collect())
            }
            (Self::Map(entries), Type::Record(fields)) => {
                let kind = |name: &str| fields.iter().find(|field| field.name == name).map(|field| (field.kind)());
                let settled = |(key, item): (String, Self)| {
                    let item = kind(&key).map_or_else(|| item.clone(), |kind| item.clone().settle(&kind));
                    (key, item)
                };
                Self::Map(entries.into_iter().map(settled).collect())
            }
            (other, _) => other,
        }
    }

    /// The names of all secrets inside.
    pub fn secrets(&self, found: &mut BTreeSet<String>) {
        match self {
            Self::Plain(_) => {}
            Self::Text(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Secret(name) => Some(name.clone()),
                Part::Text(_) => None,
            })),
            Self::List(items) => items.iter().for_each(|item| item.secrets(found)),
            Self::Map(entries) => entries.iter().for_each(|(_, item)| item.secrets(found)),
        }
    }
}
