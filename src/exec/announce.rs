//! A notice outside of any recovery: the runbook of one step that is made of a template.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::region::settings;
use super::run::Made;
use crate::diag::closest;
use crate::error::Error;
use crate::plan::{Claim, Template, Templates, variants};
use crate::runbook::workspace::{Channel, Workspace};

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
/// The settings are wrong, there is no such template or audience, the template says what only a run can know, its variables
/// are not those that are given, or the audience cannot be reached, or not without something that stays open.
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
    check_vars(templates, wanted)?;
    reached(&surroundings.workspace, template, &audience)?;
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

/// What the template reads in any language is given, and what is given is read.
fn check_vars(templates: &Templates, wanted: Wanted<'_>) -> Result<(), Error> {
    let own = templates.get(wanted.template).and_then(Option::as_ref);
    let all = own.into_iter().chain(variants(templates, wanted.template).map(|(_, variant)| variant));
    let reads = all.flat_map(Template::reads).map(|(path, _)| path).filter(|path| path.parts[0] == "vars");
    let reads: Vec<(Option<&String>, bool)> = reads.map(|path| (path.parts.get(1), path.guarded)).collect();
    let is_given = |name: &String| wanted.vars.iter().any(|(given, _)| given == name);
    let missing = reads.iter().filter(|(_, guarded)| !guarded).filter_map(|(name, _)| *name);
    let missing: BTreeSet<&String> = missing.filter(|name| !is_given(name)).collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`vars.{name}`")).collect();
        let options: Vec<String> = missing.iter().map(|name| format!("--var {name}=VALUE")).collect();
        let message = format!("`{}` reads {}: add `{}`", wanted.template, names.join(" and "), options.join(" "));
        return Err(Error::usage(message));
    }
    let is_read = |given: &String| reads.iter().any(|(name, _)| name.is_none_or(|name| name == given));
    match wanted.vars.iter().find(|(name, _)| !is_read(name)) {
        Some((name, _)) => {
            let known = reads.iter().filter_map(|(name, _)| *name);
            Err(unknown(&format!("`--var`: `{}` does not read", wanted.template), name, known))
        }
        None => Ok(()),
    }
}

/// Somebody gets it through each channel, and nothing stays open there: no later notice of the run would resolve it.
fn reached(workspace: &Workspace, template: &Template, name: &str) -> Result<(), Error> {
    let Some(audience) = workspace.audiences.get(name) else { return Ok(()) };
    let channels: Vec<_> = template.channels_of(workspace, audience).collect();
    if channels.is_empty() {
        let message = format!("nobody would be told: the audience `{name}` has no channel that the template is for");
        return Err(Error::usage(message).next("drctl validate"));
    }
    let addresses = workspace.addresses(audience);
    let nobody = |(_, channel): &&(&str, &Channel)| channel.recipients(&addresses).is_some_and(|to| to.is_empty());
    if let Some((channel, of)) = channels.iter().find(nobody) {
        let message = format!("nobody of the audience `{name}` can be reached through {} `{channel}`", of.kind);
        let next = format!("give `{name}` in `drctl.yaml` a `to`, or contacts that can be");
        return Err(Error::usage(message).next(next));
    }
    let Some((channel, of)) = channels.iter().find(|(_, channel)| channel.keeps_open()) else { return Ok(()) };
    let opens = if of.kind == "pagerduty" { "call people with an alert" } else { "open an incident" };
    let message = format!(
        "an announcement cannot go through {} `{channel}`: it would {opens} that stays open, as nothing resolves it",
        of.kind
    );
    let next = "name another audience with `--audience`, or in the template's front matter the `channels` it is for";
    Err(Error::usage(message).next(next))
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
