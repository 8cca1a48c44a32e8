//! A request as the simulated Azure reads it: which resource, which action, of which step.

use azure_core::http::Request;
use serde_json::Value;

use super::clouds::Clouds;
use super::operation::MARK;

/// The host of Resource Manager; regions are below it.
pub(super) const MANAGER: &str = "management.azure.com";

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) url: String,
    /// The host, as the public cloud calls it.
    pub(super) host: String,
    /// The address of Resource Manager in the cloud it came to.
    pub(super) manager: String,
    /// The path's parts, as they were written.
    pub(super) parts: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) headers: Vec<(String, String)>,
    /// The step it is of.
    pub(super) step: String,
    /// Its token, and what that is for; empty where there is none.
    pub(super) token: String,
    pub(super) scope: String,
}

/// Headers that are nobody's business.
const UNLOGGED: [&str; 3] = ["authorization", "x-drctl-step", "user-agent"];

impl Incoming {
    pub(super) fn read(request: &Request, body: Value, clouds: &Clouds) -> Self {
        let header = |wanted: &str| {
            let found = request.headers().iter().find(|(name, _)| name.as_str() == wanted);
            found.map(|(_, value)| value.as_str().to_owned()).unwrap_or_default()
        };
        let url = request.url();
        let (host, manager) = clouds.public(url.host_str().unwrap_or_default());
        let token = header("authorization");
        let all = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
        Self {
            method: request.method().to_string(),
            url: url.to_string(),
            host,
            manager,
            parts: parts(url.path()),
            query: url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            body,
            headers: all.filter(|(name, _)| !UNLOGGED.contains(&name.as_str())).collect(),
            step: header("x-drctl-step"),
            scope: token
                .split(", ")
                .next()
                .and_then(|token| token.strip_prefix("Bearer simulated for "))
                .unwrap_or_default()
                .to_owned(),
            token,
        }
    }

    /// A value of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it is for Resource Manager, rather than for a service's own endpoint.
    pub(super) fn is_for_manager(&self) -> bool {
        self.host == MANAGER || self.host.strip_suffix(MANAGER).is_some_and(|region| region.ends_with('.'))
    }

    /// The subscription that Resource Manager is asked about.
    pub(super) fn subscription(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [first, id, ..] if first.eq_ignore_ascii_case("subscriptions") && self.is_for_manager() => Some(id),
            _ => None,
        }
    }

    /// The number of the operation whose state it asks for.
    pub(super) fn polled(&self) -> Option<u64> {
        let at = self.parts.iter().position(|part| part.eq_ignore_ascii_case(MARK))?;
        Some(self.parts.get(at + 1).and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    /// Whether it only asks.
    pub(super) fn is_read(&self) -> bool {
        let asks = ["list", "getStatus", "queryPipelineRuns", "backendhealth", "whatIf", "resources"];
        let asks = asks.into_iter().chain([
            "fetchSecondaryRecoveryPoints",
            "fetchCrossRegionRestoreJob",
            "validateCrossRegionRestore",
        ]);
        let last = self.parts.last().map(String::as_str).unwrap_or_default();
        self.method == "GET" || (self.method == "POST" && asks.into_iter().any(|word| word.eq_ignore_ascii_case(last)))
    }

    /// The resource of Resource Manager it is about.
    pub(super) fn target(&self) -> Target {
        Target::of(&self.parts)
    }
}

/// What a request to Resource Manager is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The resource's id.
    pub(super) id: String,
    /// Its type in lower case: `microsoft.web/sites/slots`.
    pub(super) kind: String,
    /// The names, the outermost first.
    pub(super) names: Vec<String>,
    /// What is asked of it: an action, or a collection below it.
    pub(super) below: Option<String>,
    /// What stands before the last `providers`.
    pub(super) scope: String,
}

impl Target {
    /// What the parts of a path are about.
    pub(super) fn of(parts: &[String]) -> Self {
        let is_provider = |part: &String| part.eq_ignore_ascii_case("providers");
        let last = parts.iter().rposition(is_provider);
        let Some(at) = last else {
            return Self { id: join(parts), ..Self::default() };
        };
        let (scope, rest) = (&parts[..at], parts.get(at + 1..).unwrap_or_default());
        let namespace = rest.first().cloned().unwrap_or_default();
        let pairs = rest.get(1..).unwrap_or_default();
        let below = if pairs.len() % 2 == 1 { pairs.last().cloned() } else { None };
        let named = &pairs[..pairs.len() - usize::from(below.is_some())];
        let mut kind = namespace.clone();
        named.iter().step_by(2).for_each(|part| kind = format!("{kind}/{part}"));
        let end = at + 2 + named.len();
        Self {
            id: join(parts.get(..end.min(parts.len())).unwrap_or_default()),
            kind: kind.to_ascii_lowercase(),
            names: named.iter().skip(1).step_by(2).cloned().collect(),
            below,
            scope: join(scope),
        }
    }

    /// Its last name.
    pub(super) fn name(&self) -> &str {
        self.names.last().map(String::as_str).unwrap_or_default()
    }

    /// What is asked of it, in lower case.
    pub(super) fn action(&self) -> String {
        self.below.as_deref().unwrap_or_default().to_ascii_lowercase()
    }

    /// The resource it is part of.
    pub(super) fn parent(&self) -> String {
        let mut parts: Vec<&str> = self.id.split('/').collect();
        parts.truncate(parts.len().saturating_sub(2));
        parts.join("/")
    }
}

/// The parts of a path, as they were before they were encoded.
pub(super) fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
}

fn join(parts: &[String]) -> String {
    parts.iter().flat_map(|part| ["/", part.as_str()]).collect()
}

fn decoded(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
