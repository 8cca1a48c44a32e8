//! Whether a port of somebody else answers: a connection is made, and closed at once.

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use crate::edge::environment::variable;

/// Connects.
///
/// # Errors
/// What the system said, or that nobody answered.
pub(super) async fn connect(host: &str, port: u16) -> Result<(), String> {
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match timeout(PATIENCE, TcpStream::connect((inside, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The variable that names a proxy, where there is one: then a connection of one's own tells nothing.
pub(super) fn proxy(scheme: &str) -> Option<String> {
    let own = format!("{scheme}_proxy");
    let names = [own.to_uppercase(), own, "ALL_PROXY".to_owned(), "all_proxy".to_owned()];
    names.into_iter().find(|name| variable(name).is_some_and(|value| !value.is_empty()))
}
