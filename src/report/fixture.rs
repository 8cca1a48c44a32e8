//! A small failover and a run of it, for the tests of what is shown.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::timeline::Timeline;
use crate::catalogue::{Catalogue, Timestamp, Type};
use crate::diag::{SourceId, Span, Spanned};
use crate::engine::event::GateOpened;
use crate::engine::{Decided, Decision, End, Event, Intent, Mode, NodePath, Outputs, Person, RunStarted, Side, State};
use crate::plan::{Plan, Templates};
use crate::runbook::ast::{
    ActionUse, Approval, Defaults, Kind, Objectives, OnTimeout, OutputDeclaration, Phase, RunIf, Runbook, Step,
};
use crate::runbook::expr::{Expressions, Templated};
use crate::runbook::workspace::{Role, Workspace};

/// The run's id.
pub(super) const RUN: &str = "orders-20261120-0311-k3f";

fn at_no_place<T>(value: T) -> Spanned<T> {
    Spanned { value, span: Span::default() }
}

fn action(name: &str) -> ActionUse {
    ActionUse {
        name: at_no_place(name.to_owned()),
        with: at_no_place(Templated::Plain(json!({}))),
        places: Box::default(),
    }
}

/// A step of the simplest kind.
pub(super) fn step(id: &str, phase: Phase, does: &str) -> Step {
    Step {
        id: at_no_place(id.to_owned()),
        phase,
        title: None,
        owner: None,
        action: action(does),
        outputs: Box::default(),
        needs: Box::default(),
        when: None,
        run_if: RunIf::Success,
        repeat: None,
        for_each: None,
        approval: None,
        timeout: None,
        retry: None,
        verify: None,
        rollback: None,
        on_failure: None,
        on_interrupt: None,
        unread: BTreeSet::new(),
        span: Span::default(),
        estimate: None,
        point_of_no_return: false,
        simulate: None,
    }
}

/// `probe` (detection), `declare` (manual), `promote` (a gate), `switch` (can be undone), `tell` (communication).
pub(super) fn plan() -> Plan {
    let mut declare = step("declare", Phase::Assessment, "manual");
    declare.outputs = [("incident", Type::String), ("affected", Type::Int)]
        .map(|(name, kind)| OutputDeclaration { name: at_no_place(name.to_owned()), kind, measures_loss: false })
        .into();
    let mut promote = step("promote", Phase::Execution, "azure.postgres.promote_replica");
    promote.point_of_no_return = true;
    promote.approval = Some(Box::new(Approval {
        estimate: None,
        by: [at_no_place("incident_commander".to_owned())].into(),
        quorum: 1,
        requester_may_approve: None,
        timeout: Some(Duration::from_mins(15)),
        on_timeout: OnTimeout::Escalate,
        escalate_to: Box::default(),
        escalation: None,
        prompt: None,
        span: Span::default(),
    }));
    let mut switch = step("switch", Phase::Execution, "azure.traffic_manager.set_endpoint");
    switch.needs = [at_no_place("promote".to_owned())].into();
    switch.rollback = Some(Box::new(action("azure.traffic_manager.set_endpoint")));
    build(vec![
        step("probe", Phase::Detection, "probe.http"),
        declare,
        promote,
        switch,
        step("tell", Phase::Communication, "notify"),
    ])
}

/// A plan of these steps, with an RTO of 45 minutes.
pub(super) fn build(mut steps: Vec<Step>) -> Plan {
    let mut expressions = Expressions::default();
    let affected = expressions.add("steps.declare.outputs.affected > 3", Span::default());
    steps.iter_mut().filter(|step| step.id.value == "switch").for_each(|step| step.when = Some(affected));
    let runbook = Runbook {
        source: SourceId::default(),
        name: at_no_place("orders".to_owned()),
        kind: Kind::Failover,
        title: None,
        owner: None,
        objectives: Objectives { rto: Some(Duration::from_mins(45)), rpo: None },
        azure: None,
        inputs: Vec::new(),
        defaults: Defaults::default(),
        steps,
        outputs: Vec::new(),
        unread: BTreeSet::new(),
        allowances: Vec::new(),
        expressions,
    };
    let mut workspace = Workspace::empty();
    let people = vec!["alice".to_owned(), "bob".to_owned()];
    workspace.roles.insert("incident_commander".to_owned(), Role { people, channels: Vec::new() });
    Plan::build(
        Arc::new(runbook),
        Arc::default(),
        Arc::new(workspace),
        Arc::new(Templates::default()),
        Catalogue::default(),
        Map::new(),
    )
    .unwrap()
}

/// Who.
pub(super) fn person(name: &str) -> Person {
    Person { name: name.to_owned(), host: "ops1".to_owned(), claimed: false }
}

/// The moment `seconds` after 03:11:26.
pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::parse("2026-11-20T03:11:26Z").unwrap().plus(Duration::from_secs(seconds))
}

pub(super) fn path(text: &str) -> NodePath {
    NodePath(text.into())
}

pub(super) fn started(mode: Mode) -> Event {
    Event::RunStarted(Box::new(RunStarted {
        run: RUN.to_owned(),
        drctl: "0.1.0".to_owned(),
        runbook: "orders".to_owned(),
        kind: Kind::Failover,
        path: "runbooks/orders.yaml".to_owned(),
        pinned: Vec::new(),
        inputs: Map::new(),
        secrets: Vec::new(),
        operator: person("alice"),
        since: None,
        approved_ahead: Vec::new(),
        yes: false,
        mode,
        from_run: None,
        simulated: false,
        drill: None,
        announces: None,
        watched: false,
        outside_window: None,
        region: None,
        state: None,
    }))
}

pub(super) fn intent(step: &str, attempt: u32, does: &str) -> Event {
    Event::Intent(Box::new(Intent {
        step: path(step),
        side: Side::Apply,
        attempt,
        action: does.to_owned(),
        with: json!({}),
    }))
}

pub(super) fn outcome(step: &str, attempt: u32, end: End) -> Event {
    Event::Outcome { step: path(step), side: Side::Apply, attempt, end }
}

pub(super) fn succeeded(note: &str) -> End {
    End::Succeeded { outputs: Outputs::None, already: false, note: note.to_owned(), label: None }
}

pub(super) fn failed(reason: &str) -> End {
    End::Failed { reason: reason.to_owned(), retry_at: None }
}

pub(super) fn asked() -> Event {
    Event::PersonAsked {
        step: path("declare"),
        instructions: "Declare the disaster.\nThen note its number.".to_owned(),
        answers: vec![("incident".to_owned(), "a string".to_owned()), ("affected".to_owned(), "an int".to_owned())],
    }
}

pub(super) fn answers() -> Map<String, Value> {
    Map::from_iter([("incident".to_owned(), json!("INC-42")), ("affected".to_owned(), json!(7))])
}

pub(super) fn gate(deadline: Timestamp) -> Event {
    Event::GateOpened(Box::new(GateOpened {
        step: path("promote"),
        digest: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
        prompt: "Accepts 12 s of loss".to_owned(),
        preview: vec!["promote: azure.postgres.promote_replica {\"server\":\"orders-pg-eastus2\"}".to_owned()],
        foreseen: Vec::new(),
        by: vec!["incident_commander".to_owned()],
        quorum: 1,
        requester_may_approve: true,
        deadline: Some(deadline),
        levels: Vec::new(),
    }))
}

pub(super) fn decided(step: Option<&str>, decision: Decision, who: &str, reason: Option<&str>) -> Event {
    Event::Decided(Box::new(Decided {
        id: format!("{}-{}", decision.name(), step.unwrap_or("run")),
        step: step.map(path),
        decision,
        person: person(who),
        from: "inbox".to_owned(),
        at: at(0),
        reason: reason.map(str::to_owned),
        others: 0,
    }))
}

pub(super) fn approved(who: &str) -> Event {
    let digest = "9f86d081884c7d659a2feaa0c55ad015".to_owned();
    decided(Some("promote"), Decision::Approve { digest }, who, None)
}

/// A run as its viewers know it.
pub(super) struct Seen {
    pub(super) plan: Plan,
    pub(super) state: State,
    pub(super) timeline: Timeline,
}

impl Seen {
    /// What these records, at these seconds, make of a run of `plan`.
    pub(super) fn of(plan: Plan, records: &[(u64, Event)]) -> Self {
        let (state, timeline) = (State::new(&plan), Timeline::new(&plan));
        let mut seen = Self { plan, state, timeline };
        for (seconds, event) in records {
            seen.state.apply(&seen.plan, at(*seconds), event).unwrap();
            seen.timeline.record(&seen.plan, &seen.state, at(*seconds), event);
        }
        seen
    }
}

/// The records of a run of [`plan`] up to the open gate, at second 100.
pub(super) fn to_the_gate() -> Vec<(u64, Event)> {
    vec![
        (0, started(Mode::Real)),
        (0, intent("probe", 1, "probe.http")),
        (30, outcome("probe", 1, succeeded("3 of 3 samples failed"))),
        (30, asked()),
        (90, decided(Some("declare"), Decision::Answer { outputs: answers() }, "alice", None)),
        (100, gate(at(1000))),
    ]
}

/// The rest: approved at 160, promoted at 400, switched at 460, told at 470.
pub(super) fn to_the_end() -> Vec<(u64, Event)> {
    let mut records = to_the_gate();
    records.extend([
        (160, approved("bob")),
        (160, intent("promote", 1, "azure.postgres.promote_replica")),
        (400, outcome("promote", 1, succeeded(""))),
        (400, intent("switch", 1, "azure.traffic_manager.set_endpoint")),
        (460, outcome("switch", 1, succeeded("centralus disabled"))),
        (460, intent("tell", 1, "notify")),
        (470, outcome("tell", 1, succeeded(""))),
        (470, Event::RunEnded { state: crate::engine::RunState::Succeeded, outputs: Map::new() }),
    ]);
    records
}
