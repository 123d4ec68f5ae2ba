//! A name and the aliases by which it is followed (RFC 1034 §3.6.2), within
//! one reply and from one reply to the next.

use crate::model::{Failure, Kind, MxHost, Phase};
use hickory_proto::rr::{Name, RData, Record};

/// Most aliases of one name that are followed, over all replies together.
pub const ALIASES_MAX: usize = 16;

const CIRCLE: &str = "aliases that lead in a circle";

/// A name, and the aliases that were found of it.
#[derive(Debug)]
pub struct AliasChain {
    names: Vec<Name>,
}

impl AliasChain {
    /// A name of which no alias is known yet.
    pub fn new(name: Name) -> Self {
        Self { names: vec![name] }
    }

    /// The name to ask for.
    pub fn end(&self) -> Option<&Name> {
        self.names.last()
    }

    /// The aliases, without the name itself.
    pub fn aliases(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().skip(1)
    }

    /// Follows `aliases`, each of the one before it, that the answer to
    /// [`AliasChain::end`] names.
    ///
    /// # Errors
    /// `dns: servfail` where they never come to an end: that is neither a name
    /// without records nor one that does not exist.
    pub fn follow(&mut self, aliases: &[Name]) -> Result<(), Failure> {
        for alias in aliases {
            if self.names.contains(alias) {
                return Err(endless(format_args!("{CIRCLE}: {}", MxHost::new(&alias.to_ascii()))));
            }
            if self.names.len() > ALIASES_MAX {
                return Err(endless(format_args!("over {ALIASES_MAX} aliases in a row")));
            }
            self.names.push(alias.clone());
        }
        Ok(())
    }
}

fn endless(told: std::fmt::Arguments<'_>) -> Failure {
    Failure::new(Phase::Dns, Kind::Servfail).with_detail(told)
}

/// The names to which `records` lead from `name`, in any order of the records.
/// No more than one beyond [`ALIASES_MAX`], round and round where they lead in
/// a circle.
pub(super) fn reached<'a>(name: &Name, records: &'a [Record]) -> Vec<&'a Name> {
    let alias_of = |name: &Name| {
        records.iter().find_map(|record| match &record.data {
            RData::CNAME(alias) if *name == record.name => Some(&alias.0),
            _ => None,
        })
    };
    std::iter::successors(alias_of(name), |last| alias_of(last)).take(ALIASES_MAX + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::CNAME;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn alias(owner: &str, target: &str) -> Record {
        Record::from_rdata(name(owner), 60, RData::CNAME(CNAME(name(target))))
    }

    /// Aliases `a0` to `a1` to `a2` and so on, so many.
    fn row(count: usize) -> Vec<Record> {
        (0..count).map(|n| alias(&format!("a{n}.example."), &format!("a{}.example.", n + 1))).collect()
    }

    /// What becomes of `a0.example` where each of `answers` comes in turn.
    fn followed(answers: &[Vec<Record>]) -> Result<Vec<String>, String> {
        let mut chain = AliasChain::new(name("a0.example."));
        for answer in answers {
            let found: Vec<Name> = reached(chain.end().unwrap(), answer).into_iter().cloned().collect();
            chain.follow(&found).map_err(|failure| {
                assert_eq!((failure.phase, failure.kind), (Phase::Dns, Kind::Servfail));
                failure.detail.unwrap()
            })?;
        }
        Ok(chain.aliases().map(ToString::to_string).collect())
    }

    #[test]
    fn aliases_are_followed_within_a_reply_and_from_one_to_the_next() {
        let both = ["a1.example.", "a2.example."].map(str::to_owned).to_vec();
        let reversed: Vec<_> = row(2).into_iter().rev().collect();
        let singly: Vec<_> = row(2).into_iter().map(|record| vec![record]).collect();
        assert_eq!(followed(&[row(2)]).as_ref(), Ok(&both));
        assert_eq!(followed(&[reversed]).as_ref(), Ok(&both));
        assert_eq!(followed(&singly).as_ref(), Ok(&both));
        assert_eq!(followed(&[vec![alias("x.example.", "y.example.")]]), Ok(vec![]));
    }

    #[test]
    fn aliases_that_never_end_are_an_error_however_they_come() {
        let back = || vec![alias("a2.example.", "A0.example.")];
        let own = vec![alias("a0.example.", "a0.example.")];
        for circle in [&[own][..], &[row(2), back()], &[[row(2), back()].concat()]] {
            assert!(followed(circle).unwrap_err().starts_with(CIRCLE));
        }
        let singly = |count| row(count).into_iter().map(|record| vec![record]).collect::<Vec<_>>();
        for most in [vec![row(ALIASES_MAX)], singly(ALIASES_MAX)] {
            assert_eq!(followed(&most).unwrap().len(), ALIASES_MAX);
        }
        for many in [vec![row(ALIASES_MAX + 1)], vec![row(1000)], singly(ALIASES_MAX + 1)] {
            assert_eq!(followed(&many), Err("over 16 aliases in a row".into()));
        }
    }
}
