//! Options that say what is asked of the policies of a domain: DANE, MTA-STS and
//! TLS-RPT.

use super::values::parse_contact;
use clap::Args;

/// What is asked beside the mail hosts.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Policies of the recipient")]
pub struct PolicyArgs {
    /// Do not ask for TLSA records, nor who vouches for answers of the DNS: DANE is left out
    #[arg(long)]
    pub no_dane: bool,

    /// Do not ask for MTA-STS, nor fetch policies; with --no-dane TLS-RPT is left out, too
    #[arg(long)]
    pub no_mta_sts: bool,

    /// Believe this resolver that it has validated (AD), beside those on loopback; stubs such as 127.0.0.53 only so; repeatable
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub trust_ad: Vec<String>,

    /// Mail address or URL to tell to policy hosts (User-Agent)
    #[arg(long, value_name = "TEXT", value_parser = parse_contact)]
    pub contact: Option<String>,

    /// Port of policy hosts
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = clap::value_parser!(u16).range(1..))]
    pub mta_sts_port: u16,
}

impl PolicyArgs {
    /// Nothing of it, for a command that sends no mail.
    pub fn none() -> Self {
        let (trust_ad, contact) = (Vec::new(), None);
        Self { no_dane: true, no_mta_sts: true, trust_ad, contact, mta_sts_port: 443 }
    }
}
