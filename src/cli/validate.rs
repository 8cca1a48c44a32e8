//! `drctl validate`.

use std::path::PathBuf;

use clap::Args;

use super::FindingFormat;
use super::common::{Common, colour, console_line, say};
use crate::diag::{Format, Severity, render};
use crate::error::{Error, Exit};
use crate::exec::load::{is_scenario, load, runbook_files, scenario_files};
use crate::exec::rehearse::Library;
use crate::exec::run::registry;

/// Checks runbooks.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Files and folders (default: `runbooks` of the workspace)
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value = "human")]
    format: FindingFormat,
}

impl Validate {
    pub(super) fn run(self, common: &Common) -> Result<Exit, Error> {
        let files = files(&self.paths, common)?;
        let catalogue = registry().catalogue();
        let (mut errors, mut warnings, mut names) = (0, 0, std::collections::BTreeMap::new());
        for file in &files {
            let loaded = load(&common.workspace, file, &catalogue).map_err(|error| Error::usage(error.to_string()))?;
            errors += loaded.found.iter().filter(|finding| finding.severity == Severity::Error).count();
            warnings += loaded.found.iter().filter(|finding| finding.severity == Severity::Warning).count();
            if !loaded.found.is_empty() || matches!(self.format, FindingFormat::Json | FindingFormat::Sarif) {
                console_line(&render(&loaded.found, &loaded.sources, self.format.into(), colour()))?;
            }
            if let Some(runbook) = &loaded.runbook
                && let Some(first) = names.insert((runbook.name.value.clone(), runbook.kind.name()), file.clone())
            {
                errors += 1;
                let (name, kind) = (&runbook.name.value, runbook.kind.name());
                let both = format!("`{}` and `{}`", first.display(), file.display());
                console_line(&format!("error[duplicate-name]: two {kind} runbooks are called `{name}`: {both}"))?;
            }
        }
        let scenarios = scenarios(&self.paths, common)?;
        let mut library = Library::new(&common.workspace, catalogue);
        for file in &scenarios {
            let judged = library.scenario(file).map_err(|error| Error::usage(error.to_string()))?;
            errors += judged.found.iter().filter(|finding| finding.severity == Severity::Error).count();
            if !judged.found.is_empty() {
                console_line(&render(&judged.found, &judged.sources, self.format.into(), colour()))?;
            }
        }
        let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let also = if scenarios.is_empty() { None } else { Some(count(scenarios.len(), "scenario")) };
        let what = [count(files.len(), "runbook")].into_iter().chain(also).collect::<Vec<_>>().join(", ");
        say(&format!("{what}: {}, {}", count(errors, "error"), count(warnings, "warning")));
        Ok(if errors == 0 { Exit::Done } else { Exit::Invalid })
    }
}

/// The scenarios in the folders given, or of the workspace.
fn scenarios(paths: &[PathBuf], common: &Common) -> Result<Vec<PathBuf>, Error> {
    let paths = if paths.is_empty() { vec![common.workspace.join("runbooks")] } else { paths.to_vec() };
    let mut files = Vec::new();
    for path in paths {
        let absolute = std::path::absolute(&path)?;
        if absolute.is_dir() {
            files.extend(scenario_files(&absolute)?);
        } else if is_scenario(&common.workspace, &absolute) {
            files.push(absolute);
        }
    }
    Ok(files)
}

fn files(paths: &[PathBuf], common: &Common) -> Result<Vec<PathBuf>, Error> {
    let paths = if paths.is_empty() { vec![common.workspace.join("runbooks")] } else { paths.to_vec() };
    let mut files = Vec::new();
    for path in &paths {
        let absolute = std::path::absolute(path)?;
        if absolute.is_dir() {
            files.extend(runbook_files(&absolute)?);
        } else if absolute.is_file() {
            files.extend((!is_scenario(&common.workspace, &absolute)).then_some(absolute));
        } else {
            return Err(Error::usage(format!("no file or folder `{}`", path.display())));
        }
    }
    if files.is_empty() && scenarios(&paths, common)?.is_empty() {
        return Err(Error::usage("no runbook was found: they end in `.yaml`"));
    }
    Ok(files)
}

impl From<FindingFormat> for Format {
    fn from(format: FindingFormat) -> Self {
        match format {
            FindingFormat::Human => Self::Human,
            FindingFormat::Short => Self::Short,
            FindingFormat::Json => Self::Json,
            FindingFormat::Sarif => Self::Sarif,
            FindingFormat::Github => Self::Github,
        }
    }
}
