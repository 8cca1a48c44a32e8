//! The one thread that owns the terminal: takes in records, shows them, asks.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::asker::{Asker, Heard};
use super::dry_run::dry_run_summary;
use super::screen::Screen;
use super::story::{Story, Tone, tell};
use super::stream::Stream;
use super::summary::clock_words;
use super::survivor::Survivor;
use super::view::View;
use super::{json, live, plain, words};
use crate::catalogue::Timestamp;
use crate::edge::clock::Clock;
use crate::engine::{Event, Mode, Person};
use crate::journal::Record;
use crate::runbook::ast::Phase;

/// How long it waits for something to happen before it looks at the clock again.
const TICK: Duration = Duration::from_millis(100);
/// How many messages are taken in before something is shown.
const BATCH: usize = 1024;
/// How often the clock is said anew while a question is open.
const REMINDER: Duration = Duration::from_secs(60);
/// How long a slow reader is waited for in between.
const A_MOMENT: Duration = Duration::from_millis(20);
/// How long each stream is waited for at the end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What the handle tells the worker.
#[derive(Debug)]
pub(super) enum Message {
    /// Durable records; `shown` unless they are known from before.
    Records { records: Vec<Record<Event>>, shown: bool },
    /// A line for people.
    Note(String),
    /// What still runs of what the process before started.
    Survivors(Vec<Survivor>),
    /// Nothing more comes.
    Finish,
}

/// How it is shown.
pub(super) enum Face {
    /// The live terminal; asks where it can.
    Terminal(Option<Box<Asker>>),
    /// Lines.
    Plain,
    /// JSON on standard output.
    Json,
}

/// How much of what there was has been taken in.
enum Taken {
    All,
    Some,
    /// And nothing more comes.
    Last,
}

/// The sinks of a run.
pub(super) struct Worker {
    pub(super) view: View,
    pub(super) face: Face,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) operator: Person,
    pub(super) stdout: Stream,
    pub(super) screen: Screen,
    pub(super) lines: Vec<(Tone, String)>,
    pub(super) heading: Option<Phase>,
    pub(super) reminded: Timestamp,
    /// Whether this process has said anything of the run: what is asked before that may be answered already.
    pub(super) taken_up: bool,
}

impl Worker {
    /// Works until nothing more comes.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        if matches!(self.face, Face::Json) {
            self.stdout.line(&json::version(&self.view.run));
        }
        let mut patience = TICK;
        loop {
            patience = match self.take_in(messages, patience) {
                Taken::All => TICK,
                Taken::Some => Duration::ZERO,
                Taken::Last => break,
            };
            self.show();
        }
        self.end();
    }

    /// Takes in what there is, or waits a moment for something to happen.
    fn take_in(&mut self, messages: &Receiver<Message>, mut patience: Duration) -> Taken {
        if self.hear(patience) {
            patience = Duration::ZERO;
        }
        for _ in 0..BATCH {
            match messages.recv_timeout(std::mem::take(&mut patience)) {
                Ok(Message::Records { records, shown }) => {
                    self.taken_up |= shown;
                    records.iter().for_each(|record| self.record(record, shown));
                }
                Ok(Message::Note(line)) => self.say(&line),
                Ok(Message::Survivors(survivors)) => survivors.iter().for_each(|survivor| self.survives(survivor)),
                Err(RecvTimeoutError::Timeout) => return Taken::All,
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => return Taken::Last,
            }
        }
        Taken::Some
    }

    /// Listens to the operator while a question is open; whether one is.
    fn hear(&mut self, patience: Duration) -> bool {
        let Face::Terminal(Some(asker)) = &mut self.face else {
            return false;
        };
        if asker.open().is_none() {
            return false;
        }
        match asker.listen(&self.view, patience) {
            Some(Heard::Ask(lines)) => {
                let question = asker.open().map(|prompt| prompt.text(&self.view)).unwrap_or_default();
                self.screen.asked(true);
                let lines = lines.iter().flat_map(|line| indented(&self.view, line));
                self.lines.extend(lines.map(|line| (Tone::Notice, line)));
                self.screen.scroll(&std::mem::take(&mut self.lines));
                self.screen.ask(one_line(&self.view, &question));
            }
            Some(Heard::Answered) => self.screen.asked(true),
            Some(Heard::PutOff) => {
                self.screen.asked(true);
                self.say("put off: answer with the commands below, from any terminal");
            }
            Some(Heard::InputEnded) => {
                self.screen.asked(false);
                self.say("the input has ended: answer with the commands below, from any terminal");
            }
            None => {}
        }
        true
    }

    fn survives(&mut self, survivor: &Survivor) {
        match self.face {
            Face::Json => self.stdout.line(&json::survivor(&self.view, survivor)),
            _ => self.say(&survivor.words(self.clock.now())),
        }
    }

    fn say(&mut self, line: &str) {
        self.lines.push((Tone::Notice, self.view.cleaner.line(line)));
    }

    fn record(&mut self, record: &Record<Event>, shown: bool) {
        let Record { seq, at, event } = record;
        let (seq, at) = (*seq, *at);
        if let Err(problem) = self.view.apply(at, event) {
            let line = self.view.cleaner.line(&format!("cannot show what follows: {problem}"));
            return self.lines.push((Tone::Bad, line));
        }
        if let Face::Terminal(Some(asker)) = &mut self.face {
            if matches!(event, Event::DecisionRefused { .. }) {
                asker.ask_again();
            }
            if asker.close_if_settled(&self.view) {
                self.screen.asked(false);
            }
        }
        // The summary of a dry run says all of it, once.
        let told_later = self.view.state.mode() == Mode::DryRun && !matches!(self.face, Face::Json);
        if !shown || told_later {
            return;
        }
        match &self.face {
            Face::Json => self.stdout.line(&json::record(&self.view, seq, at, event)),
            Face::Plain => {
                if let Some(story) = tell(&self.view, at, event) {
                    let lines = plain::lines(&self.view, at, &story);
                    self.lines.extend(lines.into_iter().map(|line| (Tone::Progress, line)));
                }
            }
            Face::Terminal(_) => {
                if let Some(story) = tell(&self.view, at, event).filter(|story| story.tone != Tone::Progress) {
                    self.scroll(at, story);
                }
            }
        }
    }

    /// A finished step, or whatever else is worth a line, under the heading of its phase.
    fn scroll(&mut self, at: Timestamp, story: Story) {
        let cleaner = &self.view.cleaner;
        let phase = story.step.as_ref().map(|(phase, _)| *phase);
        if let Some(phase) = phase.filter(|phase| self.heading != Some(*phase)) {
            self.lines.push((Tone::Progress, phase.name().to_uppercase()));
            self.heading = Some(phase);
        }
        let name = story.step.as_ref().map(|(_, path)| format!("{path} ")).unwrap_or_default();
        let line = format!("{}  {name}{}", words::time_of_day(at), story.text);
        self.lines.extend(cleaner.quoted(&line, 0, 10).into_iter().map(|line| (story.tone, line)));
        let id = story.step.and_then(|(_, path)| self.view.state.find(&self.view.plan, &path.0));
        let asked = match (&self.face, id) {
            (Face::Terminal(Some(asker)), Some(id)) => asker.will_ask(&self.view, id),
            _ => false,
        };
        if !asked {
            let details = story.details.iter().flat_map(|detail| cleaner.lines(detail));
            self.lines.extend(details.map(|detail| (Tone::Progress, format!("{:10}{detail}", ""))));
        }
    }

    /// Brings everything up to date: lines, then a question or the live area.
    fn show(&mut self) {
        self.screen.scroll(&std::mem::take(&mut self.lines));
        let now = self.clock.now();
        self.ask(now);
        let live = self.view.state.started.is_some() && self.view.state.ended.is_none();
        if live && matches!(self.face, Face::Terminal(_)) {
            self.screen.draw(&live::lines(&self.view, now, &self.operator));
        }
        self.screen.flush(Duration::ZERO);
        self.stdout.flush(Duration::ZERO);
        if !self.stdout.is_idle() {
            self.stdout.flush(A_MOMENT);
        }
    }

    /// Opens the next question; says the time again while one stays open.
    fn ask(&mut self, now: Timestamp) {
        let Face::Terminal(Some(asker)) = &mut self.face else {
            return;
        };
        if !self.taken_up {
            return;
        }
        if let Some(prompt) = asker.ask_next(&self.view) {
            let opening = prompt.opening(&self.view, now);
            let opening = opening.iter().flat_map(|line| indented(&self.view, line));
            let opening: Vec<(Tone, String)> = opening.map(|line| (Tone::Progress, line)).collect();
            let question = one_line(&self.view, &prompt.text(&self.view));
            self.screen.hide();
            self.screen.scroll(&opening);
            self.screen.ask(question);
            self.reminded = now;
        } else if asker.open().is_some() && !asker.is_typing() && self.reminded.until(now) >= REMINDER {
            let clock = clock_words(&self.view.timeline.clock(&self.view.plan, now));
            self.screen.scroll(&[(Tone::Progress, clock)]);
            self.reminded = now;
        }
    }

    /// The last words, as far as anybody reads them.
    fn end(mut self) {
        let now = self.clock.now();
        self.screen.hide();
        self.screen.asked(false);
        self.screen.scroll(&std::mem::take(&mut self.lines));
        self.screen.flush(LAST_WAIT);
        if matches!(self.face, Face::Json) {
            self.stdout.line(&json::summary(&self.view, now));
        } else if self.view.state.mode() == Mode::DryRun {
            self.stdout.push(&dry_run_summary(&self.view.plan, &self.view.state));
        } else {
            let lines = self.view.summary(now).lines();
            for line in lines.iter().flat_map(|line| self.view.cleaner.block(line)) {
                self.stdout.line(&line);
            }
        }
        self.stdout.flush(LAST_WAIT);
    }
}

/// A question is one line, with the blank behind it.
fn one_line(view: &View, question: &str) -> String {
    format!("{} ", view.cleaner.line(question))
}

/// The lines of a text, safe to print, as far in as its first one.
fn indented(view: &View, text: &str) -> Vec<String> {
    let margin = text.len() - text.trim_start().len();
    let lines = view.cleaner.lines(text.trim_start());
    lines.iter().map(|line| format!("{}{line}", &text[..margin])).collect()
}
