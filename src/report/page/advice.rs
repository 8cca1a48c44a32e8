//! What the facts suggest: one small rule each, from the report's own facts.

use std::time::Duration;

use super::super::words;
use super::model::{Recommendation, RunReport, StepRow};
use super::moments::Moments;

/// Less than this is no reason to change anything.
const NOTABLE: Duration = Duration::from_secs(60);

type Rule = fn(&RunReport, &Moments<'_>) -> Vec<String>;

/// The rules by their names, the weightiest first.
const RULES: &[(&str, Rule)] = &[
    ("rto-missed", rto_missed),
    ("rpo-missed", rpo_missed),
    ("notice-owed", notice_owed),
    ("people-dominate", people_dominate),
    ("gate-escalated", gate_escalated),
    ("unattended", unattended),
    ("doubt", doubt),
    ("over-estimate", over_estimate),
    ("retries", retries),
    ("slower", slower),
    ("check-failed", check_failed),
    ("claimed-identity", claimed_identity),
    ("no-rto", no_rto),
    ("loss-not-measured", loss_not_measured),
    ("output-missing", output_missing),
    ("never-rehearsed", never_rehearsed),
];

/// What each rule says of a report.
pub(super) fn recommendations(report: &RunReport, moments: &Moments<'_>) -> Vec<Recommendation> {
    let said = |(rule, says): &(&'static str, Rule)| {
        let rule = *rule;
        says(report, moments).into_iter().map(move |what| Recommendation { rule, what })
    };
    RULES.iter().flat_map(said).collect()
}

fn rto_missed(report: &RunReport, moments: &Moments<'_>) -> Vec<String> {
    let missed = |objective: &&super::Objective| objective.kind == "RTO" && objective.met == Some(false);
    let Some(objective) = report.objectives.iter().find(missed) else { return Vec::new() };
    let longest = moments.critical.iter().max_by_key(|part| part.took);
    let why = longest.map_or_else(String::new, |part| {
        let (step, took) = (moments.plan.path(part.step), words::span(part.took));
        let people = if part.people.is_zero() {
            String::new()
        } else {
            format!(", {} of it for people", words::span(part.people))
        };
        format!(": recovery waited longest for {step}, {took}{people}; begin there")
    });
    vec![format!("The RTO of {} {} was missed ({}){why}.", objective.of, objective.name, objective.words)]
}

fn rpo_missed(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let missed = report.objectives.iter().filter(|objective| objective.kind == "RPO" && objective.met == Some(false));
    let say = |objective: &super::Objective| {
        let target = objective.target.map(|target| words::span(target.0)).unwrap_or_default();
        format!(
            "The RPO of {} {} is {target}, and {}: replicate more often, or agree on another objective.",
            objective.of, objective.name, objective.words
        )
    };
    missed.map(say).take(1).collect()
}

fn notice_owed(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let owed = |state: &str, is_text: bool| {
        let notices =
            report.notices.iter().filter(|notice| notice.state == state && notice.deliveries.is_empty() == is_text);
        notices.map(|notice| notice.step.clone()).collect::<Vec<_>>()
    };
    let (owed, unsent) = (owed("owed", false), owed("owed", true));
    let doubtful = report.notices.iter().filter(|notice| notice.state == "in doubt");
    let doubtful: Vec<String> = doubtful.map(|notice| notice.step.clone()).collect();
    let mut said = Vec::new();
    if !unsent.is_empty() {
        said.push(format!(
            "Nothing was sent by {}: tell people otherwise, and say so: drctl notify send --owed {} STEP --give-up --reason \"...\".",
            words::names(&unsent, 8),
            report.run.id
        ));
    }
    if !owed.is_empty() {
        let run = &report.run.id;
        said.push(format!(
            "People still wait to be told, by {}: drctl notify send --owed {run} delivers it.",
            words::names(&owed, 8)
        ));
    }
    if !doubtful.is_empty() {
        said.push(format!(
            "Nobody knows whether {} reached people: ask them, then drctl status {} has the command to say so with.",
            words::names(&doubtful, 8),
            report.run.id
        ));
    }
    said
}

fn people_dominate(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let (people, machine) = (report.clock.people.0, report.clock.machine.0);
    if people <= machine || people < NOTABLE {
        return Vec::new();
    }
    let longest = report.steps.iter().filter(|row| row.waited.is_some()).max_by_key(|row| row.waited);
    let most = longest.and_then(|row| Some(format!(", longest for {} ({})", row.step, words::span(row.waited?.0))));
    vec![format!(
        "Most of the time was waiting for people: {} of {}{}. Ask earlier, ask more people, or approve ahead from a reviewed plan.",
        words::span(people),
        words::span(report.clock.elapsed.0),
        most.unwrap_or_default()
    )]
}

fn gate_escalated(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let late = report.approvals.iter().filter(|gate| gate.late || !gate.escalated.is_empty());
    let late: Vec<String> = late.map(|gate| format!("{} ({})", gate.step, words::span(gate.waited.0))).collect();
    let say = || {
        format!(
            "Nobody answered in time at {}: see that the roles asked are on call, or name a second one.",
            words::names(&late, 8)
        )
    };
    if late.is_empty() { Vec::new() } else { vec![say()] }
}

fn unattended(report: &RunReport, moments: &Moments<'_>) -> Vec<String> {
    let gone = report.clock.unattended.0;
    // The time before the run began is the detection's, not the run's.
    let late = report.run.since.until(report.run.started_at);
    let gone = gone.saturating_sub(late);
    let mut said = Vec::new();
    let is_watched = moments.state.started.as_ref().is_some_and(|started| started.watched);
    if late >= NOTABLE && !is_watched {
        let late = words::span(late);
        said.push(format!("The run began {late} after the outage: let an alert open it."));
    }
    if gone >= NOTABLE {
        let gone = words::span(gone);
        said.push(format!("Nobody executed the run for {gone}: keep drctl running with --wait, under a supervisor."));
    }
    said
}

fn doubt(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let mut steps: Vec<String> = report.doubts.iter().map(|doubt| doubt.step.clone()).collect();
    steps.dedup();
    if steps.is_empty() {
        return Vec::new();
    }
    vec![format!("Nobody knew whether {} happened: give it a verify, so that drctl can see.", words::names(&steps, 8))]
}

fn over_estimate(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let over = |row: &&StepRow| {
        let (took, worst) = (row.took?.0, row.estimate?.1.0);
        (took > worst + worst / 2 && took.saturating_sub(worst) >= NOTABLE / 2).then_some((took, worst))
    };
    let say = |row: &StepRow| {
        let (took, worst) = over(&row)?;
        let (took, worst) = (words::span(took), words::span(worst));
        Some(format!("{} took {took}, and {worst} was thought the worst: correct its estimate.", row.step))
    };
    report.steps.iter().filter_map(say).take(3).collect()
}

fn retries(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let retried = report.steps.iter().filter(|row| row.attempts > 2);
    let retried: Vec<String> = retried.map(|row| format!("{} ({} attempts)", row.step, row.attempts)).collect();
    if retried.is_empty() {
        return Vec::new();
    }
    vec![format!("Not at the first attempt: {}. Look why before the next outage.", words::names(&retried, 8))]
}

fn slower(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let Some(before) = report.comparison.runs.iter().find(|run| run.restored && run.world == report.run.world) else {
        return Vec::new();
    };
    let (now, then) = (report.clock.elapsed.0, before.elapsed.0);
    if !report.clock.restored || now <= then + then / 4 || now.saturating_sub(then) < NOTABLE / 2 {
        return Vec::new();
    }
    let grown = report.comparison.steps.iter().find(|step| step.now > step.before);
    let most = grown.map(|step| {
        format!(": {} took {} instead of {}", step.step, words::span(step.now.0), words::span(step.before.0))
    });
    vec![format!(
        "Slower than {}: {} instead of {}{}.",
        before.run,
        words::span(now),
        words::span(then),
        most.unwrap_or_default()
    )]
}

fn check_failed(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let last = |step: &str, check: &str| {
        report.validations.iter().rev().find(|found| found.step == step && found.check == check)
    };
    let after = |found: &&super::Validation| {
        let phase = report.steps.iter().find(|row| row.step == found.step).map(|row| row.phase);
        // What is down at detection is why the run was started.
        !found.holds && phase == Some("execution")
    };
    let failed = report.validations.iter().filter(after);
    let failed = failed.filter(|found| last(&found.step, &found.check).is_some_and(|last| !last.holds));
    let mut failed: Vec<String> = failed.map(|found| format!("{} ({})", found.step, found.check)).collect();
    failed.dedup();
    if failed.is_empty() {
        return Vec::new();
    }
    vec![format!("A check did not hold in the end: {}. See that it holds now.", words::names(&failed, 8))]
}

fn claimed_identity(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let votes = report.approvals.iter().flat_map(|gate| &gate.votes).filter(|vote| vote.who.claimed);
    let mut names: Vec<String> = votes.map(|vote| vote.who.name.clone()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("Approved under a name given with --as: {}. Ask them whether it was they.", words::names(&names, 8))]
}

fn no_rto(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let missing = report.clock.objective.is_none() && !report.run.drill;
    missing
        .then(|| "The runbook promises no RTO: agree on one, and write it under objectives.".to_owned())
        .into_iter()
        .collect()
}

fn loss_not_measured(report: &RunReport, _: &Moments<'_>) -> Vec<String> {
    let open = |objective: &&super::Objective| {
        objective.of == "runbook"
            && objective.kind == "RPO"
            && objective.target.is_some()
            && objective.achieved.is_none()
    };
    let found = report.run.ended && report.objectives.iter().any(|objective| open(&objective));
    let say = "There is an RPO, and no step measured the loss: add a step that reads the lag, or an output that measures it (measures: rpo).";
    found.then(|| say.to_owned()).into_iter().collect()
}

fn output_missing(report: &RunReport, moments: &Moments<'_>) -> Vec<String> {
    if !report.run.ended || !report.clock.restored {
        return Vec::new();
    }
    let declared = moments.plan.runbook.outputs.iter().map(|(name, _)| name.value.clone());
    let missing: Vec<String> = declared.filter(|name| !report.outputs.contains_key(name)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "The runbook's outputs lack {}: a failback that reads them must be given them.",
        words::names(&missing, 8)
    )]
}

fn never_rehearsed(report: &RunReport, moments: &Moments<'_>) -> Vec<String> {
    let alone = super::objectives::clock(moments).recovers
        && report.run.world == "real"
        && report.comparison.runs.is_empty()
        && report.comparison.rehearsals.is_empty();
    alone.then(|| "No earlier run or rehearsal of it is kept here: rehearse it.".to_owned()).into_iter().collect()
}
