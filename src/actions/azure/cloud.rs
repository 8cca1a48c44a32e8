//! The clouds: where Resource Manager and the data planes are, and what tokens are for.
//!
//! Hosts and scopes as the Azure documentation names them; azure_core's own cloud settings concern identity only.

use std::sync::Arc;

use serde_json::Value;

/// A name that leads nowhere, whoever is asked.
const NOWHERE: &str = "not-described.invalid";

/// A cloud.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cloud {
    /// Azure, as most know it.
    #[default]
    Public,
    /// Azure Government (United States).
    Government,
    /// Azure operated by 21Vianet.
    China,
    /// One that the workspace describes.
    Custom(Arc<Endpoints>),
}

/// Where a cloud is that the workspace describes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoints {
    /// The URL that gives the tokens.
    authority: String,
    /// The host of Resource Manager, with its port where that is not the usual one.
    management: String,
    /// What tokens for Resource Manager are for.
    audience: String,
    /// What names of key vaults end in.
    key_vault: String,
    /// What names of batch accounts' endpoints end in.
    batch: String,
}

impl Cloud {
    /// By the parameter `cloud`: the public one where it is absent, nothing where it names none.
    #[must_use]
    pub fn read(named: Option<&Value>) -> Option<Self> {
        match named {
            None => Some(Self::Public),
            Some(Value::String(word)) => match word.as_str() {
                "public" => Some(Self::Public),
                "government" => Some(Self::Government),
                "china" => Some(Self::China),
                _ => None,
            },
            Some(described) => Self::described(described),
        }
    }

    fn described(described: &Value) -> Option<Self> {
        let text = |name: &str| described.get(name).and_then(Value::as_str).map(str::to_owned);
        let management = text("management")?;
        Some(Self::Custom(Arc::new(Endpoints {
            authority: text("authority")?,
            audience: text("audience").unwrap_or_else(|| management.clone()),
            management: management.strip_prefix("https://")?.to_owned(),
            key_vault: text("key_vault").unwrap_or_else(|| NOWHERE.to_owned()),
            batch: text("batch").unwrap_or_else(|| NOWHERE.to_owned()),
        })))
    }

    /// The one of a name that nobody described: nothing can be sent there.
    pub(super) fn nowhere() -> Self {
        let nowhere = || format!("https://{NOWHERE}");
        let endpoints = Endpoints {
            authority: nowhere(),
            management: NOWHERE.to_owned(),
            audience: nowhere(),
            ..Endpoints::default()
        };
        Self::Custom(Arc::new(endpoints))
    }

    /// The URL that gives the tokens of a cloud that the workspace describes.
    pub(super) fn authority(&self) -> Option<&str> {
        match self {
            Self::Custom(endpoints) => Some(&endpoints.authority),
            _ => None,
        }
    }

    /// The host of Resource Manager. Poll URLs may lie on subdomains of it.
    #[must_use]
    pub fn arm_host(&self) -> &str {
        match self {
            Self::Public => "management.azure.com",
            Self::Government => "management.usgovcloudapi.net",
            Self::China => "management.chinacloudapi.cn",
            Self::Custom(endpoints) => &endpoints.management,
        }
    }

    /// The scope of a token for Resource Manager.
    #[must_use]
    pub fn arm_scope(&self) -> String {
        match self {
            Self::Public => "https://management.azure.com/.default".to_owned(),
            Self::Government => "https://management.core.usgovcloudapi.net/.default".to_owned(),
            Self::China => "https://management.chinacloudapi.cn/.default".to_owned(),
            Self::Custom(endpoints) => format!("{}/.default", endpoints.audience),
        }
    }

    /// What names of key vaults end in.
    #[must_use]
    pub fn key_vault_suffix(&self) -> &str {
        match self {
            Self::Public => "vault.azure.net",
            Self::Government => "vault.usgovcloudapi.net",
            Self::China => "vault.azure.cn",
            Self::Custom(endpoints) => &endpoints.key_vault,
        }
    }

    /// What names of batch accounts' endpoints end in.
    #[must_use]
    pub fn batch_suffix(&self) -> &str {
        match self {
            Self::Public => "batch.azure.com",
            Self::Government => "batch.usgovcloudapi.net",
            Self::China => "batch.chinacloudapi.cn",
            Self::Custom(endpoints) => &endpoints.batch,
        }
    }

    /// The scope of a token for Batch.
    #[must_use]
    pub fn batch_scope(&self) -> String {
        match self {
            Self::Public => "https://batch.core.windows.net//.default".to_owned(),
            Self::Government => "https://batch.core.usgovcloudapi.net//.default".to_owned(),
            Self::China => "https://batch.chinacloudapi.cn//.default".to_owned(),
            Self::Custom(endpoints) => format!("https://{}/.default", endpoints.batch),
        }
    }
}
