//! `mxray probe`.

use super::{AgainArgs, AskArgs, ConfigArgs, FormatArg, HelloArgs, IntervalArgs, JudgingArgs, PolicyArgs};
use crate::model::DomainName;
use clap::{Args, ValueEnum};

/// What is an error. The words are those of the columns of `domains.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ProbeFailOnArg {
    /// Mail goes in clear.
    Plaintext,
    /// It goes encrypted, with old or weak TLS.
    Weak,
    /// It is kept back.
    Deferred,
    /// It comes back.
    Undeliverable,
    /// It is not known, this or whatever else is named.
    Undetermined,
    /// A host that takes mail takes it in clear.
    WeakestPlaintext,
    /// TLS could not be demanded.
    EncryptionOnly,
    /// Nor a certificate of a trusted root.
    CertificateValidation,
    /// Nor the name of the domain.
    DomainValidation,
    /// The connector that takes the mail does not deliver it.
    Connector,
}

impl ProbeFailOnArg {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Weak => "weak",
            Self::Deferred => "deferred",
            Self::Undeliverable => "undeliverable",
            Self::Undetermined => "undetermined",
            Self::WeakestPlaintext => "weakest_plaintext",
            Self::EncryptionOnly => "encryption_only",
            Self::CertificateValidation => "certificate_validation",
            Self::DomainValidation => "domain_validation",
            Self::Connector => "connector",
        }
    }
}

/// `mxray probe`
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Domain, host or address: `DOMAIN`, `HOST:PORT` or `IP[:PORT]`; several are asked one after the other
    #[arg(value_name = "TARGET", required_unless_present = "print_config")]
    pub targets: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub config: ConfigArgs,

    /// Format: `text`, the dialogue of each target, or `json`, one document of all [default: text]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<FormatArg>,

    /// End with exit code 6 if a target meets it: `plaintext`, `weak` (old or weak TLS), `deferred`, `undeliverable`,
    /// `undetermined`, `weakest_plaintext` (one of its hosts), `encryption_only`, `certificate_validation` or
    /// `domain_validation` (that check fails), `connector` (it does not deliver); several with commas between
    #[arg(long, value_name = "WHAT", value_delimiter = ',', hide_possible_values = true)]
    pub fail_on: Vec<ProbeFailOnArg>,

    /// Print nothing but what --format names, and errors: without --format the exit code alone tells
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub pace: IntervalArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub again: AgainArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hellos: HelloArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub asking: AskArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub policies: PolicyArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub judging: JudgingArgs,

    /// Recipient domain of mail to a host or an address: connectors and DomainValidation depend on it
    #[arg(long, value_name = "DOMAIN", value_parser = DomainName::parse, help_heading = "Judging")]
    pub recipient_domain: Option<DomainName>,
}
