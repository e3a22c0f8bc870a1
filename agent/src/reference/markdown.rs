//! The reference in `docs/reference`, one page for each part.
