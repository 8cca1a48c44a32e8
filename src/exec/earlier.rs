//! `--from-run`: the outputs of an earlier run become inputs of a new one.

use serde_json::{Map, Value};

use super::view;
use crate::catalogue::{Catalogue, Type};
use crate::edge::store::RunFolder;
use crate::engine::FromRun;
use crate::error::{Error, Exit};
use crate::runbook::ast::Runbook;

/// An earlier run that has ended.
#[derive(Clone, Debug)]
pub struct EarlierRun {
    /// Its id.
    pub run: String,
    /// What its runbook's `outputs` came to.
    pub outputs: Map<String, Value>,
}

impl EarlierRun {
    /// Reads it back.
    ///
    /// # Errors
    /// It cannot be read, or goes on.
    pub fn read(folder: RunFolder, catalogue: &Catalogue) -> Result<Self, Error> {
        let run = view::open(folder, catalogue)?;
        let state = run.state(&run.plan)?;
        if state.ended.is_none() {
            let message = format!("run `{}` has not ended: its outputs are not known yet", run.id());
            return Err(Error::new(Exit::Usage, message).next(format!("drctl status {}", run.id())));
        }
        Ok(Self { run: run.id().to_owned(), outputs: state.outputs })
    }
}

/// The inputs that take their value from `earlier`: those that nobody has given, of which it has an output.
///
/// # Errors
/// An output does not fit the input of its name.
pub fn taken(
    earlier: &EarlierRun,
    runbook: &Runbook,
    set: &[(String, String)],
    vars: &Map<String, Value>,
) -> Result<(FromRun, Map<String, Value>), Error> {
    let given = |name: &str| vars.contains_key(name) || set.iter().any(|(given, _)| given == name);
    let mut taken = Map::new();
    for input in runbook.inputs.iter().filter(|input| input.kind != Type::Secret && !given(&input.name.value)) {
        let name = &input.name.value;
        let Some(value) = earlier.outputs.get(name) else { continue };
        let value = input.kind.settle(value.clone());
        input.kind.check(&value).map_err(|problem| {
            let message = format!("input `{name}`: the output of run `{}` does not fit: {problem}", earlier.run);
            Error::usage(message).next(format!("add `--set {name}=VALUE`"))
        })?;
        taken.insert(name.clone(), value);
    }
    let inputs = taken.keys().cloned().collect();
    Ok((FromRun { run: earlier.run.clone(), inputs }, taken))
}
