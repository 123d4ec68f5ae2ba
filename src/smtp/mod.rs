//! The SMTP client side of a STARTTLS dialogue, without sockets (RFC 5321, RFC 3207).
//!
//! [`Session`] is a state machine over byte slices: a driver feeds it what
//! came in, asks it what to do [`Session::next`], and keeps the deadlines. The
//! same machine runs under tokio, in a fuzzer and in a unit test.

mod answer;
pub mod command;
mod count;
pub mod ehlo;
pub mod refusal;
pub mod reply;
pub mod session;

pub use command::{EhloName, EhloNameError};
pub use session::{Session, Step};
