//! Asks one mail domain, or one host, and tells what becomes of the mail that
//! Exchange Online sends there.
//!
//! ```sh
//! cargo run --example probe_host -- example.com
//! cargo run --example probe_host -- mx.example.com:25
//! ```

use mxray::judge::{Judge, Policy, Roots, Sender, Store};
use mxray::scan::{EhloName, Scanner, ScannerConfig};
use mxray::{DomainName, Subject, Target};
use std::error::Error;

/// `DOMAIN`, or `HOST:PORT` to ask for no MX.
pub fn target(text: &str) -> Result<Target, Box<dyn Error>> {
    let subject = match text.rsplit_once(':') {
        Some((host, port)) => Subject::Host { name: DomainName::parse(host)?, port: Some(port.parse()?) },
        None => Subject::Domain(DomainName::parse(text)?),
    };
    Ok(Target { line: 1, subject })
}

/// What became of it, a line each: every endpoint, then the mail.
pub async fn probe(
    config: ScannerConfig,
    roots: Store,
    target: Target,
) -> Result<Vec<String>, Box<dyn Error>> {
    let judge = Judge::new(Roots::new(vec![roots]), jiff::Timestamp::now());
    let policy = Policy::new(judge, Sender::named("exchange-online")?);
    let answer = Scanner::new(config, policy)?.probe(target).await?;
    let mut lines = Vec::new();
    for endpoint in &answer.endpoints {
        let seen = &endpoint.observation;
        let version = seen.tls.as_ref().and_then(|tls| tls.version);
        lines.push(match (&seen.failure, version) {
            (Some(failure), _) => format!("{}: {failure}", seen.key),
            (None, Some(version)) => format!("{}: {}", seen.key, version.name()),
            (None, None) => format!("{}: no TLS", seen.key),
        });
    }
    let outcome = &answer.domain.verdict.outcome;
    lines.push(match outcome.reason {
        Some(reason) => format!("mail: {} ({reason})", outcome.delivery),
        None => format!("mail: {}", outcome.delivery),
    });
    Ok(lines)
}

#[allow(dead_code, reason = "a test takes this file in for what stands above")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1).ok_or("say a DOMAIN, or a HOST:PORT")?;
    let config = ScannerConfig::new(EhloName::new("scanner.example.org")?);
    for line in probe(config, Store::mozilla(), target(&asked)?).await? {
        println!("{line}");
    }
    Ok(())
}
