//! Conversations with the operator.

use std::sync::Arc;

use super::fixture::*;
use super::needs::{Need, needs};
use super::prompt::*;
use super::sanitise::Cleaner;
use super::view::View;
use crate::engine::{Decision, Event, Mode, Resolution, Side};

fn view(records: &[(u64, Event)]) -> View {
    let mut view = View::new(Arc::new(plan()), RUN.to_owned(), Cleaner::default());
    for (seconds, event) in records {
        view.apply(at(*seconds), event).unwrap();
    }
    view
}

/// Types `lines` at the first question of a run with these records; the conversation, and how it ended.
fn talk(view: &View, lines: &[&str]) -> (String, Option<Reply>) {
    let (need, node) = needs(&view.plan, &view.state)[0];
    let mut prompt = Prompt::new(&view.state, need, node);
    let mut said = prompt.text(view);
    for (index, line) in lines.iter().enumerate() {
        said.extend([line, "\n"]);
        match prompt.answer(view, line) {
            Reply::Ask(notes) => {
                said.extend(notes.iter().map(|note| format!("{note}\n")));
                said += &prompt.text(view);
            }
            end => {
                assert_eq!(index + 1, lines.len(), "asked no more after {line}");
                return (said, Some(end));
            }
        }
    }
    (said, None)
}

fn decided(step: &str, decision: Decision, reason: Option<&str>) -> Option<Reply> {
    let (step, reason) = (Some(path(step)), reason.map(str::to_owned));
    Some(Reply::Answered(Some(PromptAnswer { step, decision, reason })))
}

fn failed_switch() -> Vec<(u64, Event)> {
    let mut records = to_the_end();
    records.truncate(10);
    records.push((460, outcome("switch", 1, failed("conflict"))));
    records
}

#[test]
fn a_gate_is_approved_by_the_whole_word_and_bound_to_what_was_shown() {
    let view = view(&to_the_gate());
    let (said, end) = talk(&view, &["y", "YES", "yes", "lag is fine "]);
    assert_eq!(
        said,
        "\
approve promote? [yes/no/later] y
wanted one of: yes, no, later
approve promote? [yes/no/later] YES
wanted one of: yes, no, later
approve promote? [yes/no/later] yes
reason (enter for none): lag is fine 
"
    );
    let digest = "9f86d081884c7d659a2feaa0c55ad015".to_owned();
    assert_eq!(end, decided("promote", Decision::Approve { digest }, Some("lag is fine")));
    assert_eq!(talk(&view, &["no", ""]).1, decided("promote", Decision::Reject, None));
    assert_eq!(talk(&view, &["later"]).1, Some(Reply::Later));
}

#[test]
fn what_a_gate_asks_stands_above_the_question_with_the_time_that_is_left() {
    let view = view(&to_the_gate());
    let (need, node) = needs(&view.plan, &view.state)[0];
    let prompt = Prompt::new(&view.state, need, node);
    assert_eq!(
        prompt.opening(&view, at(160)).join("\n"),
        "  promote: Accepts 12 s of loss
    does: promote: azure.postgres.promote_replica {\"server\":\"orders-pg-eastus2\"}
    digest: 9f86d081884c
    asks incident_commander: alice, bob
    deadline: 03:28:06 UTC, in 14m
  RTO 45m: 2m40s so far, 42m20s left"
    );
}

#[test]
fn a_manual_step_is_asked_answer_by_answer_until_each_has_its_type() {
    let mut records = to_the_gate();
    records.truncate(4);
    let (said, end) = talk(&view(&records), &["yes", "", "INC-42", "many", "7"]);
    assert_eq!(
        said,
        "\
is declare done? [yes/no/later] yes
incident (a string): 
an answer is needed
incident (a string): INC-42
affected (an int): many
wanted an int, found `many`
affected (an int): 7
"
    );
    assert_eq!(end, decided("declare", Decision::Answer { outputs: answers() }, None));
}

#[test]
fn a_failed_step_is_retried_skipped_or_left() {
    let view = view(&failed_switch());
    assert_eq!(talk(&view, &["retry"]).1, decided("switch", Decision::Retry, None));
    assert_eq!(talk(&view, &["leave"]).1, Some(Reply::Answered(None)));
    let (said, end) = talk(&view, &["skip", "", "skip", "done by hand"]);
    assert_eq!(
        said,
        "\
switch: what now? [retry/skip/abort/leave] skip
these depend on `switch` and will start as if it were done: tell
reason (enter to go back): 
switch: what now? [retry/skip/abort/leave] skip
these depend on `switch` and will start as if it were done: tell
reason (enter to go back): done by hand
"
    );
    let outputs = serde_json::Map::new();
    assert_eq!(end, decided("switch", Decision::Skip { outputs }, Some("done by hand")));
}

#[test]
fn an_abort_first_says_what_it_undoes_and_what_stays() {
    let (said, end) = talk(&view(&failed_switch()), &["abort", "wrong region"]);
    assert_eq!(
        said,
        "\
switch: what now? [retry/skip/abort/leave] abort
an abort undoes nothing
what stays:
  switch: it failed, and nothing tells whether it had an effect
  promote: it is a point of no return
  declare: it lies before the point of no return `promote`
  probe: it lies before the point of no return `promote`
reason (enter to go back): wrong region
"
    );
    let reason = Some("wrong region".to_owned());
    let answer = PromptAnswer { step: None, decision: Decision::Abort, reason };
    assert_eq!(end, Some(Reply::Answered(Some(answer))));
}

#[test]
fn a_doubt_is_resolved_with_a_reason_and_outputs_that_stand_in() {
    let mut records = to_the_gate();
    records.truncate(2);
    let doubt = Event::InDoubt { step: path("probe"), side: Side::Apply, evidence: "no answer".to_owned() };
    records.push((5, doubt));
    let view = view(&records);
    let (said, end) = talk(&view, &["happened", "seen"]);
    assert_eq!(
        said,
        "\
did probe happen? [happened/did-not-happen/retry/leave] happened
reason (enter to go back): seen
"
    );
    let resolve = |resolution| Decision::Resolve { resolution, outputs: serde_json::Map::new() };
    assert_eq!(end, decided("probe", resolve(Resolution::Happened), Some("seen")));
    let end = talk(&view, &["retry", "harmless"]).1;
    assert_eq!(end, decided("probe", resolve(Resolution::Retry), Some("harmless")));
}

#[test]
fn a_skipped_step_gets_the_outputs_that_others_need_from_the_operator() {
    let records =
        [(0, started(Mode::Real)), (0, intent("declare", 1, "manual")), (1, outcome("declare", 1, failed("no")))];
    let view = view(&records);
    let (said, end) = talk(&view, &["skip", "many", "", "7", "drill"]);
    assert_eq!(
        said,
        "\
declare: what now? [retry/skip/abort/leave] skip
these depend on `declare` and will start as if it were done: promote, switch, tell; of no return: promote
affected (an int): many
wanted an int, found `many`
affected (an int): 
an answer is needed
affected (an int): 7
reason (enter to go back): drill
"
    );
    let outputs = serde_json::Map::from_iter([("affected".to_owned(), 7.into())]);
    assert_eq!(end, decided("declare", Decision::Skip { outputs }, Some("drill")));
    assert_eq!(needs(&view.plan, &view.state)[0].0, Need::Failure);
}
