//! Commands as they have to be typed from where a person stands.

/// The options by which drctl finds the workspace and its runs from there, such as `--workspace dr`: each with its value, as a
/// shell takes them. None in the workspace itself.
#[derive(Clone, Debug, Default)]
pub struct FromHere(Vec<(&'static str, String)>);

impl FromHere {
    /// With these options.
    #[must_use]
    pub fn new(options: Vec<(&'static str, String)>) -> Self {
        Self(options)
    }

    /// The command with the options that it lacks: `drctl --workspace dr resume`.
    #[must_use]
    pub fn typed(&self, command: &str) -> String {
        let lacks = |(option, _): &&(&str, String)| !command.split(' ').any(|word| word == *option);
        let options: String = self.0.iter().filter(lacks).map(|(option, value)| format!("{option} {value} ")).collect();
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
