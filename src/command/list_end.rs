//! Whether a survey could ask anything at all. A list of which every line was
//! rejected, or a resolver that is not there, gives a run without an answer;
//! whoever runs it by a script must not take that for a list that was done.

use super::{EXIT_NOTHING_ASKED, say};
use crate::model::{DomainFacts, Failure, Kind, Phase, Record, Rejected, Subject};
use crate::run_dir::read::path_of;
use crate::verdict::{Reach, SUSPECT_NETWORKS_MIN};
use std::path::Path;
use std::process::ExitCode;

/// What the lines of a list came to, as far as it was asked.
#[derive(Debug, Default)]
pub(super) struct AnswerCount {
    /// Targets that somebody answered for, or that needed no resolver.
    answered: u64,
    /// Domains of which no resolver said anything.
    unanswered: u64,
    /// Targets that lie in other shards of the run.
    elsewhere: u64,
    rejected: u64,
    first_rejected: Option<Rejected>,
    /// Names at private addresses, to which nothing was connected.
    private: u64,
}

/// A list that was read to its end.
#[derive(Debug)]
pub(super) struct ListEnd {
    pub(super) asked: AnswerCount,
    /// Where TCP opened.
    pub(super) reach: Reach,
    /// The list as it was named.
    pub(super) list: String,
    /// Who answers the DNS.
    pub(super) resolver: String,
    /// Whether a list without targets is an error.
    pub(super) require_targets: bool,
}

impl AnswerCount {
    /// So many targets lie in other shards of the run, and are none of this one's.
    pub(super) fn leave_to_others(&mut self, targets: u64) {
        self.elsewhere = targets;
    }

    pub(super) fn add(&mut self, record: &Record) {
        match record {
            Record::Endpoint(endpoint) => {
                let failure = endpoint.observation.failure.as_ref();
                let is_private = failure.is_some_and(|failure| failure.kind == Kind::PrivateAddress);
                self.add_private(u64::from(is_private));
            }
            Record::Rejected(rejected) => self.add_rejected(rejected),
            Record::Domain(domain) => self.add_facts(&domain.facts),
            Record::Part(facts) => self.add_facts(facts),
        }
    }

    /// Counts a line that is no target.
    pub(super) fn add_rejected(&mut self, rejected: &Rejected) {
        self.rejected += 1;
        self.first_rejected.get_or_insert_with(|| rejected.clone());
    }

    /// Counts a target by what the DNS said of it.
    pub(super) fn add_facts(&mut self, facts: &DomainFacts) {
        if is_unanswered(facts) { self.unanswered += 1 } else { self.answered += 1 }
    }

    /// Counts names at private addresses to which nothing is connected.
    pub(super) fn add_private(&mut self, names: u64) {
        self.private += names;
    }

    /// What is not connected to for want of an option.
    fn left_alone(&self) -> Option<String> {
        let addresses = match self.private {
            0 => return None,
            1 => "1 private address was",
            more => &format!("{more} private addresses were"),
        };
        Some(format!(
            "{addresses} not connected to (private_address); --allow-private connects to such addresses, too"
        ))
    }

    /// Lines that are no target.
    pub(super) fn rejected(&self) -> u64 {
        self.rejected
    }
}

impl ListEnd {
    /// The exit code, and what there is to say about it; `directory` is that
    /// of the run, if there is one.
    pub(super) fn code(&self, directory: Option<&Path>) -> ExitCode {
        if let Some(hint) = self.hint(directory) {
            say(format_args!("mxray: nothing could be contacted: {hint}"));
            return ExitCode::from(EXIT_NOTHING_ASKED);
        }
        if let Some(told) = self.asked.left_alone() {
            say(format_args!("mxray: {told}"));
        }
        if !self.reach.suspects().is_empty() {
            say(format_args!("mxray: warning: {}", no_way_out(&self.reach)));
        }
        if self.asked.answered > 0 || self.asked.elsewhere > 0 {
            return ExitCode::SUCCESS;
        }
        let list = &self.list;
        if self.require_targets {
            say(format_args!(
                "mxray: nothing could be contacted: there is no target in the list `{list}` (only a warning without --require-targets)"
            ));
            return ExitCode::from(EXIT_NOTHING_ASKED);
        }
        say(format_args!(
            "mxray: warning: there is no target in the list `{list}` (--require-targets makes that an error)"
        ));
        ExitCode::SUCCESS
    }

    /// Why nothing could be asked of a list that has lines, and what to do.
    fn hint(&self, directory: Option<&Path>) -> Option<String> {
        let AnswerCount { answered, unanswered, elsewhere, rejected, first_rejected, private: _ } =
            &self.asked;
        if self.reach.opened_nowhere() {
            return Some(no_way_out(&self.reach));
        }
        if *answered > 0 {
            return None;
        }
        if *unanswered > 0 {
            return Some(no_resolver(&self.resolver));
        }
        if *elsewhere > 0 {
            return None;
        }
        let Rejected { line, cause, .. } = first_rejected.as_ref()?;
        let causes = match directory {
            Some(directory) => format!("{} says why", path_of(directory, "rejects.csv").display()),
            None => "-o RUN_DIR keeps rejects.csv, which says why".to_string(),
        };
        Some(format!(
            "every line of {} was rejected ({rejected} in all; line {line}: {cause}); {causes}; --column names the \
             column of a table, --input endpoints is for IP addresses",
            self.list
        ))
    }
}

/// What there is to say, and to do, where TCP opened at nobody's.
pub(super) fn no_way_out(reach: &Reach) -> String {
    let families: Vec<_> = suspects(reach).collect();
    format!(
        "over {} TCP opened at none of {SUSPECT_NETWORKS_MIN} networks or more: does your provider or firewall \
         let mail connections out? such hosts are undetermined, network_suspect",
        families.join(" and ")
    )
}

/// The families over which it opened nowhere.
fn suspects(reach: &Reach) -> impl Iterator<Item = String> {
    reach.suspects().into_iter().map(|name| name.replace("ipv", "IPv"))
}

/// The same above the headline of a run.
pub(super) fn own_network(reach: &Reach) -> String {
    let told = |family| {
        format!(
            "OWN NETWORK: over {family} TCP opened nowhere, at {SUSPECT_NETWORKS_MIN} networks or more.\n  \
             Such hosts may be there for others: they are undetermined, network_suspect.\n\n"
        )
    };
    suspects(reach).map(told).collect()
}

/// What there is to say, and to do, where no resolver answered.
pub(super) fn no_resolver(resolver: &str) -> String {
    format!("no resolver answered ({resolver}); --resolver ADDR:PORT names another")
}

/// Whether no resolver said anything of a target. One that named mail hosts has
/// answered, whatever it says of their addresses.
pub(super) fn is_unanswered(facts: &DomainFacts) -> bool {
    let named = matches!(facts.target.subject, Subject::Domain(_)) && !facts.smart_hosts;
    let answered = named && !facts.exchanges.is_empty();
    !answered && facts.failure.as_ref().is_some_and(is_no_answer)
}

/// Whether time ran out, the connection ended, or this machine failed. SERVFAIL
/// is an answer.
fn is_no_answer(failure: &Failure) -> bool {
    failure.phase == Phase::Dns && matches!(failure.kind, Kind::Timeout | Kind::Closed | Kind::LocalError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_dir::fixtures::{domain, rejected};

    fn failed(kind: Kind, detail: Option<&str>) -> Record {
        let mut record = domain();
        record.facts.exchanges.clear();
        let failure = Failure::new(Phase::Dns, kind);
        record.facts.failure = Some(match detail {
            Some(detail) => failure.with_detail(detail),
            None => failure,
        });
        Record::Domain(Box::new(record))
    }

    fn hint(records: &[Record], directory: Option<&str>) -> Option<String> {
        let mut asked = AnswerCount::default();
        records.iter().for_each(|record| asked.add(record));
        let (list, resolver) = ("list.csv".to_string(), "192.0.2.53:53".to_string());
        ListEnd { asked, reach: Reach::default(), list, resolver, require_targets: false }
            .hint(directory.map(Path::new))
    }

    #[test]
    fn no_resolver_answers_only_if_none_did() {
        let silent = failed(Kind::Timeout, None);
        let local = failed(Kind::LocalError, Some("no connections available"));
        let refused = failed(Kind::Closed, Some("Connection refused (os error 111)"));
        let told = "no resolver answered (192.0.2.53:53); --resolver ADDR:PORT names another";
        assert_eq!(hint(&[silent.clone(), local, refused], None).as_deref(), Some(told));
        assert_eq!(hint(&[silent.clone(), Record::Rejected(rejected())], None).as_deref(), Some(told));
        let Record::Domain(mut host_silent) = silent.clone() else { unreachable!() };
        host_silent.facts.exchanges = domain().facts.exchanges;
        for answer in [
            Record::Domain(host_silent),
            failed(Kind::Servfail, Some("Server Failure")),
            failed(Kind::Nxdomain, None),
            Record::Domain(Box::new(domain())),
        ] {
            assert_eq!(hint(&[silent.clone(), answer.clone()], None), None, "{answer:?}");
        }
    }

    #[test]
    fn a_list_of_rejected_lines_says_where_the_causes_are() {
        let lines = [Record::Rejected(rejected()), Record::Rejected(rejected())];
        let told = hint(&lines, Some("run")).unwrap();
        assert!(told.contains("every line of list.csv was rejected (2 in all; line "), "{told}");
        assert!(told.contains("; run/rejects.csv says why; "), "{told}");
        assert!(hint(&lines, None).unwrap().contains("; -o RUN_DIR keeps rejects.csv, which says why; "));
        assert_eq!(hint(&[], None), None);
    }
}
