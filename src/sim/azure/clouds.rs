//! The hosts of other clouds. The world is the same in all of them: its services go by what the public one calls them.

use serde_json::Value;

use super::incoming::MANAGER;

/// What names of key vaults and of Batch accounts end in.
const VAULTS: &str = "vault.azure.net";
const BATCH: &str = "batch.azure.com";

/// What the clouds that everybody knows call it, and the public one.
const KNOWN: [(&str, &str); 6] = [
    ("management.usgovcloudapi.net", MANAGER),
    ("management.chinacloudapi.cn", MANAGER),
    ("vault.usgovcloudapi.net", VAULTS),
    ("vault.azure.cn", VAULTS),
    ("batch.usgovcloudapi.net", BATCH),
    ("batch.chinacloudapi.cn", BATCH),
];

/// Endings of addresses, with their port where they have one, each with what the public cloud calls it.
#[derive(Debug)]
pub(super) struct Clouds(Vec<(String, &'static str)>);

impl Default for Clouds {
    fn default() -> Self {
        Self(KNOWN.map(|(other, public)| (other.to_owned(), public)).into())
    }
}

impl Clouds {
    /// Adds one that `azure.clouds` of a workspace describes.
    pub(super) fn add(&mut self, described: &Value) {
        for (field, public) in [("management", MANAGER), ("key_vault", VAULTS), ("batch", BATCH)] {
            let address = described.get(field).and_then(Value::as_str).unwrap_or_default();
            let address = address.trim_start_matches("https://").trim_end_matches('/');
            if !address.is_empty() {
                self.0.push((address.to_owned(), public));
            }
        }
    }

    /// What the public cloud calls a host, and the address of Resource Manager where this one is that.
    pub(super) fn public(&self, host: &str) -> (String, String) {
        let own = self.0.iter().find_map(|(other, public)| {
            let first = host.strip_suffix(other.split(':').next()?)?;
            (first.is_empty() || first.ends_with('.')).then(|| (format!("{first}{public}"), other.clone()))
        });
        let (public, other) = own.unwrap_or_else(|| (host.to_owned(), MANAGER.to_owned()));
        let is_manager = public.ends_with(MANAGER);
        (public, if is_manager { other } else { MANAGER.to_owned() })
    }
}
