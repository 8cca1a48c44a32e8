//! Templates by themselves: what their front matter names is there, they read no name that no step could give, and variants
//! say what their base says.

use std::collections::BTreeSet;

use super::references::problem_of_template;
use crate::diag::{Diagnostic, MOST_FOUND, Patience, SourceId, Sources, Span};
use crate::plan::{Template, Templates, variants};
use crate::runbook::workspace::{CHANNELS, Workspace};

/// What is wrong with the templates, whoever sends them.
#[must_use]
pub fn check(workspace: &Workspace, templates: &Templates, sources: &Sources) -> Vec<Diagnostic> {
    let (mut found, patience) = (Vec::new(), Patience::default());
    for (name, template) in templates {
        let Some(template) = template else { continue };
        names(workspace, template, &mut found);
        let problems = template.reads().filter_map(|(path, span)| problem_of_template(path, span, &patience));
        found.extend(problems.take(MOST_FOUND));
        if let Some((base, _)) = name.split_once('.') {
            variant(base, template, templates.get(base), &mut found);
        }
        for (_, variant) in variants(templates, name) {
            other_vars(name, template, variant, sources, &mut found);
        }
    }
    found
}

/// That two files hold a template of that name.
#[must_use]
pub fn twice(name: &str, source: SourceId, other: &str) -> Diagnostic {
    let message = format!("the template `{name}` is there twice: `{other}` holds it, too");
    Diagnostic::error("template", Span::new(source, 0, 0), message)
}

fn names(workspace: &Workspace, template: &Template, found: &mut Vec<Diagnostic>) {
    if let Some(audience) = &template.audience
        && !workspace.audiences.contains_key(&audience.value)
    {
        let message = format!("`drctl.yaml` has no audience `{}`", audience.value);
        let known = workspace.audiences.keys().map(String::as_str);
        found.push(Diagnostic::error("template", audience.span, message).suggest(&audience.value, known));
    }
    let types = || CHANNELS.iter().map(|(kind, _)| *kind);
    for channel in &template.channels {
        let is_type = types().any(|kind| kind == channel.value);
        if !is_type && !workspace.channels.contains_key(&channel.value) {
            let message = format!("`{}` is neither a channel nor a type of channels", channel.value);
            let known = workspace.channels.keys().map(String::as_str).chain(types());
            found.push(Diagnostic::error("template", channel.span, message).suggest(&channel.value, known));
        }
    }
}

/// What a notice is, its base says; a variant says it in another language.
fn variant(base: &str, variant: &Template, of: Option<&Option<Template>>, found: &mut Vec<Diagnostic>) {
    if of.is_none() {
        let message = format!("this is a variant of `{base}`, which is not there: wanted `templates/{base}.md`");
        found.push(Diagnostic::error("template", Span::new(variant.source, 0, 0), message));
    }
    let audience = variant.audience.as_ref().map(|audience| ("audience", audience.span));
    let channels = variant.channels.first().map(|channel| ("channels", channel.span));
    let whole = Span::new(variant.source, 0, 0);
    let severity = variant.severity.map(|_| ("severity", whole));
    let claims = variant.claims.map(|_| ("claims", whole));
    for (field, span) in audience.into_iter().chain(channels).chain(severity).chain(claims) {
        let message = format!(
            "`{field}` stands in `templates/{base}.md` and holds for its variants: they have `subject` and `short`"
        );
        found.push(Diagnostic::error("template", span, message));
    }
}

/// A variable that only one of the variants reads is often one that was renamed in the other.
fn other_vars(name: &str, base: &Template, variant: &Template, sources: &Sources, found: &mut Vec<Diagnostic>) {
    let vars = |template: &'_ Template| -> BTreeSet<String> {
        let vars = template.reads().filter(|(path, _)| path.parts[0] == "vars");
        vars.filter_map(|(path, _)| path.parts.get(1).cloned()).collect()
    };
    let known = vars(base);
    let mut told = BTreeSet::new();
    for (path, span) in variant.reads().filter(|(path, _)| path.parts[0] == "vars") {
        let Some(var) = path.parts.get(1).filter(|var| !known.contains(*var)) else { continue };
        if told.insert(var) {
            let message = format!("this variant reads `vars.{var}`, which `{}` does not", sources.name(base.source));
            found.push(Diagnostic::warning("template", span, message));
        }
    }
    for missing in known.difference(&vars(variant)) {
        let message = format!("this variant of `{name}` does not read `vars.{missing}`");
        found.push(Diagnostic::warning("template", Span::new(variant.source, 0, 0), message));
    }
}
