//! The pipeline: one way for the data, bounded at every joint.

pub mod stage;
