//! Whether a host of Exchange Online does as Microsoft promises between its
//! servers, and, where its TLSA records are signed, as these say. Checked, not
//! assumed.

use crate::model::{CipherSuite, DaneStand, Delivery, Promise, ProtocolVersion, View};

/// Domains that the MX hosts of Exchange Online stand under; the second is
/// that of hosts with DNSSEC.
const EXCHANGE_ONLINE: [&str; 2] = [".mail.protection.outlook.com", ".mx.microsoft"];

/// The promise at an endpoint that stands so to DANE; `None` for a host that is
/// none of Exchange Online's.
pub(super) fn of(view: &View, dane: Option<DaneStand>) -> Option<Promise> {
    let host = view.host.as_ref()?.as_str().trim_end_matches('.').to_ascii_lowercase();
    EXCHANGE_ONLINE.iter().any(|suffix| host.ends_with(suffix)).then(|| at(view, dane))
}

/// Whether the host does not do as its own TLSA records say.
fn breaks_dane(stand: DaneStand) -> bool {
    use DaneStand::{
        Bogus, CertificateExpired, Chain, Mismatch, NameMismatch, NoTls, NotYetValid, Rollover, Unusable,
    };
    matches!(
        stand,
        Mismatch
            | Rollover
            | Chain
            | NameMismatch
            | CertificateExpired
            | NotYetValid
            | NoTls
            | Unusable
            | Bogus
    )
}

fn at(view: &View, dane: Option<DaneStand>) -> Promise {
    if dane.is_some_and(breaks_dane) {
        return Promise::Broken;
    }
    let (version, suite) = view.finding().server_best();
    let old = version.is_some_and(|version| version < ProtocolVersion::TLS12);
    if old || view.outcome().delivery == Delivery::Plaintext {
        return Promise::Broken;
    }
    match suite.and_then(CipherSuite::forward_secrecy) {
        Some(true) => Promise::Kept,
        Some(false) => Promise::Broken,
        None => Promise::Undetermined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Basis, Endpoint, Failure, Finding, JudgedEndpoint, Kind, MxHost, NegotiatedTls, Outcome, Phase,
        ProbeKey, TlsFinding,
    };
    use std::sync::Arc;

    fn view(host: &str, agreed: Option<(u16, u16)>) -> View {
        let tls = agreed.map(|(version, suite)| TlsFinding {
            version: Some(ProtocolVersion(version)),
            suite: Some(CipherSuite(suite)),
            ..TlsFinding::default()
        });
        let key = ProbeKey { endpoint: Endpoint { ip: [192, 0, 2, 1].into(), port: 25 }, sni: None };
        let failure = agreed.is_none().then(|| Failure::new(Phase::Starttls, Kind::NotOffered));
        View {
            preference: 0,
            host: Some(MxHost::new(host)),
            endpoint: Arc::new(JudgedEndpoint::of_outcome(
                Finding::of(key, failure, tls),
                Outcome::encrypted(Basis::Observed, NegotiatedTls::default()),
            )),
            name: None,
        }
    }

    #[test]
    fn the_promise_is_checked_at_hosts_of_exchange_online_only() {
        let host = "contoso-com.mail.protection.outlook.com";
        for (host, agreed, expected) in [
            (host, Some((0x0303, 0xc030)), Some("kept")),
            ("contoso-com.A-v1.mx.microsoft", Some((0x0304, 0x1302)), Some("kept")),
            (host, Some((0x0303, 0x009d)), Some("broken")),
            (host, Some((0x0301, 0xc014)), Some("broken")),
            (host, None, Some("undetermined")),
            ("mail.protection.outlook.com.example", Some((0x0303, 0xc030)), None),
        ] {
            assert_eq!(of(&view(host, agreed), None).map(Promise::name), expected, "{host} {agreed:?}");
        }
        let mut clear = view(host, None);
        Arc::make_mut(&mut clear.endpoint).outcome.delivery = Delivery::Plaintext;
        assert_eq!(of(&clear, None), Some(Promise::Broken));
    }

    #[test]
    fn a_signed_host_of_exchange_online_does_as_its_records_say() {
        let host = view("contoso-com.e-v1.mx.microsoft", Some((0x0304, 0x1302)));
        for (stand, expected) in [
            (DaneStand::Matched, Promise::Kept),
            (DaneStand::InsecureAddresses, Promise::Kept),
            (DaneStand::Undetermined(crate::model::PolicyReason::TlsaLookupFailed.into()), Promise::Kept),
            (DaneStand::Mismatch, Promise::Broken),
            (DaneStand::Bogus, Promise::Broken),
        ] {
            assert_eq!(of(&host, Some(stand)), Some(expected), "{stand}");
        }
    }
}
