//! Runs jobs, as plain children or under a supervisor.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::command::{Job, Order, ProcessRunner};
use super::folder::Folder;
use super::record::{Handle, Trace};
use super::stop::Reach;
use super::supervise::SUPERVISE;
use super::{Ports, follow, table, watch};
use crate::edge::Act;

/// A supervisor takes no longer than this for all it does besides waiting.
const OVERHEAD: Duration = Duration::from_secs(30);
/// Before it left the terminal's session, a Ctrl-C may have ended the supervisor.
const STARTS: usize = 3;
/// The most bytes of a supervisor's last words that are read.
const LAST_WORDS: u64 = 4096;

/// Is told how to find a process again.
pub type OnStart = dyn Fn(Handle) -> Act<'static, ()> + Send + Sync;

impl ProcessRunner {
    /// Runs a job as a plain child of this process.
    pub async fn run(&self, job: &Job, ports: Ports<'_>) -> Trace {
        let order = match self.order(job) {
            Ok(order) => order,
            Err(problem) => return Trace::NeverStarted(problem),
        };
        let folder = order.folder();
        let lock = match self.spares.take(&folder).map_or_else(|| prepare(&folder), Ok) {
            Ok(lock) => lock,
            Err(trace) => return trace,
        };
        match watch::spawn(&order, lock, self.inherited.iter().cloned()) {
            Ok(leader) => {
                let reach = Reach::Marked(follow::mark(&folder));
                let end = watch::watch(leader, &order, ports, &reach).await;
                self.spares.put(&folder, &end);
                Trace::Ended(Box::new(end))
            }
            Err(problem) => Trace::NeverStarted(problem),
        }
    }

    /// Runs a job under a supervisor, which goes on if this process dies. `started` is told at once
    /// how to find it again. Dropping the future stops nothing.
    pub async fn run_supervised(&self, job: &Job, ports: Ports<'_>, started: &OnStart) -> Trace {
        let order = match self.order(job) {
            Ok(order) => order,
            Err(problem) => return Trace::NeverStarted(problem),
        };
        let folder = order.folder();
        if folder.has_started() {
            return Trace::Lost(format!("this attempt was started before: see `{}`", folder.path().display()));
        }
        if let Err(error) = folder.create_durably() {
            return Trace::NeverStarted(no_folder(&folder, &error));
        }
        let mut trace = Trace::NeverStarted(String::new());
        for _ in 0..STARTS {
            let lock = match take_lock(&folder) {
                Ok(lock) => lock,
                Err(trace) => return trace,
            };
            let mut supervisor = match self.start_supervisor(lock, &folder) {
                Ok(supervisor) => supervisor,
                Err(problem) => return Trace::NeverStarted(problem),
            };
            trace = oversee(&mut supervisor, &order, ports, started).await;
            if ports.cancel.is_cancelled() || !matches!(trace, Trace::NeverStarted(_)) {
                break;
            }
        }
        trace
    }

    fn start_supervisor(&self, lock: File, folder: &Folder) -> Result<Child, String> {
        Command::new(&self.supervisor)
            .arg0("drctl")
            .arg(SUPERVISE)
            .current_dir(folder.path())
            .env_clear()
            .envs(self.inherited.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start the supervisor `{}`: {error}", self.supervisor.display()))
    }
}

/// Gives a supervisor its order and waits for its end.
async fn oversee(supervisor: &mut Child, order: &Order, ports: Ports<'_>, started: &OnStart) -> Trace {
    let folder = order.folder();
    let pid = supervisor.id().map_or(0, u32::cast_signed);
    let text = match serde_json::to_vec(order) {
        Ok(text) => text,
        Err(error) => return Trace::NeverStarted(error.to_string()),
    };
    if let Some(mut stdin) = supervisor.stdin.take() {
        // A supervisor that ended already reads nothing; its folder tells.
        stdin.write_all(&text).await.ok();
    }
    let handle = Handle {
        folder: folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned(),
        pid,
        boot: table::boot(),
    };
    let ((), ended) = tokio::join!(started(handle), wait(supervisor, order, ports));
    if !ended {
        return Trace::Running(format!("its supervisor, process {pid}, does not end"));
    }
    let said = last_words(supervisor).await;
    // If it was killed, the process itself may still run.
    match follow::follow(&folder, order.job.timeout, ports, follow::OnCancel::Stop).await {
        Trace::NeverStarted(_) => Trace::NeverStarted(format!("its supervisor ended before it started anything{said}")),
        // One that was killed says nothing.
        Trace::Lost(_) if !said.is_empty() => {
            Trace::Lost(format!("it was started, and its supervisor could not record how it ended{said}"))
        }
        trace => trace,
    }
}

/// Waits until the supervisor ended, and tells it when it is to stop. `false`: not in time.
async fn wait(supervisor: &mut Child, order: &Order, ports: Ports<'_>) -> bool {
    let pid = supervisor.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let stopping = order.grace.saturating_add(OVERHEAD);
    tokio::select! {
        _ = supervisor.wait() => return true,
        () = ports.clock.sleep(order.job.timeout.saturating_add(stopping)) => return false,
        () = ports.cancel.cancelled() => {}
    }
    // Nobody waited for it yet, so the id is still its own.
    pid.map(|pid| kill_process(pid, Signal::TERM));
    tokio::select! {
        _ = supervisor.wait() => true,
        () = ports.clock.sleep(stopping) => false,
    }
}

/// What a supervisor that ended had to say: nothing, if all went well.
async fn last_words(supervisor: &mut Child) -> String {
    let mut said = Vec::new();
    if let Some(stderr) = supervisor.stderr.take() {
        stderr.take(LAST_WORDS).read_to_end(&mut said).await.ok();
    }
    match String::from_utf8_lossy(&said).trim() {
        "" => String::new(),
        said => format!("; it said: {said}"),
    }
}

/// Makes the folder of an attempt, if need be, and takes its lock.
fn prepare(folder: &Folder) -> Result<File, Trace> {
    folder.create().map_err(|error| Trace::NeverStarted(no_folder(folder, &error)))?;
    take_lock(folder)
}

fn take_lock(folder: &Folder) -> Result<File, Trace> {
    match folder.take_lock() {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(Trace::Running(follow::who_runs(folder))),
        Err(error) => Err(Trace::NeverStarted(no_folder(folder, &error))),
    }
}

fn no_folder(folder: &Folder, error: &std::io::Error) -> String {
    format!("could not prepare the folder `{}`: {error}", folder.path().display())
}
