//! Whether a rehearsal came to what its scenario expects.

use serde_json::Value;

use super::facts::Facts;
use super::{Ended, Rehearsed};
use crate::catalogue::HumanDuration;
use crate::diag::Span;
use crate::engine::State;
use crate::sim::scenario::{Expect, MessageExpected, StepExpected, WorldExpected};

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where the expectation is written; nothing for what every rehearsal is expected to be.
    pub span: Option<Span>,
    /// What was expected and what was found.
    pub text: String,
}

/// Everything that is not as expected.
#[must_use]
pub fn differences(expect: &Expect, rehearsed: &Rehearsed, facts: &Facts) -> Vec<Difference> {
    let mut found = Vec::new();
    match &rehearsed.ended {
        Ended::Never => found.push(differs(None, "the run goes on for more than 30 days".to_owned())),
        Ended::Broken(problem) => found.push(differs(None, format!("drctl is broken: {problem}"))),
        Ended::In(state) => {
            if let Some(expected) = &expect.state
                && expected.value != *state
            {
                let text = format!("expected the run to be {}, found {}", expected.value.words(), state.words());
                found.push(differs(Some(expected.span), text));
            }
        }
    }
    if let Some(rto) = &expect.rto {
        let late = !facts.clock.restored || facts.clock.elapsed > rto.value;
        let found_words =
            if facts.clock.restored { to_the_second(facts.clock.elapsed) } else { "no recovery".to_owned() };
        let text = format!("expected recovery within {}, found {found_words}", HumanDuration(rto.value));
        found.extend(late.then(|| differs(Some(rto.span), text)));
    }
    if let Some(rpo) = &expect.rpo {
        let loss = facts.loss.measured.as_ref().map(|(span, _)| *span);
        let words = loss.map_or_else(|| "that nothing measured it".to_owned(), to_the_second);
        let text = format!("expected a loss of at most {}, found {words}", HumanDuration(rpo.value));
        found.extend(loss.is_none_or(|loss| loss > rpo.value).then(|| differs(Some(rpo.span), text)));
    }
    for index in rehearsed.unused_faults() {
        let fault = &rehearsed.stage.setting.scenario.faults[index];
        let text = format!("expected the fault {} to strike, found that it never did", fault.value.words());
        // One that was injected on the command line is written nowhere.
        let place = Some(fault.span).filter(|span| *span != Span::default());
        found.push(differs(place, text));
    }
    let state = rehearsed.state();
    for (step, expected) in &expect.steps {
        found
            .extend(step_differs(rehearsed, &state, &step.value, *expected).map(|text| differs(Some(step.span), text)));
    }
    for expected in &expect.world {
        found.extend(world_differs(rehearsed, expected).map(|text| differs(Some(expected.span), text)));
    }
    for expected in &expect.messages {
        found.extend(message_differs(rehearsed, expected).map(|text| differs(Some(expected.span), text)));
    }
    found
}

fn differs(span: Option<Span>, text: String) -> Difference {
    Difference { span, text }
}

fn to_the_second(span: std::time::Duration) -> String {
    HumanDuration(std::time::Duration::from_secs(span.as_secs())).to_string()
}

fn step_differs(rehearsed: &Rehearsed, state: &State, step: &str, expected: StepExpected) -> Option<String> {
    let plan = &rehearsed.stage.setting.plan;
    let Some(id) = state.find(plan, step) else {
        let text = format!("expected a step `{step}`, found none");
        return (expected != StepExpected::Never).then_some(text);
    };
    let node = state.node(id);
    let children = state.children.get(&id).into_iter().flatten();
    let ran = node.started.is_some() || children.into_iter().any(|child| state.node(*child).started.is_some());
    let reason = node.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    match expected {
        StepExpected::Never if ran => Some(format!("expected `{step}` never to run, found that it did")),
        StepExpected::Ran if !ran => Some(format!("expected `{step}` to run, found {}{reason}", node.state.words())),
        StepExpected::In(wanted) if node.state != wanted => {
            Some(format!("expected `{step}` to be {}, found {}{reason}", wanted.words(), node.state.words()))
        }
        _ => None,
    }
}

fn world_differs(rehearsed: &Rehearsed, expected: &WorldExpected) -> Option<String> {
    let WorldExpected { resource, at, is, .. } = expected;
    let Some(found) = rehearsed.stage.look(resource) else {
        return Some(format!("expected a simulated resource `{resource}`, found none"));
    };
    match found.pointer(at) {
        Some(value) if value == is => None,
        Some(value) => Some(format!("expected `{resource}` to hold {is} at `{at}`, found {value}")),
        None => Some(format!("expected `{resource}` to hold {is} at `{at}`, found {}", Value::Null)),
    }
}

fn message_differs(rehearsed: &Rehearsed, expected: &MessageExpected) -> Option<String> {
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
        None if count == 0 => return Some(format!("expected a notice `{template}`, found none")),
        Some(times) if times != count => {
            return Some(format!("expected {times} notices `{template}`, found {count}"));
        }
        _ => {}
    }
    let wanted = expected.contains.as_ref()?;
    let lacks = sent.iter().find(|sent| !sent.body.contains(wanted) && !sent.subject.contains(wanted))?;
    Some(format!("expected notice `{template}` to say `{wanted}`, found:\n{}\n{}", lacks.subject, lacks.body))
}
