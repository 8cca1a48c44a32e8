//! The table of runs.

use std::fmt::Write as _;
use std::time::Duration;

use super::sanitise::Cleaner;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::RunState;

/// One run in the table.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// The id.
    pub id: String,
    /// The runbook.
    pub runbook: String,
    /// Its state; nothing where the run cannot be read, or never started.
    pub state: Option<RunState>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// How long it took, or has taken so far.
    pub took: Option<Duration>,
    /// Who drives it.
    pub holder: Option<String>,
    /// How many deliveries of its notices are owed.
    pub owed: usize,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// The table, newest first, as given.
#[must_use]
pub fn runs_table(rows: &[RunRow]) -> String {
    if rows.is_empty() {
        return "no runs yet".to_owned();
    }
    let cleaner = Cleaner::default();
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut text, row| {
        let unknown = if row.problem.is_some() { "unreadable" } else { "never started" };
        let state = row.state.map_or(unknown, RunState::words);
        let started = row.started.map_or_else(String::new, |at| format!("{} UTC", words::date_and_time(at)));
        let took = row.took.map_or_else(String::new, words::span);
        let more = match (&row.problem, &row.holder) {
            (Some(problem), _) => problem.clone(),
            (None, Some(holder)) => format!("driven by {holder}"),
            (None, None) if row.state.is_none() => "it has no record: nothing was done".to_owned(),
            (None, None) if row.state.is_some_and(|state| !state.is_final()) => "nobody drives it".to_owned(),
            (None, None) => String::new(),
        };
        let owes = match row.owed {
            0 => String::new(),
            1 => "owes 1 delivery".to_owned(),
            count => format!("owes {count} deliveries"),
        };
        let more = [more, owes].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let line = format!("{:<width$}  {state:<25} {started:<20} {took:>9}  {more}", row.id);
        writeln!(text, "{}", cleaner.line(&line)).ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::at;
    use super::*;

    #[test]
    fn runs_say_their_state_who_drives_them_and_what_is_wrong() {
        let row = |id: &str, state| RunRow {
            id: id.to_owned(),
            runbook: "orders".to_owned(),
            state,
            started: Some(at(0)),
            took: Some(Duration::from_millis(61_500)),
            holder: None,
            owed: 0,
            problem: None,
        };
        let driven = RunRow { holder: Some("alice".to_owned()), ..row("orders-a", Some(RunState::AwaitingApproval)) };
        let broken = RunRow {
            started: None,
            took: None,
            problem: Some("line 2 \u{1b}[31mis\nbroken".to_owned()),
            ..row("orders-e", None)
        };
        let never = RunRow { started: None, took: None, ..row("orders-f", None) };
        let rows = [driven, row("orders-bcd", Some(RunState::Paused)), broken, never];
        assert_eq!(
            runs_table(&rows),
            "\
orders-a    awaiting approval         2026-11-20 03:11 UTC      1m1s  driven by alice
orders-bcd  paused                    2026-11-20 03:11 UTC      1m1s  nobody drives it
orders-e    unreadable                                                line 2 is | broken
orders-f    never started                                             it has no record: nothing was done
"
        );
        assert_eq!(runs_table(&[]), "no runs yet");
    }
}
