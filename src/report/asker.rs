//! Whom to ask what, and listening for the answer without ever holding anything up.
//!
//! The terminal stays as it is (lines, echo): what is typed is read once its line is ended. A decision
//! made elsewhere ends the question at once.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use super::needs::{Need, may_approve, need, needs};
use super::prompt::{Prompt, Reply};
use super::reporter::OnAnswer;
use super::stream::{can_read, read_some};
use super::view::View;
use crate::engine::{NodeId, NodePath, Person};
use rustix::termios::{QueueSelector, tcflush, tcgetpgrp};

/// A step, and which occasion of its asking.
type Occasion = (NodePath, u32);

/// Asks the operator, one question at a time.
pub(super) struct Asker {
    input: OwnedFd,
    operator: Person,
    tell: OnAnswer,
    open: Option<Prompt>,
    typed: String,
    put_off: BTreeSet<Occasion>,
    answered: BTreeSet<Occasion>,
    /// Nothing is asked any more.
    silent: bool,
}

/// What became of a question.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// The same question, or the next, after these lines.
    Ask(Vec<String>),
    /// It is answered.
    Answered,
    /// The operator answers later, or elsewhere.
    PutOff,
    /// The operator is gone: nothing is asked any more.
    InputEnded,
}

impl Asker {
    pub(super) fn new(input: OwnedFd, operator: Person, tell: OnAnswer) -> Self {
        Self {
            input,
            operator,
            tell,
            open: None,
            typed: String::new(),
            put_off: BTreeSet::new(),
            answered: BTreeSet::new(),
            silent: false,
        }
    }

    /// The question that is open.
    pub(super) fn open(&self) -> Option<&Prompt> {
        self.open.as_ref()
    }

    /// Whether the operator has begun to type more than a word.
    pub(super) fn is_typing(&self) -> bool {
        !self.typed.is_empty() || self.open.as_ref().is_some_and(Prompt::is_free_text)
    }

    /// Opens the next question, where there is one and nothing is asked already.
    pub(super) fn ask_next(&mut self, view: &View) -> Option<&Prompt> {
        if self.open.is_some() || view.state.stopping.is_some() || !self.is_in_foreground() {
            return None;
        }
        let mut needs = needs(&view.plan, &view.state).into_iter();
        let (need, id) = needs.find(|(need, id)| self.asks(view, *need, *id))?;
        // What was typed before the question was there is no answer to it.
        tcflush(&self.input, QueueSelector::IFlush).ok();
        self.typed.clear();
        self.open = Some(Prompt::new(&view.state, need, id));
        self.open.as_ref()
    }

    /// Whether the operator is asked about what this step needs.
    pub(super) fn will_ask(&self, view: &View, id: NodeId) -> bool {
        need(&view.plan, &view.state, id).is_some_and(|need| need == Need::Failure || self.asks(view, need, id))
            && !self.silent
            && self.is_in_foreground()
    }

    fn asks(&self, view: &View, need: Need, id: NodeId) -> bool {
        let node = view.state.node(id);
        let occasion = (node.path.clone(), node.ended_tick);
        if self.silent || self.put_off.contains(&occasion) || self.answered.contains(&occasion) {
            return false;
        }
        match (need, node.gate()) {
            (Need::Approval, Some(gate)) => may_approve(&view.plan, &view.state, gate, &self.operator),
            (Need::Approval, None) => false,
            (Need::Failure, _) => view.state.pauses.1,
            _ => true,
        }
    }

    /// Closes the open question where it needs no answer any more; whether it did.
    pub(super) fn close_if_settled(&mut self, view: &View) -> bool {
        let settled = self.open.as_ref().is_some_and(|prompt| {
            let same = need(&view.plan, &view.state, prompt.node) == Some(prompt.need);
            let tick = view.state.node(prompt.node).ended_tick;
            !same || tick != prompt.tick || view.state.stopping.is_some() || !self.asks(view, prompt.need, prompt.node)
        });
        if settled {
            self.open = None;
            tcflush(&self.input, QueueSelector::IFlush).ok();
        }
        settled
    }

    /// A decision was refused: what was answered is asked again.
    pub(super) fn ask_again(&mut self) {
        self.answered.clear();
    }

    /// Waits for the operator's next line, at most `patience`.
    pub(super) fn listen(&mut self, view: &View, patience: Duration) -> Option<Heard> {
        self.open.as_ref()?;
        if !can_read(self.input.as_fd(), patience) || !self.is_in_foreground() {
            return None;
        }
        match read_some(self.input.as_fd()) {
            Ok(text) => self.typed += &text,
            Err(_) => {
                self.silent = true;
                self.open = None;
                return Some(Heard::InputEnded);
            }
        }
        let end = self.typed.find('\n')?;
        let line: String = self.typed.drain(..=end).collect();
        Some(self.hear(view, &line))
    }

    fn hear(&mut self, view: &View, line: &str) -> Heard {
        let Some(mut prompt) = self.open.take() else {
            return Heard::Answered;
        };
        let occasion = (view.state.node(prompt.node).path.clone(), prompt.tick);
        match prompt.answer(view, line) {
            Reply::Ask(lines) => {
                self.open = Some(prompt);
                Heard::Ask(lines)
            }
            Reply::Later => {
                self.put_off.insert(occasion);
                Heard::PutOff
            }
            Reply::Answered(answer) => {
                self.silent |= answer.is_none();
                self.answered.insert(occasion);
                (self.tell)(answer);
                Heard::Answered
            }
        }
    }

    /// Reading as a background process would stop the whole process.
    fn is_in_foreground(&self) -> bool {
        tcgetpgrp(&self.input).map_or(true, |group| group == rustix::process::getpgrp())
    }
}
