//! One table of cases that every action which changes something on Azure passes, each rehearsed by the engine, the
//! journal and the client of a real run against the simulated Azure: done, already there, busy, failed, its answer lost
//! before and after the effect, drctl killed while it waits, and sent to the wrong side.
//!
//! The actions come with the parameters of `azure/requests/*.yaml`. `azure/cases.yaml` adds what the table needs besides,
//! and excuses; `azure/cases.txt` is the table.

#![expect(clippy::unwrap_used, reason = "a scenario that cannot be set up has failed")]

#[path = "azure/cases/outcome.rs"]
mod outcome;
#[path = "azure/cases/row.rs"]
mod row;
#[path = "azure/cases/rules.rs"]
mod rules;
#[path = "azure/cases/side.rs"]
mod side;
#[path = "azure/cases/stage.rs"]
mod stage;

use std::collections::BTreeSet;

use drctl::actions::azure::all;
use drctl::catalogue::Effect;
use drctl::exec::rehearse::in_parallel;
use row::{Row, rows};
use rules::{Judged, judge};
use serde_json::Map;
use stage::Theatre;

/// What the table begins with.
const HEAD: &str = "\
# What every action that changes something on Azure does in each case. A number says how many changes were carried out.
#
#   done          nothing goes wrong
#   again         asked for once more: it sends nothing and says `already`, or does it again
#   busy          something else is being done to the resource for a minute
#   fails         Azure says that it failed: the step fails in Azure's words, and nothing more is sent
#   lost before   the answer is lost, and the request had no effect
#   lost after    the answer is lost, and the request had its effect
#   killed        drctl dies while it waits for the end, and is taken up again
#   killed early  drctl dies before it notes what it has sent, and is taken up again
#   wrong side    asked for on the wrong side, it finds its state there `already` or is `told` why not, and sends nothing;
#                 sent there all the same, it is refused with this code

";

#[test]
fn every_writing_action_passes_every_case() {
    let theatre = Theatre::new();
    let judged: Vec<Judged> = in_parallel(&rows(), |row: &Row| judge(&theatre, row));
    let problems: Vec<&str> = judged.iter().flat_map(|one| &one.problems).map(String::as_str).collect();
    let lines: Vec<&str> = judged.iter().map(|one| one.line.as_str()).collect();
    let table = format!("{HEAD}{}\n", lines.join("\n"));
    assert!(problems.is_empty(), "{}\n\n{table}", problems.join("\n"));
    assert!(table == include_str!("azure/cases.txt"), "`azure/cases.txt` says otherwise; the table is now:\n{table}");
}

#[test]
fn no_writing_action_is_left_out() {
    let covered: BTreeSet<String> = rows().into_iter().map(|row| row.action).collect();
    let left_out: Vec<&str> = all()
        .iter()
        .map(|operation| operation.spec())
        .filter(|spec| (spec.effect)(&Map::new()) != Effect::Reads || spec.name == "azure.request")
        .map(|spec| spec.name)
        .filter(|name| !covered.contains(*name))
        .collect();
    assert_eq!(left_out, [""; 0]);
}
