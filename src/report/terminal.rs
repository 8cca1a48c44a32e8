//! The thread that owns the terminal: lines, live steps, questions.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::prompt::{Prompt, Step, Typed};
use super::summary::rto_clock;
use super::table::rounded;
use super::{Lines, News, OnAnswer, OutputKind, Setup, Stream, json, next_commands, sanitise, summary};
use crate::edge::clock::Clock;
use crate::engine::event::{Event, Mode};
use crate::engine::{NodeId, StepState};
use crate::journal::Record;

/// How often the live lines are drawn, and what was typed is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How many steps are shown live; more would push the rest off the screen.
const LIVE: usize = 8;

/// Owns the terminal until the run is left.
pub(super) fn own(setup: Setup, news: &Receiver<News>) {
    let mut terminal = Terminal::new(setup);
    loop {
        match news.recv_timeout(TICK) {
            Ok(News::Finish) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(heard) => {
                terminal.hear(heard);
                while let Ok(heard) = news.try_recv() {
                    if matches!(heard, News::Finish) {
                        terminal.finish();
                        return;
                    }
                    terminal.hear(heard);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        terminal.tick();
    }
    terminal.finish();
}

struct Terminal {
    lines: Lines,
    run: String,
    kind: OutputKind,
    interactive: bool,
    clock: Arc<dyn Clock>,
    answer: OnAnswer,
    out: Stream,
    err: Stream,
    live: Option<Live>,
    prompt: Option<Prompt>,
    typed: Typed,
    /// Questions that the person put off.
    later: Vec<NodeId>,
    /// Whether an answer was given that the run has not taken yet.
    answered: bool,
}

/// The lines at the bottom that are drawn again and again.
struct Live {
    bars: MultiProgress,
    head: ProgressBar,
    steps: Vec<ProgressBar>,
}

impl Terminal {
    fn new(setup: Setup) -> Self {
        let mut out = Stream::new(Box::new(std::io::stdout()), &setup.mask);
        if setup.kind == OutputKind::Json {
            out.line(&json::version(&setup.run));
        }
        Self {
            lines: Lines::new(setup.plan, &setup.run),
            run: setup.run,
            kind: setup.kind,
            interactive: setup.interactive,
            clock: setup.clock,
            answer: setup.answer,
            out,
            err: Stream::new(Box::new(std::io::stderr()), &setup.mask),
            live: (setup.kind == OutputKind::Human).then(Live::new),
            prompt: None,
            typed: Typed::default(),
            later: Vec::new(),
            answered: false,
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Records { records, replayed: true } => {
                records.iter().for_each(|record| self.lines.replay(record.at, &record.event));
            }
            News::Records { records, replayed: false } => self.show_records(&records),
            News::Note(line) => self.print(&[sanitise(&line)]),
            News::Finish => {}
        }
    }

    fn show_records(&mut self, records: &[Record<Event>]) {
        let mut lines = Vec::new();
        for Record { seq, at, event } in records {
            if self.kind == OutputKind::Json {
                lines.push(json::record(&self.run, *seq, *at, event));
                self.lines.replay(*at, event);
            } else {
                lines.extend(self.lines.record(*seq, *at, event));
            }
        }
        self.answered = false;
        self.close_prompt();
        match self.kind {
            OutputKind::Json => self.out.lines(&lines),
            _ => self.print(&lines),
        }
    }

    /// Prints lines above what is live.
    fn print(&mut self, lines: &[String]) {
        match &self.live {
            Some(live) => live.bars.suspend(|| self.err.lines(lines)),
            None => self.err.lines(lines),
        }
    }

    fn tick(&mut self) {
        if self.interactive {
            self.ask();
        }
        let now = self.clock.now();
        if let Some(live) = &mut self.live {
            if self.prompt.is_some() {
                live.hide();
            } else {
                live.draw(&self.lines, &self.run, now);
            }
        }
    }

    /// An answer from elsewhere ends the question at once.
    fn close_prompt(&mut self) {
        if self.prompt.as_ref().is_some_and(|prompt| !prompt.is_open(self.lines.state())) {
            self.prompt = None;
            self.print(&[String::new()]);
        }
    }

    fn ask(&mut self) {
        let (plan, state) = (Arc::clone(&self.lines.fold.plan), self.lines.state());
        if self.prompt.is_none() && !self.answered && state.ended.is_none() && state.stopping.is_none() {
            self.prompt = Prompt::wanted(&plan, state, !state.is_active(), &self.later);
            if let Some(question) = self.prompt.as_ref().map(Prompt::question) {
                self.show(&question);
            }
        }
        let Some(line) = self.prompt.is_some().then(|| self.typed.line()).flatten() else {
            if self.prompt.is_some() && self.typed.ended {
                self.prompt = None;
                (self.answer)(None);
                self.interactive = false;
            }
            return;
        };
        let state = &self.lines.fold.state;
        let Some(prompt) = &mut self.prompt else { return };
        let node = prompt.node;
        match prompt.typed(&line, &plan, state) {
            Step::Ask(question) => self.show(&question),
            Step::Answer(answer) => {
                (self.answer)(Some(answer));
                self.prompt = None;
                self.answered = true;
            }
            Step::Leave => {
                self.prompt = None;
                self.later.push(node);
                (self.answer)(None);
            }
        }
    }

    /// Shows a question without a line break, so that the answer stands behind it.
    fn show(&mut self, question: &str) {
        if let Some(live) = &mut self.live {
            live.hide();
        }
        use std::io::Write as _;
        let mut err = std::io::stderr().lock();
        write!(err, "{}", sanitise(question)).and_then(|()| err.flush()).ok();
    }

    fn finish(&mut self) {
        if let Some(live) = self.live.take() {
            live.bars.clear().ok();
        }
        let fold = &self.lines.fold;
        if self.kind == OutputKind::Json {
            self.out.line(&json::summary(&self.run, fold));
        } else if fold.state.mode() == Mode::DryRun {
            self.out.line(super::dry_run_summary(&fold.plan, &fold.state).trim_end());
        } else if fold.state.started.is_some() {
            self.out.line(summary(&fold.plan, &fold.state, &self.run, &fold.timeline).trim_end());
        }
    }
}

impl Live {
    fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let head = bars.add(line());
        Self { bars, head, steps: Vec::new() }
    }

    /// Takes the live lines away, for a question.
    fn hide(&mut self) {
        self.bars.clear().ok();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn draw(&mut self, lines: &Lines, run: &str, now: crate::catalogue::Timestamp) {
        if self.bars.is_hidden() {
            self.bars.set_draw_target(ProgressDrawTarget::stderr());
        }
        let (plan, state) = (&lines.fold.plan, lines.state());
        let clock = rto_clock(plan, &lines.fold.timeline, now);
        let words = state.run_state(plan).words();
        self.head.set_message(format!("{run}  {words}  RTO {clock}"));
        let mut shown: Vec<String> = state
            .iter()
            .filter(|(id, node)| !state.is_group(plan, *id) && is_live(node.state))
            .map(|(_, node)| {
                let since = node.started.map(|started| format!(" {}", rounded(started.until(now)))).unwrap_or_default();
                format!("  {} {}{since}", node.path, node.state.words())
            })
            .collect();
        if shown.len() > LIVE {
            let more = shown.len() - LIVE;
            shown.truncate(LIVE);
            shown.push(format!("  and {more} more"));
        }
        shown.extend(next_commands(plan, state, run).first().map(|command| format!("  next: {command}")));
        while self.steps.len() < shown.len() {
            self.steps.push(self.bars.add(line()));
        }
        while self.steps.len() > shown.len() {
            if let Some(bar) = self.steps.pop() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        }
        for (bar, text) in self.steps.iter().zip(shown) {
            bar.set_message(text);
        }
    }
}

fn is_live(state: StepState) -> bool {
    state.is_active()
        || matches!(
            state,
            StepState::RetryWait | StepState::AwaitingApproval | StepState::AwaitingPerson | StepState::InDoubt
        )
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
