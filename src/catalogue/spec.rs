//! The spec of an action and the catalogue of all of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Type;
use super::types::at;

/// What repeating an action would do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing.
    Reads,
    /// Doing it twice is doing it once.
    Idempotent,
    /// Whether it happened can be read from the world, so it is looked at before it is repeated.
    Observable,
    /// Doing it twice may do harm, and nothing tells whether it happened.
    UnsafeToRepeat,
}

impl Effect {
    /// Whether it may be run again without asking anybody.
    #[must_use]
    pub fn is_repeatable(self) -> bool {
        matches!(self, Self::Reads | Self::Idempotent)
    }

    /// The words people read.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Idempotent => "idempotent",
            Self::Observable => "observable",
            Self::UnsafeToRepeat => "unsafe to repeat",
        }
    }
}

/// A named parameter, of an action or of a record inside one.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the runbook.
    pub name: &'static str,
    /// What it holds.
    pub kind: fn() -> Type,
    /// Whether it must be there.
    pub required: bool,
    /// One line for people. What holds where it is absent stands at the end: ``..; `planned` if absent``.
    pub doc: &'static str,
}

impl Field {
    /// What holds where it is absent, where that is one value.
    #[must_use]
    pub fn default(&self) -> Option<&'static str> {
        let last = self.doc.rsplit("; ").next()?;
        last.strip_prefix('`')?.strip_suffix("` if absent").filter(|value| !value.contains('`'))
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Field {}

/// What an action's `outputs` hold once it succeeded.
#[derive(Clone, Copy, Debug)]
pub enum Outputs {
    /// Always these.
    Fixed(&'static [Field]),
    /// These, and whatever the step's own `outputs` declare.
    Declared(&'static [Field]),
}

impl Outputs {
    /// The outputs that are there whatever the step declares.
    #[must_use]
    pub fn fixed(&self) -> &'static [Field] {
        match self {
            Self::Fixed(fields) | Self::Declared(fields) => fields,
        }
    }
}

/// A rule over several parameters; the fragment says how it is broken.
pub(super) type SpecRule = fn(&Map<String, Value>) -> Result<(), String>;

/// Everything known of an action before it runs.
#[derive(Debug)]
pub struct ActionSpec {
    /// Its name in runbooks, such as `probe.http`.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// A paragraph for `drctl actions NAME`.
    pub docs: &'static str,
    /// What `with` takes.
    pub parameters: &'static [Field],
    /// What it gives back.
    pub outputs: Outputs,
    /// Its effect class; may depend on the parameters. Parameters may still hold unknown
    /// (absent) values when a plan asks: answer with the more dangerous class then.
    pub effect: fn(&Map<String, Value>) -> Effect,
    /// Parameters whose text is code: nothing may be interpolated into them.
    pub code: &'static [&'static str],
    /// Whether `verify` may use it: a read that says yes or no.
    pub is_check: bool,
    /// Rules over several parameters, such as "needs `url` or `socket`"; a fragment when broken.
    pub rule: Option<SpecRule>,
    /// The output that says how many seconds of data would be lost: what the RPO is compared with.
    pub loss: Option<&'static str>,
    /// How long it usually takes, where that is known; may depend on the parameters.
    pub takes: fn(&Map<String, Value>) -> Option<Takes>,
    /// The Azure permissions it needs, beyond reading what it names.
    pub permissions: &'static [&'static str],
}

/// How long an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Half of all times are shorter.
    pub typical: Duration,
    /// Of twenty, one is longer.
    pub worst: Duration,
    /// Who says so; none where it is a guess.
    pub source: Option<&'static str>,
}

impl Takes {
    /// A guess, in seconds: nobody has published a time.
    #[must_use]
    pub const fn guess(typical: u64, worst: u64) -> Option<Self> {
        Some(Self { typical: Duration::from_secs(typical), worst: Duration::from_secs(worst), source: None })
    }

    /// A time that somebody published, in seconds.
    #[must_use]
    pub const fn published(typical: u64, worst: u64, source: &'static str) -> Option<Self> {
        Some(Self { typical: Duration::from_secs(typical), worst: Duration::from_secs(worst), source: Some(source) })
    }
}

impl ActionSpec {
    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Field> {
        self.parameters.iter().find(|field| field.name == name)
    }

    /// Checks one rendered parameter.
    ///
    /// # Errors
    /// As [`Self::check`], by itself.
    pub fn check_parameter(&self, name: &str, value: &Value) -> Result<(), String> {
        let kind = self.parameter(name).map_or(Type::Any, |field| (field.kind)());
        kind.check(value).map_err(|problem| at(name, &problem))
    }

    /// Checks rendered parameters: unknown, missing, of another type, or against the action's rule.
    ///
    /// # Errors
    /// A fragment naming the place, what was wanted and what was found.
    pub fn check(&self, parameters: &Map<String, Value>) -> Result<(), String> {
        check_fields(self.parameters, parameters)?;
        self.rule.map_or(Ok(()), |rule| rule(parameters))
    }
}

pub(super) fn check_fields(fields: &[Field], entries: &Map<String, Value>) -> Result<(), String> {
    if let Some(key) = entries.keys().find(|key| !fields.iter().any(|field| field.name == *key)) {
        return Err(format!("unknown field `{key}`"));
    }
    for field in fields {
        match entries.get(field.name) {
            Some(value) => (field.kind)().check(value).map_err(|problem| at(field.name, &problem))?,
            None if field.required => return Err(format!("missing field `{}`", field.name)),
            None => {}
        }
    }
    Ok(())
}

/// What an action with these parameters would send, one line an item.
pub type Sends = dyn Fn(&str, &Map<String, Value>) -> Vec<String> + Send + Sync;

/// The line that says best what an action with these parameters does.
pub type Gist = dyn Fn(&str, &Map<String, Value>) -> Option<String> + Send + Sync;

/// All actions, in the order of their names.
#[derive(Clone, Default)]
pub struct Catalogue {
    specs: Vec<&'static ActionSpec>,
    sends: Option<Arc<Sends>>,
    gist: Option<Arc<Gist>>,
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("specs", &self.specs).finish_non_exhaustive()
    }
}

impl Catalogue {
    /// A catalogue of these actions.
    #[must_use]
    pub fn new(mut specs: Vec<&'static ActionSpec>) -> Self {
        specs.sort_by_key(|spec| spec.name);
        Self { specs, sends: None, gist: None }
    }

    /// With what tells what they would send.
    #[must_use]
    pub fn sending(self, sends: Arc<Sends>) -> Self {
        Self { sends: Some(sends), ..self }
    }

    /// What the action would send that changes something, as far as its parameters tell; nothing where they say it all.
    #[must_use]
    pub fn sends(&self, action: &str, with: &Map<String, Value>) -> Vec<String> {
        self.sends.as_ref().map(|sends| sends(action, with)).unwrap_or_default()
    }

    /// With what tells what they do.
    #[must_use]
    pub fn told_by(self, gist: Arc<Gist>) -> Self {
        Self { gist: Some(gist), ..self }
    }

    /// What the action does, in a line: a request's method and URL, a command. Secrets are those of the parameters.
    #[must_use]
    pub fn gist(&self, action: &str, with: &Map<String, Value>) -> Option<String> {
        self.gist.as_ref().and_then(|gist| gist(action, with))
    }

    /// The action of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static ActionSpec> {
        self.specs.binary_search_by_key(&name, |spec| spec.name).ok().map(|index| self.specs[index])
    }

    /// Every action, by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static ActionSpec> + '_ {
        self.specs.iter().copied()
    }
}
