//! Deliveries that are owed, in words, and what to type for them.

use serde_json::{Value, json};

use crate::engine::Owed;

/// How many deliveries in doubt get a line that says what to type.
const MOST_COMMANDS: usize = 3;

/// `` `tell`: `mail/ada@example.com`: refused with 550 ``; raw.
#[must_use]
pub fn owed_line(owed: &Owed) -> String {
    let what = owed.name().map(|name| format!("`{name}`: ")).unwrap_or_default();
    let may = if owed.in_doubt { "it may have been delivered: " } else { "" };
    format!("`{}`: {what}{may}{}", owed.step, owed.reason)
}

pub(super) fn owed_json(owed: &[Owed]) -> Value {
    owed.iter().map(|owed| json!(owed)).collect()
}

/// What delivers them; those in doubt one by one, as each needs a reason.
#[must_use]
pub fn owed_commands(owed: &[Owed], run: &str) -> Vec<String> {
    let plain = owed.iter().any(|owed| !owed.in_doubt && owed.channel.is_some());
    let mut commands = Vec::from_iter(plain.then(|| format!("drctl notify send --owed {run}")));
    // What got no further than its text can only be given up.
    let unsent = owed.iter().filter(|owed| owed.channel.is_none()).map(|owed| shell_words::quote(&owed.step.0));
    commands.extend(
        unsent
            .take(MOST_COMMANDS)
            .map(|step| format!("drctl notify send --owed {run} {step} --give-up --reason \"...\"")),
    );
    let doubtful = owed.iter().filter(|owed| owed.in_doubt).filter_map(|owed| Some((&owed.step.0, owed.name()?)));
    commands.extend(doubtful.take(MOST_COMMANDS).map(|(step, name)| {
        let (step, name) = (shell_words::quote(step), shell_words::quote(&name).into_owned());
        format!("drctl notify send --owed {run} {step} --doubtful {name} --reason \"...\"")
    }));
    commands
}
