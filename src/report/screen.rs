//! The terminal: lines that scroll by, and below them the live area, drawn by indicatif.
//!
//! Everything goes through one [`Stream`], so that a terminal that stands still harms nobody.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::Style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::story::Tone;
use super::stream::Stream;

/// How often the live area is drawn at most, each second.
const DRAWS: u8 = 20;
const SHOW_CURSOR: &str = "\u{1b}[?25h";
const CLEAR_LINE: &str = "\r\u{1b}[2K";

#[derive(Clone, Debug)]
struct Terminal(Arc<Mutex<Stream>>);

impl Terminal {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: &str) {
        self.stream().push(text);
    }

    fn step(&self, count: usize, letter: char) -> io::Result<()> {
        if count > 0 {
            self.push(&format!("\u{1b}[{count}{letter}"));
        }
        Ok(())
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.stream().size().map_or(80, |size| size.0)
    }

    fn height(&self) -> u16 {
        self.stream().size().map_or(24, |size| size.1)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.step(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.step(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.step(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.step(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.stream().line(text);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(CLEAR_LINE);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.stream().flush(Duration::ZERO);
        Ok(())
    }
}

/// Standard error as people see it.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal,
    area: MultiProgress,
    bars: Vec<ProgressBar>,
    colour: bool,
    /// Whether anything but lines was ever drawn.
    drawn: bool,
    /// The question that stands on the last line.
    question: Option<String>,
}

impl Screen {
    pub(super) fn new(stderr: Stream, colour: bool) -> Self {
        let terminal = Terminal(Arc::new(Mutex::new(stderr)));
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), DRAWS);
        Self {
            area: MultiProgress::with_draw_target(target),
            terminal,
            bars: Vec::new(),
            colour,
            drawn: false,
            question: None,
        }
    }

    /// Lets lines scroll by, above the live area or the question.
    pub(super) fn scroll(&mut self, lines: &[(Tone, String)]) {
        if lines.is_empty() {
            return;
        }
        let write = || {
            if self.question.is_some() {
                self.terminal.push(CLEAR_LINE);
            }
            for (tone, line) in lines {
                self.terminal.stream().line(&paint(*tone, line, self.colour));
            }
            self.terminal.push(self.question.as_deref().unwrap_or_default());
        };
        if self.bars.is_empty() {
            write();
        } else {
            self.area.suspend(write);
        }
    }

    /// Draws the live area anew; left out while a question stands there or the terminal stands still.
    pub(super) fn draw(&mut self, lines: &[(Tone, String)]) {
        if self.question.is_some() || !self.terminal.stream().is_idle() {
            return;
        }
        self.drawn = true;
        let width = usize::from(self.terminal.width()).saturating_sub(1);
        while self.bars.len() > lines.len() {
            if let Some(bar) = self.bars.pop() {
                self.area.remove(&bar);
            }
        }
        for (index, (tone, line)) in lines.iter().enumerate() {
            // A step is cut to its line; the clock and the command to type are not.
            let width = if line.starts_with(' ') { width } else { usize::MAX };
            let line = paint(*tone, &console::truncate_str(line, width, "..."), self.colour);
            match self.bars.get(index) {
                Some(bar) if bar.message() == line => {}
                Some(bar) => bar.set_message(line),
                None => self.add(line),
            }
        }
    }

    fn add(&mut self, line: String) {
        let bar = self.area.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        bar.set_message(line);
        self.bars.push(bar);
    }

    /// Puts a question on the last line, in place of the live area.
    pub(super) fn ask(&mut self, question: String) {
        self.hide();
        self.terminal.push(&question);
        self.question = Some(question);
    }

    /// The question is over: the operator has ended its line, or nobody will.
    pub(super) fn asked(&mut self, line_ended: bool) {
        if self.question.take().is_some() && !line_ended {
            self.terminal.push("\n");
        }
    }

    /// Takes the live area away.
    pub(super) fn hide(&mut self) {
        for bar in self.bars.drain(..) {
            self.area.remove(&bar);
        }
        if self.drawn {
            self.area.clear().ok();
        }
    }

    /// Writes what waits; waits at most `patience` for a terminal that stands still.
    pub(super) fn flush(&self, patience: Duration) {
        self.terminal.stream().flush(patience);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.hide();
        self.asked(false);
        if self.drawn {
            self.terminal.push(SHOW_CURSOR);
        }
        self.flush(Duration::from_secs(1));
    }
}

fn paint(tone: Tone, line: &str, colour: bool) -> String {
    let style = match tone {
        Tone::Progress => return line.to_owned(),
        Tone::Good => Style::new().green(),
        Tone::Notice => Style::new().cyan(),
        Tone::Needed => Style::new().yellow().bold(),
        Tone::Bad => Style::new().red().bold(),
    };
    if line.is_empty() || !colour {
        return line.to_owned();
    }
    style.force_styling(true).apply_to(line).to_string()
}
