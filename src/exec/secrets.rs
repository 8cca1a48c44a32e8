//! Where the secrets of a run are read, just before it needs them. Their values go nowhere but into [`Secrets`].

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::actions::azure::{Azure, Credentials, Vaults};
use crate::catalogue::Timestamp;
use crate::edge::clock::SystemClock;
use crate::edge::environment;
use crate::edge::http::http_client;
use crate::edge::secrets::Secrets;
use crate::plan::Plan;
use crate::runbook::ast::{SecretSource, VaultSecret};
use crate::runbook::azure::Settings;

/// Reads every secret: files and commands from the workspace's folder on, key vaults as its settings say. One of a
/// channel that cannot be read is missed: its notices are owed, and keep nobody from recovering.
///
/// # Errors
/// The first other one that cannot be read, by name; never a value.
pub(super) fn read(secrets: &[(String, SecretSource)], workspace: &Path, plan: &Plan) -> Result<Secrets, String> {
    let settings = &plan.workspace.azure;
    let mut values = Secrets::default();
    let mut vaults = VaultReader::default();
    for (name, from) in secrets {
        let value = match from {
            SecretSource::KeyVault(named) => vaults.read(settings, named),
            SecretSource::Env(name) => {
                environment::variable(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))
            }
            SecretSource::File(path) => from_file(&workspace.join(path)),
            SecretSource::Command(argv) => from_command(argv, workspace),
        };
        let value = value.map_err(|problem| format!("secret `{name}`: {problem}"));
        match value
            .and_then(|value| if value.is_empty() { Err(format!("secret `{name}` is empty")) } else { Ok(value) })
        {
            Ok(value) => values.insert(name.clone(), value),
            Err(problem) if plan.is_of_channel(name) => values.miss(name.clone(), problem),
            Err(problem) => return Err(problem),
        }
    }
    Ok(values)
}

fn from_file(path: &Path) -> Result<String, String> {
    trimmed(std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?)
}

fn from_command(argv: &[String], workspace: &Path) -> Result<String, String> {
    let (program, rest) = argv.split_first().ok_or("the command is empty")?;
    let mut command = Command::new(program);
    command.args(rest).current_dir(workspace).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cannot run `{program}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{program}` failed: {}", output.status));
    }
    trimmed(output.stdout)
}

/// Without the last newline.
fn trimmed(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Asks key vaults: one client, made for the first secret, so that all of them share a token.
#[derive(Default)]
struct VaultReader {
    made: Option<(Azure, tokio::runtime::Runtime)>,
}

impl VaultReader {
    fn read(&mut self, settings: &Settings, named: &VaultSecret) -> Result<String, String> {
        let (azure, runtime) = match &self.made {
            Some(made) => made,
            None => &*self.made.insert(Self::make(settings)?),
        };
        runtime.block_on(Vaults::new(settings).read(azure, named))
    }

    fn make(settings: &Settings) -> Result<(Azure, tokio::runtime::Runtime), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let http = http_client().map_err(|error| error.to_string())?;
        let clock = Arc::new(SystemClock::start(Timestamp(0)));
        let azure = Azure::new(Arc::new(http), Credentials::new(settings.credentials.clone()), clock, "secrets");
        Ok((azure, runtime.map_err(|error| error.to_string())?))
    }
}
