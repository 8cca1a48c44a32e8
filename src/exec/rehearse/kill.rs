//! A journal that drctl dies at: what makes a rehearsal of a crash.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::engine::{Event, Seq, Side};
use crate::journal::{Durability, Journal, JournalError, MemoryJournal, Record};
use crate::plan::path::names;
use crate::sim::scenario::{CrashPoint, Fault};

/// Where drctl is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kill {
    /// This record is the last that is durable, and nothing that waited for it has begun.
    After(Seq),
    /// All that went before this record has had its effect; the record is lost.
    Before(Seq),
    /// In a step; before the handle rather than the outcome where the effect comes first.
    Step {
        /// Its path.
        step: String,
        /// Where in it.
        point: CrashPoint,
        /// What it starts goes on by itself, and its handle is told afterwards.
        handle_last: bool,
    },
}

impl std::str::FromStr for Kill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted =
            || format!("wanted `before:RECORD` or `after:RECORD`, as `--crash-everywhere` names it, found `{text}`");
        let (word, number) = text.split_once(':').ok_or_else(wanted)?;
        let seq = Seq(number.parse().map_err(|_| wanted())?);
        match word {
            "before" => Ok(Self::Before(seq)),
            "after" => Ok(Self::After(seq)),
            _ => Err(wanted()),
        }
    }
}

impl std::fmt::Display for Kill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::After(seq) => write!(f, "after:{seq}"),
            Self::Before(seq) => write!(f, "before:{seq}"),
            Self::Step { step, .. } => write!(f, "{step}"),
        }
    }
}

/// The kills that are still to come, and whether drctl is dead.
#[derive(Debug, Default)]
struct Fate {
    kills: Vec<Kill>,
    dead: bool,
    deaths: u32,
}

/// Decides when drctl dies. Each kill strikes once.
#[derive(Clone, Debug, Default)]
pub(super) struct Killer(Arc<Mutex<Fate>>);

impl Killer {
    pub(super) fn new(kills: Vec<Kill>) -> Self {
        Self(Arc::new(Mutex::new(Fate { kills, ..Fate::default() })))
    }

    fn fate(&self) -> MutexGuard<'_, Fate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether drctl is dead.
    pub(super) fn has_struck(&self) -> bool {
        self.fate().dead
    }

    /// How often drctl died.
    pub(super) fn deaths(&self) -> u32 {
        self.fate().deaths
    }

    /// The kills that never struck.
    pub(super) fn spared(&self) -> Vec<Kill> {
        self.fate().kills.clone()
    }

    /// Another process takes the run up.
    pub(super) fn spare(&self) {
        self.fate().dead = false;
    }

    fn strikes(&self, record: &Record<Event>, after: bool) -> bool {
        let mut fate = self.fate();
        let hit = fate.kills.iter().position(|kill| kill.is_at(record, after));
        if let Some(at) = hit {
            fate.kills.remove(at);
            fate.dead = true;
            fate.deaths += 1;
        }
        hit.is_some()
    }
}

impl Kill {
    /// Whether it is this crash of a scenario.
    pub(super) fn is_of(&self, fault: &Fault) -> bool {
        match (self, fault) {
            (Self::Step { step, point, .. }, Fault::Crash { step: named, point: at }) => step == named && point == at,
            _ => false,
        }
    }

    fn is_at(&self, record: &Record<Event>, after: bool) -> bool {
        match self {
            Self::After(seq) => after && record.seq == *seq,
            Self::Before(seq) => !after && record.seq == *seq,
            Self::Step { step, point, handle_last } => {
                let own = record.event.step().is_some_and(|path| names(step, &path.0));
                own && match (&record.event, point) {
                    (Event::Intent(intent), CrashPoint::BeforeEffect) => after && intent.side == Side::Apply,
                    (Event::Handle { side: Side::Apply, .. }, CrashPoint::Polling) => after,
                    (Event::Handle { side: Side::Apply, .. }, CrashPoint::AfterEffect) => !after && *handle_last,
                    (Event::Outcome { side: Side::Apply, .. }, CrashPoint::AfterEffect) => !after,
                    _ => false,
                }
            }
        }
    }
}

/// A journal in memory whose writer may die.
pub(super) struct Mortal {
    inner: MemoryJournal,
    killer: Killer,
}

impl Mortal {
    pub(super) fn new(inner: MemoryJournal, killer: Killer) -> Self {
        Self { inner, killer }
    }
}

impl Journal<Event> for Mortal {
    fn append(&mut self, records: Vec<Record<Event>>) {
        let mut kept = Vec::with_capacity(records.len());
        for record in records {
            if self.killer.has_struck() || self.killer.strikes(&record, false) {
                break;
            }
            let last = self.killer.strikes(&record, true);
            kept.push(record);
            if last {
                break;
            }
        }
        self.inner.append(kept);
    }

    fn durability(&self) -> watch::Receiver<Durability> {
        Journal::<Event>::durability(&self.inner)
    }

    fn unsaved(&self) -> Vec<String> {
        Journal::<Event>::unsaved(&self.inner)
    }

    fn close(self: Box<Self>) -> Result<Seq, Arc<JournalError>> {
        Journal::<Event>::close(Box::new(self.inner))
    }
}
