//! The report in ten lines, for who reads nothing else.

use std::fmt::Write as _;

use super::super::words;
use super::model::{Objective, RunReport};

/// At most ten lines.
pub(super) fn summary(report: &RunReport) -> Vec<String> {
    let lines = [
        what(report),
        Some(when(report)),
        Some(format!("{}.", sentence(&report.clock.words))),
        where_it_went(report),
        loss(report),
        services(report),
        approvals(report),
        notices(report),
        Some(exceptions(report)),
        checks(report),
    ];
    lines.into_iter().flatten().collect()
}

fn what(report: &RunReport) -> Option<String> {
    let run = &report.run;
    let title = run.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    let world = match run.world {
        "real" => String::new(),
        other => format!(" This was {}.", if other == "simulated" { "on a simulated world" } else { "a dry run" }),
    };
    let end = if run.ended { run.state_words.to_owned() } else { format!("{}, not ended", run.state_words) };
    let mut line = format!("{} {}{title}: {end}.{world}", sentence(run.kind), run.runbook);
    if let Some(next) = report.next.first() {
        write!(line, " Next: {next}").ok()?;
    }
    Some(line)
}

fn when(report: &RunReport) -> String {
    let run = &report.run;
    let who = run.operator.as_ref().map(|who| format!(" by {} on {}", who.name, who.host)).unwrap_or_default();
    let since = if run.since == run.started_at {
        String::new()
    } else {
        format!(", counted from {} UTC", words::date_and_time(run.since))
    };
    let end = if run.ended { "ended" } else { "last record" };
    format!(
        "Started {} UTC{who}{since}; {end} {} UTC.",
        words::date_and_time(run.started_at),
        words::date_and_time(run.last_record_at)
    )
}

fn where_it_went(report: &RunReport) -> Option<String> {
    let clock = &report.clock;
    let all = clock.elapsed.0.as_secs_f64();
    if all <= 0.0 {
        return None;
    }
    let part = |span: std::time::Duration| format!("{} ({:.0} %)", words::span(span), span.as_secs_f64() / all * 100.0);
    let unattended = match clock.unattended.0 {
        none if none.is_zero() => String::new(),
        span => format!(", nobody executing {}", part(span)),
    };
    Some(format!(
        "Of that, steps worked {}, people were waited for {}{unattended}.",
        part(clock.machine.0),
        part(clock.people.0)
    ))
}

fn loss(report: &RunReport) -> Option<String> {
    let own = report.objectives.iter().find(|objective| objective.of == "runbook" && objective.kind == "RPO")?;
    let target = own.target.map(|target| format!("RPO {}: ", words::span(target.0))).unwrap_or_default();
    let over = if own.met == Some(false) { "; the objective was missed" } else { "" };
    Some(format!("{}{over}.", sentence(&format!("{target}{}", own.words))))
}

fn services(report: &RunReport) -> Option<String> {
    let rto = |objective: &&Objective| objective.of == "service" && objective.kind == "RTO";
    let services: Vec<&Objective> = report.objectives.iter().filter(rto).collect();
    if services.is_empty() {
        return None;
    }
    let named = |wanted: Option<bool>| -> Vec<String> {
        services.iter().filter(|service| service.met == wanted).map(|service| service.name.clone()).collect()
    };
    let mut parts = Vec::new();
    for (names, words) in
        [(named(Some(true)), "within its RTO"), (named(Some(false)), "too late"), (named(None), "not yet")]
    {
        if !names.is_empty() {
            parts.push(format!("{words}: {}", words::names(&names, 6)));
        }
    }
    Some(format!("Services, {}.", parts.join("; ")))
}

fn approvals(report: &RunReport) -> Option<String> {
    let longest = report.approvals.iter().max_by_key(|gate| gate.waited)?;
    let late = report.approvals.iter().filter(|gate| gate.late).count();
    let late = if late > 0 { format!(", {late} of them late") } else { String::new() };
    let who = longest.votes.last().map(|vote| vote.who.name.as_str());
    let end = match (longest.outcome, who) {
        (outcome @ ("approved" | "rejected"), Some(who)) => format!(", {outcome} by {who}"),
        ("open", Some(who)) => format!(", still open after {who}'s word"),
        ("open", None) => ", still open".to_owned(),
        (outcome, _) => format!(", {outcome}"),
    };
    Some(format!(
        "{}{late}; the longest wait was {} at {}{end}.",
        words::count(report.approvals.len(), "gate"),
        words::span(longest.waited.0),
        longest.step
    ))
}

fn notices(report: &RunReport) -> Option<String> {
    if report.notices.is_empty() {
        return None;
    }
    let count = |state: &str| report.notices.iter().filter(|notice| notice.state == state).count();
    let parts =
        ["sent", "owed", "in doubt", "lapsed", "skipped", "given up", "under way"].map(|state| (count(state), state));
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}")).collect();
    Some(format!("Notices: {}.", parts.join(", ")))
}

fn exceptions(report: &RunReport) -> String {
    let open = report.doubts.iter().filter(|doubt| doubt.resolved.is_none()).count();
    let parts = [
        (report.exceptions.len(), "exception"),
        (report.doubts.len(), "doubt"),
        (report.issues.iter().filter(|issue| issue.kind == "failure").count(), "failure"),
    ];
    let told: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| words::count(*number, word)).collect();
    if told.is_empty() {
        return "Nothing failed, was skipped, overridden or left in doubt.".to_owned();
    }
    let open = if open > 0 { format!("; {open} still open") } else { String::new() };
    format!("{} on the way{open}.", told.join(", "))
}

fn checks(report: &RunReport) -> Option<String> {
    let held = report.validations.iter().filter(|found| found.holds).count();
    let checks = match report.validations.len() {
        0 => None,
        all => Some(format!("{held} of {} held.", words::count(all, "check"))),
    };
    let advice = report.recommendations.first().map(|first| format!("First: {}", first.what));
    match (checks, advice) {
        (None, None) => None,
        (checks, advice) => Some(checks.into_iter().chain(advice).collect::<Vec<_>>().join(" ")),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
