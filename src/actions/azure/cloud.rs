//! The clouds: where Resource Manager and the data planes are, and what tokens are for.
//!
//! Hosts and scopes as the Azure documentation names them; azure_core's own cloud settings concern identity only.

/// A cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cloud {
    /// Azure, as most know it.
    #[default]
    Public,
    /// Azure Government (United States).
    Government,
    /// Azure operated by 21Vianet.
    China,
}

impl Cloud {
    /// The words of the parameter `cloud`.
    pub const WORDS: [&str; 3] = ["public", "government", "china"];

    /// By its word; the public one where it is none.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "government" => Self::Government,
            "china" => Self::China,
            _ => Self::Public,
        }
    }

    /// The host of Resource Manager. Poll URLs may lie on subdomains of it.
    #[must_use]
    pub fn arm_host(self) -> &'static str {
        match self {
            Self::Public => "management.azure.com",
            Self::Government => "management.usgovcloudapi.net",
            Self::China => "management.chinacloudapi.cn",
        }
    }

    /// The scope of a token for Resource Manager.
    #[must_use]
    pub fn arm_scope(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com/.default",
            Self::Government => "https://management.core.usgovcloudapi.net/.default",
            Self::China => "https://management.chinacloudapi.cn/.default",
        }
    }

    /// What names of key vaults end in.
    #[must_use]
    pub fn key_vault_suffix(self) -> &'static str {
        match self {
            Self::Public => "vault.azure.net",
            Self::Government => "vault.usgovcloudapi.net",
            Self::China => "vault.azure.cn",
        }
    }

    /// What names of batch accounts' endpoints end in.
    #[must_use]
    pub fn batch_suffix(self) -> &'static str {
        match self {
            Self::Public => "batch.azure.com",
            Self::Government => "batch.usgovcloudapi.net",
            Self::China => "batch.chinacloudapi.cn",
        }
    }

    /// The scope of a token for Batch.
    #[must_use]
    pub fn batch_scope(self) -> &'static str {
        match self {
            Self::Public => "https://batch.core.windows.net//.default",
            Self::Government => "https://batch.core.usgovcloudapi.net//.default",
            Self::China => "https://batch.chinacloudapi.cn//.default",
        }
    }
}
