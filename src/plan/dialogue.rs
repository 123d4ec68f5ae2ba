//! How the DNS and servers are spoken to.

use super::error::UsageError;
use crate::cli::{DialogueArgs, TimeoutArg};
use crate::lookup::{LookupConfig, SmartHosts, TrustedAd};
use crate::net::{KeyShares, PhaseTimeouts};
use crate::sender::connector::Connectors;
use crate::smtp::EhloName;
use std::sync::Arc;
use std::time::Duration;

/// Times the DNS is asked the same question before it counts as silent.
pub(super) const DNS_ATTEMPTS: usize = 2;

/// DNS answers kept. A survey list meets the same few providers again and
/// again; their answers are what the cache is for.
const DNS_CACHE_ENTRIES: u64 = 65_536;

pub(super) fn key_shares(args: &DialogueArgs) -> KeyShares {
    if args.fresh_key_shares { KeyShares::Fresh } else { KeyShares::Reused }
}

pub(super) fn lookup(args: &DialogueArgs, timeout: Duration) -> LookupConfig {
    // Neither flag means both families, and so do both.
    let either = args.ipv4 || args.ipv6;
    LookupConfig {
        nameservers: args.resolver.clone(),
        timeout,
        attempts: DNS_ATTEMPTS,
        ipv4: args.ipv4 || !either,
        ipv6: args.ipv6 || !either,
        cache_entries: DNS_CACHE_ENTRIES,
        ..LookupConfig::default()
    }
}

/// The hosts that connectors name in place of the MX.
pub(super) fn smart_hosts(connectors: &Arc<Connectors>) -> SmartHosts {
    let connectors = connectors.clone();
    SmartHosts::new(move |domain| {
        connectors.choose(domain).map(|connector| connector.smart_hosts.clone()).unwrap_or_default()
    })
}

/// The resolvers of which somebody says that they are to be believed.
pub(super) fn trusted_ad(words: &[String]) -> Result<Vec<TrustedAd>, UsageError> {
    let parsed =
        words.iter().map(|word| word.parse().map_err(|error| UsageError(format!("--trust-ad: {error}"))));
    parsed.collect()
}

pub(super) fn ehlo_name(given: Option<&str>) -> Result<EhloName, UsageError> {
    own_name("--ehlo", given)
}

/// The name that was given by `option`, or that of this host.
///
/// # Errors
/// [`UsageError`] if it is none by which a mail system may call itself.
pub(super) fn own_name(option: &str, given: Option<&str>) -> Result<EhloName, UsageError> {
    if let Some(text) = given {
        return EhloName::new(text).map_err(|error| UsageError(format!("{option} `{text}`: {error}")));
    }
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    EhloName::new(&host).map_err(|error| {
        UsageError(format!("this host's name `{host}` cannot be used in EHLO ({error}); use {option} NAME"))
    })
}

/// The time of each phase, and of a question to the DNS. What is said of one
/// phase goes before what is said of all.
pub(super) fn timeouts(given: &[TimeoutArg]) -> Result<(PhaseTimeouts, Duration), UsageError> {
    let mut timeouts = PhaseTimeouts::default();
    let mut dns = LookupConfig::default().timeout;
    for (at, TimeoutArg { phase, time }) in given.iter().enumerate() {
        let again = given.iter().take(at).find(|before| before.phase == *phase && before.time != *time);
        if let Some(before) = again {
            let which = phase.as_deref().unwrap_or("every phase");
            let text = format!("--timeout: {which} has two times, {:?} and {time:?}", before.time);
            return Err(UsageError(text));
        }
    }
    let (one, all): (Vec<_>, Vec<_>) = given.iter().partition(|given| given.phase.is_some());
    for TimeoutArg { phase, time } in all.into_iter().chain(one) {
        let time = *time;
        match phase.as_deref() {
            Some("dns") => dns = time,
            Some("connect") => timeouts.connect = time,
            Some("connect_retry") => timeouts.connect_retry = time,
            Some("greeting") => timeouts.greeting = time,
            Some("ehlo") => timeouts.ehlo = time,
            Some("starttls") => timeouts.starttls = time,
            Some("tls") => timeouts.tls = time,
            Some("after_tls") => timeouts.after_tls = time,
            Some("quit") => timeouts.quit = time,
            Some(_) => timeouts.session = time,
            None => {
                dns = time;
                timeouts = every_phase(time, &timeouts);
            }
        }
    }
    Ok((timeouts, dns))
}

/// Every phase gets `time`; the session as a whole keeps its bound unless
/// `time` is more.
pub(super) fn every_phase(time: Duration, before: &PhaseTimeouts) -> PhaseTimeouts {
    PhaseTimeouts {
        connect: time,
        connect_retry: time,
        greeting: time,
        ehlo: time,
        starttls: time,
        tls: time,
        after_tls: time,
        quit: time,
        session: before.session.max(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, TIMEOUT_PHASES};
    use clap::CommandFactory;

    #[test]
    fn a_time_for_every_phase_and_one_for_one() {
        for given in [["7s", "tls=3s"], ["tls=3s", "7s"]] {
            let (phases, dns) = timeouts(&given.map(|text| text.parse().unwrap())).unwrap();
            assert_eq!(dns, Duration::from_secs(7));
            assert_eq!((phases.greeting, phases.tls), (Duration::from_secs(7), Duration::from_secs(3)));
            assert_eq!(phases.session, PhaseTimeouts::default().session);
        }
        let told =
            |given: [&str; 2]| timeouts(&given.map(|text| text.parse().unwrap())).unwrap_err().to_string();
        assert_eq!(told(["tls=3s", "tls=4s"]), "--timeout: tls has two times, 3s and 4s");
        let retry = ["connect_retry=20s".parse().unwrap()];
        let (phases, _) = timeouts(&retry).unwrap();
        let (short, long) = (Duration::from_secs(5), Duration::from_secs(20));
        assert_eq!((phases.connect, phases.connect_retry), (short, long));
        assert_eq!((phases.clone().for_retries(1).connect, phases.for_retries(0).connect), (short, long));
        assert_eq!(told(["3s", "4s"]), "--timeout: every phase has two times, 3s and 4s");
    }

    #[test]
    fn the_defaults_that_help_tells_are_the_defaults() {
        let scan = Cli::command().find_subcommand("scan").unwrap().clone();
        let option = scan.get_arguments().find(|option| option.get_long() == Some("timeout")).unwrap();
        let help = option.get_help().unwrap().to_string();
        let (_, told) = help.split_once("[default: ").unwrap();
        let told: Vec<TimeoutArg> =
            told.trim_end_matches(']').split(", ").map(|text| text.parse().unwrap()).collect();
        assert_eq!(told.len(), TIMEOUT_PHASES.len());
        assert_eq!(timeouts(&told).unwrap(), timeouts(&[]).unwrap());
    }

    #[test]
    fn what_cannot_be_followed_says_what_to_do() {
        let name = ehlo_name(Some("two words")).err().unwrap().to_string();
        assert!(name.starts_with("--ehlo `two words`: "), "{name}");
    }
}
