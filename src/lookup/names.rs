//! What the DNS says of a name: records at the end of its aliases, addresses of
//! both families, and who vouches for the way there.

use super::answer;
use super::questions::Questions;
use super::special;
use super::vouched::{FoundRecords, NoRecords, weakest};
use crate::dns::{AliasChain, Name, RecordType};
use crate::model::tlsa::Authenticity;
use crate::model::{BlocklistInForce, DomainName, Failure, Kind, MxHost, Phase};
use std::net::IpAddr;

/// Asks for names, and follows no alias to one that is left alone.
pub(super) struct Names {
    pub(super) questions: Questions,
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
    pub(super) blocklist: BlocklistInForce,
}

/// What the DNS says of the addresses of a host that has some.
pub(super) struct Addresses {
    /// Those of the families in use.
    pub(super) in_use: Vec<IpAddr>,
    /// How many there are of the family that is not; `None` where the DNS did not
    /// say.
    pub(super) of_other_family: Option<usize>,
    /// Why those of one family in use are not known.
    pub(super) unresolved: Option<Failure>,
    /// Whether these contradict their signatures.
    pub(super) unresolved_is_bogus: bool,
    /// Who vouches for them.
    pub(super) way: AddressWay,
}

/// How a name leads to addresses: of the family for which most is vouched, since
/// one that is secure is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddressWay {
    /// Who vouches for the addresses and every alias before them.
    pub(super) authenticity: Authenticity,
    /// Why that is not known, where those that could say so failed.
    pub(super) unvouched: Option<Failure>,
    /// Where the aliases of the name end; `None` where it has none.
    pub(super) end: Option<Name>,
}

/// Why a host has no addresses.
#[derive(Debug)]
pub(super) struct NoAddresses {
    pub(super) failure: Failure,
    /// Whether there would be some, and all of these contradict their signatures.
    pub(super) is_bogus: bool,
}

impl From<Failure> for NoAddresses {
    fn from(failure: Failure) -> Self {
        Self { failure, is_bogus: false }
    }
}

impl From<NoAddresses> for Failure {
    fn from(none: NoAddresses) -> Self {
        none.failure
    }
}

/// The addresses of one family, or why there are none.
type Family = Result<(Vec<IpAddr>, AddressWay), NoRecords>;

impl Names {
    /// That a host has no address in use says nothing of the host, and one that
    /// it has does not say that a sender goes there, so the family that is not in
    /// use is asked for too.
    pub(super) async fn addresses(&self, name: &Name) -> Result<Addresses, NoAddresses> {
        let asked = self.families(name, self.ipv4, self.ipv6).await;
        let unresolved = open(&asked).next().map(|none| none.failure.clone());
        let unresolved_is_bogus = is_bogus(&asked);
        if let Err(failure) = joined(&asked)
            && failure.kind != Kind::NoData
            && !unresolved_is_bogus
        {
            return Err(failure.into());
        }
        let others = self.families(name, !self.ipv4, !self.ipv6).await;
        let is_open = open(&others).next().is_some();
        let all: Vec<Family> = asked.into_iter().chain(others).collect();
        let found = joined(&all).map_err(|failure| NoAddresses { failure, is_bogus: is_bogus(&all) })?;
        let (in_use, others) = self.in_use(found)?;
        let way = best(all.into_iter().flatten().map(|(_, way)| way));
        let of_other_family = (!is_open).then_some(others);
        Ok(Addresses { in_use, of_other_family, unresolved, unresolved_is_bogus, way })
    }

    /// Those of the families that are wanted.
    async fn families(&self, name: &Name, ipv4: bool, ipv6: bool) -> Vec<Family> {
        let (v4, v6) =
            tokio::join!(self.family(name, RecordType::A, ipv4), self.family(name, RecordType::AAAA, ipv6));
        v4.into_iter().chain(v6).collect()
    }

    async fn family(&self, name: &Name, family: RecordType, wanted: bool) -> Option<Family> {
        if !wanted {
            return None;
        }
        let told = self.query(name, family).await;
        Some(told.map(|FoundRecords { answer, authenticity, unvouched, end }| {
            (answer::addresses(&answer.records), AddressWay { authenticity, unvouched, end })
        }))
    }

    /// Those of the families in use, and how many others there are.
    ///
    /// # Errors
    /// There is none.
    fn in_use(&self, addresses: Vec<IpAddr>) -> Result<(Vec<IpAddr>, usize), Failure> {
        let (kept, others): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| if address.is_ipv4() { self.ipv4 } else { self.ipv6 });
        match others.first() {
            Some(other) if kept.is_empty() => {
                let family = if other.is_ipv4() { "IPv4" } else { "IPv6" };
                let detail = format_args!("{other}: {family} is not used");
                Err(Failure::new(Phase::Connect, Kind::NoRoute).with_detail(detail))
            }
            _ => Ok((kept, others.len())),
        }
    }

    /// Records of a type, which there are: those of the name, or of what it is
    /// an alias of.
    pub(super) async fn query(
        &self,
        name: &Name,
        record_type: RecordType,
    ) -> Result<FoundRecords, NoRecords> {
        let mut chain = AliasChain::new(name.clone());
        let (mut authenticity, mut unvouched) = (Authenticity::Secure, None);
        while let Some(asked) = chain.end() {
            if let Some(failure) = special::failure(asked) {
                return Err(failure.into());
            }
            let answer = self.questions.ask(asked, record_type).await?;
            authenticity = weakest(authenticity, answer.authenticity);
            unvouched = unvouched.or_else(|| answer.unvouched.clone());
            chain.follow(&answer.aliases)?;
            self.screen(name, &chain)?;
            if !answer.exists {
                return Err(none(Kind::Nxdomain, authenticity, unvouched));
            }
            if !answer.records.is_empty() {
                let end = chain.aliases().last().map(Name::to_lowercase);
                return Ok(FoundRecords { answer, authenticity, unvouched, end });
            }
            if !answer.goes_on {
                break;
            }
        }
        Err(none(Kind::NoData, authenticity, unvouched))
    }

    /// Refuses aliases that are on the blocklist.
    fn screen(&self, name: &Name, chain: &AliasChain) -> Result<(), Failure> {
        let mut aliases = chain.aliases().map(|alias| MxHost::new(&alias.to_ascii()));
        let Some(listed) = aliases.find(|alias| self.blocklist.has_name(alias.as_str())) else {
            return Ok(());
        };
        let told = format_args!("{} is an alias of {listed}", MxHost::new(&name.to_ascii()));
        Err(Failure::new(Phase::Connect, Kind::Blocklisted).with_detail(told))
    }
}

fn none(kind: Kind, authenticity: Authenticity, unvouched: Option<Failure>) -> NoRecords {
    NoRecords { failure: Failure::new(Phase::Dns, kind), authenticity: Some(authenticity), unvouched }
}

/// The addresses of all families, or why there are none.
fn joined(families: &[Family]) -> Result<Vec<IpAddr>, Failure> {
    answer::join_families(families.iter().map(|family| match family {
        Ok((addresses, _)) => Ok(addresses.clone()),
        Err(none) => Err(none.failure.clone()),
    }))
}

/// Why there is no answer for a family, of those for which there is none.
fn open(families: &[Family]) -> impl Iterator<Item = &NoRecords> {
    families
        .iter()
        .filter_map(|family| family.as_ref().err())
        .filter(|none| !none.failure.kind.says_no_host())
}

/// Whether all that have no answer are such that what stands there contradicts its
/// signatures.
fn is_bogus(families: &[Family]) -> bool {
    let mut open = open(families).peekable();
    open.peek().is_some() && open.all(|none| none.authenticity == Some(Authenticity::Bogus))
}

/// The one for which most is vouched; what nobody validated may be secure.
fn best(ways: impl Iterator<Item = AddressWay>) -> AddressWay {
    let rank = |way: &AddressWay| match way.authenticity {
        Authenticity::Secure => 0,
        Authenticity::NotValidated => 1,
        Authenticity::Insecure => 2,
        Authenticity::Bogus => 3,
    };
    let nobody = AddressWay { authenticity: Authenticity::NotValidated, unvouched: None, end: None };
    ways.min_by_key(rank).unwrap_or(nobody)
}

/// The name as the DNS is asked for it.
///
/// # Errors
/// It cannot be.
pub(super) fn dns_name(domain: &DomainName) -> Result<Name, Failure> {
    Name::from_labels(domain.as_str().split('.').map(str::as_bytes))
        .map_err(|error| Failure::new(Phase::Input, Kind::InvalidName).with_detail(error))
}

/// The name with these labels before it; `None` where that is longer than a name
/// can be, so that nothing stands there.
pub(super) fn below<const N: usize>(labels: [&str; N], name: &Name) -> Option<Name> {
    Name::from_labels(labels.iter().map(|label| label.as_bytes()).chain(name.iter())).ok()
}
