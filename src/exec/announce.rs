//! A notice outside of any recovery: the runbook of one step that is made of a template.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::region::settings;
use super::run::Made;
use crate::diag::closest;
use crate::error::Error;
use crate::plan::Claim;

/// The name of the runbook and of its step.
const NAME: &str = "announcement";

/// What is announced.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'w> {
    /// The template.
    pub template: &'w str,
    /// Who is told; the template's audience, if absent.
    pub audience: Option<&'w str>,
    /// Its `vars`.
    pub vars: &'w [(String, String)],
}

/// An announcement, to be started.
pub struct Announcement {
    /// The audience.
    pub audience: String,
    /// The runbook; it takes the `vars` as inputs.
    pub made: Made,
}

/// Makes the runbook that sends the notice.
///
/// # Errors
/// The settings are wrong, there is no such template or audience, the template says what only a run can know, or a
/// variable has no name that a template could read.
pub fn announcement(folder: &Path, wanted: Wanted<'_>) -> Result<Announcement, Error> {
    let surroundings = settings(folder)?;
    let (templates, audiences) = (&surroundings.templates, &surroundings.workspace.audiences);
    let template = templates.get(wanted.template).and_then(Option::as_ref);
    let template = template.ok_or_else(|| unknown("no template is called", wanted.template, templates.keys()))?;
    if template.claims == Some(Claim::Recovery) {
        let why = "claims recovery: only a run whose checks have passed may send it";
        return Err(Error::usage(format!("`{}` {why}", wanted.template)));
    }
    let of_template = || template.audience.as_ref().map(|audience| audience.value.clone());
    let audience = wanted
        .audience
        .map(str::to_owned)
        .or_else(of_template)
        .ok_or_else(|| Error::usage(format!("`{}` names no audience: add `--audience NAME`", wanted.template)))?;
    if !audiences.contains_key(&audience) {
        return Err(unknown("`drctl.yaml` has no audience", &audience, audiences.keys()));
    }
    if let Some((name, _)) = wanted.vars.iter().find(|(name, _)| !is_name(name)) {
        let name = name.escape_debug();
        return Err(Error::usage(format!("`--var`: wanted a name such as `starts`, found `{name}`")));
    }
    let place = format!("notify announce {}", wanted.template);
    let text = text(wanted, &audience);
    let made = Made { region: None, announces: Some(wanted.template.to_owned()), place, text };
    Ok(Announcement { audience, made })
}

fn unknown<'n>(what: &str, name: &str, there: impl Iterator<Item = &'n String>) -> Error {
    let meant = closest(name, there.map(String::as_str));
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Error::usage(format!("{what} `{}`{meant}", name.escape_debug()))
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

/// The runbook, as JSON, which is YAML. What is given are inputs: nothing in it is taken for an expression.
fn text(wanted: Wanted<'_>, audience: &str) -> String {
    let each = |value: fn(&str) -> Value| -> Map<String, Value> {
        wanted.vars.iter().map(|(name, _)| (name.clone(), value(name))).collect()
    };
    let step = json!({
        "id": NAME,
        "action": "notify",
        "with": {
            "template": wanted.template,
            "audience": audience,
            "vars": each(|name| json!(format!("{{{{ inputs.{name} }}}}"))),
        },
    });
    let runbook = json!({
        "drctl": 1,
        "name": NAME,
        "kind": "drill",
        "title": format!("Announce {} to {audience}", wanted.template),
        "owner": "drctl notify announce",
        "inputs": each(|_| json!({ "type": "string" })),
        "communication": [step],
    });
    format!("{runbook:#}\n")
}
