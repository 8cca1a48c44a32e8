//! The problems of one file, up to a number that people can read and memory can hold.

use crate::diag::{Diagnostic, sort};

/// Nobody reads more than this; a hostile file could cause millions.
const MAX_PROBLEMS: usize = 100;

/// Collects problems; past the limit they are only counted.
#[derive(Default)]
pub(super) struct Problems {
    list: Vec<Diagnostic>,
    left_out: usize,
}

impl Problems {
    /// Adds a problem. It is made only if there is room for it.
    pub(super) fn add(&mut self, problem: impl FnOnce() -> Diagnostic) {
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(problem());
        } else {
            self.left_out += 1;
        }
    }

    /// All of them by place; the last one tells of those left out.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        sort(&mut self.list);
        if let Some(last) = self.list.last_mut().filter(|_| self.left_out > 0) {
            last.notes.push(format!("{} more problems in this file are not shown", self.left_out));
        }
        self.list
    }
}
