//! Which further hellos a host is worth: stepping down to older versions, the
//! sender's own offer, and the enumeration of suites and groups. The next hello
//! is a function of the answers so far.

pub mod enumeration;
mod handshakes;
pub mod step_down;
