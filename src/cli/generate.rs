//! `drctl completions`, `man`: files made from the command line's own description.

use std::path::Path;

use super::common::console_line;
use crate::error::{Error, Exit};

pub(super) fn completions(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<Exit, Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "drctl", &mut text);
    console_line(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

pub(super) fn man(folder: &Path, command: clap::Command) -> Result<Exit, Error> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)?;
    Ok(Exit::Done)
}
