//! What must be found of DANE, MTA-STS and TLS-RPT at a domain whose scenario
//! says nothing of them: it is not signed, and has no records.

use super::scenario::{Mode, Scenario, ScenarioExchange};

/// Columns of `domains.csv` and their cells; none where the scenario has any of
/// it, and then says itself what must be found.
pub(super) fn columns(scenario: &Scenario, delivery: &str) -> Vec<(&'static str, &'static str)> {
    if !is_plain(scenario) {
        return Vec::new();
    }
    let dns = &scenario.dns;
    let by_mx = !dns.exchanges.iter().any(|exchange| exchange.smart_host);
    let is_answered = !matches!(dns.mode, Mode::Servfail | Mode::Timeout);
    // Of a domain without a host that could be asked nobody asks for policies.
    let published = if dns.exchanges.iter().any(|exchange| exchange.server.is_some()) { "none" } else { "" };
    vec![
        ("authenticated", if delivery == "encrypted" { "none" } else { "" }),
        ("dnssec_mx", if by_mx && is_answered { "insecure" } else { "" }),
        ("dane", if scenario.expect.best.is_some() { "insecure_addresses" } else { "" }),
        ("tlsa_records", ""),
        ("mta_sts", published),
        ("mta_sts_mode", ""),
        ("tls_rpt", published),
        ("tls_rpt_result", ""),
    ]
}

fn is_plain(scenario: &Scenario) -> bool {
    let dns = &scenario.dns;
    let says_nothing = |exchange: &ScenarioExchange| {
        exchange.signed.is_none()
            && !exchange.bogus
            && exchange.tlsa.is_none()
            && exchange.cname_tlsa.is_none()
    };
    !dns.signed
        && !dns.bogus
        && dns.exchanges.iter().all(says_nothing)
        && scenario.mta_sts.is_none()
        && scenario.tls_rpt.is_none()
        && scenario.policy.is_none()
}
