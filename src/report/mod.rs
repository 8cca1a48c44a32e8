//! What people and programs see of a run: the sinks of its stream of records.
//!
//! Knows durable records only, and folds its own [`crate::engine::State`] from them: it shares nothing
//! with the engine. Nothing here can harm a run: records go into a channel that never fills up, one thread
//! owns the terminal, and a stream nobody reads is switched off. Standard output carries results, standard
//! error everything else.

mod answers;
mod asker;
pub mod calendar;
mod calls;
mod consequences;
mod coverage;
mod critical;
mod dry_run;
#[cfg(test)]
mod fixture;
mod from_here;
pub mod graph;
pub mod history;
pub mod impact;
mod json;
mod kept;
mod live;
mod metrics;
mod needs;
pub mod notice;
mod owed;
pub mod page;
mod plain;
pub mod plan;
mod prompt;
#[cfg(test)]
mod prompt_tests;
mod reporter;
#[cfg(test)]
mod reporter_tests;
pub mod sanitise;
mod screen;
mod status;
mod story;
mod stream;
mod summary;
mod survivor;
mod table;
mod timeline;
mod view;
mod words;
mod worker;

pub use answers::parse_answer;
pub use consequences::{abort_preview, skip_preview};
pub use coverage::{Count, Coverage, Group, Point, Reach, percent};
pub use critical::{Stretch, critical_path_of};
pub use dry_run::dry_run_summary;
pub use from_here::FromHere;
pub use kept::Kept;
pub use metrics::metrics;
pub use needs::{Need, needs, next_commands, others_wanted};
pub use owed::{owed_commands, owed_line};
pub use plain::Lines;
pub use prompt::PromptAnswer;
pub use reporter::{OnAnswer, OutputKind, Reporter, Setup};
pub use sanitise::sanitise;
pub use status::{Standing, status, status_json};
pub use summary::{Summary, clock_words, summarise};
pub use survivor::Survivor;
pub use table::{RunRow, runs_table};
pub use timeline::{Clock, Split, Timeline, timeline};
