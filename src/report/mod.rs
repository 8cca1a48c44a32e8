//! How a run is shown: live on a terminal, as plain lines, as JSON events; and afterwards.
//!
//! Everything here folds its own [`State`] from durable records, so that people see only what would
//! survive. One thread owns the terminal; what it cannot write harms no run.

mod json;
mod lines;
mod prompt;
mod sanitise;
mod status;
mod summary;
mod table;
mod terminal;
mod timeline;

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

pub use lines::Lines;
pub use sanitise::sanitise;
pub use status::{status, status_json};
pub use summary::{dry_run_summary, next_commands, summary};
pub use table::{RunRow, runs_table};
pub use timeline::{Timeline, timeline};

use crate::catalogue::Timestamp;
use crate::edge::clock::Clock;
use crate::edge::secrets::Secrets;
use crate::engine::State;
use crate::engine::event::{Decision, Event, NodePath};
use crate::journal::Record;
use crate::plan::Plan;

/// How a run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// Live on a terminal.
    Human,
    /// One line an event.
    Plain,
    /// One JSON document an event.
    Json,
}

/// What was answered at the prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptAnswer {
    /// The step; none for the whole run.
    pub step: Option<NodePath>,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Option<String>,
}

/// Hears what is answered at the prompt; nothing means that the person leaves the run as it is.
pub type OnAnswer = Box<dyn Fn(Option<PromptAnswer>) + Send>;

/// What a reporter is given.
pub struct Setup {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's id.
    pub run: String,
    /// How it is shown.
    pub kind: OutputKind,
    /// Whether a person sits at a terminal.
    pub interactive: bool,
    /// Whether colours are wanted.
    pub colour: bool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Hears what is answered.
    pub answer: OnAnswer,
    /// For a last look at every line.
    pub mask: Arc<Secrets>,
}

/// What the thread that owns the terminal hears.
pub(crate) enum News {
    Records { records: Vec<Record<Event>>, replayed: bool },
    Note(String),
    Finish,
}

/// How long the end waits for a reader that does not read.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run's reporter: a handle to the thread that owns the terminal.
pub struct Reporter {
    news: mpsc::Sender<News>,
    done: Arc<AtomicBool>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Reporter {
    /// Starts the thread.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (news, heard) = mpsc::channel();
        let done = Arc::new(AtomicBool::new(false));
        let finished = Arc::clone(&done);
        let thread = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            terminal::own(setup, &heard);
            finished.store(true, Ordering::Release);
        });
        Self { news, done, thread: Mutex::new(thread.ok()) }
    }

    /// Records that are durable.
    pub fn records(&self, records: Vec<Record<Event>>) {
        self.news.send(News::Records { records, replayed: false }).ok();
    }

    /// Records of an earlier process: folded in, not shown.
    pub fn replay(&self, records: Vec<Record<Event>>) {
        self.news.send(News::Records { records, replayed: true }).ok();
    }

    /// A line for the person at the terminal.
    pub fn note(&self, line: String) {
        self.news.send(News::Note(line)).ok();
    }

    /// Ends: writes what can be written within two seconds, and gives the cursor back.
    pub fn finish(&self) {
        self.news.send(News::Finish).ok();
        let step = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while !self.done.load(Ordering::Acquire) && waited < PATIENCE {
            std::thread::sleep(step);
            waited += step;
        }
        if self.done.load(Ordering::Acquire)
            && let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            thread.join().ok();
        }
        show_cursor();
    }
}

/// Gives the cursor back, where there is one.
pub fn show_cursor() {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        terminal.show_cursor().ok();
    }
}

/// A stream that is given up after the first failed write.
pub(crate) struct Stream {
    to: Option<Box<dyn std::io::Write>>,
    mask: Arc<Secrets>,
}

impl Stream {
    pub(crate) fn new(to: Box<dyn std::io::Write>, mask: &Arc<Secrets>) -> Self {
        Self { to: Some(to), mask: Arc::clone(mask) }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.lines(&[line.to_owned()]);
    }

    /// Writes lines at once: a write for each would cost more than many a step.
    pub(crate) fn lines(&mut self, lines: &[String]) {
        let Some(to) = &mut self.to else { return };
        if lines.is_empty() {
            return;
        }
        let masked = self.mask.mask(&lines.join("\n")) + "\n";
        if to.write_all(masked.as_bytes()).and_then(|()| to.flush()).is_err() {
            self.to = None;
        }
    }
}

/// The state and the timeline of a run, fed record by record.
pub(crate) struct Fold {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: State,
    pub(crate) timeline: Timeline,
}

impl Fold {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { state: State::new(&plan), plan, timeline: Timeline::default() }
    }

    pub(crate) fn take(&mut self, at: Timestamp, event: &Event) {
        // A viewer shows what it understands; the run itself refuses what does not fit.
        self.state.apply(&self.plan, at, event).ok();
        self.timeline.take(&self.plan, &self.state, at, event);
    }
}
