//! The engine alone: random runbooks, random ends, random crashes. What must hold, holds.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use drctl::actions::registry::Registry;
use drctl::catalogue::Timestamp;
use drctl::diag::Sources;
use drctl::edge::process::ProcessRunner;
use drctl::engine::event::{Decided, Decision, Event, NodePath, Person, RunStarted};
use drctl::engine::{
    Answer, Effect, End, Input, Job, JobKind, Machine, NodeId, Options, RunState, Seq, Sight, State, StepState,
};
use drctl::plan::{Plan, Runbooks};
use drctl::runbook::ast::{Kind, Phase};
use drctl::runbook::source;
use drctl::runbook::workspace::Workspace;

/// A step of a random runbook: its phase, and which earlier steps it needs.
#[derive(Clone, Debug)]
struct Step {
    phase: usize,
    needs: Vec<usize>,
    on_failure: &'static str,
    repeatable: bool,
    undo: bool,
    /// The runbook it runs, instead of doing something itself, and whether it does so twice, for two items.
    calls: Option<(usize, bool)>,
    /// Whether it is done twice, for two items.
    each: bool,
    /// Whether somebody is asked before.
    gated: bool,
}

/// A random runbook and those it calls: each calls only later ones.
type Books = Vec<Vec<Step>>;

fn books() -> impl Strategy<Value = Books> {
    (steps(14), prop::collection::vec(steps(5), 0..3)).prop_map(|(own, others)| {
        let mut books = vec![own];
        books.extend(others);
        let count = books.len();
        for (at, book) in books.iter_mut().enumerate() {
            for step in book.iter_mut() {
                // Drawn for each step: which of the later ones it calls, where there are any.
                step.calls =
                    step.calls.map(|(drawn, each)| (at + 1 + drawn, each)).filter(|(called, _)| *called < count);
            }
        }
        books
    })
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let policy = prop_oneof![4 => Just("stop"), 2 => Just("continue"), 1 => Just("ask"), 1 => Just("rollback")];
    let calls = prop_oneof![3 => Just(None), 1 => (0..2_usize, any::<bool>()).prop_map(Some)];
    let needs = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    let gated = prop_oneof![3 => Just(false), 1 => Just(true)];
    let step = (0..4_usize, needs, policy, any::<bool>(), any::<bool>(), calls, (gated.clone(), gated));
    prop::collection::vec(step, 1..most).prop_map(|mut drawn| {
        drawn.sort_by_key(|step| step.0);
        let needs = |at: usize, drawn: &[prop::sample::Index]| match at {
            0 => Vec::new(),
            at => drawn.iter().map(|index| index.index(at)).collect::<BTreeSet<_>>().into_iter().collect(),
        };
        let made =
            drawn.iter().enumerate().map(|(at, (phase, drawn, on_failure, repeatable, undo, calls, (each, gated)))| {
                Step {
                    phase: *phase,
                    needs: needs(at, drawn),
                    on_failure,
                    repeatable: *repeatable,
                    undo: *undo,
                    calls: *calls,
                    each: *each,
                    gated: *gated,
                }
            });
        made.collect()
    })
}

fn text(name: usize, steps: &[Step]) -> String {
    let mut text = vec![format!("drctl: 1\nname: r{name}\nkind: failover\nowner: t")];
    for (phase, name) in ["detection", "assessment", "execution", "communication"].into_iter().enumerate() {
        text.push(format!("{name}:"));
        let inside = steps.iter().enumerate().filter(|(_, step)| step.phase == phase);
        text.extend(inside.map(|(at, step)| step_text(at, step)));
    }
    text.join("\n")
}

fn step_text(at: usize, step: &Step) -> String {
    let needs: Vec<String> = step.needs.iter().map(|need| format!("s{need}")).collect();
    let (needs, on_failure) = (needs.join(", "), step.on_failure);
    let gate = if step.gated { ", approval: {}" } else { "" };
    let each = |each: bool| if each { ", for_each: [a, b]" } else { "" };
    if let Some((called, twice)) = step.calls {
        let each = each(twice);
        let told = step.repeatable;
        return format!(
            "  - {{ id: s{at}, action: runbook, with: {{ runbook: r{called}, communication: {told} }}, needs: [{needs}]{each}{gate} }}"
        );
    }
    let retry = if step.repeatable { ", on_interrupt: retry" } else { "" };
    let undo = if step.undo { ", rollback: { action: shell, with: { script: u } }" } else { "" };
    let each = each(step.each);
    format!(
        "  - {{ id: s{at}, action: shell, with: {{ script: x }}, needs: [{needs}], on_failure: {on_failure}{retry}{undo}{each}{gate} }}"
    )
}

fn plan(books: &Books) -> Arc<Plan> {
    let texts: Vec<String> = books.iter().enumerate().map(|(name, steps)| text(name, steps)).collect();
    plan_of(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The plan of the first runbook, which may call the others.
fn plan_of(texts: &[&str]) -> Arc<Plan> {
    let catalogue = Registry::new(Arc::new(ProcessRunner::new("drctl"))).catalogue();
    let mut sources = Sources::default();
    let mut runbooks = Runbooks::default();
    let mut own = None;
    for text in texts {
        let source = source::decode(&mut sources, "r.yaml", text.as_bytes()).unwrap();
        let (runbook, found) = drctl::runbook::parse(&sources, source);
        assert_eq!(found, []);
        let runbook = Arc::new(runbook.unwrap());
        own.get_or_insert_with(|| Arc::clone(&runbook));
        runbooks.insert(runbook);
    }
    let workspace = Arc::new(Workspace::empty());
    let inputs = serde_json::Map::new();
    Arc::new(Plan::build(own.unwrap(), Arc::new(runbooks), workspace, Arc::default(), catalogue, inputs).unwrap())
}

fn person() -> Person {
    Person { name: "ada".to_owned(), host: "h".to_owned(), claimed: false }
}

fn started() -> Box<RunStarted> {
    Box::new(RunStarted {
        run: "r-1".to_owned(),
        drctl: "0".to_owned(),
        runbook: "r".to_owned(),
        kind: Kind::Failover,
        path: "r.yaml".to_owned(),
        pinned: Vec::new(),
        inputs: serde_json::Map::new(),
        secrets: Vec::new(),
        operator: person(),
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
        state: None,
    })
}

/// What happens to a run from outside, drawn at random.
struct World {
    books: Books,
    plan: Arc<Plan>,
    draws: Vec<u8>,
    at: usize,
    clock: i64,
    records: Vec<(Timestamp, Event)>,
    jobs: Vec<Job>,
    /// Effects that really happened, by step: what counts outside.
    happened: BTreeMap<String, u32>,
}

fn machine(plan: &Arc<Plan>, state: State, records: usize) -> Machine {
    let options = Options {
        parallel: 3,
        jitter: Box::new(|| 0.5),
        #[cfg(feature = "mutants")]
        blind_retry: false,
    };
    Machine::new(Arc::clone(plan), state, Seq(records as u64), options)
}

impl World {
    fn draw(&mut self, most: u8) -> u8 {
        let drawn = self.draws[self.at % self.draws.len()];
        self.at += 1;
        // What is drawn comes round again; bad luck must not.
        if self.at > 200 { 0 } else { drawn % most }
    }

    fn machine(&self, state: State) -> Machine {
        machine(&self.plan, state, self.records.len())
    }

    fn give(&mut self, machine: &mut Machine, input: Input) {
        self.clock += 1;
        for effect in machine.handle(Timestamp(self.clock), input).unwrap() {
            match effect {
                Effect::Append { seq, at, event } => {
                    assert_eq!(seq, Seq(self.records.len() as u64 + 1), "records have no gaps");
                    self.records.push((at, event));
                }
                Effect::Do { job, after } => {
                    assert_eq!(after, Seq(self.records.len() as u64), "a job waits for all before it");
                    self.check_start(machine, &job);
                    self.jobs.push(*job);
                }
                _ => {}
            }
        }
        self.check_fold(machine);
    }

    /// The state is a fold of the records, live and afterwards alike.
    fn check_fold(&self, machine: &Machine) {
        let mut state = State::new(&self.plan);
        for (at, event) in &self.records {
            state.apply(&self.plan, *at, event).unwrap();
        }
        let states = |state: &State| state.nodes.iter().map(|node| (node.state, node.attempt)).collect::<Vec<_>>();
        assert_eq!(states(&state), states(machine.state()));
        assert_eq!(state.run_state(&self.plan), machine.state().run_state(&self.plan));
    }

    fn check_start(&self, machine: &Machine, job: &Job) {
        if job.id.side == drctl::engine::Side::Rollback || job.kind != JobKind::Apply {
            return;
        }
        // What its own runbook wants, and what those want that call it.
        let state = machine.state();
        let mut at = Some(job.id.node);
        while let Some(node) = at {
            let node = state.node(node).parent.unwrap_or(node);
            let asked = self.plan.step(state.node(node).step).approval.is_some();
            assert!(
                !asked || state.node(node).gate().is_some_and(|gate| gate.approved),
                "{} was not asked for",
                job.path
            );
            self.check_order(state, node);
            at = state.frame(state.node(node).frame).caller;
            assert!(at.is_none_or(|caller| state.node(caller).state == StepState::Running), "{}", job.path);
        }
    }

    /// A step starts after its needs and, but for a communication step with needs, after the phases before it.
    fn check_order(&self, state: &State, node: NodeId) {
        let step = self.plan.step(state.node(node).step);
        let met = |other: NodeId| state.is_met(&self.plan, other);
        for need in self.plan.graph.needs(state.node(node).step) {
            assert!(met(state.peer(&self.plan, node, *need)), "{} started before a need", state.node(node).path);
        }
        let told = step.phase == Phase::Communication && !step.needs.is_empty();
        for other in state.frame(state.node(node).frame).nodes(&self.plan) {
            let phase = self.plan.step(state.node(other).step).phase;
            let before = phase.is_barrier() && phase < step.phase && !told;
            assert!(!before || met(other), "{} started before its phase", state.node(node).path);
        }
    }

    /// Ends one job in a way that is drawn.
    fn end_one(&mut self, machine: &mut Machine) {
        let at = usize::from(self.draw(u8::MAX)) % self.jobs.len();
        let job = self.jobs.remove(at);
        let drawn = self.draw(8);
        let answer = match &job.kind {
            JobKind::Apply => {
                if drawn != 7 {
                    *self.happened.entry(format!("{:?} {}", job.id.side, job.path)).or_default() += 1;
                }
                Answer::End(match drawn {
                    0..=4 => End::Succeeded {
                        outputs: drctl::engine::Outputs::None,
                        already: false,
                        note: String::new(),
                        label: None,
                    },
                    5 => End::Failed { reason: "drawn".to_owned(), retry_at: None },
                    6 => End::Ambiguous { evidence: "drawn".to_owned() },
                    _ => End::Cancelled,
                })
            }
            JobKind::Attach(_) => Answer::NotAttachable,
            JobKind::Observe => {
                let reason = "drawn".to_owned();
                let really = self.happened.contains_key(&format!("{:?} {}", job.id.side, job.path));
                Answer::Sight(match (drawn, really) {
                    (0..=2, true) => Sight::Applied { outputs: drctl::engine::Outputs::None },
                    (0..=2, false) => Sight::NotApplied { reason },
                    _ => Sight::Unknown { reason },
                })
            }
            JobKind::Verify { .. } => Answer::Verified { holds: drawn.is_multiple_of(2), reason: String::new() },
            JobKind::Foresee => Answer::Foreseen(Vec::new()),
        };
        self.give(machine, Input::Done { job: job.id, answer });
    }

    /// Somebody answers a gate, where one is open.
    fn answer_one(&mut self, machine: &mut Machine) -> bool {
        let state = machine.state();
        let open = state.iter().find(|(_, node)| node.state == StepState::AwaitingApproval);
        let Some(node) = open.filter(|_| state.aborted.is_none() && state.rollback.is_none()).map(|(_, node)| node)
        else {
            return false;
        };
        let (step, digest) = (Some(node.path.clone()), node.gate().unwrap().opened.digest.clone());
        let decision = if self.draw(8) == 7 { Decision::Reject } else { Decision::Approve { digest } };
        let (id, from, at) = (format!("d{}", self.records.len()), "inbox".to_owned(), Timestamp(self.clock));
        let reason = Some("drawn".to_owned());
        self.give(
            machine,
            Input::Decide(Box::new(Decided { id, step, decision, person: person(), from, at, reason, others: 0 })),
        );
        true
    }

    /// The process dies: of the jobs under way, some had their effect, some had not.
    fn crash(&mut self) -> Machine {
        for job in std::mem::take(&mut self.jobs) {
            if job.kind == JobKind::Apply && self.draw(2) == 0 {
                *self.happened.entry(format!("{:?} {}", job.id.side, job.path)).or_default() += 1;
            }
        }
        let mut state = State::new(&self.plan);
        self.records.iter().for_each(|(at, event)| state.apply(&self.plan, *at, event).unwrap());
        let mut machine = self.machine(state);
        self.give(&mut machine, Input::Resume(person()));
        machine
    }
}

fn run(books: Books, draws: Vec<u8>, crashes: bool) -> (World, RunState) {
    let plan = plan(&books);
    let state = State::new(&plan);
    let mut world =
        World { books, plan, draws, at: 0, clock: 0, records: Vec::new(), jobs: Vec::new(), happened: BTreeMap::new() };
    let mut machine = world.machine(state);
    world.give(&mut machine, Input::Start(started()));
    for _ in 0..4000 {
        let rests = world.jobs.is_empty();
        if machine.state().ended.is_some() || rests && !world.answer_one(&mut machine) {
            break;
        }
        if rests || world.draw(6) == 0 && world.answer_one(&mut machine) {
            continue;
        }
        if crashes && world.at < 200 && world.draw(6) == 0 {
            machine = world.crash();
        } else {
            world.end_one(&mut machine);
        }
    }
    let state = machine.state().run_state(&world.plan);
    // What was cancelled goes on with the next process.
    let goes_on = state != RunState::Running || machine.state().count(StepState::Cancelled) > 0;
    assert!(
        machine.state().ended.is_some() || machine.waits_for_people() && goes_on,
        "neither ended nor waiting: {state:?}\n{}",
        world.books.iter().enumerate().map(|(name, steps)| text(name, steps)).collect::<Vec<_>>().join("\n---\n")
    );
    (world, state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_run_ends_or_waits_for_people(books in books(), draws in prop::collection::vec(any::<u8>(), 1..60)) {
        let (world, state) = run(books, draws, false);
        let clean = world.records.iter().all(|(_, event)| !matches!(event, Event::Decided(_) | Event::StepFailed { .. } | Event::InDoubt { .. } | Event::Outcome { end: End::Failed { .. } | End::Ambiguous { .. } | End::Cancelled, .. }));
        prop_assert!(!clean || state == RunState::Succeeded, "nothing went wrong and it is {state:?}");
    }

    #[test]
    fn a_crash_at_any_moment_repeats_nothing_that_is_not_repeatable(books in books(), draws in prop::collection::vec(any::<u8>(), 1..80)) {
        let (world, state) = run(books, draws, true);
        // Only the world's own word "it did not happen" may run an unsafe step again; here it tells the truth.
        for (name, times) in &world.happened {
            let path = name.split_once(' ').unwrap().1;
            let step = world.plan.step(world.plan.find(path).unwrap());
            prop_assert!(*times == 1 || step.on_interrupt.is_some() || name.starts_with("Rollback"), "{name} happened {times} times");
        }
        let mut last = State::new(&world.plan);
        world.records.iter().for_each(|(at, event)| last.apply(&world.plan, *at, event).unwrap());
        let doubtful = last.count(StepState::InDoubt) > 0;
        prop_assert!(!doubtful || matches!(state, RunState::InDoubt | RunState::Failed), "{state:?}");
    }
}

const UPDATES: &str = "\
drctl: 1
name: r
kind: failover
owner: t
assessment:
  - { id: said, action: shell, with: { script: x } }
execution:
  - { id: work, action: manual, with: { instructions: x } }
communication:
  - { id: keep, action: shell, needs: [said], every: 10m, until: over, with: { script: \"x\" } }
  - { id: late, action: shell, every: 10m, with: { script: x } }
  - { id: over, action: shell, with: { script: x } }
";

/// A run of [`UPDATES`] in which every job ends well within a minute of its start.
struct Updates {
    plan: Arc<Plan>,
    machine: Machine,
    records: Vec<(Timestamp, Event)>,
}

fn minutes(minutes: i64) -> Timestamp {
    Timestamp(minutes * 60_000)
}

impl Updates {
    fn new() -> Self {
        let plan = plan_of(&[UPDATES]);
        Self { machine: machine(&plan, State::new(&plan), 0), plan, records: Vec::new() }
    }

    /// The steps that ran because of the input.
    fn give(&mut self, minute: i64, input: Input) -> Vec<String> {
        let (mut inputs, mut ran) = (vec![input], Vec::new());
        while let Some(input) = inputs.pop() {
            let at = if ran.is_empty() { minute } else { minute + 1 };
            for effect in self.machine.handle(minutes(at), input).unwrap() {
                match effect {
                    Effect::Append { at, event, .. } => self.records.push((at, event)),
                    Effect::Do { job, .. } => {
                        ran.push(job.path.to_string());
                        let outputs = drctl::engine::Outputs::None;
                        let end = End::Succeeded { outputs, already: false, note: String::new(), label: None };
                        inputs.push(Input::Done { job: job.id, answer: Answer::End(end) });
                    }
                    _ => {}
                }
            }
        }
        ran
    }

    /// The process dies; another one takes the run up.
    fn resume(&mut self, minute: i64) -> Vec<String> {
        let mut state = State::new(&self.plan);
        self.records.iter().for_each(|(at, event)| state.apply(&self.plan, *at, event).unwrap());
        self.machine = machine(&self.plan, state, self.records.len());
        let ran = self.give(minute, Input::Resume(person()));
        [ran, self.give(minute, Input::Time)].concat()
    }

    fn answer(&mut self, minute: i64) -> Vec<String> {
        let decided = Decided {
            id: "d".to_owned(),
            step: Some(NodePath("work".into())),
            decision: Decision::Answer { outputs: serde_json::Map::new() },
            person: person(),
            from: "inbox".to_owned(),
            at: minutes(minute),
            reason: None,
            others: 0,
        };
        self.give(minute, Input::Decide(Box::new(decided)))
    }
}

#[test]
fn an_update_comes_one_interval_after_what_it_follows_and_a_resume_keeps_its_time() {
    let mut run = Updates::new();
    assert_eq!(run.give(0, Input::Start(started())), ["said"]);
    assert_eq!(run.machine.next_wake(), Some(minutes(11)));
    assert_eq!(run.resume(5), [""; 0]);
    assert_eq!(run.machine.next_wake(), Some(minutes(11)));
    assert_eq!(run.give(11, Input::Time), ["keep[1]"]);
    assert_eq!(run.resume(15), [""; 0]);
    assert_eq!(run.machine.next_wake(), Some(minutes(21)));
    assert_eq!(run.resume(60), ["keep[2]"], "one catch-up, however many were missed");
    assert_eq!(run.machine.next_wake(), Some(minutes(70)));

    assert_eq!(run.answer(65), ["over"]);
    assert_eq!(run.machine.state().ended, Some(RunState::Succeeded));
    let states: Vec<StepState> = run.machine.state().nodes.iter().map(|node| node.state).collect();
    use StepState::{NotApplicable, Succeeded};
    assert_eq!(states[..5], [Succeeded, Succeeded, Succeeded, NotApplicable, Succeeded]);
}

#[test]
fn a_resume_after_the_first_update_was_due_sends_it_at_once() {
    let mut run = Updates::new();
    run.give(0, Input::Start(started()));
    assert_eq!(run.resume(45), ["keep[1]"]);
    assert_eq!(run.machine.next_wake(), Some(minutes(55)));
}

#[test]
fn no_update_follows_what_ends_them() {
    let mut run = Updates::new();
    run.give(0, Input::Start(started()));
    assert_eq!(run.answer(5), ["over"]);
    assert_eq!(run.machine.state().ended, Some(RunState::Succeeded));
    let records = run.records.iter().filter_map(|(_, event)| match event {
        Event::NotApplicable { step, reason } => Some(format!("{step}: {reason}")),
        _ => None,
    });
    let over = "it was over before the first was due";
    assert_eq!(records.collect::<Vec<_>>(), [format!("keep: {over}"), format!("late: {over}")]);
}

#[test]
fn the_time_a_step_reads_is_that_of_its_attempt_however_often_it_is_read() {
    let plan = plan_of(&[
        "drctl: 1\nname: r\nkind: failover\nowner: t\nexecution:\n  - { id: a, action: shell, with: { script: x, env: { AT: \"{{ run.now }}\" } } }\n",
    ]);
    let mut records = Vec::new();
    let mut read = |machine: &mut Machine, minute: i64, input: Input| {
        let mut job = None;
        for effect in machine.handle(minutes(minute), input).unwrap() {
            match effect {
                Effect::Append { at, event, .. } => records.push((at, event)),
                Effect::Do { job: asked, .. } => job = Some(asked),
                _ => {}
            }
        }
        let job = job.unwrap();
        let at = job.with.shown()["env"]["AT"].as_str().unwrap().to_owned();
        (job.id, format!("{:?} {at}", job.kind), records.clone())
    };
    let mut first = machine(&plan, State::new(&plan), 0);
    let (_, said, kept) = read(&mut first, 0, Input::Start(started()));
    assert_eq!(said, "Apply 1970-01-01T00:00:00.000Z");

    let mut state = State::new(&plan);
    kept.iter().for_each(|(at, event)| state.apply(&plan, *at, event).unwrap());
    let mut second = machine(&plan, state, kept.len());
    let (job, said, _) = read(&mut second, 9, Input::Resume(person()));
    assert_eq!(said, "Attach(Null) 1970-01-01T00:00:00.000Z");
    let (job, said, _) = read(&mut second, 10, Input::Done { job, answer: Answer::NotAttachable });
    assert_eq!(said, "Observe 1970-01-01T00:00:00.000Z");
    let answer = Answer::Sight(Sight::NotApplied { reason: String::new() });
    let (_, said, _) = read(&mut second, 11, Input::Done { job, answer });
    assert_eq!(said, "Apply 1970-01-01T00:11:00.000Z");
}

const GATE: &str = "\
drctl: 1
name: r
kind: failover
owner: t
execution:
  - id: go
    action: shell
    approval: { timeout: 30m, on_timeout: reject }
    with: { script: x }
";

/// A gate of 30 minutes is taken up after an hour, with an approval of that minute: the jobs that start, and the
/// records after the resume.
fn approved_at(minute: i64) -> (Vec<String>, Vec<&'static str>) {
    let plan = plan_of(&[GATE]);
    let mut records = Vec::new();
    let mut give = |machine: &mut Machine, minute: i64, input: Input| {
        let mut jobs = Vec::new();
        for effect in machine.handle(minutes(minute), input).unwrap() {
            match effect {
                Effect::Append { at, event, .. } => records.push((at, event)),
                Effect::Do { job, .. } => jobs.push(job.path.to_string()),
                _ => {}
            }
        }
        (jobs, records.clone())
    };
    let (_, kept) = give(&mut machine(&plan, State::new(&plan), 0), 0, Input::Start(started()));
    let mut state = State::new(&plan);
    kept.iter().for_each(|(at, event)| state.apply(&plan, *at, event).unwrap());
    let digest = state.node(NodeId(0)).gate().unwrap().opened.digest.clone();
    let mut second = machine(&plan, state, kept.len());
    let decided = Decided {
        id: "d".to_owned(),
        step: Some(NodePath("go".into())),
        decision: Decision::Approve { digest },
        person: person(),
        from: "inbox".to_owned(),
        at: minutes(minute),
        reason: None,
        others: 0,
    };
    give(&mut second, 60, Input::Resume(person()));
    let (mut jobs, _) = give(&mut second, 60, Input::Decide(Box::new(decided)));
    let (more, records) = give(&mut second, 60, Input::Time);
    jobs.extend(more);
    (jobs, records[kept.len() + 1..].iter().map(|(_, event)| event.name()).collect())
}

#[test]
fn an_approval_counts_by_when_it_was_given_not_by_when_it_is_taken() {
    assert_eq!(approved_at(29), (vec!["go".to_owned()], vec!["decided", "intent"]));
    assert_eq!(approved_at(30), (vec![], vec!["decision_refused", "step_failed", "paused"]));
}
