//! Starts processes, bounds them, and finds out how they ended, even across the death of drctl.
//!
//! Two ways to run a [`Job`]:
//! - [`ProcessRunner::run`]: a plain child. Cheap; if drctl dies, how it ended is lost. For what may be repeated.
//! - [`ProcessRunner::run_supervised`]: a child of a small supervisor (this binary again, see [`supervise_main`])
//!   which outlives drctl, so that [`ProcessRunner::follow`] finds the real outcome afterwards.
//!
//! The files in the folder of an attempt are the protocol between the two:
//!
//! | file | meaning |
//! |---|---|
//! | `lock` | locked (`flock`) as long as the supervisor or the process lives: both inherit the open file. A process that closes it is found by its environment |
//! | `started.json` | durable before the process is started; absent: it never was |
//! | `outputs.json` | what the process itself writes, named to it by `$DRCTL_OUTPUT`; taken away when it is read |
//! | `stdout`, `stderr` | what it printed, secrets masked, only the ends of it if it was much; absent if nothing |
//! | `output.json` | size and digest of all it printed |
//! | `exit.json` | how it ended; the last thing a supervisor writes. Its room on the disk is taken before the start |
//!
//! The folder of a plain child that ended by itself and left nothing in it is used again for another attempt.
//!
//! Nothing here knows steps, runs or actions.

mod capture;
mod command;
mod folder;
mod follow;
mod lock;
mod record;
mod run;
mod spare;
mod stop;
mod supervise;

mod table;
mod watch;

pub use command::{Job, ProcessRunner};
pub use folder::is_beginning;
pub use follow::{Living, living};
pub use record::{End, Exit, Handle, Stop, Stream, Trace, Written};
pub use run::OnStart;
pub use supervise::{SUPERVISE, supervise_main};

use tokio_util::sync::CancellationToken;

use super::clock::Clock;

/// What waiting for a process needs.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The clock all waiting goes through.
    pub clock: &'a dyn Clock,
    /// Fires when the process is to be stopped.
    pub cancel: &'a CancellationToken,
}
