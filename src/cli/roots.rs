//! The options of `mxray roots`.

use super::FormatArgs;
use clap::{Args, Subcommand};

/// `mxray roots`
#[derive(Debug, Args)]
pub struct RootsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RootsCommand,
}

/// What `mxray roots` does.
#[derive(Debug, Subcommand)]
pub enum RootsCommand {
    /// Say for each store whether the root that a partner needs is in it
    #[command(after_help = "Exit codes: 0 all present; 1 one is absent; 2 wrong use.")]
    Check(RootsCheckArgs),
    /// List the roots of each store
    List(RootsListArgs),
}

/// `mxray roots check`
#[derive(Debug, Args)]
pub struct RootsCheckArgs {
    /// The root: its SHA-256, its common name, its name as Microsoft publishes it, or a PEM or DER file; repeatable
    #[arg(long, value_name = "ROOT", required = true)]
    pub needs: Vec<String>,

    /// The store: `system`, `mozilla`, `microsoft` or a file (PEM or DER); repeatable [default: system]
    #[arg(long, value_name = "STORE")]
    pub store: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub telling: FormatArgs,
}

/// `mxray roots list`
#[derive(Debug, Args)]
pub struct RootsListArgs {
    /// The store: `system`, `mozilla`, `microsoft` or a file (PEM or DER); repeatable [default: system]
    #[arg(long, value_name = "STORE")]
    pub store: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub telling: FormatArgs,
}
