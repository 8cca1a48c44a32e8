//! A step declares outputs only where its action can give them, and none that is there already.

use super::Subject;
use crate::catalogue::Outputs;
use crate::diag::Diagnostic;
use crate::plan::runbooks::is_call;
use crate::runbook::is_name;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for (_, step) in subject.steps().filter(|(_, step)| !is_call(step)) {
        let Some(spec) = subject.catalogue.get(&step.action.name.value) else { continue };
        for output in &step.outputs {
            let name = &output.name.value;
            let message = if matches!(spec.outputs, Outputs::Fixed(_)) {
                format!("`{}` has outputs of its own; a step cannot declare `{name}`", spec.name)
            } else if spec.outputs.fixed().iter().any(|field| field.name == name) {
                format!("`{}` gives `{name}` by itself", spec.name)
            } else if !is_name(name) {
                format!("`{name}` is not a name")
            } else {
                continue;
            };
            found.push(Diagnostic::error("outputs", output.name.span, message));
        }
        let simulated = step.simulate.iter().flat_map(|simulate| &simulate.outputs);
        let known = crate::plan::outputs_of(subject.catalogue, step);
        for (name, value) in simulated {
            let problem = match known.iter().find(|(known, _)| known == name) {
                None => format!("`simulate` gives `{name}`, which is no output of `{}`", step.id.value),
                Some((_, kind)) => match kind.check(value) {
                    Ok(()) => continue,
                    Err(problem) => format!("`simulate` gives `{name}`: {problem}"),
                },
            };
            found.push(Diagnostic::error("outputs", step.id.span, problem));
        }
    }
}
