//! The summary of a run: a fold over its records, and its rendering.
