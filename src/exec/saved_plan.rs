//! A plan as `drctl plan --out` writes it: it is run exactly as it was reviewed, or not at all.
//!
//! It holds the files themselves, so that what has changed since can be named step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::load::{Loaded, judge};
use super::pin;
use super::programs;
use crate::catalogue::{ActionSpec, Catalogue};
use crate::error::{Error, Exit};
use crate::plan::{Plan, digest};
use crate::runbook::ast::Kind;

/// The version of the format.
const FORMAT: u32 = 3;

/// A plan that was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of the format.
    drctl: u32,
    /// The drctl that wrote it.
    version: String,
    /// The runbook's name.
    runbook: String,
    /// Its kind.
    kind: Kind,
    /// Its file, within the workspace.
    path: String,
    /// What the run is given; secrets are not among them.
    pub inputs: Map<String, Value>,
    /// Those that are not what they are by default, as they would be typed.
    set: Vec<String>,
    /// The earlier run whose outputs are among the inputs.
    pub from_run: Option<String>,
    /// The digest of every gate that is known before the run, by the path of its step.
    pub gates: BTreeMap<String, String>,
    /// What drctl's actions were, each as a digest.
    actions: BTreeMap<String, String>,
    /// The programs of the workspace that its processes name, each with its digest.
    programs: BTreeMap<String, String>,
    /// All files by name, the runbook first.
    files: Vec<(String, String)>,
    /// What all of the above digest to.
    digest: String,
    /// Where it was read.
    #[serde(skip)]
    place: PathBuf,
}

impl SavedPlan {
    /// The plan of a loaded runbook that stands in the workspace.
    #[must_use]
    pub fn new(
        workspace: &Path,
        loaded: &Loaded,
        plan: &Plan,
        gates: BTreeMap<String, String>,
        from_run: Option<String>,
    ) -> Self {
        let text = |(name, bytes): &(String, Vec<u8>)| (name.clone(), String::from_utf8_lossy(bytes).into_owned());
        let files: Vec<(String, String)> = loaded.files.iter().map(text).collect();
        let mut saved = Self {
            drctl: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runbook: plan.runbook.name.value.clone(),
            kind: plan.runbook.kind,
            path: files.first().map(|(name, _)| name.clone()).unwrap_or_default(),
            inputs: plan.inputs.clone(),
            set: set(plan),
            from_run,
            gates,
            actions: actions(plan),
            programs: programs::programs(workspace, plan),
            files,
            digest: String::new(),
            place: PathBuf::new(),
        };
        saved.digest = saved.own_digest();
        saved
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::new(Exit::Failed, error.to_string()))?;
        std::fs::write(file, text + "\n").map_err(|error| Error::usage(format!("`{}`: {error}", file.display())))
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is no plan, was cut off, was written by another drctl, or was changed since.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let again = "drctl plan NAME --out FILE   (writes one)";
        let problem = |problem: &str| Error::usage(format!("`{}` {problem}", file.display())).next(again.to_owned());
        let bytes = std::fs::read(file).map_err(|error| problem(&format!("cannot be read: {error}")))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            let cut = error.is_eof() && bytes.trim_ascii_start().starts_with(b"{");
            problem(if cut {
                "ends too early: it is only a part of a plan"
            } else {
                "is no plan of `drctl plan --out`"
            })
        })?;
        let format = value.get("drctl").and_then(Value::as_u64).filter(|_| value.get("digest").is_some());
        let format = format.ok_or_else(|| problem("is no plan of `drctl plan --out`"))?;
        let age = match format.cmp(&u64::from(FORMAT)) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => Some("an older"),
            std::cmp::Ordering::Greater => Some("a newer"),
        };
        if let Some(age) = age {
            let text = format!("was written by {age} drctl: found format {format}, wanted {FORMAT}");
            return Err(problem(&text));
        }
        let read: Self = serde_json::from_value(value)
            .map_err(|error| problem(&format!("is no plan of `drctl plan --out`: {error}")))?;
        if read.own_digest() != read.digest {
            return Err(problem("was changed after it was written: what was reviewed is not known"));
        }
        Ok(Self { place: file.to_path_buf(), ..read })
    }

    /// The runbook's file.
    #[must_use]
    pub fn runbook_file(&self, workspace: &Path) -> PathBuf {
        workspace.join(&self.path)
    }

    /// Refuses where what is there now is not what was planned.
    ///
    /// # Errors
    /// Everything that has changed, by name.
    pub fn check_files(&self, workspace: &Path, now: &Loaded, catalogue: &Catalogue) -> Result<(), Error> {
        let name = now.files.first().map(|(name, _)| name.as_str()).unwrap_or_default();
        if name != self.path {
            let message = format!("the plan `{}` is one of `{}`, not of `{name}`", self.place.display(), self.path);
            return Err(Error::usage(message).next(format!("drctl run --plan {}", self.place.display())));
        }
        let mut changes = self.changed_actions(catalogue);
        changes.extend(self.changed_files(now, catalogue));
        changes.extend(programs::changed(workspace, &self.programs));
        self.refuse(&changes)
    }

    /// Refuses where the inputs are not those that were planned.
    ///
    /// # Errors
    /// The inputs that differ, by name.
    pub fn check_inputs(&self, now: &Map<String, Value>) -> Result<(), Error> {
        let names: BTreeSet<&String> = self.inputs.keys().chain(now.keys()).collect();
        let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        let changed = names.into_iter().filter(|name| self.inputs.get(*name) != now.get(*name));
        let changes: Vec<String> = changed
            .map(|name| format!("input `{name}` was {}, is {}", shown(self.inputs.get(name)), shown(now.get(name))))
            .collect();
        self.refuse(&changes)
    }

    /// Refuses a runbook that is not there any more.
    ///
    /// # Errors
    /// Its name.
    pub fn check_there(&self, workspace: &Path) -> Result<(), Error> {
        let gone = !self.runbook_file(workspace).is_file();
        self.refuse(
            &gone
                .then(|| format!("`{}` is gone from `{}`", self.path, workspace.display()))
                .into_iter()
                .collect::<Vec<_>>(),
        )
    }

    fn refuse(&self, changes: &[String]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let lines: String = changes.iter().map(|change| format!("\n  {change}")).collect();
        let message = format!(
            "the plan is stale: since `{}` was written, this has changed:{lines}\nnothing was started",
            self.place.display()
        );
        let kind = if self.kind == Kind::Failover { String::new() } else { format!(" --kind {}", self.kind.name()) };
        let set: String = self.set.iter().map(|set| format!(" --set {set}")).collect();
        let from = self.from_run.as_ref().map(|run| format!(" --from-run {run}")).unwrap_or_default();
        let again = format!("drctl plan {}{kind}{set}{from} --out {}", self.runbook, self.place.display());
        Err(Error::new(Exit::Invalid, message).next(format!("{again}   (then have it reviewed again)")))
    }

    fn changed_actions(&self, catalogue: &Catalogue) -> Vec<String> {
        let mut changes = Vec::new();
        let version = env!("CARGO_PKG_VERSION");
        if self.version != version {
            changes.push(format!("drctl was {}, is {version}: its actions may do something else", self.version));
        }
        let now = |name: &str| catalogue.get(name).map(action_digest);
        let changed = self.actions.iter().filter(|(name, digest)| now(name).as_ref() != Some(digest));
        changes.extend(changed.map(|(name, _)| format!("the action `{name}` is another one in this drctl")));
        changes
    }

    /// The files that differ, and what differs in them.
    fn changed_files(&self, now: &Loaded, catalogue: &Catalogue) -> Vec<String> {
        let then: BTreeMap<&str, &[u8]> =
            self.files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        let there: BTreeMap<&str, &[u8]> =
            now.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let names: BTreeSet<&str> = then.keys().chain(there.keys()).copied().collect();
        let change = |name: &str| match (then.get(name), there.get(name)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(_), Some(_)) => Some(format!("`{name}` differs")),
            (None, _) => Some(format!("`{name}` is new")),
            (_, None) => Some(format!("`{name}` is gone")),
        };
        let mut changes: Vec<String> = names.into_iter().filter_map(change).collect();
        if !changes.is_empty() {
            let files = self.files.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
            let edit = pin::Edit { files: Vec::new(), ..pin::compare(&judge(files, catalogue), now) };
            changes.extend(edit.lines());
        }
        changes
    }

    fn own_digest(&self) -> String {
        let files: Vec<(&String, String)> =
            self.files.iter().map(|(name, text)| (name, digest::of_bytes(text.as_bytes()))).collect();
        digest::of_value(&json!({
            "drctl": self.drctl,
            "version": self.version,
            "runbook": self.runbook,
            "kind": self.kind,
            "path": self.path,
            "inputs": self.inputs,
            "set": self.set,
            "from_run": self.from_run,
            "gates": self.gates,
            "actions": self.actions,
            "programs": self.programs,
            "files": files,
        }))
    }
}

/// The inputs that are not what they are by default, as they would be typed.
fn set(plan: &Plan) -> Vec<String> {
    let typed = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        shell_words::quote(&text).into_owned()
    };
    let given = |(name, value): (&String, &Value)| {
        let declared = plan.runbook.inputs.iter().find(|input| input.name.value == *name)?;
        (declared.default.as_ref() != Some(value)).then(|| format!("{name}={}", typed(value)))
    };
    plan.inputs.iter().filter_map(given).collect()
}

/// The actions of a plan, each as a digest.
fn actions(plan: &Plan) -> BTreeMap<String, String> {
    let used = plan.steps().flat_map(|(_, step)| step.actions());
    let digest = |name: &String| Some((name.clone(), action_digest(plan.spec(name)?)));
    used.filter_map(|action| digest(&action.name.value)).collect()
}

/// What an action takes, gives and says of itself.
fn action_digest(spec: &ActionSpec) -> String {
    let fields = |fields: &[crate::catalogue::Field]| -> Value {
        fields.iter().map(|field| json!([field.name, (field.kind)().to_string(), field.required])).collect()
    };
    digest::of_value(&json!({
        "name": spec.name,
        "docs": spec.docs,
        "parameters": fields(spec.parameters),
        "outputs": fields(spec.outputs.fixed()),
        "code": spec.code,
        "check": spec.is_check,
        "permissions": spec.permissions,
    }))
}
