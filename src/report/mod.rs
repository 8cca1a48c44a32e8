//! What people and programs see of a run: the sinks of its stream of records.
//!
//! Knows durable records only, and folds its own [`crate::engine::State`] from them.

mod answers;
#[cfg(test)]
mod fixture;
pub mod sanitise;
mod stream;
mod timeline;
mod words;

pub use answers::parse_answer;
pub use sanitise::sanitise;
pub use timeline::{Clock, Split, Timeline};
