//! What is known about actions: parameters, outputs, effect, durations.
//!
//! Pure facts. Does not know how an action does its work; `actions` fills the [`Catalogue`].

mod spec;
mod time;
mod types;

pub use spec::{ActionSpec, Catalogue, Effect, Field, Gist, Outputs, Sends, Takes};
pub use time::{Span as HumanDuration, Timestamp, to_the_second};
pub use types::{Type, found};
