//! What an enumeration says of a sender for which the host was not asked: the
//! server takes the newest version in common (RFC 5246 §E.1, RFC 8446 §4.2.1),
//! and there a suite that both have, with a group that both have.

use crate::model::{
    AcceptedSuite, CipherSuite, Enumerated, NamedGroup, Preference, ProtocolVersion, SuiteFacts,
    VersionSuites,
};
use crate::sender::offer::Offer;

/// The curve that every server with ECDHE has, where its groups were not asked
/// for: RFC 8446 §9.1 demands it, and no list of before goes without.
const USUAL_CURVE: NamedGroup = NamedGroup(23);

/// What the server comes to with the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// They agree on this version, and on this suite where its choice is known.
    Agreed {
        version: ProtocolVersion,
        suite: Option<CipherSuite>,
        /// Length of the server's prime with that suite, in bits.
        dh_bits: Option<usize>,
    },
    /// It speaks no version of the sender's.
    NoVersion,
    /// It takes no suite of the sender's in the newest version in common.
    NoSuite,
}

/// What the suites and groups found come to; `None` where a gap leaves it open.
pub(super) fn taken(offer: &Offer, enumerated: &Enumerated, named: bool) -> Option<Taken> {
    for version in &offer.versions {
        let found = enumerated.found.versions.iter().find(|found| found.version == *version)?;
        if !found.suites.is_empty() {
            let agreed = agreed(offer, found);
            // Without its name, or with it, a host may take what it else refuses.
            let alike = !named || enumerated.names_host == offer.sends_sni;
            return agreed.or_else(|| (lacks_all(offer, found) && alike).then_some(Taken::NoSuite));
        }
        if found.gap.is_some() {
            return None;
        }
    }
    Some(Taken::NoVersion)
}

/// Whether the server takes no suite of the sender's: all of its own were found,
/// and where the group is all that is lacking, all groups were.
fn lacks_all(offer: &Offer, found: &VersionSuites) -> bool {
    let shares_suite = found.suites.iter().any(|accepted| offer.rank(accepted.suite).is_some());
    let all_groups = found.groups.as_ref().is_none_or(|groups| groups.gap.is_none());
    found.gap.is_none() && (all_groups || !shares_suite)
}

fn agreed(offer: &Offer, found: &VersionSuites) -> Option<Taken> {
    let in_common: Vec<&AcceptedSuite> =
        found.suites.iter().filter(|accepted| is_in_common(offer, found, accepted.suite)).collect();
    let by_client = || in_common.iter().min_by_key(|accepted| offer.rank(accepted.suite));
    let chosen = match found.preference {
        Some(Preference::Server) => in_common.first(),
        Some(Preference::Client) => by_client(),
        // Of one there is no choice.
        _ => in_common.first().filter(|_| in_common.len() == 1),
    };
    let (version, suite) = (found.version, chosen.map(|chosen| chosen.suite));
    let dh_bits = chosen.and_then(|chosen| chosen.dh_bits);
    (!in_common.is_empty()).then_some(Taken::Agreed { version, suite, dh_bits })
}

fn is_in_common(offer: &Offer, found: &VersionSuites, suite: CipherSuite) -> bool {
    let tls13 = found.version >= ProtocolVersion::TLS13;
    let needs_group = tls13 || suite.facts().is_some_and(SuiteFacts::is_ecdhe);
    let group_fits = || match &found.groups {
        Some(found) => found.groups.iter().any(|group| offer.groups.contains(group)),
        None => offer.groups.contains(&USUAL_CURVE),
    };
    offer.rank(suite).is_some() && (!needs_group || group_fits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AcceptedGroups, Enumeration, Gap};

    const TLS12: ProtocolVersion = ProtocolVersion::TLS12;
    const TLS13: ProtocolVersion = ProtocolVersion::TLS13;

    fn version(version: ProtocolVersion, suites: &[u16], gap: Option<Gap>) -> VersionSuites {
        let accepted = |suite: &u16| AcceptedSuite { suite: CipherSuite(*suite), dh_bits: None };
        VersionSuites {
            version,
            suites: suites.iter().map(accepted).collect(),
            preference: (suites.len() > 1).then_some(Preference::Server),
            gap,
            groups: (!suites.is_empty()).then(|| AcceptedGroups { groups: vec![NamedGroup(29)], gap: None }),
        }
    }

    fn enumerated(versions: &[VersionSuites]) -> Enumerated {
        let found = Enumeration { versions: versions.to_vec(), sslv2: false, connections: 30 };
        Enumerated { found, names_host: true }
    }

    fn offer(groups: &[u16]) -> Offer {
        Offer {
            versions: vec![TLS13, TLS12],
            suites: [0x1302, 0xc030, 0xc02f, 0x009d].map(CipherSuite).to_vec(),
            groups: groups.iter().copied().map(NamedGroup).collect(),
            signature_schemes: Vec::new(),
            sends_sni: true,
        }
    }

    fn agreed(version: ProtocolVersion, suite: Option<u16>) -> Option<Taken> {
        Some(Taken::Agreed { version, suite: suite.map(CipherSuite), dh_bits: None })
    }

    #[test]
    fn the_newest_version_in_common_decides_and_a_gap_leaves_it_open() {
        let none13 = || version(TLS13, &[], None);
        for (versions, expected) in [
            (vec![version(TLS13, &[0x1302], None)], agreed(TLS13, Some(0x1302))),
            (vec![version(TLS13, &[0x1303], None)], Some(Taken::NoSuite)),
            (vec![version(TLS13, &[0x1303], Some(Gap::Budget))], None),
            (vec![version(TLS13, &[], Some(Gap::Timeout)), version(TLS12, &[0xc030], None)], None),
            (vec![none13(), version(TLS12, &[0xc02f, 0xc030], None)], agreed(TLS12, Some(0xc02f))),
            (vec![none13(), version(TLS12, &[0xc02c], None)], Some(Taken::NoSuite)),
            (vec![none13(), version(TLS12, &[], None)], Some(Taken::NoVersion)),
            (vec![none13()], None),
        ] {
            assert_eq!(taken(&offer(&[29]), &enumerated(&versions), true), expected, "{versions:?}");
        }
    }

    #[test]
    fn the_order_of_either_and_the_groups_count() {
        let mut both = version(TLS12, &[0xc02f, 0xc030, 0x009d], None);
        let none13 = version(TLS13, &[], None);
        for (preference, expected) in [
            (Preference::Server, Some(0xc02f)),
            (Preference::Client, Some(0xc030)),
            (Preference::Undetermined, None),
        ] {
            both.preference = Some(preference);
            let found = taken(&offer(&[29]), &enumerated(&[none13.clone(), both.clone()]), true);
            assert_eq!(found, agreed(TLS12, expected), "{preference:?}");
        }
        // Without a curve in common the one of static RSA is left.
        let found = taken(&offer(&[24]), &enumerated(&[none13, both]), true);
        assert_eq!(found, agreed(TLS12, Some(0x009d)));
    }

    #[test]
    fn groups_that_may_be_missing_matter_where_a_suite_is_shared() {
        for (suite, expected) in [(0xc02c, Some(Taken::NoSuite)), (0xc030, None)] {
            let mut tls12 = version(TLS12, &[suite], None);
            tls12.groups.as_mut().unwrap().gap = Some(Gap::CertificateCurve);
            let found = enumerated(&[version(TLS13, &[], None), tls12]);
            assert_eq!(taken(&offer(&[24]), &found, true), expected, "{suite:#x}");
        }
    }

    #[test]
    fn a_refusal_over_a_name_is_none_for_who_sends_none() {
        let found = enumerated(&[version(TLS13, &[0x1303], None)]);
        let nameless = Offer { sends_sni: false, ..offer(&[29]) };
        assert_eq!(taken(&nameless, &found, true), None);
        assert_eq!(taken(&nameless, &found, false), Some(Taken::NoSuite));
    }
}
