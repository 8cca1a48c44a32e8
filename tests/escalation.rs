//! Escalation alone, on a clock that the test sets: who is called when, who may answer, and what a crash changes.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

use std::sync::Arc;

use drctl::actions::registry::Registry;
use drctl::catalogue::Timestamp;
use drctl::diag::Sources;
use drctl::edge::process::ProcessRunner;
use drctl::engine::event::{Decided, Decision, Event, NodePath, Person, RunStarted};
use drctl::engine::{
    Answer, Effect, End, Input, Job, JobKind, Machine, Options, Outputs, Owed, Redelivery, Said, Seq, State, debtors,
    owed, redelivery,
};
use drctl::plan::{Plan, Runbooks};
use drctl::runbook::ast::Kind;
use drctl::runbook::source;
use drctl::runbook::workspace::Workspace;
use serde_json::{Value, json};

const PEOPLE: &str = r#"
drctl: 1
contacts:
  alice: { email: alice@example.com, phone: "+441632960001" }
  carol: { email: carol@example.com }
roles:
  engineer: { people: [alice, bob], channels: [pager] }
  manager: [carol]
  director: [dora]
approvals: { requester_may_approve: false, channels: [mail] }
channels:
  pager: { type: file, path: pager }
  mail: { type: file, path: mail }
  board: { type: file, path: board }
audiences: { board_members: [board] }
escalation_policies:
  critical:
    - { level_1: engineer, timeout: 5m }
    - { level_2: manager, timeout: 15m }
    - { level_3: board_members, timeout: 30m }
"#;

const FAILOVER: &str = r#"
drctl: 1
name: orders
kind: failover
owner: team
objectives: { rto: 45m, rpo: 5m }
assessment:
  - id: lag
    action: shell
    with: { script: lag }
    outputs: { seconds: { type: number, measures: rpo } }
execution:
  - id: promote
    action: shell
    with: { script: promote }
    point_of_no_return: true
    approval: { by: [engineer], escalation: critical, prompt: "Promote?\nIt loses data." }
  - { id: switch, action: shell, with: { script: switch }, needs: [promote] }
communication:
  - { id: tell, action: shell, with: { script: tell } }
"#;

/// A run whose only waits are the test's.
struct Night {
    plan: Arc<Plan>,
    machine: Machine,
    journal: Vec<(Timestamp, Event)>,
    jobs: Vec<Job>,
    /// How many records were looked at.
    seen: usize,
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(minutes * 60_000)
}

fn person(name: &str) -> Person {
    Person { name: name.to_owned(), host: "h".to_owned(), claimed: false }
}

fn plan_of(runbook: &str) -> Arc<Plan> {
    let catalogue = Registry::new(Arc::new(ProcessRunner::new("drctl"))).catalogue();
    let mut sources = Sources::default();
    let settings = source::decode(&mut sources, "drctl.yaml", PEOPLE.as_bytes()).unwrap();
    let (workspace, found) = Workspace::parse(&sources, settings);
    assert_eq!(found, []);
    let file = source::decode(&mut sources, "r.yaml", runbook.as_bytes()).unwrap();
    let (runbook, found) = drctl::runbook::parse(&sources, file);
    assert_eq!(found, []);
    let runbook = Arc::new(runbook.unwrap());
    let mut runbooks = Runbooks::default();
    runbooks.insert(Arc::clone(&runbook));
    let inputs = serde_json::Map::new();
    let (runbooks, workspace) = (Arc::new(runbooks), Arc::new(workspace));
    Arc::new(Plan::build(runbook, runbooks, workspace, Arc::default(), catalogue, inputs).unwrap())
}

fn machine(plan: &Arc<Plan>, state: State, seq: Seq) -> Machine {
    let options = Options {
        parallel: 1,
        jitter: Box::new(|| 0.0),
        #[cfg(feature = "mutants")]
        blind_retry: false,
    };
    Machine::new(Arc::clone(plan), state, seq, options)
}

impl Night {
    /// A run that waits at the gate: started by alice, the lag measured.
    fn at_the_gate(runbook: &str) -> Self {
        let plan = plan_of(runbook);
        let machine = machine(&plan, State::new(&plan), Seq(0));
        let mut night = Self { plan, machine, journal: Vec::new(), jobs: Vec::new(), seen: 0 };
        let started = RunStarted {
            run: "orders-1".to_owned(),
            drctl: "0".to_owned(),
            runbook: "orders".to_owned(),
            kind: Kind::Failover,
            path: "r.yaml".to_owned(),
            pinned: Vec::new(),
            inputs: serde_json::Map::new(),
            secrets: Vec::new(),
            operator: person("alice"),
            since: None,
            approved_ahead: Vec::new(),
            yes: false,
            mode: drctl::engine::Mode::Real,
            from_run: None,
            simulated: false,
            drill: None,
            announces: None,
            watched: false,
            outside_window: None,
            region: None,
            state: Some("/srv/dr state".to_owned()),
        };
        night.take(at(0), Input::Start(Box::new(started)));
        let outputs = Outputs::of(serde_json::Map::from_iter([("seconds".to_owned(), json!(12))]));
        night.done(at(0), End::Succeeded { outputs, already: false, note: String::new(), label: None });
        night.seen = night.journal.len() - 1;
        night.time(at(0));
        night
    }

    fn take(&mut self, now: Timestamp, input: Input) {
        for effect in self.machine.handle(now, input).unwrap() {
            match effect {
                Effect::Append { at, event, .. } => self.journal.push((at, event)),
                Effect::Do { job, .. } => self.jobs.push(*job),
                _ => {}
            }
        }
    }

    fn time(&mut self, now: Timestamp) {
        self.take(now, Input::Time);
    }

    /// The first job that is under way ends so.
    fn done(&mut self, now: Timestamp, end: End) {
        let job = self.jobs.remove(0).id;
        self.take(now, Input::Done { job, answer: Answer::End(end) });
    }

    fn reached(&mut self, now: Timestamp) {
        let note = "delivered".to_owned();
        self.done(now, End::Succeeded { outputs: Outputs::None, already: false, note, label: None });
    }

    fn decide(&mut self, now: Timestamp, who: &str, decision: Decision) {
        self.take(now, Input::Decide(Box::new(self.decided(now, who, decision))));
    }

    fn decided(&self, at: Timestamp, who: &str, decision: Decision) -> Decided {
        Decided {
            id: format!("{who}-{}", self.journal.len()),
            step: Some(NodePath("promote".into())),
            decision,
            person: person(who),
            from: "inbox".to_owned(),
            at,
            reason: None,
            others: 0,
        }
    }

    fn approve(&mut self, now: Timestamp, who: &str) {
        let digest = self.digest();
        self.decide(now, who, Decision::Approve { digest });
    }

    fn digest(&self) -> String {
        let mut digests = self.journal.iter().filter_map(|(_, event)| match event {
            Event::GateOpened(opened) => Some(opened.digest.clone()),
            _ => None,
        });
        digests.next_back().unwrap()
    }

    /// The process is gone, with all that it did; another takes the run up, once it has heard what was decided.
    fn crash(&mut self, now: Timestamp, decided: Option<Decided>) {
        let state = self.state();
        self.machine = machine(&self.plan, state, Seq(self.journal.len() as u64));
        self.jobs.clear();
        self.take(now, Input::Resume(person("alice")));
        decided.into_iter().for_each(|decided| self.take(now, Input::Decide(Box::new(decided))));
        self.time(now);
    }

    /// What the journal tells.
    fn state(&self) -> State {
        let mut state = State::new(&self.plan);
        for (at, event) in &self.journal {
            state.apply(&self.plan, *at, event).unwrap();
        }
        state
    }

    /// What is owed, by its name, and whether it is in doubt.
    fn owed(&self) -> Vec<(String, bool)> {
        owed(&self.plan, &self.state()).iter().map(|owed| (owed.name().unwrap(), owed.in_doubt)).collect()
    }

    /// The call that is under way ends so, with this known of its deliveries.
    fn call_ends(&mut self, now: Timestamp, known: Value, end: End) {
        let job = self.jobs[0].id;
        self.take(now, Input::Handle { job, handle: known, token: 1 });
        self.done(now, end);
    }

    /// What is done for the call of that number.
    fn redelivery(&self, call: u32, owed: &[Owed], said: Said<'_>) -> Redelivery {
        redelivery(&self.plan, &self.state(), (&NodePath("promote".into()), Some(call)), owed, said).unwrap()
    }

    /// What happened since this was asked last.
    fn news(&mut self) -> Vec<String> {
        let new = self.journal[self.seen..].iter().map(|(_, event)| told(event)).collect();
        self.seen = self.journal.len();
        new
    }

    fn call(&self) -> Value {
        let mut calls = self.journal.iter().filter_map(|(_, event)| match event {
            Event::LevelCalled(called) => Some(called.message.clone()),
            _ => None,
        });
        calls.next_back().unwrap()
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::LevelCalled(called) => {
            let missed = if called.missed.is_empty() { String::new() } else { format!(", missed {:?}", called.missed) };
            let channels = called.channels.join(", ");
            format!("call {}: level {}, {} through {channels}{missed}", called.call, called.level, called.calls)
        }
        Event::CallEnded { call, end: End::Succeeded { .. }, .. } => format!("call {call} delivered"),
        Event::CallEnded { call, end: End::Failed { reason, .. }, .. } => format!("call {call} owed: {reason}"),
        Event::CallEnded { call, .. } => format!("call {call} in doubt"),
        Event::GateEscalated { to, level: 0, .. } => format!("asked too: {}", to.join(", ")),
        Event::GateEscalated { .. } => "nobody is left to call".to_owned(),
        Event::Decided(decided) => format!("{} by {}", decided.decision.name(), decided.person.name),
        Event::DecisionRefused { reason, .. } => format!("refused: {reason}"),
        Event::StepFailed { reason, .. } => format!("failed: {reason}"),
        other => other.name().to_owned(),
    }
}

#[test]
fn each_level_is_called_when_the_time_of_the_one_before_is_over_and_none_approves() {
    let mut night = Night::at_the_gate(FAILOVER);
    assert_eq!(night.news(), ["gate_opened", "call 1: level 1, engineer through pager"]);
    night.reached(at(0));
    night.time(at(4));
    assert_eq!(night.news(), ["call 1 delivered"]);
    night.time(at(5));
    night.reached(at(5));
    night.time(at(19));
    assert_eq!(night.news(), ["call 2: level 2, manager through mail", "call 2 delivered"]);
    night.time(at(20));
    night.reached(at(20));
    assert_eq!(night.news(), ["call 3: level 3, board_members through board", "call 3 delivered"]);
    night.time(at(50));
    night.time(at(600));
    assert_eq!(night.news(), ["nobody is left to call"]);
    assert_eq!(night.machine.next_wake(), None);
    night.approve(at(700), "bob");
    assert_eq!(night.news(), ["approve by bob", "intent"]);
}

#[test]
fn people_of_a_level_may_answer_once_it_was_called_and_not_before() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.news();
    night.approve(at(1), "carol");
    night.approve(at(1), "alice");
    assert_eq!(
        night.news(),
        [
            "refused: `carol` has none of the roles `engineer`; those who do: alice, bob",
            "refused: `alice` started the run and may not approve this gate; somebody else has to",
        ]
    );
    night.reached(at(1));
    night.time(at(5));
    night.approve(at(6), "dora");
    night.approve(at(6), "carol");
    assert_eq!(
        night.news(),
        [
            "call 1 delivered",
            "call 2: level 2, manager through mail",
            "refused: `dora` has none of the roles `engineer`, `manager`; those who do: alice, bob, carol",
            "approve by carol",
            "intent",
        ]
    );
}

#[test]
fn a_quorum_may_be_made_of_people_of_several_levels() {
    let mut night = Night::at_the_gate(&FAILOVER.replace("by: [engineer]", "by: [engineer], quorum: 2"));
    night.approve(at(1), "bob");
    night.approve(at(2), "bob");
    night.time(at(5));
    night.approve(at(6), "carol");
    let news = night.news();
    assert_eq!(
        news,
        [
            "gate_opened",
            "call 1: level 1, engineer through pager",
            "approve by bob",
            "refused: `bob` has approved already; 2 different people are needed",
            "call 2: level 2, manager through mail",
            "approve by carol",
            "intent",
        ]
    );
}

#[test]
fn a_call_that_hangs_or_fails_holds_nothing_up() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.approve(at(1), "bob");
    // One job at a time, and the call is not over: the step begins all the same.
    assert_eq!(night.news(), ["gate_opened", "call 1: level 1, engineer through pager", "approve by bob", "intent"]);
    assert!(!night.machine.waits_for_people());
    night.done(at(2), End::Failed { reason: "refused with 500".to_owned(), retry_at: None });
    assert_eq!(night.news(), ["call 1 owed: refused with 500"]);
}

#[test]
fn a_call_that_reached_nobody_is_owed_as_long_as_its_gate_waits() {
    let mut night = Night::at_the_gate(FAILOVER);
    let known = json!({ "delivered": [], "why": { "pager": "refused with 404" } });
    night.call_ends(at(1), known, End::Failed { reason: "refused with 404".to_owned(), retry_at: None });
    assert_eq!(night.owed(), [("call_1/pager".to_owned(), false)]);
    let person = person("alice");
    let (step, handle) = (NodePath("promote".into()), json!({ "delivered": ["pager"] }));
    night.journal.push((at(2), Event::Redelivered { step, call: Some(1), handle, person, reason: None }));
    assert_eq!(night.owed(), []);
    // Who takes the run up neither calls again nor owes anything.
    night.news();
    night.crash(at(3), None);
    assert_eq!((night.news(), night.jobs.len()), (vec!["run_resumed".to_owned()], 0));

    let mut night = Night::at_the_gate(FAILOVER);
    night.done(at(1), End::Failed { reason: "refused with 404".to_owned(), retry_at: None });
    assert_eq!(owed(&night.plan, &night.state()).len(), 1);
    night.approve(at(2), "bob");
    assert_eq!(night.owed(), [], "nobody has to be called to a gate that was answered");
}

#[test]
fn of_calls_that_are_owed_those_in_doubt_need_a_persons_word() {
    let mut night = Night::at_the_gate(FAILOVER);
    let refused = json!({ "delivered": [], "why": { "pager": "refused with 404" } });
    night.call_ends(at(1), refused.clone(), End::Failed { reason: "refused".to_owned(), retry_at: None });
    night.time(at(5));
    let lost = json!({ "delivered": [], "in_doubt": ["mail"], "why": { "mail": "it hung up" } });
    night.call_ends(at(6), lost, End::Ambiguous { evidence: "it hung up".to_owned() });
    let doubt = "call_2/mail".to_owned();
    assert_eq!(night.owed(), [("call_1/pager".to_owned(), false), (doubt.clone(), true)]);

    let all = owed(&night.plan, &night.state());
    let step = NodePath("promote".into());
    assert_eq!(debtors(&all), [(step.clone(), Some(1)), (step, Some(2))]);
    let first = night.redelivery(1, &all, Said::default());
    assert_eq!((json!(first.known), first.is_settled, first.sends), (refused, false, true));
    let given = [doubt];
    for (said, delivered, in_doubt, is_settled, sends) in [
        (Said::default(), 0, 1, false, false),
        (Said { doubtful: &given, ..Said::default() }, 0, 0, false, true),
        (Said { arrived: &given, ..Said::default() }, 1, 0, true, false),
    ] {
        assert_eq!(said.check(&all), Ok(()));
        let second = night.redelivery(2, &all, said);
        let known = (second.known.delivered.len(), second.known.in_doubt.len());
        assert_eq!((known, second.is_settled, second.sends), ((delivered, in_doubt), is_settled, sends), "{said:?}");
    }
    let mistyped = ["call_2/mial".to_owned()];
    let why = "the delivery `call_2/mial` is not in doubt: those that are: `call_2/mail`; did you mean `call_2/mail`?";
    assert_eq!(Said { arrived: &mistyped, ..Said::default() }.check(&all), Err(why.to_owned()));
}

#[test]
fn a_gate_that_rejects_does_so_after_its_own_time_or_that_of_the_last_level() {
    let mut night = Night::at_the_gate(&FAILOVER.replace("prompt:", "on_timeout: reject, prompt:"));
    for minutes in [5, 20] {
        night.time(at(minutes));
    }
    night.news();
    night.time(at(50));
    assert_eq!(night.news(), ["failed: nobody approved it in time", "paused"]);
    night.approve(at(51), "bob");
    assert_eq!(night.news(), ["refused: `promote` is failed: there is nothing to approve"]);

    let own = "timeout: 10m, on_timeout: reject, prompt:";
    let mut night = Night::at_the_gate(&FAILOVER.replace("prompt:", own));
    night.time(at(5));
    night.news();
    night.time(at(10));
    assert_eq!(night.news(), ["failed: nobody approved it in time", "paused"]);
    night.time(at(20));
    assert_eq!(night.news(), [""; 0]);
}

#[test]
fn a_gate_with_a_time_of_its_own_asks_those_roles_besides_the_levels() {
    let mut night = Night::at_the_gate(&FAILOVER.replace("prompt:", "timeout: 10m, escalate_to: [director], prompt:"));
    night.news();
    night.time(at(5));
    night.time(at(10));
    night.approve(at(11), "dora");
    assert_eq!(
        night.news(),
        ["call 2: level 2, manager through mail", "asked too: director", "approve by dora", "intent"]
    );
}

#[test]
fn an_approval_that_was_said_before_a_deadline_is_heard_before_it() {
    let mut night = Night::at_the_gate(&FAILOVER.replace("prompt:", "timeout: 10m, on_timeout: reject, prompt:"));
    night.news();
    let digest = night.digest();
    let said = night.decided(at(9), "bob", Decision::Approve { digest: digest.clone() });
    let late = night.decided(at(10), "bob", Decision::Approve { digest });
    night.take(at(10), Input::Decide(Box::new(late)));
    assert_eq!(
        night.news(),
        [
            "refused: the time to approve `promote` was over at 1970-01-01T00:10:00.000Z; after a `retry` it is asked again"
        ]
    );
    night.take(at(10), Input::Decide(Box::new(Decided { id: "early".to_owned(), ..said })));
    assert_eq!(night.news(), ["approve by bob", "intent"]);
}

#[test]
fn who_takes_the_run_up_calls_the_level_whose_time_it_is_and_tells_which_were_missed() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.reached(at(0));
    night.news();
    night.crash(at(25), None);
    assert_eq!(night.news(), ["run_resumed", "call 2: level 3, board_members through board, missed [2]"]);
    let call = night.call();
    assert!(call["body"].as_str().unwrap().contains("- asks: engineer, manager: alice, bob, carol;"), "{call}");
    night.reached(at(27));
    night.crash(at(28), None);
    assert_eq!(night.news(), ["call 2 delivered", "run_resumed"]);
    // Whose level was missed was not called, but may answer.
    night.approve(at(29), "carol");
    assert_eq!(night.news(), ["approve by carol", "intent"]);
}

#[test]
fn who_a_level_names_may_answer_from_its_time_on_though_nobody_executes_the_run() {
    let refused = "refused: `carol` has none of the roles `engineer`; those who do: alice, bob";
    for (said, heard, wanted) in
        [(4, 4, refused), (4, 25, refused), (5, 5, "approve by carol"), (6, 25, "approve by carol")]
    {
        let mut night = Night::at_the_gate(FAILOVER);
        night.reached(at(0));
        night.news();
        let digest = night.digest();
        let kept = night.decided(at(said), "carol", Decision::Approve { digest });
        let judged = night.machine.judge(&kept, kept.at).is_ok();
        assert_eq!(judged, wanted != refused, "said at {said}: what looks on tells the same as what takes it");
        night.crash(at(heard), Some(kept));
        assert_eq!(night.news()[1], wanted, "said at {said}, heard at {heard}");
    }
    let mut night = Night::at_the_gate(&FAILOVER.replace("prompt:", "timeout: 10m, escalate_to: [director], prompt:"));
    night.reached(at(0));
    night.news();
    let digest = night.digest();
    let early = night.decided(at(9), "dora", Decision::Approve { digest: digest.clone() });
    let late = night.decided(at(10), "dora", Decision::Approve { digest });
    assert_eq!([&early, &late].map(|said| night.machine.judge(said, said.at).is_ok()), [false, true]);
    night.crash(at(60), Some(late));
    assert_eq!(night.news(), ["run_resumed", "approve by dora", "intent"]);
}

#[test]
fn after_the_time_of_all_levels_the_last_one_is_called_late_rather_than_nobody() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.reached(at(0));
    night.news();
    night.crash(at(90), None);
    assert_eq!(
        night.news(),
        ["run_resumed", "call 2: level 3, board_members through board, missed [2]", "nobody is left to call"]
    );
}

#[test]
fn nobody_is_called_to_a_gate_that_was_passed_while_nobody_executed_the_run() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.reached(at(0));
    night.news();
    let digest = night.digest();
    let kept = night.decided(at(3), "bob", Decision::Approve { digest });
    night.crash(at(25), Some(kept));
    assert_eq!(night.news(), ["run_resumed", "approve by bob", "intent"]);
}

#[test]
fn a_call_that_nobody_saw_end_goes_on_where_it_was_and_is_no_second_call() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.news();
    let first = night.jobs[0].clone();
    assert_eq!((first.kind.clone(), first.id.attempt), (JobKind::Apply, 1));
    night.crash(at(1), None);
    assert_eq!((night.jobs[0].kind.clone(), night.jobs[0].id), (JobKind::Apply, first.id));
    let handle = json!({ "delivered": [], "sending": "pager" });
    let job = night.jobs[0].id;
    night.take(at(1), Input::Handle { job, handle: handle.clone(), token: 1 });
    night.crash(at(2), None);
    let again = &night.jobs[0];
    assert_eq!((again.kind.clone(), again.id), (JobKind::Attach(handle), first.id));
    assert_eq!(again.with.shown(), first.with.shown());
    night.take(at(2), Input::Done { job: first.id, answer: Answer::NotAttachable });
    night.crash(at(3), None);
    assert_eq!(night.jobs.len(), 0);
    assert_eq!(night.news(), ["run_resumed", "call_handle", "run_resumed", "call 1 in doubt", "run_resumed"]);
}

#[test]
fn a_clock_that_leaps_calls_the_level_whose_time_it_is_and_one_set_back_calls_nobody_twice() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.news();
    night.time(at(21));
    night.time(at(3));
    night.time(at(22));
    assert_eq!(night.news(), ["call 2: level 3, board_members through board, missed [2]"]);
}

#[test]
fn a_gate_that_is_asked_again_calls_again_from_the_first_level() {
    let mut night = Night::at_the_gate(FAILOVER);
    night.reached(at(0));
    night.decide(at(1), "bob", Decision::Reject);
    night.decide(at(2), "bob", Decision::Retry);
    night.time(at(2));
    night.news();
    assert_eq!(night.jobs[0].id.attempt, 2);
    night.reached(at(2));
    night.time(at(6));
    assert_eq!(night.news(), ["call 2 delivered"]);
    night.time(at(7));
    assert_eq!(night.news(), ["call 3: level 2, manager through mail"]);
}

#[test]
fn a_call_says_what_would_run_what_is_lost_what_waits_for_it_and_what_to_type() {
    let night = Night::at_the_gate(FAILOVER);
    let call = night.call();
    assert_eq!(call["subject"], "orders-1: approve `promote`? (level 1: engineer)");
    assert_eq!(call["short"], "drctl: approve promote of orders-1? RTO: 45m left. drctl status orders-1");
    assert_eq!((&call["severity"], &call["template"]), (&json!("critical"), &json!("approval_request")));
    let digest = &night.digest()[..12];
    let body = format!(
        "\
The failover `orders` waits for an approval of `promote`.

> Promote?
> It loses data.

- run: `orders-1`
- started by: alice on h
- asks: engineer: alice, bob; not alice, who started the run
- RTO: 45m left
- loss: RPO 5m: up to 12s lost, measured by `lag`
- blocks: `switch`, `tell`
- points of no return: `promote`
- digest: `{digest}`
- goes on to: manager, at 1970-01-01T00:05:00.000Z

What would be done:

    does: promote: shell
    does:   script: promote

Answer on any host that shares the run's state:

    drctl --state '/srv/dr state' approve orders-1 promote --reason \"...\"
    drctl --state '/srv/dr state' reject orders-1 promote --reason \"...\"
"
    );
    assert_eq!(call["body"], body);
}

#[test]
fn a_call_does_not_name_what_waits_for_other_steps_among_what_it_blocks() {
    let first = "  - { id: tell,";
    let staff = format!(
        "  - {{ id: tell_staff, action: shell, needs: [lag], when: \"steps.lag.status == 'failed'\", with: {{ script: tell }} }}\n{first}"
    );
    let night = Night::at_the_gate(&FAILOVER.replace(first, &staff));
    let call = night.call();
    assert!(call["body"].as_str().is_some_and(|body| body.contains("\n- blocks: `switch`, `tell`\n")), "{call}");
}
