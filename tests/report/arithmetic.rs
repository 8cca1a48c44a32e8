//! What the raw lines of a journal say of its times, by arithmetic that shares nothing with drctl's: plain JSON, a list of
//! what works and a list of what waits.

use std::collections::BTreeSet;

use serde_json::Value;

/// Times in milliseconds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) elapsed: i64,
    pub(crate) restored: bool,
    pub(crate) machine: i64,
    pub(crate) people: i64,
    pub(crate) unattended: i64,
    pub(crate) lost: Option<i64>,
    /// How long each gate waited.
    pub(crate) gates: Vec<i64>,
}

fn lines(journal: &str) -> Vec<Value> {
    journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn time(line: &Value) -> i64 {
    let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
    time.as_millisecond()
}

/// When the first record of that kind about that step was written.
pub(crate) fn time_of(journal: &str, kind: &str, step: &str) -> i64 {
    let lines = lines(journal);
    let found = lines.iter().find(|line| line["type"] == kind && (step.is_empty() || line["payload"]["step"] == step));
    time(found.unwrap())
}

/// The facts of a run whose steps of execution and communication are these, up to the restored service or the last record.
pub(crate) fn facts(journal: &str, execution: &[&str], communication: &[&str], measure: Option<&str>) -> Facts {
    let lines = lines(journal);
    let mut facts = Facts { gates: gates(&lines), ..Facts::default() };
    let (mut works, mut waits) = (BTreeSet::new(), BTreeSet::new());
    let mut open: BTreeSet<&str> = execution.iter().copied().collect();
    let mut stopped = false;
    let aborts = lines.iter().any(|line| line["type"] == "decided" && line["payload"]["decision"] == "abort");
    for (at, line) in lines.iter().enumerate() {
        let payload = &line["payload"];
        let step = payload["step"].as_str().unwrap_or_default();
        let kind = line["type"].as_str().unwrap();
        let main = !communication.contains(&step);
        match kind {
            "intent" if main => drop(works.insert(step.to_owned())),
            "outcome" => {
                let fails = payload["end"].get("failed");
                if fails.is_none_or(|failed| failed.get("retry_at").is_none()) {
                    works.remove(step);
                }
                if let Some(done) = payload["end"].get("succeeded") {
                    open.remove(step);
                    let loss = measure.and_then(|name| done["outputs"]["inline"][name].as_f64());
                    facts.lost = loss.map(|seconds| (seconds * 1000.0).round() as i64).max(facts.lost);
                }
            }
            "gate_opened" | "person_asked" => drop(waits.insert(step.to_owned())),
            "decided" => drop(waits.remove(step)),
            "paused" | "stopping" => stopped = true,
            "continued" => stopped = false,
            _ => {}
        }
        if kind == "run_ended" || (open.is_empty() && !aborts) {
            facts.restored = open.is_empty() && !aborts;
            break;
        }
        let Some(next) = lines.get(at + 1) else { break };
        let spent = time(next) - time(line);
        *if works.is_empty() && (stopped || !waits.is_empty()) {
            &mut facts.people
        } else if next["type"] == "run_resumed" {
            &mut facts.unattended
        } else {
            &mut facts.machine
        } += spent;
    }
    facts.elapsed = facts.machine + facts.people + facts.unattended;
    facts
}

fn gates(lines: &[Value]) -> Vec<i64> {
    let opened = lines.iter().enumerate().filter(|(_, line)| line["type"] == "gate_opened");
    let waited = opened.map(|(at, line)| {
        let step = &line["payload"]["step"];
        let answered = lines[at..].iter().find(|line| line["type"] == "decided" && line["payload"]["step"] == *step);
        time(answered.or(lines.last()).unwrap()) - time(line)
    });
    waited.collect()
}
