//! Finds runbooks by their names and kinds, which a look at their first lines tells.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{runbook_files, scenario_files};
use super::surroundings::{read, relative};
use crate::diag::{Sources, closest, listed};
use crate::runbook::ast::Kind;
use crate::runbook::source;

/// A runbook, unread but for its first lines.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its file's name within the workspace.
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
}

impl Head {
    /// The name and kind a file gives itself, by a look at its first lines; the file is judged when it is loaded.
    pub(super) fn of(file: String, bytes: Vec<u8>) -> Option<Self> {
        let (name, kind) = Self::glance(&bytes).or_else(|| Self::read(&bytes))?;
        Some(Self { name, kind, file, bytes })
    }

    fn glance(bytes: &[u8]) -> Option<(String, Kind)> {
        Some((field(bytes, "name")?, Kind::named(&field(bytes, "kind")?)?))
    }

    /// Of a file whose keys are written in another way: in quotes, in braces, behind a byte order mark.
    fn read(bytes: &[u8]) -> Option<(String, Kind)> {
        let mut sources = Sources::default();
        let source = source::decode(&mut sources, "", bytes).ok()?;
        let document = source::parse(&sources, source).0?;
        let top = document.to_json(document.root());
        let text = |name: &str| top.get(name)?.as_str();
        Some((text("name")?.to_owned(), Kind::named(text("kind")?)?))
    }

    /// How the runbook is run.
    fn command(&self) -> String {
        match self.kind {
            Kind::Drill => format!("drctl run {}", self.file),
            kind => format!("drctl {} {}", kind.name(), self.name),
        }
    }
}

/// What stands in a field of the first level, on its line.
fn field(bytes: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))?;
    let value = line[name.len() + 1..].split(" #").next()?.trim();
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// The names of the runbooks that a file calls, by a look at its lines.
fn calls(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let behind = text.lines().filter_map(|line| Some(line.split_once("runbook:")?.1));
    let name =
        |rest: &str| rest.split([',', '}', '#']).next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned();
    behind.map(name).collect()
}

/// Every runbook of the workspace, by file; files that do not say what they are, are none.
fn heads(workspace: &Path) -> io::Result<Vec<Head>> {
    let files = runbook_files(&workspace.join("runbooks"))?;
    Ok(files.into_iter().filter_map(|file| Head::of(relative(workspace, &file), read(&file).ok()?)).collect())
}

/// The runbooks that can be called and rehearsed, by name and kind.
pub struct Callable {
    by_name: BTreeMap<(String, Kind), Vec<Head>>,
    /// Their names and kinds.
    pub(super) known: Arc<BTreeSet<(String, Kind)>>,
    /// The names that failovers among them call: parts of these.
    pub(super) parts: Arc<BTreeSet<String>>,
}

impl Callable {
    pub(super) fn new(heads: Vec<Head>) -> Self {
        let failovers = heads.iter().filter(|head| head.kind == Kind::Failover);
        let parts = Arc::new(failovers.flat_map(|head| calls(&head.bytes)).collect());
        let mut by_name: BTreeMap<(String, Kind), Vec<Head>> = BTreeMap::new();
        for head in heads {
            by_name.entry((head.name.clone(), head.kind)).or_default().push(head);
        }
        let known = Arc::new(by_name.keys().cloned().collect());
        Self { by_name, known, parts }
    }

    /// Those of that name and kind, by file: more than one is a mistake.
    pub(super) fn named(&self, name: &str, kind: Kind) -> &[Head] {
        self.by_name.get(&(name.to_owned(), kind)).map_or(&[], Vec::as_slice)
    }

    /// The file of the runbook of that name and kind.
    ///
    /// # Errors
    /// A sentence: none has it, or two have.
    pub fn find(&self, workspace: &Path, name: &str, kind: Kind) -> Result<PathBuf, String> {
        let place = |head: &Head| workspace.join(&head.file);
        match self.named(name, kind) {
            [runbook] => Ok(place(runbook)),
            [] => Err(self.unknown(workspace, name, kind)),
            [first, second, ..] => Err(format!(
                "two {} runbooks are called `{name}`: `{}` and `{}`",
                kind.name(),
                place(first).display(),
                place(second).display()
            )),
        }
    }

    fn unknown(&self, workspace: &Path, name: &str, kind: Kind) -> String {
        let folder = workspace.join("runbooks");
        let heads = || self.by_name.values().flatten();
        let other = heads().find(|other| other.name == name).map(Head::command);
        let others: Vec<&str> = self.names(kind).collect();
        let meant = other.or_else(|| closest(name, others.iter().copied()).map(str::to_owned));
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        let there = if others.is_empty() {
            "there is none".to_owned()
        } else {
            format!("there are {}", listed(others.iter().copied()))
        };
        format!("no {} runbook is called `{name}` in `{}`: {there}{meant}", kind.name(), folder.display())
    }

    /// The names of one kind, sorted.
    fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.known.iter().filter(move |(_, other)| *other == kind).map(|(name, _)| name.as_str())
    }
}

/// The runbooks of the workspace, by name and kind.
///
/// # Errors
/// A sentence: the folder cannot be read.
pub(super) fn callable(workspace: &Path) -> Result<Callable, String> {
    let unreadable = |error| format!("cannot read `{}`: {error}", workspace.join("runbooks").display());
    heads(workspace).map(Callable::new).map_err(unreadable)
}

/// Finds the runbook of that name and kind in the workspace.
///
/// # Errors
/// A sentence: none has it, or two have.
pub fn find_runbook(workspace: &Path, name: &str, kind: Kind) -> Result<PathBuf, String> {
    callable(workspace)?.find(workspace, name, kind)
}

/// The names of the workspace's runbooks of that kind, sorted.
///
/// # Errors
/// A sentence: the folder cannot be read, or there is none.
pub fn runbook_names(workspace: &Path, kind: Kind) -> Result<Vec<String>, String> {
    let all = callable(workspace)?;
    let names: Vec<String> =
        all.names(kind).filter(|name| !name.contains(char::is_control)).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(format!("`{}` holds no {} runbook", workspace.join("runbooks").display(), kind.name()));
    }
    Ok(names)
}

/// The names of the scenarios of the runbook in that file, or of all, sorted; what cannot be read is left out.
#[must_use]
pub fn scenario_names(workspace: &Path, runbook: Option<&Path>) -> Vec<String> {
    let of_runbook = |bytes: &[u8]| {
        let kind = field(bytes, "kind").map_or(Some(Kind::Failover), |word| Kind::named(&word));
        Some((field(bytes, "runbook")?, kind?))
    };
    let wanted = runbook.map(|file| Head::of(String::new(), read(file).ok()?).map(|head| (head.name, head.kind)));
    let name = |file: PathBuf| {
        let bytes = read(&file).ok()?;
        let fits = wanted.as_ref().is_none_or(|wanted| *wanted == of_runbook(&bytes));
        field(&bytes, "scenario").filter(|_| fits)
    };
    let files = scenario_files(&workspace.join("runbooks")).unwrap_or_default();
    let names: BTreeSet<String> = files.into_iter().filter_map(name).collect();
    names.into_iter().collect()
}
