//! What to type, by example: the end of the help of the commands that people begin with.

pub(super) const INIT: &str = "\
Examples:
  drctl init dr                                   a workspace in the folder `dr`
  drctl init                                      one here";

pub(super) const FAILOVER: &str = "\
Examples:
  drctl failover orders --dry-run                 real reads, no writes
  drctl failover orders --simulate --speed 600    a simulated world, real prompts
  drctl failover orders --set to=westeurope       for real, with an input
  drctl failover orders --drill orders_failover   as a drill of the calendar
  drctl failover --region centralus --plan-only   all that runs in a region";

pub(super) const FAILBACK: &str = "\
Examples:
  drctl failback orders --dry-run                 real reads, no writes
  drctl failback orders --from-run orders-2026    with what that run gave back";

pub(super) const RUN: &str = "\
Examples:
  drctl run runbooks/drill.yaml                   any runbook, by its file
  drctl run --plan plan.json                      exactly what was reviewed
  drctl run --plan plan.json --approve move       the same, with a gate approved";

pub(super) const VALIDATE: &str = "\
Examples:
  drctl validate                                  the whole workspace
  drctl validate runbooks/orders.yaml --fix       mends what is meant without doubt
  drctl validate --deny warnings --format github  as CI wants it
`drctl explain CODE` says why a finding matters and how to mend it.";

pub(super) const PLAN: &str = "\
Examples:
  drctl plan orders                               what a run would do and ask
  drctl plan orders --set to=westeurope --full    every parameter on its line
  drctl plan orders --out plan.json               for review, and `drctl run --plan`";

pub(super) const IMPACT: &str = "\
Examples:
  drctl impact --region centralus                 what is hit, in the order of recovery
  drctl impact --service identity --output json   for programs
  drctl impact --region centralus --graph svg     as a picture";

pub(super) const DRILLS: &str = "\
Examples:
  drctl drills                                    what is due, overdue and done
  drctl drills --check                            ends with 1 where one is overdue
  drctl drills --output ics                       for the calendar of a team";

pub(super) const DOCTOR: &str = "\
Examples:
  drctl doctor                                    what all runbooks stand on
  drctl doctor orders --assume-down centralus     and what one needs of a region";

pub(super) const REHEARSE: &str = "\
Examples:
  drctl rehearse orders                           where nothing goes wrong
  drctl rehearse orders --scenario region_down    as a scenario says
  drctl rehearse orders --inject move:timeout     with a fault
  drctl rehearse orders --runs 1000               how the recovery time spreads";

pub(super) const TEST: &str = "\
Examples:
  drctl test                                      every scenario of every runbook
  drctl test --filter orders                      some of them
  drctl test --junit out.xml --min-coverage 80    as CI wants it";

pub(super) const STATUS: &str = "\
Examples:
  drctl status                                    the only open run
  drctl status orders-2026 --json                 a run, by how its name begins";

pub(super) const RESUME: &str = "\
Examples:
  drctl resume                                    the only open run
  drctl resume orders-2026 --adopt                by the runbook as it is now";

pub(super) const APPROVE: &str = "\
Examples:
  drctl approve move                              a gate of the only open run
  drctl approve orders-2026 move                  the same, of that run
  drctl approve declare --output affected=3       the answer of a manual step";

pub(super) const RESOLVE: &str = "\
Examples:
  drctl resolve move --happened --reason 'the portal says so'
  drctl resolve move --did-not-happen --reason 'the replica still follows'";

pub(super) const ABORT: &str = "\
Examples:
  drctl abort --plan                              what would be undone, and what not
  drctl abort --reason 'the region is back'       undoes it, once it was confirmed";

pub(super) const WATCH_FOR: &str = "\
Examples:
  drctl watch-for orders                          looks each 30 s until it is down
  drctl watch-for orders --once                   looks until that is clear, as cron wants it
  drctl watch-for orders --alert -                takes an alert from standard input
  drctl watch-for orders --nagios-exit 2          takes the exit code of a plugin";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;

    #[test]
    fn every_example_is_a_command_line_that_drctl_takes() {
        let mut number = 0;
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.trim().strip_prefix("drctl ")) {
                let words = line.split("   ").next().unwrap_or_default();
                let words = shell_words::split(words).unwrap();
                let taken = Cli::try_parse_from(["drctl".to_owned()].into_iter().chain(words));
                assert!(taken.is_ok(), "{line}: {}", taken.unwrap_err());
                number += 1;
            }
        }
        assert!(number > 30, "{number}");
    }
}
