//! What an enumeration says of a sender for which the host was not asked: the
//! server takes the newest version in common (RFC 5246 §E.1, RFC 8446 §4.2.1),
//! and there a suite that both have, with a group that both have.

use crate::model::{
    AcceptedGroups, AcceptedSuite, CipherSuite, Enumerated, Enumeration, Preference, ProtocolVersion,
    SuiteFacts, VersionSuites,
};
use crate::sender::offer::Offer;

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
    /// It takes suites of the sender's there, but none of its groups.
    NoGroup,
}

/// What the suites and groups found come to; `None` where a gap leaves it open.
pub(super) fn taken(offer: &Offer, enumerated: &Enumerated, named: bool) -> Option<Taken> {
    for version in &offer.versions {
        let found = enumerated.found.versions.iter().find(|found| found.version == *version)?;
        if !found.suites.is_empty() {
            let common = Common { offer, found, groups: groups(&enumerated.found, found) };
            // Without its name, or with it, a host may take what it else refuses.
            let alike = !named || enumerated.names_host == offer.sends_sni;
            let refused = || (common.is_nothing() && alike).then(|| common.lack());
            return common.agreed().or_else(refused);
        }
        if found.gap.is_some() {
            return None;
        }
    }
    Some(Taken::NoVersion)
}

/// The groups of a version. Up to TLS 1.2 they are asked for in one version
/// alone, since they are those of all.
fn groups<'e>(all: &'e Enumeration, found: &'e VersionSuites) -> Option<&'e AcceptedGroups> {
    let is_old = |found: &VersionSuites| found.version < ProtocolVersion::TLS13;
    let of_another = || {
        let old = all.versions.iter().filter(|other| is_old(other) && is_old(found));
        old.filter_map(|other| other.groups.as_ref()).next()
    };
    found.groups.as_ref().or_else(of_another)
}

/// What a sender and a server may have in common in one version.
struct Common<'e> {
    offer: &'e Offer,
    found: &'e VersionSuites,
    /// `None` where nobody asked for them.
    groups: Option<&'e AcceptedGroups>,
}

impl Common<'_> {
    /// Whether the server takes no suite of the sender's: all of its own were
    /// found, and where the group is all that is lacking, all groups were.
    fn is_nothing(&self) -> bool {
        self.found.gap.is_none() && !self.shared().any(|accepted| self.is_taken(accepted) != Some(false))
    }

    /// What is lacking where they have nothing in common.
    fn lack(&self) -> Taken {
        if self.shared().next().is_some() { Taken::NoGroup } else { Taken::NoSuite }
    }

    fn agreed(&self) -> Option<Taken> {
        let taken: Vec<&AcceptedSuite> =
            self.shared().filter(|accepted| self.is_taken(accepted) == Some(true)).collect();
        let by_client = || taken.iter().min_by_key(|accepted| self.offer.rank(accepted.suite));
        let is_open = self.shared().any(|accepted| self.is_taken(accepted).is_none());
        let chosen = match self.found.preference {
            _ if is_open => None,
            Some(Preference::Server) => taken.first(),
            Some(Preference::Client) => by_client(),
            // Of one there is no choice.
            _ => taken.first().filter(|_| taken.len() == 1),
        };
        let (version, suite) = (self.found.version, chosen.map(|chosen| chosen.suite));
        let dh_bits = chosen.and_then(|chosen| chosen.dh_bits);
        (!taken.is_empty()).then_some(Taken::Agreed { version, suite, dh_bits })
    }

    /// The suites that both have.
    fn shared(&self) -> impl Iterator<Item = &AcceptedSuite> {
        self.found.suites.iter().filter(|accepted| self.offer.rank(accepted.suite).is_some())
    }

    /// Whether a suite that both have is taken, for which both need a group, too;
    /// `None` where that is not known.
    fn is_taken(&self, accepted: &AcceptedSuite) -> Option<bool> {
        let tls13 = self.found.version >= ProtocolVersion::TLS13;
        if !tls13 && !accepted.suite.facts().is_some_and(SuiteFacts::is_ecdhe) {
            return Some(true);
        }
        let groups = self.groups?;
        let fits = groups.groups.iter().any(|group| self.offer.groups.contains(group));
        (fits || groups.gap.is_none()).then_some(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Gap, NamedGroup};

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

    /// They may be none of the sender's. Those of another old version are the same.
    #[test]
    fn groups_that_nobody_asked_for_leave_it_open() {
        let none13 = || version(TLS13, &[], None);
        let without = |suites: &[u16]| VersionSuites { groups: None, ..version(TLS12, suites, None) };
        for (suites, expected) in [
            (&[0xc030][..], None),
            (&[0xc030, 0x009d], agreed(TLS12, None)),
            (&[0x009d], agreed(TLS12, Some(0x009d))),
            (&[0xc02c], Some(Taken::NoSuite)),
        ] {
            let found = enumerated(&[none13(), without(suites)]);
            assert_eq!(taken(&offer(&[23]), &found, true), expected, "{suites:x?}");
        }
        let asked = version(ProtocolVersion::TLS11, &[0xc014], None);
        let found = enumerated(&[none13(), without(&[0xc030]), asked]);
        assert_eq!(taken(&offer(&[29]), &found, true), agreed(TLS12, Some(0xc030)));
        assert_eq!(taken(&offer(&[24]), &found, true), Some(Taken::NoGroup));
    }

    #[test]
    fn a_refusal_over_a_name_is_none_for_who_sends_none() {
        let found = enumerated(&[version(TLS13, &[0x1303], None)]);
        let nameless = Offer { sends_sni: false, ..offer(&[29]) };
        assert_eq!(taken(&nameless, &found, true), None);
        assert_eq!(taken(&nameless, &found, false), Some(Taken::NoSuite));
    }
}
