//! What a dry run could say: each step with how sure it is, and how much of the plan was really checked.

use super::sanitise::Cleaner;
use super::words;
use crate::engine::{Label, Node, State, StepState};
use crate::plan::Plan;
use crate::runbook::ast::Phase;

/// The result of a dry run.
#[must_use]
pub fn dry_run_summary(plan: &Plan, state: &State) -> String {
    let cleaner = Cleaner::default();
    let leaves: Vec<&Node> = state
        .iter()
        .filter(|(id, _)| !state.children.contains_key(id))
        .map(|(_, node)| node)
        .collect();
    let width = leaves.iter().map(|node| node.path.0.len()).max().unwrap_or(0).min(40);
    let mut lines = Vec::new();
    for phase in Phase::ALL {
        let mut steps = leaves
            .iter()
            .filter(|node| plan.step(node.step).phase == phase)
            .peekable();
        if steps.peek().is_some() {
            lines.push(phase.name().to_owned());
        }
        lines.extend(steps.map(|node| format!("  {}", cleaner.line(&step_line(node, width)))));
    }
    lines.push(coverage(&leaves));
    lines.push("nothing was changed, run or sent".to_owned());
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn label(node: &Node) -> Option<Label> {
    node.more.as_ref().and_then(|more| more.label)
}

fn word(node: &Node) -> &'static str {
    match (label(node), node.state) {
        (Some(label), StepState::Succeeded) => label.name(),
        (None, StepState::Succeeded) => Label::Unknown.name(),
        (_, state) => state.words(),
    }
}

fn step_line(node: &Node, width: usize) -> String {
    let more = node.more.as_ref();
    let note = more.map(|more| more.note.as_str()).filter(|note| !note.is_empty());
    let why = match node.state {
        StepState::Succeeded => note,
        _ => node.reason().or(note),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{:width$}  {}{why}", &*node.path.0, word(node))
}

/// `12 steps: 4 checked, 5 simulated, ...: 33 % of the plan was really checked`.
fn coverage(leaves: &[&Node]) -> String {
    let known = |node: &&&Node| !matches!(node.state, StepState::NotApplicable | StepState::Cancelled);
    let order = ["checked", "simulated", "assumed", "unknown", "failed", "not applicable"];
    let count = |wanted: &str| leaves.iter().filter(|node| word(node) == wanted).count();
    let mut counts: Vec<String> = order
        .iter()
        .map(|word| (count(word), word))
        .filter(|(number, word)| *number > 0 || order[..4].contains(word))
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let reached: usize = order.iter().map(|word| count(word)).sum();
    if let Some(more) = leaves.len().checked_sub(reached).filter(|more| *more > 0) {
        counts.push(format!("{more} not reached"));
    }
    let applicable = leaves.iter().filter(known).count();
    let percent = (count("checked") * 100).checked_div(applicable).unwrap_or(0);
    format!(
        "{}: {}: {percent} % of the plan was really checked",
        words::count(leaves.len(), "step"),
        counts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;
    use crate::engine::{End, Event, Mode, Outputs};

    fn labelled(label: Label, note: &str) -> End {
        End::Succeeded {
            outputs: Outputs::Unknown,
            already: false,
            note: note.to_owned(),
            label: Some(label),
        }
    }

    #[test]
    fn a_dry_run_says_how_much_it_really_checked() {
        let mut records = vec![(0, started(Mode::DryRun))];
        for (id, end) in [
            ("probe", labelled(Label::Checked, "3 of 3 samples failed")),
            ("declare", labelled(Label::Assumed, "")),
            (
                "promote",
                labelled(Label::Simulated, "would send POST \u{1b}[1mpromote"),
            ),
            ("switch", failed("profile `orders` not found")),
        ] {
            records.push((0, intent(id, 1, "x")));
            records.push((0, outcome(id, 1, end)));
        }
        let reason = "`when` is false".to_owned();
        records.push((
            0,
            Event::NotApplicable {
                step: path("tell"),
                reason,
            },
        ));
        let seen = Seen::of(plan(), &records);
        assert_eq!(
            dry_run_summary(&seen.plan, &seen.state),
            "\
detection
  probe    checked: 3 of 3 samples failed
assessment
  declare  assumed
execution
  promote  simulated: would send POST promote
  switch   failed: profile `orders` not found
communication
  tell     not applicable: `when` is false
5 steps: 1 checked, 1 simulated, 1 assumed, 0 unknown, 1 failed, 1 not applicable: 25 % of the plan was really checked
nothing was changed, run or sent
"
        );
    }

    #[test]
    fn a_step_that_was_not_reached_counts_as_not_checked() {
        let seen = Seen::of(
            build(vec![step("a", Phase::Execution, "shell")]),
            &[(0, started(Mode::DryRun))],
        );
        assert_eq!(
            dry_run_summary(&seen.plan, &seen.state),
            "\
execution
  a  pending
1 step: 0 checked, 0 simulated, 0 assumed, 0 unknown, 1 not reached: 0 % of the plan was really checked
nothing was changed, run or sent
"
        );
    }
}
