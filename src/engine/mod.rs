//! The engine: every rule of a run, and no IO.
//!
//! [`Machine::handle`] takes an [`Input`] and answers with [`Effect`]s. What happened is a list of
//! [`Event`]s, and the [`State`] is a fold over them. Time is a parameter.

mod again;
mod asks;
mod call;
mod claim;
mod deliveries;
mod down;
mod escalation;
pub mod event;
mod finish;
mod foresight;
mod frame;
mod gate;
mod gate_preview;
mod hints;
mod job;
mod loss;
mod machine;
mod node;
mod notice;
mod origin;
mod outcome;
mod outlook;
mod owed;
mod recover;
mod redelivery;
mod repeat;
mod request;
mod retry;
mod scope;
mod shown;
mod start;
mod state;
mod states;
mod title;
mod transition;
mod undo;
mod unfit;
mod uses;

pub use again::{gate_of_retry, may_retry};
pub use asks::asks;
pub use deliveries::{Deliveries, known_by};
pub use down::{Consequence, Mention, mentions};
pub use escalation::{call_notice, gate_at};
pub use event::{
    Decided, Decision, End, Event, FromRun, Intent, Label, Mode, NodePath, Outputs, Person, Resolution, RunStarted,
    RunState, Side, Sight, StepState,
};
pub use foresight::{Foresight, Hole, Wait, filled};
pub use frame::{Frame, FrameId};
pub use gate::{Asked, ahead_refused, approved_at_start, approvers, escalate_to, gate_question, may_approve};
pub use job::{Answer, DryHints, Effect, Input, Job, JobId, JobKind, Seq};
pub use loss::DataLoss;
pub use machine::{Machine, Options};
pub use notice::channels as notice_channels;
pub use outlook::{foresee, outlook};
pub use owed::{CUT_SHORT, Owed, channel_of, owed};
pub use redelivery::{Redelivery, Said, debtors, redelivery};
pub use scope::NodeScope;
pub use start::is_false;
pub use state::{Gate, Interrupted, LevelCall, More, Node, NodeId, Rollback, State};
pub use title::{run_title, step_title};
pub use transition::{Change, Illegal, transition};
pub use undo::{UndoPlan, undo_plan};
pub use unfit::{Unfit, unfit};
pub use uses::{Role, Use, uses};
