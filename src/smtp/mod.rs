//! The SMTP client side of a STARTTLS dialogue, without sockets (RFC 5321, RFC 3207).
//!
//! [`SmtpClient`] is a state machine over byte slices: a driver feeds it what
//! came in, asks it what to do [`SmtpClient::next`], and keeps the deadlines. The
//! same machine runs under tokio, in a fuzzer and in a unit test.

pub mod client;
pub mod command;
mod count;
pub mod ehlo;
mod keyword_form;
mod next_action;
pub mod refusal;
pub mod reply;
mod reply_form;

pub use client::{SmtpAction, SmtpClient};
pub use command::{EhloName, EhloNameError};
pub use keyword_form::keyword_forms;
pub use reply_form::reply_forms;
