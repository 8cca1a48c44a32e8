//! The supervisor: a small process that outlives drctl, to own a step's process and to record its end.
//!
//! It takes its order from stdin, whole or not at all: if drctl dies while it writes, nothing is started.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use rustix::process::{Pid, Resource, Rlimit, getpid, set_child_subreaper, setrlimit, setsid};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Ports;
use super::command::Order;
use super::folder::Folder;
use super::record::Started;
use super::stop::{Reach, reap};
use super::{table, watch};
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock, SystemClock};

/// The hidden first argument that makes a binary a supervisor.
pub const SUPERVISE: &str = "__supervise";

/// Runs as a supervisor: stdin brings the order, stdout is the attempt's lock. TERM means: stop it.
///
/// Says on stderr why it failed, if drctl is still there to read it.
#[must_use]
pub fn supervise_main() -> ExitCode {
    let Err(error) = supervise() else {
        return ExitCode::SUCCESS;
    };
    writeln!(io::stderr(), "{error}").ok();
    ExitCode::FAILURE
}

fn supervise() -> io::Result<()> {
    // Away from the terminal: its signals do not come here, and nothing below can ask questions on it.
    setsid().ok();
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let order: Order = serde_json::from_slice(&text)?;
    set_child_subreaper(Some(getpid()))?;
    if !order.job.needles.is_empty() {
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        setrlimit(Resource::Core, none)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(&order))
}

async fn run(order: &Order) -> io::Result<()> {
    let clock = SystemClock::start(Timestamp::default());
    let cancel = CancellationToken::new();
    let (terminate, child_ended) = (signal(SignalKind::terminate())?, signal(SignalKind::child())?);
    let folder = order.folder();
    record_start(&folder, &clock)?;
    let lock = io::stdout().as_fd().try_clone_to_owned()?;
    let end = match watch::spawn(order, lock.into(), std::env::vars_os()) {
        Err(problem) => watch::not_started(order, problem),
        Ok(leader) => {
            let group = leader.group;
            let ports = Ports { clock: &clock, cancel: &cancel };
            tokio::select! {
                end = watch::watch(leader, order, ports, &Reach::Adopted) => end,
                never = cancel_on(terminate, &cancel) => never,
                never = reap_adopted(child_ended, group) => never,
            }
        }
    };
    folder.record_end(&end)
}

fn record_start(folder: &Folder, clock: &dyn Clock) -> io::Result<()> {
    let me = getpid().as_raw_pid();
    folder.record_start(&Started {
        pid: me,
        ticks: table::find(me).map_or(0, |process| process.ticks),
        boot: table::boot(),
        time: clock.now(),
    })
}

async fn cancel_on<T>(mut terminate: Signal, cancel: &CancellationToken) -> T {
    terminate.recv().await;
    cancel.cancel();
    std::future::pending().await
}

/// A process that lives for hours may leave many orphans to us: lets those that ended go.
async fn reap_adopted<T>(mut child_ended: Signal, leader: Pid) -> T {
    while child_ended.recv().await.is_some() {
        reap(Some(leader));
    }
    std::future::pending().await
}
