//! Files beside a runbook whose contents take the place of their names: templates of deployments.
//!
//! Done when a runbook is read, so that digests, pins and previews are of the contents. Knows nothing of disks: it is
//! given the files.

use serde_json::Value;

use super::ast::{ActionUse, Runbook};
use super::expr::Templated;
use crate::diag::{Diagnostic, Patience, limited, listed};

/// The parameter that names a file, and the one that takes what is in it.
const NAMED: &str = "template_file";
const CONTENTS: &str = "template";

/// Puts in every action what the file that it names holds. What is wrong comes back.
pub fn attach(runbook: &mut Runbook, files: &[(String, Vec<u8>)]) -> Vec<Diagnostic> {
    let (mut found, patience) = (Vec::new(), Patience::default());
    for step in &mut runbook.steps {
        for action in step.actions_mut().filter(|action| action.name.value.starts_with("azure.deployment.")) {
            found.extend(attach_to(action, files, &patience).err().map(|problem| *problem));
        }
    }
    limited(found)
}

fn attach_to(action: &mut ActionUse, files: &[(String, Vec<u8>)], patience: &Patience) -> Result<(), Box<Diagnostic>> {
    // Where both are given, the action's own rule says so.
    let Some(named) = action.with.value.entry(NAMED).filter(|_| action.with.value.entry(CONTENTS).is_none()) else {
        return Ok(());
    };
    let wrong = |message: String| Box::new(Diagnostic::error("file", action.place(NAMED), message));
    let Some(Value::String(name)) = named.plain() else {
        return Err(wrong(format!("`{NAMED}` is read before the run: give the name itself")));
    };
    let known = || files.iter().map(|(name, _)| name.as_str()).filter(|name| is_attachment(name));
    let Some((_, bytes)) = files.iter().find(|(file, _)| file == name && is_attachment(file)) else {
        let names: Vec<&str> = known().collect();
        let there = listed(names.iter().copied());
        let there = if there.is_empty() { "there is none".to_owned() } else { format!("there are {there}") };
        let problem = wrong(format!("no file `{name}`: what is deployed are `.json` files in `templates/`"));
        return Err(Box::new(problem.note(there).suggest(name, patience.with(known()))));
    };
    let contents: Value =
        serde_json::from_slice(bytes).map_err(|problem| wrong(format!("`{name}` is no JSON: {problem}")))?;
    action.with.value.remove_entry(NAMED);
    action.with.value.add_entry(CONTENTS, Templated::Plain(contents));
    Ok(())
}

/// Whether a file of the workspace can be named so.
#[must_use]
pub fn is_attachment(file: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|ending| ending == "json")
}
