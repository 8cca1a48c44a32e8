//! Choosing one of several names with the arrow keys, where somebody sits at a terminal.

use std::io::IsTerminal as _;

use console::Term;
use dialoguer::Select;

use crate::edge::environment;
use crate::error::{Error, Exit};
use crate::exec::signals;

/// Who leaves a question has pressed Ctrl-C, or might have.
pub(super) const SIGINT: i32 = 2;

/// Which of the names is meant; nothing where the person leaves, by Ctrl-C or Esc.
///
/// # Errors
/// Nobody is there to choose: `question` with each name and what to type for it.
pub(super) fn choose(question: &str, names: &[String], command: &str) -> Result<Option<usize>, Error> {
    if !somebody_is_there() {
        let error = Error::usage(format!("{question} name one"));
        return Err(names.iter().fold(error, |error, name| error.next(format!("{command} {name}"))));
    }
    let prompt = format!("{question} (arrows, then enter; esc leaves)");
    let select = Select::new().with_prompt(prompt).items(names).default(0);
    let term = Term::stderr();
    // The library hides the cursor, and a Ctrl-C that ended the process would leave it so: it only ends the question.
    let chosen = signals::ending_nothing(|| select.interact_on_opt(&term))?;
    term.show_cursor()?;
    match chosen {
        Ok(chosen) => Ok(chosen),
        Err(dialoguer::Error::IO(error)) if error.kind() == std::io::ErrorKind::Interrupted => Ok(None),
        Err(dialoguer::Error::IO(error)) => Err(Error::new(Exit::Failed, format!("cannot ask: {error}"))),
    }
}

fn somebody_is_there() -> bool {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let dumb = environment::variable("TERM").as_deref() == Some("dumb");
    terminal && !dumb && environment::variable("CI").is_none()
}
