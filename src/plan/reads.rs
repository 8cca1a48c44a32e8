//! Who reads the outputs of a step.

use serde_json::Value;

use super::definition::written;
use super::{Plan, StepIndex, Template, variants};
use crate::runbook::ast::{RunIf, Step};
use crate::runbook::expr::Path;

/// Somebody reads an output of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Who.
    pub by: StepIndex,
    /// The instance whose output it is, where it is one of many.
    pub key: Option<String>,
    /// Which output; nothing where all are read at once.
    pub output: Option<String>,
    /// Whether the reader cannot do without it.
    pub needed: bool,
}

impl Plan {
    /// Every read of the step's outputs, within its runbook.
    #[must_use]
    pub fn reads_of(&self, step: StepIndex) -> Vec<Read> {
        let part = self.part_of(step);
        let mut reads = Vec::new();
        for (by, reader) in part.indexed() {
            let free = by == step || reader.run_if != RunIf::Success;
            let mut undoing = Vec::new();
            if let Some(rollback) = reader.rollback.as_ref().filter(|_| by == step) {
                rollback.with.value.expressions(&mut undoing);
            }
            for id in reader.expressions() {
                let paths = &part.runbook.expressions.get(id).scan.paths;
                let free = free && !undoing.contains(&id);
                reads.extend(paths.iter().filter_map(|path| self.read(step, by, path, free)));
            }
            for template in self.templates_of(by, reader) {
                reads.extend(template.reads().filter_map(|(path, _)| self.read(step, by, path, free)));
            }
        }
        for (_, value) in &part.runbook.outputs {
            let mut ids = Vec::new();
            value.expressions(&mut ids);
            let paths = ids.iter().flat_map(|id| &part.runbook.expressions.get(*id).scan.paths);
            // What cannot be given back is left out.
            reads.extend(paths.filter_map(|path| self.read(step, step, path, true)));
        }
        reads
    }

    fn read(&self, step: StepIndex, by: StepIndex, path: &Path, free: bool) -> Option<Read> {
        let about = self.step(step);
        let (id, rest) = match path.parts.as_slice() {
            [root, id, rest @ ..] if root == "steps" => (id, rest),
            _ => return None,
        };
        if *id != about.id.value || rest.first().is_some_and(|part| part != "outputs") {
            return None;
        }
        let mut names = rest.iter().skip(1).cloned();
        let key = about.for_each.is_some().then(|| names.next()).flatten();
        let output = names.next();
        Some(Read { by, key, needed: output.is_some() && !path.guarded && !free, output })
    }

    /// The template that a step sends, in every language.
    fn templates_of(&self, index: StepIndex, step: &Step) -> Vec<&Template> {
        if step.action.name.value != "notify" {
            return Vec::new();
        }
        let with = written(self.runbook_of(index), &step.action.with.value);
        let Some(name) = with.get("template").and_then(Value::as_str) else { return Vec::new() };
        let base = self.templates.get(name).and_then(Option::as_ref);
        base.into_iter().chain(variants(&self.templates, name).map(|(_, variant)| variant)).collect()
    }
}
