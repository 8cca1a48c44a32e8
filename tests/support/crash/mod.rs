//! Breaks runs of the built binary and looks at what the world saw.

#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

pub mod case;
pub mod mutant;
pub mod point;
pub mod power;
pub mod scene;
pub mod sweep;
pub mod world;
