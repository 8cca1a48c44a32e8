//! The channels of notices: whether they can be reached, prove who they are and let drctl in. Nothing is written and
//! nothing is sent.

use std::fs;
use std::path::Path;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Url};
use rustix::fs::{Access, access};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::network::reach;
use super::{Check, PATIENCE, Patient, Verdict};
use crate::edge::environment::variable;
use crate::notify::channels::{Channel as Way, EmailChannel, StatuspageChannel};
use crate::runbook::ast::SecretSource;
use crate::runbook::workspace::{Channel, Workspace};

pub(super) async fn checks(patient: &Patient<'_>, settings: &Workspace, http: &reqwest::Client) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, channel) in &settings.channels {
        checks.push(check(patient, name, channel, http).await);
    }
    checks
}

async fn check(patient: &Patient<'_>, name: &str, channel: &Channel, http: &reqwest::Client) -> Check {
    let (settings, hidden) = resolved(patient, name, channel);
    let way = match Way::deserialize(&Value::Object(settings)) {
        Ok(way) => way,
        Err(problem) => return Check::broken(name, problem.to_string()),
    };
    let hides = |secret: &str| hidden.iter().any(|hidden| hidden == secret);
    let unread = |secret: &str| Check::not_checked(name, format!("its `{secret}` is read only by a run"));
    match &way {
        Way::File(file) => folder(name, &patient.workspace.join(&file.path)),
        Way::Email(_) if hides("password") => unread("password"),
        Way::Email(email) => mail(patient, name, email).await,
        Way::Webhook(_) | Way::Slack(_) | Way::Teams(_) if hides("url") => unread("url"),
        Way::Webhook(it) => place(name, &it.url, "url", http).await,
        Way::Slack(it) => place(name, &it.url, "url", http).await,
        Way::Teams(it) => place(name, &it.url, "url", http).await,
        Way::PagerDuty(it) => place(name, &it.url, "url", http).await,
        Way::Sms(it) => place(name, &it.endpoint, "endpoint", http).await,
        Way::Statuspage(it) if hides("token") => place(name, &it.url, "url", http).await,
        Way::Statuspage(it) => page(name, it, http).await,
    }
}

/// The channel's settings with the secrets that can be read without starting or asking anybody; and the others.
fn resolved(patient: &Patient<'_>, name: &str, channel: &Channel) -> (Map<String, Value>, Vec<String>) {
    let mut settings = channel.settings.clone();
    settings.insert("type".to_owned(), channel.kind.into());
    settings.insert("name".to_owned(), name.into());
    let mut hidden = Vec::new();
    for (path, from) in &channel.secrets {
        let value = match from {
            SecretSource::Env(name) => variable(name),
            SecretSource::File(path) => fs::read_to_string(patient.workspace.join(path)).ok(),
            SecretSource::Command(_) | SecretSource::KeyVault(_) => None,
        };
        let value =
            value.map(|value| value.trim_end_matches(['\r', '\n']).to_owned()).filter(|value| !value.is_empty());
        if value.is_none() {
            hidden.push(path.clone());
        }
        // Headers are not asked for: nothing is sent.
        if !path.contains('.') {
            settings.insert(path.clone(), value.unwrap_or_default().into());
        }
    }
    (settings, hidden)
}

/// A notice makes the folder where it is not there.
fn folder(name: &str, folder: &Path) -> Check {
    let shown = folder.display();
    let there = folder.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(folder);
    let is_link = fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink());
    let problem = match access(there, Access::WRITE_OK | Access::EXEC_OK) {
        _ if is_link => "this is a symbolic link, which drctl does not follow".to_owned(),
        _ if !there.is_dir() => format!("`{}` is no folder", there.display()),
        Err(error) => format!("`{}`: {}", there.display(), std::io::Error::from(error)),
        Ok(()) if there == folder => return Check::fine(name, format!("`{shown}` can be written to")),
        Ok(()) => return Check::fine(name, format!("`{shown}` is made with the first notice")),
    };
    Check::broken(name, format!("`{shown}` cannot be written to: {problem}"))
}

/// As for a mail, up to the point where it would be sent.
async fn mail(patient: &Patient<'_>, name: &str, email: &EmailChannel) -> Check {
    let place = format!("`{}`, port {}", email.host, email.port());
    let how = if email.user.is_some() { "lets drctl log in" } else { "greets drctl" };
    match timeout(PATIENCE, email.try_login(patient.workspace)).await {
        Ok(Ok(())) => Check::fine(name, format!("{place}, {how}; nothing was sent")),
        Ok(Err(problem)) => {
            let secret = email.password.clone().unwrap_or_default();
            let problem = if secret.is_empty() { problem } else { problem.replace(&secret, "***") };
            Check::broken(name, format!("{place}: {}", problem.trim_start_matches("not sent: ")))
        }
        Err(_) => Check::broken(name, format!("{place}: no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The path of the URL is often a secret: only its host is shown, and asked.
async fn place(name: &str, url: &str, setting: &str, http: &reqwest::Client) -> Check {
    let parsed = Url::parse(url).ok();
    let reached = match &parsed {
        Some(url) => reach(name, url, "nothing was sent").await,
        None => None,
    };
    let (Some(url), Some(reached)) = (&parsed, reached) else {
        let wanted = "wanted one such as `https://host.example/path`";
        return Check::broken(name, format!("its `{setting}` cannot be read: {wanted}"));
    };
    if url.scheme() != "https" || reached.verdict != Verdict::Fine {
        return reached;
    }
    match shakes_hands(url, http).await {
        Ok(()) => reached,
        Err(problem) => {
            let host = url.host_str().unwrap_or_default();
            Check::broken(name, format!("`{host}` answers, but does not prove who it is: {problem}"))
        }
    }
}

/// Whether the server proves who it is. What it answers to a look at its root does not matter.
async fn shakes_hands(url: &Url, http: &reqwest::Client) -> Result<(), String> {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    match timeout(PATIENCE, http.head(root).send()).await {
        Ok(Err(error)) if error.is_connect() => {
            let mut inner: &dyn std::error::Error = &error;
            while let Some(source) = inner.source() {
                inner = source;
            }
            Err(inner.to_string())
        }
        _ => Ok(()),
    }
}

/// Reads the page, which needs the API key.
async fn page(name: &str, page: &StatuspageChannel, http: &reqwest::Client) -> Check {
    let reached = place(name, &page.url, "url", http).await;
    let key = HeaderValue::from_str(&format!("OAuth {}", page.token));
    let url = Url::parse(&format!("{}/pages/{}", page.url.trim_end_matches('/'), page.page));
    let (Verdict::Fine, Ok(url), Ok(key)) = (reached.verdict, url, key) else { return reached };
    let asked = http.request(Method::GET, url).header(AUTHORIZATION, key).send();
    match timeout(PATIENCE, asked).await.ok().and_then(Result::ok).map(|answer| answer.status().as_u16()) {
        Some(200..=299) => Check::fine(name, format!("the page `{}` can be read with its `token`", page.page)),
        Some(status @ (401 | 403)) => Check::broken(name, format!("its `token` is refused with {status}")),
        Some(404) => Check::broken(name, format!("there is no page `{}` for its `token`", page.page)),
        _ => reached,
    }
}
