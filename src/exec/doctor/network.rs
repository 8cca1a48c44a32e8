//! Whether a port of somebody else answers: a connection is made, and closed at once.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Check, PATIENCE};
use crate::edge::environment::variable;

/// Looks whether what the URL names can be reached; nothing where it names no host and port. Its path is often a secret:
/// only the host is shown. `left` is what was not done there.
pub(super) async fn reach(subject: &str, url: &Url, left: &str) -> Option<Check> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    if let Some(variable) = proxy(url) {
        return Some(Check::not_checked(subject, format!("`{host}` is reached through the proxy of `{variable}`")));
    }
    Some(match connect(host, port).await {
        Ok(()) => Check::fine(subject, format!("`{host}` answers on port {port}; {left}")),
        Err(problem) => Check::broken(subject, format!("`{host}` does not answer on port {port}: {problem}")),
    })
}

/// Connects.
///
/// # Errors
/// What the system said, or that nobody answered.
async fn connect(host: &str, port: u16) -> Result<(), String> {
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match timeout(PATIENCE, TcpStream::connect((inside, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The variable that names the proxy on the way, where there is one: then a connection of one's own tells nothing.
/// Requests go by the same rules, `NO_PROXY` among them.
fn proxy(url: &Url) -> Option<String> {
    Matcher::from_env().intercept(&url.as_str().parse().ok()?)?;
    let own = format!("{}_proxy", url.scheme());
    let names = [own.to_uppercase(), own, "ALL_PROXY".to_owned(), "all_proxy".to_owned()];
    names.into_iter().find(|name| variable(name).is_some_and(|value| !value.is_empty()))
}
