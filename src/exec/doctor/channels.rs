//! The channels of notices: whether they can be reached. Nothing is written and nothing is sent.

use std::fs;
use std::path::Path;

use reqwest::Url;
use rustix::fs::{Access, access};

use super::network::reach;
use super::{Check, Patient};
use crate::runbook::workspace::{Channel, Workspace};

pub(super) async fn checks(patient: &Patient<'_>, settings: &Workspace) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, channel) in &settings.channels {
        checks.push(check(patient, name, channel).await);
    }
    checks
}

async fn check(patient: &Patient<'_>, name: &str, channel: &Channel) -> Check {
    match (channel.kind, channel.text("path"), channel.text("url")) {
        ("file", Some(path), _) => folder(name, &patient.workspace.join(path)),
        (_, _, Some(url)) => webhook(name, url).await,
        _ => Check::not_checked(name, format!("a channel of type `{}`", channel.kind)),
    }
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

async fn webhook(name: &str, url: &str) -> Check {
    let reached = match Url::parse(url) {
        Ok(url) => reach(name, &url, "nothing was sent").await,
        Err(_) => None,
    };
    let wanted = "its `url` cannot be read: wanted one such as `https://host.example/path`";
    reached.unwrap_or_else(|| Check::broken(name, wanted))
}
