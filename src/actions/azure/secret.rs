//! The values of secrets that runbooks name in key vaults. Read just before a run needs them, never shown.

use serde_json::Value;

use super::client::Lost;
use super::services::key_vault::asked_of;
use super::{Azure, Cloud, Method, Request, Via};
use crate::runbook::ast::VaultSecret;
use crate::runbook::azure::Settings;

/// The key vaults of a workspace: its cloud, and as whom they are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vaults {
    /// The cloud they are in.
    pub cloud: Cloud,
    /// The credential's name.
    pub credential: String,
}

impl Vaults {
    /// As the workspace's settings say.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let default = |name: &str| settings.defaults.get(name);
        let cloud =
            default("cloud").map(|cloud| cloud.as_str().and_then(|name| settings.clouds.get(name)).unwrap_or(cloud));
        let credential = default("credential").and_then(Value::as_str).unwrap_or(super::credential::DEFAULT).to_owned();
        Self { cloud: Cloud::read(cloud).unwrap_or_else(Cloud::nowhere), credential }
    }

    /// What asks for a secret: its current version where none is named.
    #[must_use]
    pub fn request(&self, named: &VaultSecret) -> Request {
        let version = named.version.as_ref().map(|version| format!("/{version}")).unwrap_or_default();
        asked_of(&self.cloud, &named.vault, Method::Get, &format!("/secrets/{}{version}", named.secret))
    }

    /// The value of a secret. A read whose answer is lost, or that finds the vault unwell, is made once more.
    ///
    /// # Errors
    /// What the vault said, with the names; never a value.
    pub async fn read(&self, azure: &Azure, named: &VaultSecret) -> Result<String, String> {
        let via = Via { cloud: &self.cloud, credential: &self.credential, step: "" };
        let request = self.request(named);
        let mut answer = azure.exchange(via, &request).await;
        let is_passing = match &answer {
            Ok(reply) => reply.refusal().is_outage() || reply.status == 429,
            Err(lost) => !matches!(lost, Lost::Refused(_)),
        };
        if is_passing {
            answer = azure.exchange(via, &request).await;
        }
        let problem = match answer {
            Ok(reply) if reply.status == 200 => match reply.body.get("value").and_then(Value::as_str) {
                Some(value) => return Ok(value.to_owned()),
                None => "the answer holds no value".to_owned(),
            },
            Ok(reply) if reply.status == 403 => {
                format!("{}; `{}` needs the role `Key Vault Secrets User` there", reply.refusal(), self.credential)
            }
            Ok(reply) => reply.refusal().to_string(),
            Err(lost) => lost.words().to_owned(),
        };
        Err(format!("`{}` of key vault `{}` cannot be read: {problem}", named.secret, named.vault))
    }
}

/// The host of the vault of that name.
#[must_use]
pub fn vault_host(cloud: &Cloud, vault: &str) -> String {
    format!("{vault}.{}", cloud.key_vault_suffix())
}
