//! `drctl watch-for`: looks at the detection phase, or takes an alert; an outage opens a run.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::common::{Common, Named, Showing};
use crate::catalogue::HumanDuration;
use crate::error::{Error, Exit};
use crate::exec::inputs::{pair, read_vars};
use crate::exec::run::Start;
use crate::exec::watch::{Alert, LARGEST, Thresholds, Watch, look_on, take_alert};

/// Watches for an outage.
#[derive(Debug, Args)]
pub(super) struct WatchFor {
    #[command(flatten)]
    pub(super) named: Named,
    /// Take an alert of Azure Monitor, PagerDuty or Alertmanager at its word: a file, or `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["once", "every", "threshold", "of", "recover", "step"])]
    alert: Option<PathBuf>,
    /// Take the exit code of a Nagios plugin at its word; `--alert FILE` is then what the plugin printed
    #[arg(long, value_name = "N", conflicts_with_all = ["once", "every", "threshold", "of", "recover", "step"])]
    nagios_exit: Option<u8>,
    /// End once the looks are clear, with 0 if it is healthy and 1 if it is degraded
    #[arg(long)]
    once: bool,
    /// The time between two looks
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span)]
    every: Duration,
    /// How many bad looks of the last ones are an outage
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    threshold: u16,
    /// Of how many looks that is (default: two more than `--threshold`)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    of: Option<u16>,
    /// How many good looks in a row are health
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1000))]
    recover: u16,
    /// A step of the detection phase whose verdict counts; may be given many times (default: all that have one)
    #[arg(long, value_name = "STEP")]
    step: Vec<String>,
    /// An input's value; may be given many times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// A YAML file of inputs' values
    #[arg(long, value_name = "FILE")]
    vars: Option<PathBuf>,
    #[command(flatten)]
    showing: Showing,
}

fn span(text: &str) -> Result<Duration, String> {
    let span = HumanDuration::parse(text)?.0;
    if span.is_zero() { Err("wanted some time, found `0s`".to_owned()) } else { Ok(span) }
}

impl WatchFor {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let vars = self.vars.as_deref().map(read_vars).transpose().map_err(Error::usage)?.unwrap_or_default();
        let (bad, good) = (usize::from(self.threshold), usize::from(self.recover));
        let of = self.of.map_or(bad + 2, usize::from);
        if of < bad {
            return Err(Error::usage(format!("`--of {of}`: {bad} bad looks (`--threshold`) can never be among {of}")));
        }
        let alert = self.alert()?;
        let watch = Watch {
            start: Start { file: self.named.file(common)?, set: self.set, vars, ..Start::default() },
            steps: self.step,
            every: self.every,
            thresholds: Thresholds { bad, of, good },
            once: self.once || alert.is_some(),
        };
        let shared = common.run(&self.showing);
        match alert {
            Some(alert) => take_alert(&shared, watch, &alert),
            None => look_on(&shared, watch),
        }
    }

    /// The alert that is given, in whichever form.
    fn alert(&self) -> Result<Option<Alert>, Error> {
        let text = self.alert.as_deref().map(read).transpose()?;
        let alert = match (self.nagios_exit, text) {
            (Some(code), printed) => Alert::nagios(code, &String::from_utf8_lossy(&printed.unwrap_or_default())),
            (None, Some(text)) => Alert::read(&text),
            (None, None) => return Ok(None),
        };
        alert.map(Some).map_err(|problem| Error::usage(format!("{problem}\nno run was opened")))
    }
}

/// What stands in the file, as far as an alert may go and a byte more.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let most = LARGEST as u64 + 1;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| Error::usage(format!("`--alert {}`: {error}", path.display())))?;
    Ok(bytes)
}
