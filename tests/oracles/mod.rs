//! What must hold for any bytes whatever: one oracle a decoder or file format.
//!
//! Two callers share them: the fuzz targets of `fuzz/`, and `fuzz_regressions`,
//! by which a plain `cargo test` plays every committed seed and every input
//! that once broke something. An oracle panics where something does not hold.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "an oracle that panics has found something")]

pub mod connectors;
pub mod connectors_csv;
pub mod connectors_toml;
pub mod crl;
pub mod cuts;
pub mod der;
pub mod dns_answer;
pub mod ehlo;
pub mod expectation_file;
pub mod facts_line;
pub mod inbound_connectors;
pub mod inbound_connectors_csv;
pub mod inbound_connectors_toml;
pub mod input_list;
pub mod journal_line;
pub mod lab_scenario;
pub mod message;
pub mod mta_sts_policy;
pub mod ocsp_response;
pub mod policy_records;
pub mod roots_pem;
pub mod sender_file;
pub mod smtp_dialogue;
pub mod smtp_reply;
pub mod smtp_server;
pub mod smtp_session;
pub mod tls_client_hello;
pub mod tls_flight_encoder;
pub mod tls_records;
pub mod tls_server_flight;
pub mod tls_stream;
pub mod tlsa_records;
pub mod transcripts;
pub mod x509_certificate;
pub mod x509_chain;
pub mod x509_edited;

/// A fuzz target, with what it starts from.
pub struct Target {
    /// Its name: that of the binary, and of its folders of inputs.
    pub name: &'static str,
    /// The oracle.
    pub check: fn(&[u8]),
    /// Inputs to start from, each with a name. Small: they are committed.
    pub seeds: fn() -> Vec<Seed>,
}

/// An input to start from, by name.
pub type Seed = (&'static str, Vec<u8>);

pub const TARGETS: &[Target] = &[
    Target {
        name: "inbound_connectors_csv",
        check: inbound_connectors_csv::check,
        seeds: inbound_connectors_csv::seeds,
    },
    Target {
        name: "inbound_connectors_toml",
        check: inbound_connectors_toml::check,
        seeds: inbound_connectors_toml::seeds,
    },
    Target { name: "smtp_reply", check: smtp_reply::check, seeds: smtp_reply::seeds },
    Target { name: "smtp_server", check: smtp_server::check, seeds: smtp_server::seeds },
    Target { name: "smtp_session", check: smtp_session::check, seeds: smtp_session::seeds },
    Target { name: "smtp_dialogue", check: smtp_dialogue::check, seeds: smtp_dialogue::seeds },
    Target { name: "ehlo", check: ehlo::check, seeds: ehlo::seeds },
    Target { name: "x509_certificate", check: x509_certificate::check, seeds: x509_certificate::seeds },
    Target { name: "x509_chain", check: x509_chain::check, seeds: x509_chain::seeds },
    Target { name: "x509_edited", check: x509_edited::check, seeds: x509_edited::seeds },
    Target { name: "input_list", check: input_list::check, seeds: input_list::seeds },
    Target { name: "lab_scenario", check: lab_scenario::check, seeds: lab_scenario::seeds },
    Target { name: "sender_file", check: sender_file::check, seeds: sender_file::seeds },
    Target { name: "roots_pem", check: roots_pem::check, seeds: roots_pem::seeds },
    Target { name: "facts_line", check: facts_line::check, seeds: facts_line::seeds },
    Target { name: "expectation_file", check: expectation_file::check, seeds: expectation_file::seeds },
    Target { name: "connectors_csv", check: connectors_csv::check, seeds: connectors_csv::seeds },
    Target { name: "connectors_toml", check: connectors_toml::check, seeds: connectors_toml::seeds },
    Target { name: "crl", check: crl::check, seeds: crl::seeds },
    Target { name: "dns_answer", check: dns_answer::check, seeds: dns_answer::seeds },
    Target { name: "ocsp_response", check: ocsp_response::check, seeds: ocsp_response::seeds },
    Target { name: "mta_sts_policy", check: mta_sts_policy::check, seeds: mta_sts_policy::seeds },
    Target { name: "policy_records", check: policy_records::check, seeds: policy_records::seeds },
    Target { name: "tlsa_records", check: tlsa_records::check, seeds: tlsa_records::seeds },
    Target { name: "journal_line", check: journal_line::check, seeds: journal_line::seeds },
    Target { name: "tls_client_hello", check: tls_client_hello::check, seeds: tls_client_hello::seeds },
    Target { name: "tls_flight_encoder", check: tls_flight_encoder::check, seeds: tls_flight_encoder::seeds },
    Target { name: "tls_records", check: tls_records::check, seeds: tls_records::seeds },
    Target { name: "tls_server_flight", check: tls_server_flight::check, seeds: tls_server_flight::seeds },
    Target { name: "tls_stream", check: tls_stream::check, seeds: tls_stream::seeds },
];
