//! The oracles of the fuzz targets, which `tests/fuzz_regressions.rs` plays to
//! the committed inputs as well.

#[path = "../../tests/oracles/mod.rs"]
pub mod oracles;
