//! Both sides of a STARTTLS dialogue, without sockets (RFC 5321, RFC 3207).
//!
//! [`SmtpClient`] and [`SmtpServer`] are state machines over byte slices: a driver
//! feeds them what came in, asks what to do ([`SmtpClient::next`]), and keeps the
//! deadlines. The same machine runs under tokio, in a fuzzer and in a unit test.

pub mod client;
pub mod command;
mod command_reader;
mod count;
pub mod ehlo;
mod keyword_form;
mod next_action;
pub mod received_command;
pub mod refusal;
pub mod reply;
mod reply_form;
pub mod server;
mod server_manner;
mod server_words;

pub use client::{SmtpAction, SmtpClient};
pub use command::{EhloName, EhloNameError};
pub use keyword_form::keyword_forms;
pub use reply_form::reply_forms;
pub use server::{ServerAction, SmtpServer};
pub use server_manner::{ServerManner, StarttlsManner};
