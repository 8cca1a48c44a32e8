//! Which fields of a runbook could not be read as they stand: what they say is not known.

use std::collections::BTreeMap;

use super::ast::{Phase, Runbook};
use super::fields::{LanguageField, RUNBOOK, STEP};
use super::source::{Document, Node, NodeId};
use crate::diag::{Diagnostic, Severity};

/// Marks in the runbook, and in each step that was read, the fields in which something is wrong. Of a step that could
/// not be read at all, its phase is marked.
pub(super) fn mark(document: &Document, runbook: &mut Runbook, found: &[Diagnostic]) {
    let by_place: BTreeMap<u32, usize> =
        runbook.steps.iter().enumerate().map(|(index, step)| (step.span.start, index)).collect();
    for error in found.iter().filter(|finding| finding.severity == Severity::Error) {
        let at = error.primary.start;
        let top = entry(document, document.root(), at);
        // A field that is misspelt is the one that was meant, which is not there now.
        let name = |key: NodeId, is_own: bool| match &error.fix {
            Some(fix) if is_own => fix.replacement.clone(),
            _ => document.scalar_text(key).unwrap_or_default().to_owned(),
        };
        let is_key = |key: NodeId| error.code == "unknown-field" && document.span(key) == error.primary;
        // What stands behind an alias has its place elsewhere: such a mistake is one of the whole.
        let field = top.map(|(key, _)| name(key, is_key(key))).unwrap_or_default();
        let is_phase = Phase::ALL.iter().any(|phase| phase.name() == field);
        let item = top.filter(|_| is_phase).and_then(|(_, steps)| match document.get(steps) {
            // In the order of the text: one that an alias stands for is not found, and its phase is marked.
            Node::Sequence(items) => {
                let behind = items.partition_point(|item| document.span(*item).start <= at);
                items[..behind].last().copied().filter(|item| holds(document, *item, at))
            }
            _ => None,
        });
        let step = item.and_then(|item| {
            let index = by_place.get(&document.span(item).start)?;
            runbook.steps.get_mut(*index)
        });
        match (item, step) {
            (Some(item), Some(step)) => match missing(document, item, STEP, error) {
                missing if missing.is_empty() => {
                    let own = entry(document, item, at).map(|(key, _)| name(key, is_key(key))).unwrap_or_default();
                    step.unread.insert(own);
                }
                missing => step.unread.extend(missing),
            },
            _ => match missing(document, document.root(), RUNBOOK, error) {
                missing if missing.is_empty() => drop(runbook.unread.insert(field)),
                missing => runbook.unread.extend(missing),
            },
        }
    }
}

/// The fields that a mapping must have and has not, where the error is that it lacks one: that is told at its first key.
fn missing(document: &Document, mapping: NodeId, table: &[LanguageField], error: &Diagnostic) -> Vec<String> {
    let Node::Mapping(entries) = document.get(mapping) else { return Vec::new() };
    let is_first = entries.first().is_some_and(|(key, _)| document.span(*key) == error.primary);
    let is_there = |name: &str| entries.iter().any(|(key, _)| document.scalar_text(*key) == Some(name));
    let lacks = |field: &&LanguageField| field.required && !is_there(field.name);
    let names = table.iter().filter(|_| is_first && error.code == "missing-field").filter(lacks);
    names.map(|field| field.name.to_owned()).collect()
}

/// The entry of a mapping at that place of the text.
fn entry(document: &Document, mapping: NodeId, at: u32) -> Option<(NodeId, NodeId)> {
    let Node::Mapping(entries) = document.get(mapping) else { return None };
    let is_there = |(key, value): &&(NodeId, NodeId)| holds(document, *key, at) || holds(document, *value, at);
    entries.iter().find(is_there).copied()
}

fn holds(document: &Document, node: NodeId, at: u32) -> bool {
    let span = document.span(node);
    (span.start..=span.end).contains(&at)
}
