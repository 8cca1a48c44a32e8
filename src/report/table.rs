//! The table of runs.

use std::fmt::Write as _;
use std::time::Duration;

use crate::catalogue::{HumanDuration, Timestamp};
use crate::engine::RunState;

/// One run in the table.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// The id.
    pub id: String,
    /// The runbook.
    pub runbook: String,
    /// Its state; nothing where the run cannot be read.
    pub state: Option<RunState>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// How long it took, or has taken so far.
    pub took: Option<Duration>,
    /// Who drives it.
    pub holder: Option<String>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// The table, newest first, as given.
#[must_use]
pub fn runs_table(rows: &[RunRow]) -> String {
    if rows.is_empty() {
        return "no runs yet".to_owned();
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut text, row| {
        let state = row.state.map_or("unreadable", RunState::words);
        let started = row.started.map_or_else(String::new, |at| at.to_string());
        let took = row.took.map_or_else(String::new, |took| rounded(took).to_string());
        let more = match (&row.problem, &row.holder) {
            (Some(problem), _) => problem.clone(),
            (None, Some(holder)) => format!("driven by {holder}"),
            (None, None) => String::new(),
        };
        let line = format!("{:<width$}  {state:<25} {started:<24} {took:>9}  {more}", row.id);
        writeln!(text, "{}", line.trim_end()).ok();
        text
    })
}

/// To the second, so that a line is not full of milliseconds.
#[must_use]
pub(super) fn rounded(span: Duration) -> HumanDuration {
    HumanDuration(if span < Duration::from_secs(1) { span } else { Duration::from_secs(span.as_secs()) })
}
