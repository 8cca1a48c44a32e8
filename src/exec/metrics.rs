//! A run's metrics as it goes: a file that monitoring reads, written by a thread of its own. It never keeps the run waiting,
//! and a file that cannot be written harms no run.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::driver::Sink;
use super::report::write_whole;
use crate::catalogue::Timestamp;
use crate::edge::clock::{Clock as _, SystemClock};
use crate::engine::event::Event;
use crate::journal::Record;
use crate::plan::Plan;
use crate::report::metrics;
use crate::report::page::{self, Source};

/// How long it waits at least between two writes.
const PAUSE: Duration = Duration::from_secs(1);

type Records = Vec<Record<Event>>;

/// A sink that also writes metrics.
pub(super) struct Measured {
    inner: Box<dyn Sink>,
    to: Option<Sender<Records>>,
    thread: Option<JoinHandle<()>>,
    /// Why the file could not be written, until it is said.
    problem: Arc<Mutex<Option<String>>>,
}

impl Measured {
    /// Hands on to `inner` what it is given, and writes the metrics of all of it, and of what was `before`, to `file`.
    pub(super) fn new(inner: Box<dyn Sink>, file: PathBuf, plan: Arc<Plan>, before: Records) -> Self {
        let (to, given) = channel();
        let problem = Arc::new(Mutex::new(None));
        let writer = Writer { file, plan, records: before, problem: Arc::clone(&problem) };
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || writer.run(&given));
        Self { inner, to: Some(to), thread: thread.ok(), problem }
    }

    fn tell(&mut self) {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(problem) = problem {
            self.inner.note(format!("no metrics are written: {problem}"));
        }
    }
}

impl Sink for Measured {
    fn records(&mut self, records: Records) {
        self.tell();
        if let Some(to) = &self.to {
            to.send(records.clone()).ok();
        }
        self.inner.records(records);
    }

    fn note(&mut self, line: String) {
        self.inner.note(line);
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        self.tell();
    }
}

struct Writer {
    file: PathBuf,
    plan: Arc<Plan>,
    records: Records,
    problem: Arc<Mutex<Option<String>>>,
}

impl Writer {
    /// Writes soon after something has happened, and when nothing more comes.
    fn run(mut self, given: &Receiver<Records>) {
        let mut patience = Duration::ZERO;
        while let Ok(first) = given.recv() {
            self.records.extend(first);
            let more = self.gather(given, patience);
            if !self.write() || !more {
                return;
            }
            patience = PAUSE;
        }
    }

    /// Takes in what comes within that time; whether more may come.
    fn gather(&mut self, given: &Receiver<Records>, patience: Duration) -> bool {
        let clock = SystemClock::start(Timestamp(0));
        let end = clock.now().plus(patience);
        loop {
            match given.recv_timeout(clock.now().until(end)) {
                Ok(records) => self.records.extend(records),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn write(&self) -> bool {
        let source = Source {
            plan: &self.plan,
            records: &self.records,
            head: String::new(),
            earlier: Vec::new(),
            rehearsals: Vec::new(),
        };
        let written = write_whole(&self.file, metrics(&page::report(&source)).as_bytes(), false);
        if let Err(error) = &written {
            *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.message.clone());
        }
        written.is_ok()
    }
}
