//! How a list is to be read.

/// What the lines of a list are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputKind {
    /// Mail domains.
    #[default]
    Domains,
    /// Endpoints as zmap and zgrab2 pass them on: `ip`, `ip,port`,
    /// `ip,port,name`, `ip,name`, `ip,name,tag`, `ip,name,tag,port`, or what a
    /// header says.
    Endpoints,
}

/// How to read a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputOptions {
    /// What its lines are.
    pub kind: InputKind,
    /// Header of the column to read; by default `domain` (for endpoints `ip`,
    /// `saddr` or `address`).
    pub column: Option<String>,
}
