//! YAML text as a tree in which every node keeps its place.
//!
//! Two steps: [`decode()`] turns the bytes of a file into text, [`parse()`] turns the text into a
//! [`Document`]. Both answer with all problems they can find, and both are bounded in time and
//! memory whatever the file holds. What a runbook is, is not known here.

mod aliases;
mod build;
mod decode;
mod inner;
mod keys;
mod limits;
mod mistakes;
mod problems;
mod scalars;
mod schema;
mod syntax;
mod tree;

pub use build::{parse, parse_to};
pub use decode::decode;
pub use limits::{LARGEST_FILE, MAX_DEPTH};
pub use tree::{Document, Node, NodeId};

#[cfg(test)]
mod tests;
