//! Addresses and domains that are left alone, whoever is about to ask them: a
//! lookup, a probe, a fetch.

use super::name::DomainName;
use ipnet::{IpNet, Ipv4Net};
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

/// Most lines of a blocklist.
pub const BLOCKLIST_LINES_MAX: usize = 1_000_000;

/// Why a blocklist cannot be used. It is never used in part.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlocklistError {
    /// A line is neither an address, a CIDR range nor a domain.
    #[error("line {line}: `{text}` is neither an address, a CIDR range nor a domain")]
    BadLine {
        /// Line number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// Over [`BLOCKLIST_LINES_MAX`].
    #[error("longer than {BLOCKLIST_LINES_MAX} lines")]
    TooLong,
}

/// Addresses and domains that are left alone.
#[derive(Clone, Debug, Default)]
pub struct Blocklist {
    /// Disjoint and in order, so that the one range that may hold an address
    /// is found by bisection.
    ranges: Vec<IpNet>,
    domains: HashSet<String>,
    entries: usize,
}

impl Blocklist {
    /// Reads one entry a line: an address, a CIDR range or a domain, which
    /// stands for its subdomains too. `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is none of these: a blocklist that is only half
    /// understood would be worse than none.
    pub fn parse(text: &str) -> Result<Self, BlocklistError> {
        let mut list = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if index >= BLOCKLIST_LINES_MAX {
                return Err(BlocklistError::TooLong);
            }
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() && !list.add(entry) {
                return Err(BlocklistError::BadLine { line: index + 1, text: entry.to_string() });
            }
        }
        list.ranges = IpNet::aggregate(&list.ranges);
        Ok(list)
    }

    /// Takes the entries of another list in.
    pub fn extend(&mut self, other: Blocklist) {
        self.ranges.extend(other.ranges);
        self.ranges = IpNet::aggregate(&self.ranges);
        self.domains.extend(other.domains);
        self.entries += other.entries;
    }

    fn add(&mut self, entry: &str) -> bool {
        if let Ok(range) = entry.parse::<IpNet>() {
            self.ranges.push(canonical(range));
        } else if let Ok(ip) = entry.parse::<IpAddr>() {
            self.ranges.push(ip.to_canonical().into());
        } else if let Ok(domain) = DomainName::parse(entry) {
            self.domains.insert(domain.as_str().to_string());
        } else {
            return false;
        }
        self.entries += 1;
        true
    }

    /// Entries as they were written, those that others hold already counted too.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Whether the address is in a listed range.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let after = self.ranges.partition_point(|range| range.network() <= ip);
        let last = after.checked_sub(1).and_then(|index| self.ranges.get(index));
        last.is_some_and(|range| range.contains(&ip))
    }

    /// Whether the name or a parent of it is listed.
    pub fn has_name(&self, name: &str) -> bool {
        if self.domains.is_empty() {
            return false;
        }
        let parents = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        std::iter::once(name).chain(parents).any(|candidate| self.domains.contains(candidate))
    }
}

/// The blocklist that counts at the moment: whoever has a clone of it keeps to the
/// new list as soon as one takes its place.
#[derive(Clone, Debug, Default)]
pub struct BlocklistInForce(Arc<RwLock<Arc<Blocklist>>>);

impl From<Blocklist> for BlocklistInForce {
    fn from(list: Blocklist) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(list))))
    }
}

impl BlocklistInForce {
    /// Puts another list in its place; gives the one of before.
    pub fn replace(&self, list: Blocklist) -> Arc<Blocklist> {
        std::mem::replace(&mut self.0.write().unwrap_or_else(PoisonError::into_inner), Arc::new(list))
    }

    /// The list as it is now.
    pub fn now(&self) -> Arc<Blocklist> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`Blocklist::has_address`], at the moment.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        self.now().has_address(ip)
    }

    /// As [`Blocklist::has_name`], at the moment.
    pub fn has_name(&self, name: &str) -> bool {
        self.now().has_name(name)
    }
}

/// Addresses that are mapped into IPv6 (RFC 4291 §2.5.5.2) begin with so many
/// bits that are always the same.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A range as the addresses in it are looked for: one of addresses that are
/// mapped into IPv6 is the range of IPv4 that they stand for.
fn canonical(range: IpNet) -> IpNet {
    let bits = range.prefix_len().checked_sub(MAPPED_PREFIX_BITS);
    match (range, bits, range.addr().to_canonical()) {
        (IpNet::V6(_), Some(bits), IpAddr::V4(ip)) => Ipv4Net::new(ip, bits).map_or(range, IpNet::V4),
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blocklist_is_never_used_in_part() {
        assert_eq!(
            Blocklist::parse("10.0.0.0/8\n10.0.0.0/33\n").err(),
            Some(BlocklistError::BadLine { line: 2, text: "10.0.0.0/33".into() })
        );
    }

    #[test]
    fn whoever_has_the_list_keeps_to_the_new_one() {
        let held = BlocklistInForce::from(Blocklist::parse("a.example\n").unwrap());
        let elsewhere = held.clone();
        let before = held.replace(Blocklist::parse("192.0.2.0/24\nb.example # since today\n").unwrap());
        assert_eq!((before.entries(), elsewhere.now().entries()), (1, 2));
        assert!(elsewhere.has_name("mx.b.example") && !elsewhere.has_name("a.example"));
        assert!(elsewhere.has_address("192.0.2.9".parse().unwrap()));
    }

    #[test]
    fn several_lists_are_one() {
        let mut all = Blocklist::parse("192.0.2.1\na.example\n").unwrap();
        all.extend(Blocklist::parse("198.51.100.0/24\nb.example\n").unwrap());
        for address in ["192.0.2.1", "198.51.100.7"] {
            assert!(all.has_address(address.parse().unwrap()), "{address}");
        }
        assert!(["a.example", "mx.b.example"].iter().all(|name| all.has_name(name)));
    }
}
