//! The runbook language: source, syntax tree, expressions.

pub mod allow;
pub mod ast;
pub mod attach;
pub mod azure;
pub(crate) mod decode;
pub mod expr;
pub mod fields;
pub mod format;
pub mod markdown;
mod parse;
pub mod sms;
pub mod source;
mod unread;
pub mod workspace;

pub use decode::is_name;
pub use parse::runbook as parse;
