//! What is said of a process that outlived the drctl that started it.

use std::time::Duration;

use serde_json::{Value, json};

use super::needs::side_word;
use super::words;
use crate::catalogue::Timestamp;
use crate::engine::{NodePath, Side};

/// A process of a step that still runs, while who started it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The step.
    pub step: NodePath,
    /// Which side of it.
    pub side: Side,
    /// The attempt.
    pub attempt: u32,
    /// Its processes, as far as they can be found.
    pub processes: Vec<i32>,
    /// When it was started, where that is known.
    pub since: Option<Timestamp>,
    /// How long who takes the run up waits for its end at most; nothing where nobody does, for a person decides.
    pub waits: Option<Duration>,
    /// Who gets TERM to end it; nothing where nobody is found.
    pub ended_by: Vec<i32>,
    /// The file that it holds locked.
    pub lock: String,
}

impl Survivor {
    /// One line: the step, its processes, since when, what waits for it, how to end it; raw.
    #[must_use]
    pub fn words(&self, now: Timestamp) -> String {
        let since = self.since.map_or_else(String::new, |since| {
            format!(" since {} UTC, {}", words::time_of_day(since), words::span(since.until(now)))
        });
        let undoing = side_word(self.side);
        let waits = match self.waits {
            Some(most) => format!("who resumes waits for its end, at most {}", words::span(most)),
            None => "nobody waits for it: the step is in doubt".to_owned(),
        };
        let what = match self.processes.as_slice() {
            [] => "something of it".to_owned(),
            [pid] => format!("process {pid}"),
            pids => format!("processes {}", listed(pids, ", ")),
        };
        let (step, end) = (&self.step, self.end_command());
        format!(
            "{step}: {undoing}still runs{since}: {what}, started by a drctl that is gone; {waits}; to end it: {end}"
        )
    }

    /// What to type to end it.
    fn end_command(&self) -> String {
        match self.ended_by.as_slice() {
            [] => format!("fuser -k -TERM {}", shell_words::quote(&self.lock)),
            pids => format!("kill {}", listed(pids, " ")),
        }
    }

    /// The same for programs.
    #[must_use]
    pub(super) fn json(&self) -> Value {
        json!({
            "step": self.step, "side": self.side, "attempt": self.attempt, "processes": self.processes,
            "since": self.since, "waits_at_most_seconds": self.waits.map(|most| most.as_secs()),
            "end_with": self.end_command(),
        })
    }
}

fn listed(pids: &[i32], between: &str) -> String {
    pids.iter().map(i32::to_string).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::*;

    fn survivor() -> Survivor {
        Survivor {
            step: path("promote"),
            side: Side::Apply,
            attempt: 1,
            processes: vec![4712],
            since: Some(at(40)),
            waits: Some(Duration::from_mins(10)),
            ended_by: vec![4711],
            lock: "/srv/dr state/lock".to_owned(),
        }
    }

    #[test]
    fn it_is_named_with_its_age_what_waits_for_it_and_what_ends_it() {
        assert_eq!(
            survivor().words(at(100)),
            "promote: still runs since 03:12:06 UTC, 1m: process 4712, started by a drctl that is gone; who resumes waits \
             for its end, at most 10m; to end it: kill 4711"
        );
        let hidden = Survivor {
            side: Side::Rollback,
            processes: vec![],
            ended_by: vec![],
            since: None,
            waits: None,
            ..survivor()
        };
        assert_eq!(
            hidden.words(at(100)),
            "promote: undoing still runs: something of it, started by a drctl that is gone; nobody waits for it: the step \
             is in doubt; to end it: fuser -k -TERM '/srv/dr state/lock'"
        );
    }
}
