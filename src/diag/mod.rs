//! Findings about a user's files: spans, diagnostics and how they are shown.
