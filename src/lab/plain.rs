//! What must be found of DANE, MTA-STS and TLS-RPT at a domain whose scenario
//! says nothing of them: it is not signed, and has no records.

use super::scenario::{Mode, Scenario, ScenarioExchange};

/// Columns of `domains.csv` and their cells; none where the scenario has any of
/// it, and then says itself what must be found, and where the verdict rests on
/// no server.
pub(super) fn columns(scenario: &Scenario, delivery: &str) -> Vec<(&'static str, &'static str)> {
    if !is_plain(scenario) || scenario.expect.best.is_none() {
        return Vec::new();
    }
    let by_mx = !scenario.dns.exchanges.iter().any(|exchange| exchange.smart_host);
    vec![
        ("authenticated", if delivery == "encrypted" { "none" } else { "" }),
        ("dnssec_mx", if by_mx { "insecure" } else { "" }),
        ("dane", "insecure_addresses"),
        ("tlsa_records", ""),
        ("mta_sts", "none"),
        ("mta_sts_mode", ""),
        ("tls_rpt", "none"),
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
    matches!(dns.mode, Mode::Mx | Mode::Implicit)
        && !dns.signed
        && !dns.bogus
        && dns.exchanges.iter().all(says_nothing)
        && scenario.mta_sts.is_none()
        && scenario.tls_rpt.is_none()
        && scenario.policy.is_none()
}
