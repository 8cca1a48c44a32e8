//! Whether a rehearsal came to what its scenario expects.

use serde_json::Value;

use super::facts::Facts;
use super::{Ended, Rehearsed};
use crate::catalogue::HumanDuration;
use crate::diag::Span;
use crate::engine::{Node, NodeId, State};
use crate::plan::path::names;
use crate::sim::scenario::{Expect, MessageExpected, StepExpected, WorldExpected};

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where the expectation is written; nothing for what every rehearsal is expected to be.
    pub span: Option<Span>,
    /// The step it is about, where it is about one.
    pub step: Option<String>,
    /// What was expected.
    pub expected: String,
    /// What was found; several lines where it is a text.
    pub found: String,
}

impl Difference {
    fn new(span: Option<Span>, (expected, found): (String, String)) -> Self {
        Self { span, step: None, expected, found }
    }

    /// As a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        let stop = if self.found.contains('\n') { ":\n" } else { " " };
        format!("expected {}, found{stop}{}", self.expected, self.found)
    }
}

/// Everything that is not as expected.
#[must_use]
pub fn differences(expect: &Expect, rehearsed: &Rehearsed, facts: &Facts) -> Vec<Difference> {
    let mut found: Vec<Difference> =
        [end_differs(expect, rehearsed), rto_differs(expect, facts)].into_iter().flatten().collect();
    found.extend(rpo_differs(expect, facts));
    for index in rehearsed.unused_faults() {
        let fault = &rehearsed.stage.setting.scenario.faults[index];
        // One that was injected on the command line is written nowhere.
        let place = Some(fault.span).filter(|span| *span != Span::default());
        let pair = (format!("the fault {} to strike", fault.value.words()), "that it never did".to_owned());
        found.push(Difference { step: fault.value.step().map(str::to_owned), ..Difference::new(place, pair) });
    }
    let state = rehearsed.state();
    for (step, expected) in &expect.steps {
        let pair = step_differs(rehearsed, &state, &step.value, *expected);
        let of_step = |pair| Difference { step: Some(step.value.clone()), ..Difference::new(Some(step.span), pair) };
        found.extend(pair.map(of_step));
    }
    for expected in &expect.world {
        found.extend(world_differs(rehearsed, expected).map(|pair| Difference::new(Some(expected.span), pair)));
    }
    for expected in &expect.messages {
        found.extend(message_differs(rehearsed, expected).map(|pair| Difference::new(Some(expected.span), pair)));
    }
    found
}

fn end_differs(expect: &Expect, rehearsed: &Rehearsed) -> Option<Difference> {
    let ends = |found: String| Some(Difference::new(None, ("the run to end".to_owned(), found)));
    match (&rehearsed.ended, &expect.state) {
        (Ended::Never, _) => ends("that it goes on for more than 30 days".to_owned()),
        (Ended::Broken(problem), _) => ends(format!("that drctl is broken: {problem}")),
        (Ended::In(state), Some(expected)) if expected.value != *state => {
            let pair = (format!("the run to be {}", expected.value.words()), state.words().to_owned());
            Some(Difference::new(Some(expected.span), pair))
        }
        (Ended::In(_), _) => None,
    }
}

fn rto_differs(expect: &Expect, facts: &Facts) -> Option<Difference> {
    let rto = expect.rto.as_ref()?;
    let clock = &facts.clock;
    let found = if clock.restored { to_the_second(clock.elapsed) } else { "no recovery".to_owned() };
    let pair = (format!("recovery within {}", HumanDuration(rto.value)), found);
    (!clock.restored || clock.elapsed > rto.value).then(|| Difference::new(Some(rto.span), pair))
}

fn rpo_differs(expect: &Expect, facts: &Facts) -> Option<Difference> {
    let rpo = expect.rpo.as_ref()?;
    let loss = facts.loss.measured.as_ref().map(|(span, _)| *span);
    let found = loss.map_or_else(|| "that nothing measured it".to_owned(), to_the_second);
    let pair = (format!("a loss of at most {}", HumanDuration(rpo.value)), found);
    loss.is_none_or(|loss| loss > rpo.value).then(|| Difference::new(Some(rpo.span), pair))
}

/// What was expected, and what was found.
type Pair = (String, String);

fn to_the_second(span: std::time::Duration) -> String {
    HumanDuration(std::time::Duration::from_secs(span.as_secs())).to_string()
}

fn step_differs(rehearsed: &Rehearsed, state: &State, step: &str, expected: StepExpected) -> Option<Pair> {
    let plan = &rehearsed.stage.setting.plan;
    let itself: Vec<NodeId> = state.find(plan, step).into_iter().collect();
    // In a name without keys, a call for many items stands for each of them.
    let is_meant = |node: &Node| names(step, &node.path.0) && (node.parent.is_none() || step.ends_with(']'));
    let all = || state.iter().filter(|(_, node)| is_meant(node)).map(|(id, _)| id).collect();
    let meant = if itself.is_empty() { all() } else { itself };
    if meant.is_empty() {
        return (expected != StepExpected::Never).then(|| (format!("a step `{step}`"), "none".to_owned()));
    }
    meant.into_iter().find_map(|id| node_differs(state, id, expected))
}

fn node_differs(state: &State, id: NodeId, expected: StepExpected) -> Option<Pair> {
    let node = state.node(id);
    let step = &node.path;
    let children = state.children.get(&id).into_iter().flatten();
    let ran = node.started.is_some() || children.into_iter().any(|child| state.node(*child).started.is_some());
    let reason = node.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    let found = || format!("{}{reason}", node.state.words());
    match expected {
        StepExpected::Never if ran => Some((format!("`{step}` never to run"), "that it did".to_owned())),
        StepExpected::Ran if !ran => Some((format!("`{step}` to run"), found())),
        StepExpected::In(wanted) if node.state != wanted => {
            Some((format!("`{step}` to be {}", wanted.words()), found()))
        }
        _ => None,
    }
}

fn world_differs(rehearsed: &Rehearsed, expected: &WorldExpected) -> Option<Pair> {
    let WorldExpected { resource, at, is, .. } = expected;
    let Some(found) = rehearsed.stage.look(resource) else {
        return Some((format!("a simulated resource `{resource}`"), "none".to_owned()));
    };
    let value = found.pointer(at).unwrap_or(&Value::Null);
    let differs = value != is || found.pointer(at).is_none();
    differs.then(|| (format!("`{resource}` to hold {is} at `{at}`"), value.to_string()))
}

fn message_differs(rehearsed: &Rehearsed, expected: &MessageExpected) -> Option<Pair> {
    let ledger = rehearsed.stage.ledger();
    let fits = |audience: &str, template: &str| {
        template == expected.template && expected.audience.as_ref().is_none_or(|wanted| wanted == audience)
    };
    let sent: Vec<_> = ledger.sent.iter().filter(|sent| fits(&sent.audience, &sent.template)).collect();
    let mut notices: Vec<&str> = sent.iter().map(|sent| sent.key.as_str()).collect();
    notices.sort_unstable();
    notices.dedup();
    let template = &expected.template;
    let count = u32::try_from(notices.len()).unwrap_or(u32::MAX);
    match expected.times {
        None if count == 0 => return Some((format!("a notice `{template}`"), "none".to_owned())),
        Some(times) if times != count => return Some((format!("{times} notices `{template}`"), count.to_string())),
        _ => {}
    }
    let wanted = expected.contains.as_ref()?;
    let lacks = sent.iter().find(|sent| !sent.body.contains(wanted) && !sent.subject.contains(wanted))?;
    Some((format!("notice `{template}` to say `{wanted}`"), format!("{}\n{}", lacks.subject, lacks.body)))
}
