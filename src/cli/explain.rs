//! `drctl explain`: what a finding means, why it matters, how it is mended.

use std::fmt::Write as _;

use clap::Args;

use super::common::console_line;
use crate::diag::closest;
use crate::error::{Error, Exit};
use crate::lint::pages::{PAGES, page};

/// Explains a finding.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The code in a finding's brackets, such as `no-gate`; without one, all are listed
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> Result<Exit, Error> {
        let Some(code) = &self.code else {
            console_line(&list())?;
            return Ok(Exit::Done);
        };
        // As it is copied from a finding: `error[no-gate]`.
        let word = code.trim_start_matches(|c| c != '[').trim_start_matches('[').trim_end_matches(']');
        let word = if word.is_empty() { code } else { word };
        let Some(page) = page(word) else {
            let meant = closest(word, PAGES.iter().map(|page| page.code));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            return Err(Error::usage(format!("no finding is called `{word}`{meant}")).next("drctl explain".to_owned()));
        };
        console_line(&format!("# {}\n\n{}", page.code, page.text))?;
        Ok(Exit::Done)
    }
}

fn list() -> String {
    let width = PAGES.iter().map(|page| page.code.len()).max().unwrap_or_default();
    let mut text = String::new();
    for page in PAGES {
        writeln!(text, "{:width$}  {}", page.code, page.short()).ok();
    }
    text
}
