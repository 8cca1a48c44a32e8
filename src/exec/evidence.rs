//! Reads what goes into the evidence of a run.

use std::fs;
use std::io;
use std::path::Path;

use super::view::Run;
use crate::error::{Error, Exit};
use crate::evidence::{Files, names, shortened};
use crate::report::page::{self, Notice, RunReport};

/// What processes printed. Whatever else is in an attempt's folder is machinery.
const PRINTED: [&str; 2] = ["stdout", "stderr"];

/// The files of a run's evidence, without manifest and signature.
///
/// # Errors
/// Something of the run cannot be read.
pub fn gather(run: &Run, report: &RunReport) -> Result<Files, Error> {
    let mut files = Files::new();
    files.insert(names::JOURNAL.to_owned(), journal(run)?);
    let folder = run.folder.path();
    for entry in listed(folder)? {
        if entry.starts_with(names::PINNED) {
            add_folder(&mut files, &folder.join(&entry), &entry)?;
        }
    }
    add_folder(&mut files, &run.folder.outputs(), names::OUTPUTS.trim_end_matches('/'))?;
    for attempt in listed(&folder.join("steps"))? {
        for stream in PRINTED {
            let file = folder.join("steps").join(&attempt).join(stream);
            if file.is_file() {
                files.insert(shortened(&format!("printed/{attempt}/{stream}")), read(&file)?);
            }
        }
    }
    files.extend(report.notices.iter().enumerate().map(notice));
    let drawn = |drawn: Result<String, String>| drawn.map_err(|problem| Error::new(Exit::Failed, problem));
    files.insert("report.html".to_owned(), drawn(page::html(report))?.into_bytes());
    files.insert("report.md".to_owned(), drawn(page::markdown(report))?.into_bytes());
    files.insert(names::REPORT.to_owned(), page::json(report).into_bytes());
    Ok(files)
}

/// The records that the report is of; more may have been written since.
fn journal(run: &Run) -> Result<Vec<u8>, Error> {
    let mut bytes = read(&run.folder.journal())?;
    bytes.truncate(usize::try_from(run.end.valid_bytes).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// A notice as text.
fn notice((at, notice): (usize, &Notice)) -> (String, Vec<u8>) {
    let step: String =
        notice.step.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    let deliveries: String = notice.deliveries.iter().map(|one| format!("{}: {:?}\n", one.to, one.state)).collect();
    let text = format!(
        "Step: {}\nTemplate: {}\nAudience: {}\nAt: {}\nState: {}\n{deliveries}Subject: {}\n\n{}\n",
        notice.step,
        notice.template,
        notice.audience,
        notice.at,
        notice.state,
        notice.subject.as_deref().unwrap_or_default(),
        notice.body.as_deref().unwrap_or_default()
    );
    (shortened(&format!("notices/{:03}-{step}.txt", at + 1)), text.into_bytes())
}

/// Every file below a folder.
fn add_folder(files: &mut Files, folder: &Path, name: &str) -> Result<(), Error> {
    for entry in listed(folder)? {
        let (path, name) = (folder.join(&entry), format!("{name}/{entry}"));
        // Drafts of files that a crash left.
        if entry.starts_with('.') {
            continue;
        }
        match fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))? {
            about if about.is_dir() => add_folder(files, &path, &name)?,
            about if about.is_file() => drop(files.insert(shortened(&name), read(&path)?)),
            _ => {
                let problem = format!("`{}` is neither a file nor a folder", path.display());
                return Err(Error::new(Exit::Journal, problem));
            }
        }
    }
    Ok(())
}

fn listed(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()
    });
    match entries {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(|error| unreadable(folder, &error)),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Exit::Journal, format!("cannot read `{}`: {error}", path.display()))
}
