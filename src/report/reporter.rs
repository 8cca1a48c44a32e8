//! The handle on the sinks of a run.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::asker::Asker;
use super::from_here::FromHere;
use super::prompt::PromptAnswer;
use super::sanitise::Cleaner;
use super::screen::Screen;
use super::stream::Stream;
use super::survivor::Survivor;
use super::view::View;
use super::worker::{Face, Message, Worker};
use crate::edge::clock::Clock;
use crate::edge::secrets::Secrets;
use crate::engine::{Event, Person};
use crate::journal::Record;
use crate::plan::Plan;

/// How long [`Reporter::finish`] waits at most.
const PATIENCE: Duration = Duration::from_millis(2500);

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputKind {
    /// A live terminal; plain lines where there is none.
    #[default]
    Human,
    /// One line an event.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Hears what is answered at the prompt; nothing means that the person leaves the run as it is.
pub type OnAnswer = Box<dyn Fn(Option<PromptAnswer>) + Send>;

/// What the sinks of a run need.
pub struct Setup {
    /// The plan that is run.
    pub plan: Arc<Plan>,
    /// The run's id.
    pub run: String,
    /// How it is shown.
    pub kind: OutputKind,
    /// Whether standard error is a terminal that somebody sits at: no `TERM=dumb`, no `CI`.
    pub interactive: bool,
    /// Whether the process stays while the run waits for people.
    pub stays: bool,
    /// Whether colours are wanted.
    pub colour: bool,
    /// How commands are typed from where the operator stands.
    pub from_here: FromHere,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Who sits at the terminal.
    pub operator: Person,
    /// Hears what is answered.
    pub answer: OnAnswer,
    /// What is masked.
    pub mask: Arc<Secrets>,
}

/// The process's streams; tests give others.
pub(super) struct Ports<'p> {
    pub(super) stdin: Option<BorrowedFd<'p>>,
    pub(super) stdout: BorrowedFd<'p>,
    pub(super) stderr: BorrowedFd<'p>,
}

/// Hands records to the sinks. Nothing here ever waits for a reader but [`Self::finish`].
#[derive(Debug)]
pub struct Reporter {
    to: Sender<Message>,
    done: Mutex<Receiver<()>>,
}

impl Reporter {
    /// Starts the thread that owns the terminal. Questions are asked where standard input is a terminal too.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let ports = Ports {
            stdin: Some(stdin.as_fd()).filter(|stdin| rustix::termios::isatty(stdin)),
            stdout: stdout.as_fd(),
            stderr: stderr.as_fd(),
        };
        Self::start_with(setup, &ports)
    }

    pub(super) fn start_with(setup: Setup, ports: &Ports<'_>) -> Self {
        let (to, messages) = channel();
        let (end, done) = channel();
        let worker = worker(setup, ports);
        let work = move || {
            worker.run(&messages);
            end.send(()).ok();
        };
        // Without a thread nothing is shown, and the run goes on.
        let thread = std::thread::Builder::new().name("report".to_owned()).spawn(work);
        drop(thread);
        Self { to, done: Mutex::new(done) }
    }

    /// Shows records that are durable.
    pub fn records(&self, records: Vec<Record<Event>>) {
        self.to.send(Message::Records { records, shown: true }).ok();
    }

    /// Takes in records from before this process took the run up, without showing them.
    pub fn replay(&self, records: Vec<Record<Event>>) {
        self.to.send(Message::Records { records, shown: false }).ok();
    }

    /// Shows a line, such as what a stop waits for.
    pub fn note(&self, line: impl Into<String>) {
        self.to.send(Message::Note(line.into())).ok();
    }

    /// Shows what still runs of what the process before started.
    pub fn survivors(&self, survivors: Vec<Survivor>) {
        self.to.send(Message::Survivors(survivors)).ok();
    }

    /// Ends: the summary, and the cursor as it was. Waits for readers, but not for long.
    pub fn finish(&self) {
        self.to.send(Message::Finish).ok();
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.recv_timeout(PATIENCE).ok();
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.finish();
    }
}

fn worker(setup: Setup, ports: &Ports<'_>) -> Worker {
    let input = ports.stdin.and_then(|stdin| stdin.try_clone_to_owned().ok());
    let face = match setup.kind {
        OutputKind::Json => Face::Json,
        OutputKind::Human if setup.interactive => {
            let asker = input.map(|input| Asker::new(input, setup.operator.clone(), setup.answer));
            Face::Terminal(asker.map(Box::new))
        }
        OutputKind::Human | OutputKind::Plain => Face::Plain,
    };
    let colour = setup.colour && matches!(face, Face::Terminal(_));
    Worker {
        reminded: setup.clock.now(),
        view: View {
            stays: setup.stays,
            from_here: setup.from_here,
            ..View::new(setup.plan, setup.run, Cleaner::new(&setup.mask))
        },
        face,
        clock: setup.clock,
        operator: setup.operator,
        stdout: Stream::to(ports.stdout),
        screen: Screen::new(Stream::to(ports.stderr), colour),
        lines: Vec::new(),
        heading: None,
        taken_up: false,
    }
}
