//! The append-only record of a run: the only truth about it.
