//! Commands as they have to be typed from where a person stands.

use std::path::{Path, PathBuf};

/// The options by which drctl finds the workspace and its runs from there, such as `--workspace dr`: each with its value, as a
/// shell takes them. None in the workspace itself.
#[derive(Clone, Debug, Default)]
pub struct FromHere {
    options: Vec<(&'static str, String)>,
    folder: PathBuf,
}

impl FromHere {
    /// With these options.
    #[must_use]
    pub fn new(options: Vec<(&'static str, String)>) -> Self {
        Self { options, folder: PathBuf::new() }
    }

    /// Typed in this folder.
    #[must_use]
    pub fn in_folder(self, folder: PathBuf) -> Self {
        Self { folder, ..self }
    }

    /// A file as an argument: from the folder on where it lies below it, else as it is.
    #[must_use]
    pub fn file(&self, file: &Path) -> String {
        let file = file.strip_prefix(&self.folder).unwrap_or(file);
        shell_words::quote(&file.display().to_string()).into_owned()
    }

    /// The command with the options that it lacks: `drctl --workspace dr resume`.
    #[must_use]
    pub fn typed(&self, command: &str) -> String {
        let lacks = |(option, _): &&(&str, String)| !command.split(' ').any(|word| word == *option);
        let options: String =
            self.options.iter().filter(lacks).map(|(option, value)| format!("{option} {value} ")).collect();
        command.replacen("drctl ", &format!("drctl {options}"), 1)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self, commands: Vec<String>) -> Vec<String> {
        commands.into_iter().map(|command| self.typed(&command)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_options_that_it_lacks() {
        let from = FromHere::new(vec![("--workspace", "dr".to_owned()), ("--state", "'my runs'".to_owned())]);
        assert_eq!(from.typed("drctl resume r"), "drctl --workspace dr --state 'my runs' resume r");
        assert_eq!(
            from.typed("make room, then: drctl doctor --state DIR"),
            "make room, then: drctl --workspace dr doctor --state DIR"
        );
        assert_eq!(FromHere::default().typed("drctl resume r"), "drctl resume r");
    }
}
