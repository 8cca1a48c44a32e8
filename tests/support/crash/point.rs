//! Where and how a run is broken.

use super::scene::Story;
use super::world::Strike;

/// What breaks the run.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The nth call, counted in each thread, of this system call kills its process.
    KillAt(&'static str, usize),
    /// The same, but the call returns this error.
    FailAt(&'static str, &'static str, usize),
    /// The process is killed in the middle of an effect.
    Strike(Strike),
    /// The effect happens, but whoever asked for it gets no answer.
    LoseAnswer(&'static str),
}

/// One point of a sweep.
#[derive(Clone, Debug)]
pub struct Point {
    pub story: Story,
    pub fault: Fault,
    /// Whether all that drctl started is killed with it.
    pub all: bool,
    /// Whether the run first waits at its gate, so that the fault meets the resume, and the journal only.
    pub after_gate: bool,
    /// Breaks the first resume at this sync of the journal too.
    pub again: Option<usize>,
    /// Whether the machine loses its power then: what no system call had made durable is gone.
    pub power: Option<Power>,
}

/// What a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// What was synced.
    Synced,
    /// What there would be of a drctl that makes no sync.
    NeverSynced,
}

impl Point {
    pub fn new(story: Story, fault: Fault) -> Self {
        Self { story, fault, all: false, after_gate: false, again: None, power: None }
    }

    pub fn with_all(self, all: bool) -> Self {
        Self { all, ..self }
    }

    pub fn after_gate(self) -> Self {
        Self { after_gate: true, ..self }
    }

    /// All that was started dies with its machine.
    pub fn with_power_cut(self, power: Power) -> Self {
        Self { power: Some(power), all: true, ..self }
    }

    pub fn again(self, sync: usize) -> Self {
        Self { again: Some(sync), ..self }
    }
}
