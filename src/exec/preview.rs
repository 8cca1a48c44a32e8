//! Renders templates outside of a run: names that only a run knows stand as themselves.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::diag::{Format, Sources, render};
use crate::error::{Error, Exit};
use crate::plan::Template;
use crate::runbook::expr::{Notice, Scope, Undefined};
use crate::runbook::source;

/// A name, and the subject and text.
pub type Rendered = (String, (String, String));

/// Renders one template, or all.
///
/// # Errors
/// A template cannot be read, or Tera refuses it.
pub fn notices(workspace: &Path, name: Option<&str>, vars: &Map<String, Value>) -> Result<Vec<Rendered>, Error> {
    let folder = workspace.join("templates");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .map_err(|error| Error::usage(format!("cannot read `{}`: {error}", folder.display())))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    let mut rendered = Vec::new();
    for file in files {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if name.is_none_or(|name| name == stem) {
            rendered.push((stem, one(&file, vars)?));
        }
    }
    match name {
        Some(name) if rendered.is_empty() => {
            Err(Error::usage(format!("no template `{name}` in `{}`", folder.display())))
        }
        _ => Ok(rendered),
    }
}

fn one(file: &Path, vars: &Map<String, Value>) -> Result<(String, String), Error> {
    let mut sources = Sources::default();
    let problem = |found: &[crate::diag::Diagnostic], sources: &Sources| {
        Error::new(Exit::Invalid, render(found, sources, Format::Human, false))
    };
    let bytes = std::fs::read(file)?;
    let source = source::decode(&mut sources, &file.display().to_string(), &bytes)
        .map_err(|found| problem(&found, &Sources::default()))?;
    let template = Template::parse(&sources, source).map_err(|found| problem(&[*found], &sources))?;
    let text = |notice: &Notice| {
        notice
            .render(&StandIns { notice, vars })
            .map_err(|undefined| Error::new(Exit::Invalid, format!("`{}`: {undefined}", file.display())))
    };
    Ok((text(&template.subject)?.trim().to_owned(), text(&template.body)?))
}

/// Every name stands for itself, in brackets, unless a variable was given for it.
struct StandIns<'n> {
    notice: &'n Notice,
    vars: &'n Map<String, Value>,
}

impl StandIns<'_> {
    fn tree(&self, root: &str) -> Value {
        let mut tree = json!({});
        for path in self.notice.scan.paths.iter().filter(|path| path.parts[0] == root) {
            let mut at = &mut tree;
            for part in &path.parts[1..path.parts.len() - 1] {
                at = match at {
                    Value::Object(entries) => entries.entry(part.clone()).or_insert_with(|| json!({})),
                    other => other,
                };
            }
            let last = path.parts.last().cloned().unwrap_or_default();
            if let Value::Object(entries) = at {
                entries.entry(last).or_insert_with(|| Value::String(format!("[{}]", path.dotted())));
            }
        }
        tree
    }
}

impl Scope for StandIns<'_> {
    fn root(&self, name: &str) -> Option<tera::Value> {
        let mut tree = self.tree(name);
        if let ("vars", Value::Object(entries)) = (name, &mut tree) {
            entries.extend(self.vars.clone());
        }
        if let ("run", Value::Object(entries)) = (name, &mut tree) {
            entries.insert("failed".to_owned(), json!([]));
        }
        tera::Value::try_from_serializable(&tree).ok()
    }

    fn step(&self, id: &str) -> Option<Result<tera::Value, Undefined>> {
        let tree = self.tree("steps");
        tera::Value::try_from_serializable(tree.get(id)?).ok().map(Ok)
    }
}
