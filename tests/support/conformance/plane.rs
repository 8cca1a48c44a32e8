//! Which hosts there are, and what a token that goes there is for.

use super::{Sent, address::Address};

/// A kind of endpoint: in each cloud a host, or what its hosts end in, and the scope of its tokens.
pub struct Plane {
    clouds: &'static [(&'static str, &'static str)],
    /// What a request with a body has to say of it; where empty, it may say `application/json`.
    content_type: &'static str,
}

/// Resource Manager: the only one without a name before its host.
pub const ARM: Plane = Plane::new(&[
    ("management.azure.com", "https://management.azure.com/.default"),
    ("management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/.default"),
    ("management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
]);
/// A key vault's secrets and certificates.
pub const KEY_VAULT: Plane = Plane::new(&[
    (".vault.azure.net", "https://vault.azure.net/.default"),
    (".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net/.default"),
    (".vault.azure.cn", "https://vault.azure.cn/.default"),
]);
/// A batch account's pools and jobs.
pub const BATCH: Plane = Plane {
    clouds: &[
        (".batch.azure.com", "https://batch.core.windows.net//.default"),
        (".batch.usgovcloudapi.net", "https://batch.core.usgovcloudapi.net//.default"),
        (".batch.chinacloudapi.cn", "https://batch.chinacloudapi.cn//.default"),
    ],
    content_type: "application/json; odata=minimalmetadata",
};
/// A Databricks workspace; the id is the one of the application Azure Databricks, in every cloud.
pub const DATABRICKS: Plane = Plane::new(&[
    (".azuredatabricks.net", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"),
    (".databricks.azure.us", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"),
    (".databricks.azure.cn", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"),
]);
/// Metrics of many resources at once.
pub const METRICS: Plane = Plane::new(&[
    (".metrics.monitor.azure.com", "https://metrics.monitor.azure.com/.default"),
    (".metrics.monitor.azure.us", "https://metrics.monitor.azure.us/.default"),
    (".metrics.monitor.azure.cn", "https://metrics.monitor.azure.cn/.default"),
]);
/// A storage account's blobs, which speak XML.
pub const BLOB: Plane = Plane {
    clouds: &[
        (".blob.core.windows.net", "https://storage.azure.com/.default"),
        (".blob.core.usgovcloudapi.net", "https://storage.azure.com/.default"),
        (".blob.core.chinacloudapi.cn", "https://storage.azure.com/.default"),
    ],
    content_type: "application/xml",
};
/// Azure Communication Services: mail and short messages.
pub const COMMUNICATION: Plane =
    Plane::new(&[(".communication.azure.com", "https://communication.azure.com//.default")]);

const ALL: [&Plane; 7] = [&ARM, &KEY_VAULT, &BATCH, &DATABRICKS, &METRICS, &BLOB, &COMMUNICATION];

impl Plane {
    const fn new(clouds: &'static [(&'static str, &'static str)]) -> Self {
        Self { clouds, content_type: "" }
    }

    fn scope(&self, host: &str) -> Option<&'static str> {
        let is =
            |end: &str| if end.starts_with('.') { host.len() > end.len() && host.ends_with(end) } else { host == end };
        self.clouds.iter().find(|(end, _)| is(end)).map(|(_, scope)| *scope)
    }

    /// Whether the host is one of these.
    pub fn has(&self, host: &str) -> bool {
        self.scope(host).is_some()
    }

    /// That the host is one of these, the token is for it, and the body is announced as it has to be.
    pub fn check(&self, sent: &Sent, address: &Address) -> Result<(), String> {
        let hosts = || self.clouds.iter().map(|(end, _)| format!("`{end}`")).collect::<Vec<_>>().join(" or ");
        let wanted = self.scope(&address.host);
        let wanted = wanted.ok_or_else(|| format!("host: wanted {}, found `{}`", hosts(), address.host))?;
        if sent.scope != wanted {
            return Err(format!("token scope: wanted `{wanted}`, found `{}`", sent.scope));
        }
        let wanted = if self.content_type.is_empty() { "application/json" } else { self.content_type };
        let said = sent.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        match (&sent.body, said) {
            (None, _) => Ok(()),
            (Some(_), None) if self.content_type.is_empty() => Ok(()),
            (Some(_), Some((_, said))) if said.starts_with(wanted) => Ok(()),
            (Some(_), said) => Err(format!(
                "header `content-type`: wanted `{wanted}`, found `{}`",
                said.map_or("nothing", |(_, said)| said)
            )),
        }
    }
}

/// That an address Azure gave is only read, and that a token for one place is not carried to another.
pub fn check_opaque(sent: &Sent, address: &Address) -> Result<(), String> {
    if sent.method != "GET" || sent.body.is_some() {
        return Err(format!("{address}: wanted an address that Azure gave to be read, found a {}", sent.method));
    }
    let below = |end: &str| address.host == end || address.host.ends_with(&format!(".{}", end.trim_start_matches('.')));
    let mut places = ALL.iter().flat_map(|plane| plane.clouds);
    if sent.scope.is_empty() || places.any(|(end, scope)| *scope == sent.scope && below(end)) {
        return Ok(());
    }
    Err(format!("{address}: wanted no token at a host that is not its own, found one for `{}`", sent.scope))
}
