//! A run as metrics: the text that the textfile collector of Prometheus' node exporter reads.
//!
//! Names end with their unit, states are a metric for each state with 0 or 1, labels are escaped. `run` is the id, so that
//! a graph tells two runs of a runbook apart.

use std::fmt::Write as _;

use super::page::{Objective, RunReport, StepRow};
use super::plan::Seconds;
use super::sanitise::sanitise;
use crate::catalogue::Timestamp;
use crate::engine::{RunState, StepState};

const RUN_STATES: [RunState; 8] = [
    RunState::Running,
    RunState::Paused,
    RunState::AwaitingApproval,
    RunState::InDoubt,
    RunState::Succeeded,
    RunState::CompletedWithExceptions,
    RunState::Failed,
    RunState::Aborted,
];

/// One name with its help and its values.
struct Metric {
    name: &'static str,
    help: &'static str,
    /// Labels beyond those of the run, and the value.
    values: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The metrics of a run, as of its last record.
#[must_use]
pub fn metrics(report: &RunReport) -> String {
    let mut text = String::new();
    let all = of_run(report).into_iter().chain(of_objectives(report)).chain(of_people(report));
    for metric in all.chain(of_steps(report)) {
        draw(&mut text, report, &metric);
    }
    text
}

fn draw(text: &mut String, report: &RunReport, metric: &Metric) {
    let Metric { name, help, values } = metric;
    if values.is_empty() {
        return;
    }
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge").ok();
    for (labels, value) in values {
        let run = [("run", &report.run.id), ("runbook", &report.run.runbook)];
        let own = labels.iter().map(|(name, value)| (*name, value));
        let labels: Vec<String> =
            run.into_iter().chain(own).map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        writeln!(text, "{name}{{{}}} {value}", labels.join(",")).ok();
    }
}

/// Text as a label's value.
fn escaped(text: &str) -> String {
    sanitise(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn one(name: &'static str, help: &'static str, value: f64) -> Metric {
    Metric { name, help, values: vec![(Vec::new(), value)] }
}

fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn of_run(report: &RunReport) -> Vec<Metric> {
    let run = &report.run;
    let about = vec![
        ("kind", run.kind.to_owned()),
        ("world", run.world.to_owned()),
        ("owner", run.owner.clone().unwrap_or_default()),
        ("drctl", run.drctl.clone()),
    ];
    let states = RUN_STATES.map(|state| (vec![("state", word(&state))], truth(state == run.state)));
    vec![
        Metric { name: "drctl_run_info", help: "What the run is; always 1.", values: vec![(about, 1.0)] },
        Metric {
            name: "drctl_run_state",
            help: "1 for the state the run is in, 0 for the others.",
            values: states.into(),
        },
        one("drctl_run_ended", "1 once nothing more can happen in the run.", truth(run.ended)),
        one("drctl_run_start_timestamp_seconds", "When the run began.", seconds(run.started_at)),
        one(
            "drctl_run_last_record_timestamp_seconds",
            "When the journal's last record was written: what these metrics are as of.",
            seconds(run.last_record_at),
        ),
        one("drctl_run_records", "Records in the journal.", report.records as f64),
    ]
}

fn of_objectives(report: &RunReport) -> Vec<Metric> {
    let clock = &report.clock;
    let spent = [("machine", clock.machine), ("people", clock.people), ("unattended", clock.unattended)];
    let spent = spent.map(|(on, span)| (vec![("on", on.to_owned())], span.0.as_secs_f64()));
    let each = |kind: &'static str, value: fn(&Objective) -> Option<Seconds>| {
        let known = report.objectives.iter().filter(move |objective| objective.kind == kind);
        known
            .filter_map(|objective| {
                let of = objective.of.replace(' ', "_");
                let step = objective.step.clone().unwrap_or_default();
                let labels = vec![("of", of), ("name", objective.name.clone()), ("step", step)];
                Some((labels, value(objective)?.0.as_secs_f64()))
            })
            .collect()
    };
    let many = |name, help, values| Metric { name, help, values };
    vec![
        one("drctl_rto_clock_start_timestamp_seconds", "When the clock of the RTO began.", seconds(report.run.since)),
        one(
            "drctl_rto_clock_seconds",
            "How long the clock of the RTO ran; it stops when service is restored.",
            clock.elapsed.0.as_secs_f64(),
        ),
        one("drctl_rto_restored", "1 once service is restored.", truth(clock.restored)),
        many("drctl_rto_spent_seconds", "What the time on the clock of the RTO was spent on.", spent.into()),
        many("drctl_rto_objective_seconds", "Recovery time objective.", each("RTO", |found| found.target)),
        many("drctl_rto_achieved_seconds", "Until it was restored.", each("RTO", |found| found.achieved)),
        many("drctl_rpo_objective_seconds", "Recovery point objective.", each("RPO", |found| found.target)),
        many("drctl_rpo_measured_seconds", "The largest measured loss of data.", each("RPO", |found| found.achieved)),
    ]
}

fn of_people(report: &RunReport) -> [Metric; 4] {
    let notices = ["sent", "owed", "in doubt", "lapsed", "skipped", "given up", "under way"].map(|state| {
        let count = report.notices.iter().filter(|notice| notice.state == state).count();
        (vec![("state", state.replace(' ', "_"))], count as f64)
    });
    let gates = report.approvals.iter().filter(|gate| gate.settled_at.is_none()).count();
    let doubts = report.doubts.iter().filter(|doubt| doubt.resolved.is_none()).count();
    [
        one("drctl_gates_open", "Gates that wait for an approval.", gates as f64),
        one("drctl_doubts_open", "Steps of which nobody knows whether they happened.", doubts as f64),
        one("drctl_exceptions", "Steps skipped, overridden, or failed and continued.", report.exceptions.len() as f64),
        Metric { name: "drctl_notices", help: "Notices by what became of them.", values: notices.into() },
    ]
}

fn of_steps(report: &RunReport) -> [Metric; 5] {
    let each = |value: fn(&StepRow) -> Option<f64>| {
        let rows = report.steps.iter();
        rows.filter_map(move |row| {
            let labels = vec![("step", row.step.clone()), ("phase", row.phase.to_owned())];
            Some((labels, value(row)?))
        })
        .collect()
    };
    let state = |row: &StepRow| {
        let labels = vec![("step", row.step.clone()), ("phase", row.phase.to_owned()), ("state", word(&row.state))];
        (labels, 1.0)
    };
    let is_begun = |row: &&StepRow| row.state != StepState::Pending || row.started.is_some();
    [
        Metric {
            name: "drctl_step_state",
            help: "1 for the state a step is in; pending steps have none.",
            values: report.steps.iter().filter(is_begun).map(state).collect(),
        },
        Metric {
            name: "drctl_step_worked_seconds",
            help: "How long a step worked, its retries included.",
            values: each(|row| row.took.map(|took| took.0.as_secs_f64())),
        },
        Metric {
            name: "drctl_step_waited_for_people_seconds",
            help: "How long a step waited for people.",
            values: each(|row| row.waited.map(|waited| waited.0.as_secs_f64())),
        },
        Metric {
            name: "drctl_step_attempts",
            help: "How many attempts at a step were begun.",
            values: each(|row| (row.attempts > 0).then(|| f64::from(row.attempts))),
        },
        Metric {
            name: "drctl_step_estimate_seconds",
            help: "How long a step usually takes, by its estimate.",
            values: each(|row| row.estimate.map(|(usual, _)| usual.0.as_secs_f64())),
        },
    ]
}

/// Its word in the journal.
fn word(state: &impl serde::Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
