//! How the files of a run are packed.

use crate::cli::{CompressArg, CompressArgs};
use crate::packing::Packing;

/// What was asked for; `None` is plain text.
pub fn packing(args: CompressArgs) -> Option<Packing> {
    args.compress.map(|format| match format {
        CompressArg::Gzip => Packing::Gzip,
        CompressArg::Zstd => Packing::Zstd,
    })
}
