//! What an enumeration found, as a table.

use crate::model::text::counted;
use crate::model::{AcceptedGroups, AcceptedSuite, Enumeration, Gap, Preference, VersionSuites};
use std::fmt::{self, Write};

/// Tells each version, its suites in the order in which the server chose them,
/// and its groups.
pub(super) fn write(out: &mut String, found: &Enumeration) -> fmt::Result {
    writeln!(out, "  suites, by {}", counted(found.connections as u64, "connection"))?;
    for version in &found.versions {
        write_version(out, version)?;
    }
    if found.sslv2 {
        writeln!(out, "    SSLv2    a hello was answered in SSLv2")?;
    }
    Ok(())
}

fn write_version(out: &mut String, found: &VersionSuites) -> fmt::Result {
    let what = match (found.suites.len(), found.gap) {
        (0, None) => "not spoken".to_string(),
        (0, Some(gap)) => format!("not determined ({})", cause(gap)),
        (count, gap) => {
            let order = found.preference.map_or("", order);
            let rest = gap.map_or(String::new(), |gap| format!("; incomplete: {}", cause(gap)));
            format!("{}{order}{rest}", counted(count as u64, "suite"))
        }
    };
    writeln!(out, "    {:<8} {what}", found.version.name())?;
    found.suites.iter().try_for_each(|accepted| write_suite(out, accepted))?;
    found.groups.as_ref().map_or(Ok(()), |groups| write_groups(out, groups))
}

fn write_suite(out: &mut String, accepted: &AcceptedSuite) -> fmt::Result {
    let class = accepted.suite.class().map_or("unknown", |class| class.name());
    write!(out, "      {class:<12} {}", accepted.suite)?;
    match accepted.dh_bits {
        Some(bits) => writeln!(out, "  (DH {bits} bits)"),
        None => writeln!(out),
    }
}

fn write_groups(out: &mut String, found: &AcceptedGroups) -> fmt::Result {
    let names: Vec<_> = found.groups.iter().map(|group| group.name()).collect();
    write!(
        out,
        "      groups       {}",
        if names.is_empty() { "none known".into() } else { names.join(" ") }
    )?;
    match found.gap {
        Some(gap) => writeln!(out, "  (incomplete: {})", cause(gap)),
        None => writeln!(out),
    }
}

fn order(preference: Preference) -> &'static str {
    match preference {
        Preference::Server => ", in the server's order of preference",
        Preference::Client => ", of which the client's order decides",
        Preference::Undetermined => ", whose order decides is not determined",
    }
}

fn cause(gap: Gap) -> &'static str {
    match gap {
        Gap::Throttled => "the server asked us to go away",
        Gap::Timeout => "no answer in time",
        Gap::HangUp => "the server hung up",
        Gap::Alert => "refused by an alert that does not say why",
        Gap::Unreadable => "the answer cannot be read",
        Gap::NotAsked => "the dialogue did not come to TLS again",
        Gap::Budget => "the limit of connections was reached",
        Gap::CertificateCurve => "the certificate's own curve has to be among those offered",
    }
}
