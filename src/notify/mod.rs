//! Telling people: what a notice looks like, and where it goes.
//!
//! Knows how one notice gets through one channel to one recipient. Which channels an audience has, and what happens when one
//! of them fails, is for others to know.

pub mod channels;
pub mod markup;
