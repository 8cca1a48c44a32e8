//! Telling people: where a notice goes.
//!
//! Knows how one notice gets through one channel. Which channels an audience has, and what happens when one
//! of them fails, is for others to know.

pub mod channels;
pub mod markup;
