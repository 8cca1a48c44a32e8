//! Where a request goes, taken apart.

use std::fmt;

use reqwest::Url;

use super::Sent;

/// Method, host, path and query of a request.
pub struct Address {
    pub method: String,
    pub host: String,
    pub segments: Vec<String>,
    /// Decoded, without `api-version`.
    pub query: Vec<(String, String)>,
    /// Empty where it is not given.
    pub version: String,
}

impl Address {
    /// Reads the address of a request.
    pub fn read(sent: &Sent) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{}`: wanted {what}", sent.url);
        if let Some(odd) = sent.url.chars().find(|c| c.is_whitespace() || !c.is_ascii() || "{}\"<>\\".contains(*c)) {
            return Err(format!("`{}`: wanted a finished address, found {odd:?} in it", sent.url));
        }
        let url = Url::parse(&sent.url).map_err(|e| wrong(&format!("an address ({e})")))?;
        if url.scheme() != "https" {
            return Err(wrong("https"));
        }
        let path = url.path().strip_prefix('/').unwrap_or_default();
        let segments: Vec<String> = path.split('/').filter(|_| !path.is_empty()).map(str::to_owned).collect();
        if segments.iter().any(String::is_empty) && !sent.opaque {
            return Err(wrong("no empty part in the path"));
        }
        let (versions, query): (Vec<_>, Vec<_>) =
            url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).partition(|(k, _)| k == "api-version");
        if versions.len() > 1 && !sent.opaque {
            return Err(wrong("one api-version"));
        }
        let version = versions.into_iter().next().map(|(_, version)| version).unwrap_or_default();
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Self { method: sent.method.clone(), host, segments, query, version })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{} (api-version `{}`)", self.method, self.host, self.segments.join("/"), self.version)
    }
}
