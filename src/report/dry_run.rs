//! What a dry run could say: each step with how sure it is, and how much of the plan was really checked.

use super::sanitise::Cleaner;
use super::words;
use crate::engine::{Label, Node, NodeId, State, StepState, step_title};
use crate::plan::Plan;

/// The result of a dry run.
#[must_use]
pub fn dry_run_summary(plan: &Plan, state: &State) -> String {
    let cleaner = Cleaner::default();
    let leaves = state.in_order(plan).into_iter().filter(|id| is_leaf(plan, state, *id));
    let leaves: Vec<(NodeId, &Node)> = leaves.map(|id| (id, state.node(id))).collect();
    let mut lines = Vec::new();
    for (id, node) in &leaves {
        let step = plan.step(node.step);
        let title = words::title_and_owner(step_title(plan, state, *id), step.owner.as_deref());
        let title = title.map(|title| format!(" ({title})")).unwrap_or_default();
        lines.push(cleaner.line(&format!("{:<14} {:<13} {}{title}", word(node), step.phase.name(), node.path)));
        let why = cleaner.lines(why(node).unwrap_or_default());
        lines.extend(why.into_iter().map(|line| format!("{:29}{line}", "")));
    }
    lines.push(String::new());
    let nodes: Vec<&Node> = leaves.iter().map(|(_, node)| *node).collect();
    lines.push(coverage(&nodes));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What a dry run walks: neither groups that have instances nor steps that only failures or time bring about.
fn is_leaf(plan: &Plan, state: &State, id: NodeId) -> bool {
    let unwalked = state.is_group(plan, id) && plan.step(state.node(id).step).for_each.is_none();
    !state.children.contains_key(&id) && !unwalked && state.called(id).is_none()
}

fn label(node: &Node) -> Option<Label> {
    node.more.as_ref().and_then(|more| more.label)
}

fn word(node: &Node) -> &'static str {
    match (label(node), node.state) {
        (Some(label), StepState::Succeeded) => label.name(),
        (None, StepState::Succeeded) => Label::Unknown.name(),
        (_, state @ (StepState::Failed | StepState::NotApplicable)) => state.words(),
        _ => "not reached",
    }
}

fn why(node: &Node) -> Option<&str> {
    let note = Some(&*node.note).filter(|note| !note.is_empty());
    if node.state == StepState::Succeeded { note } else { node.reason().or(note) }
}

/// `12 steps: 4 checked, 5 simulated, ...: 33 % of the plan was really checked`.
fn coverage(leaves: &[&Node]) -> String {
    let applies = |node: &&&Node| node.state != StepState::NotApplicable;
    let order = ["checked", "simulated", "assumed", "unknown", "failed", "not applicable", "not reached"];
    let count = |wanted: &str| leaves.iter().filter(|node| word(node) == wanted).count();
    let counts: Vec<String> = order
        .iter()
        .map(|word| (count(word), word))
        .filter(|(number, word)| *number > 0 || order[..4].contains(word))
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let applicable = leaves.iter().filter(applies).count();
    let percent = (count("checked") * 100).checked_div(applicable).unwrap_or(0);
    format!("{}: {}: {percent} % of the plan was really checked", words::count(leaves.len(), "step"), counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::engine::{End, Event, Mode, Outputs};
    use crate::runbook::ast::Phase;

    fn labelled(label: Label, note: &str) -> End {
        End::Succeeded { outputs: Outputs::Unknown, already: false, note: note.to_owned(), label: Some(label) }
    }

    #[test]
    fn a_dry_run_says_how_much_it_really_checked() {
        let mut records = vec![(0, started(Mode::DryRun))];
        for (id, end) in [
            ("probe", labelled(Label::Checked, "3 of 3 samples failed")),
            ("declare", labelled(Label::Assumed, "")),
            ("promote", labelled(Label::Simulated, "would send POST \u{1b}[1mpromote")),
            ("switch", failed("profile `orders` not found")),
        ] {
            records.push((0, intent(id, 1, "x")));
            records.push((0, outcome(id, 1, end)));
        }
        let reason = "`when` is false".to_owned();
        records.push((0, Event::NotApplicable { step: path("tell"), reason }));
        let seen = Seen::of(plan(), &records);
        assert_eq!(
            dry_run_summary(&seen.plan, &seen.state),
            "\
checked        detection     probe
                             3 of 3 samples failed
assumed        assessment    declare
simulated      execution     promote
                             would send POST promote
failed         execution     switch
                             profile `orders` not found
not applicable communication tell
                             `when` is false

5 steps: 1 checked, 1 simulated, 1 assumed, 0 unknown, 1 failed, 1 not applicable: 25 % of the plan was really checked
"
        );
    }

    #[test]
    fn a_step_that_was_not_reached_counts_as_not_checked() {
        let seen = Seen::of(build(vec![step("a", Phase::Execution, "shell")]), &[(0, started(Mode::DryRun))]);
        assert_eq!(
            dry_run_summary(&seen.plan, &seen.state),
            "\
not reached    execution     a

1 step: 0 checked, 0 simulated, 0 assumed, 0 unknown, 1 not reached: 0 % of the plan was really checked
"
        );
    }
}
