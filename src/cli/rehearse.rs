//! `drctl rehearse`: a run on a simulated world and a virtual clock.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::common::{Common, Named, Output, console_line, now, say};
use crate::catalogue::Catalogue;
use crate::diag::{Format, Sources, Span, Spanned, render};
use crate::error::{Error, Exit};
use crate::exec::history::note;
use crate::exec::inputs::pair;
use crate::exec::load::Loaded;
use crate::exec::rehearse::{
    Attempt, Ended, Judged, Kill, Library, Rehearsed, Subject, cannot_strike, crash_at, crash_everywhere, differences,
    facts, histogram, rehearse, spread, subject, text,
};
use crate::exec::run::{self, exit_of, registry};
use crate::runbook::ast::Runbook;
use crate::sim::scenario::{Fault, Scenario, injected, injection};

/// How many steps run at a time, where nobody says it.
const PARALLEL: u16 = 64;

/// Rehearses a runbook.
#[derive(Debug, Args)]
pub(super) struct Rehearse {
    #[command(flatten)]
    pub(super) named: Named,
    /// A scenario: its file, or its name (default: nothing goes wrong, everybody agrees)
    #[arg(long, value_name = "FILE")]
    scenario: Option<String>,
    /// Where the randomness starts (default: the scenario's)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// One more fault: STEP:fail, STEP:hang, STEP:timeout, STEP:lost-response or STEP:crash-after-effect
    #[arg(long, value_name = "STEP:FAULT", value_parser = injected)]
    inject: Vec<Fault>,
    /// Rehearse with N seeds, and show how the times to recovery are spread
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    runs: Option<u64>,
    /// With `--runs`: draw the times to recovery
    #[arg(long, value_name = "FILE", requires = "runs")]
    svg: Option<PathBuf>,
    /// Kill drctl around every record of its journal, resume, and judge what came of it
    #[arg(long, conflicts_with = "runs")]
    crash_everywhere: bool,
    /// Kill drctl at that one record, as `--crash-everywhere` does: `before:N` or `after:N`
    #[arg(long, value_name = "POINT", conflicts_with_all = ["runs", "crash_everywhere"])]
    crash: Option<Kill>,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Write the journal's lines to a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["runs", "crash_everywhere"])]
    journal: Option<PathBuf>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// How many steps run at a time
    #[arg(long, value_name = "N", default_value_t = PARALLEL, value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: u16,
}

impl Rehearse {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let catalogue = registry().catalogue();
        let file = self.named.file(common)?;
        let loaded = run::judged(&common.run(&super::common::Showing::default()), &file, &registry())?;
        let (mut scenario, sources) = chosen(common, &loaded, self.scenario.as_deref(), &catalogue)?;
        let injected = self.inject.iter().map(|fault| Spanned { value: fault.clone(), span: Span::default() });
        scenario.faults.extend(injected);
        let seed = self.seed.unwrap_or(scenario.seed);
        let subject = subject(&loaded, scenario, &self.set, (&catalogue, usize::from(self.parallel)))?;
        self.judge_faults(&subject.plan.inputs, (&loaded, &catalogue))?;
        match self.runs {
            Some(runs) => self.many(common, &subject, seed, runs),
            None if self.crash_everywhere => self.everywhere(common, &subject, seed),
            None => self.once(common, &subject, seed, &sources),
        }
    }

    /// Refuses faults that can never strike.
    fn judge_faults(&self, inputs: &Map<String, Value>, known: (&Loaded, &Catalogue)) -> Result<(), Error> {
        let mut problems = self.inject.iter().filter_map(|fault| cannot_strike(fault, inputs, known));
        problems.next().map_or(Ok(()), |problem| Err(Error::usage(format!("`--inject`: {problem}"))))
    }

    fn once(&self, common: &Common, subject: &Subject, seed: u64, sources: &Sources) -> Result<Exit, Error> {
        let (rehearsed, wrong) = self.rehearsed(subject, seed)?;
        let facts = facts(seed, &rehearsed);
        let expect = &subject.scenario.expect;
        let mut found = text::placed(&differences(expect, &rehearsed, &facts), sources);
        found.extend(wrong);
        let ended = exit(&rehearsed, expect.state.is_some(), !found.is_empty());
        // What was injected is no scenario that anybody could rehearse again by its name.
        if self.inject.is_empty() && self.crash.is_none() {
            let as_expected = found.is_empty() && matches!(ended, Exit::Done | Exit::Exceptions);
            let runbook = &subject.plan.runbook;
            let what = (runbook.name.value.as_str(), runbook.kind, subject.scenario.name.value.as_str());
            note(&common.store, &[facts.noted(what, as_expected, now())]);
        }
        if let Some(file) = &self.journal {
            written(file, &rehearsed.journal)?;
        }
        match self.output {
            Output::Json => console_line(&text::json(&rehearsed, &facts, &found).to_string())?,
            Output::Human | Output::Plain => {
                console_line(&text::rehearsal(&rehearsed, &facts, &found))?;
                if self.crash.is_none() {
                    say(&format!("next: {} --runs 1000", self.again(common, seed)));
                }
            }
        }
        Ok(ended)
    }

    /// The rehearsal, and what a crash did that it may not do.
    fn rehearsed(&self, subject: &Subject, seed: u64) -> Result<(Rehearsed, Vec<String>), Error> {
        let Some(kill) = &self.crash else {
            return Ok((rehearse(subject, Attempt { seed, ..Attempt::default() }), Vec::new()));
        };
        crash_at(subject, seed, kill).map_err(|records| {
            Error::usage(format!("`--crash {kill}`: the journal of this rehearsal has the records 1 to {records}"))
        })
    }

    fn many(&self, common: &Common, subject: &Subject, seed: u64, runs: u64) -> Result<Exit, Error> {
        let spread = spread(subject, seed, runs);
        let scenario = &subject.scenario.name.value;
        match self.output {
            Output::Json => console_line(&text::spread_json(&subject.plan, scenario, &spread).to_string())?,
            Output::Human | Output::Plain => {
                console_line(&text::spread(&subject.plan, scenario, &spread))?;
                // What is looked at after the whole: the one that took longest.
                let slowest = spread.times.last().map_or(seed, |(_, slowest)| *slowest);
                say(&format!("next: {}", self.again(common, slowest)));
            }
        }
        if let Some(file) = &self.svg {
            let title = format!("{}, {scenario}: {runs} rehearsals", subject.plan.runbook.name.value);
            written(file, histogram(&spread, &title).as_bytes())?;
        }
        Ok(if spread.never_struck.is_empty() { Exit::Done } else { Exit::Failed })
    }

    fn everywhere(&self, common: &Common, subject: &Subject, seed: u64) -> Result<Exit, Error> {
        let told = crash_everywhere(subject, seed);
        match self.output {
            Output::Json => console_line(&text::everywhere_json(&told).to_string())?,
            Output::Human | Output::Plain => {
                console_line(&text::everywhere(&told))?;
                if let Some((kill, _)) = told.wrong.first() {
                    say(&format!("next: {} --crash {kill}", self.again(common, seed)));
                }
            }
        }
        Ok(if told.wrong.is_empty() && told.never_struck.is_empty() { Exit::Done } else { Exit::Failed })
    }

    /// The command that rehearses the same with a seed.
    fn again(&self, common: &Common, seed: u64) -> String {
        let scenario = self.scenario.as_ref().map(|given| format!(" --scenario {}", shell_words::quote(given)));
        let scenario = scenario.unwrap_or_default();
        let set =
            self.set.iter().map(|(name, value)| format!(" --set {}", shell_words::quote(&format!("{name}={value}"))));
        let set: String = set.collect();
        let faults = self.inject.iter().filter_map(injection);
        let faults: String = faults.map(|fault| format!(" --inject {}", shell_words::quote(&fault))).collect();
        let parallel = if self.parallel == PARALLEL { String::new() } else { format!(" --parallel {}", self.parallel) };
        let named = self.named.again();
        let command = format!("drctl rehearse {named}{scenario}{set}{faults}{parallel} --seed {seed}");
        common.here().typed(&command)
    }
}

fn written(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(file, bytes).map_err(|error| Error::usage(format!("`{}`: {error}", file.display())))
}

/// As the run would have ended, unless the scenario says how it should.
fn exit(rehearsed: &Rehearsed, judged: bool, differs: bool) -> Exit {
    match &rehearsed.ended {
        _ if differs => Exit::Failed,
        Ended::In(_) if judged => Exit::Done,
        Ended::In(state) => exit_of(*state),
        Ended::Never | Ended::Broken(_) => Exit::Failed,
    }
}

/// The scenario a person chose for a runbook; where they chose none, the one in which nothing goes wrong.
pub(super) fn chosen(
    common: &Common,
    loaded: &Loaded,
    given: Option<&str>,
    catalogue: &Catalogue,
) -> Result<(Scenario, Sources), Error> {
    let Some(runbook) = &loaded.runbook else { return Err(Error::new(Exit::Invalid, "the runbook cannot be read")) };
    let mut library = Library::new(&common.workspace, catalogue.clone());
    let judged = given.map(|given| find(&mut library, given, runbook)).transpose()?;
    let Some(Judged { scenario: Some(scenario), sources, .. }) = judged else {
        return Ok((Scenario::healthy(&runbook.name.value, runbook.kind), Sources::default()));
    };
    if (&scenario.runbook.value, scenario.kind) != (&runbook.name.value, runbook.kind) {
        let (wanted, kind) = (&scenario.runbook.value, scenario.kind.name());
        return Err(Error::usage(format!("scenario `{}` is for {kind} `{wanted}`", scenario.name.value)));
    }
    Ok((scenario, sources))
}

/// The scenario of that file, or of that name for the runbook.
fn find(library: &mut Library<'_>, given: &str, runbook: &Runbook) -> Result<Judged, Error> {
    let path = Path::new(given);
    if path.is_file() {
        return valid(library.scenario(&std::path::absolute(path)?)?);
    }
    let mut others = Vec::new();
    for file in library.files()? {
        let judged = library.scenario(&file)?;
        match &judged.scenario {
            Some(scenario) if (&scenario.runbook.value, scenario.kind) != (&runbook.name.value, runbook.kind) => {}
            Some(scenario) if scenario.name.value == given => return valid(judged),
            Some(scenario) => others.push(scenario.name.value.clone()),
            None => {}
        }
    }
    let there = if others.is_empty() { "there is none".to_owned() } else { format!("there are {}", others.join(", ")) };
    let meant = crate::diag::closest(given, others.iter().map(String::as_str));
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    let runbook = format!("{} `{}`", runbook.kind.name(), runbook.name.value);
    Err(Error::usage(format!("no scenario of {runbook} is called `{given}`: {there}{meant}")))
}

fn valid(judged: Judged) -> Result<Judged, Error> {
    if judged.has_errors() {
        let found = render(&judged.found, &judged.sources, Format::Human, super::common::colour());
        return Err(Error::new(Exit::Invalid, format!("{found}\nthe scenario is invalid: nothing was rehearsed")));
    }
    Ok(judged)
}
