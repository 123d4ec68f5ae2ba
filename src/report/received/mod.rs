//! What is told of a run of `mxray receive`: its sessions, senders and client
//! certificates.

mod words;

pub use words::{
    comeback_words, domain_words, end_words, failure_side, failure_words, result_words, verdict_title,
    verdict_why, verdict_words,
};
