//! Closed sets of values: what the cells of a column may hold, beside being
//! empty. A value that no server can bring about is a promise that nobody
//! keeps: `tests/columns.rs` looks for a scenario or a test behind each.

use super::value::NOT_RECORDED;
use crate::model::{DaneStand, Kind, StsStand, TlsRptResult};

/// Answers to a question.
pub(super) const YES_NO: &[&str] = &["yes", "no"];

/// Answers to a question that a run may be too old to have written down.
pub(super) const YES_NO_NOT_RECORDED: &[&str] = &["yes", "no", NOT_RECORDED];

/// Where a target can end. After QUIT nothing is a failure.
pub(super) const PHASES: &[&str] =
    &["input", "dns", "connect", "greeting", "ehlo", "starttls", "tls", "after_tls"];

/// Where a probe can end.
pub(super) const PROBE_PHASES: &[&str] = &["connect", "greeting", "ehlo", "starttls", "tls", "after_tls"];

/// Where the scanner's own attempt can end at a host that takes the sender's
/// mail: at one that was not asked before it connects.
pub(super) const WEAKEST_PHASES: &[&str] = &["connect", "ehlo", "starttls", "tls", "after_tls"];

/// Where a mail host is lost before any probe.
pub(super) const MX_PHASES: &[&str] = &["dns", "connect"];

/// What ends a target: `ok` and every kind of failure.
pub(super) const OUTCOMES: &[&str] = &outcomes::<{ 1 + Kind::ALL.len() }>(true);

/// What ends a probe: all of [`OUTCOMES`] but those of a lookup.
pub(super) const PROBE_OUTCOMES: &[&str] = &outcomes::<{ 1 + Kind::ALL.len() - OF_LOOKUPS }>(false);

/// How many kinds of failure end lookups alone.
const OF_LOOKUPS: usize = {
    let (mut count, mut place) = (0, 0);
    while place < Kind::ALL.len() {
        count += Kind::ALL[place].is_of_lookups_alone() as usize;
        place += 1;
    }
    count
};

/// `ok`, and the kinds of failure in their order, those of lookups with the others
/// or left out. It is worked out by the compiler, which allows no iterator here.
const fn outcomes<const COUNT: usize>(with_lookups: bool) -> [&'static str; COUNT] {
    let mut names = ["ok"; COUNT];
    let (mut place, mut next) = (0, 1);
    while place < Kind::ALL.len() {
        if with_lookups || !Kind::ALL[place].is_of_lookups_alone() {
            names[next] = Kind::ALL[place].name();
            next += 1;
        }
        place += 1;
    }
    names
}

/// What ends the scanner's own attempt at a host that takes the sender's mail:
/// the server says that there is no TLS, or a handshake came to nothing; or it
/// went wrong inside TLS, and the sender, whose handshake has another form, is
/// refused and goes on in clear; or it was not asked, as a sample of the names of its
/// address stands for it.
/// `tests/columns.rs` judges every failure, and holds that there are no others.
pub(super) const WEAKEST_OUTCOMES: &[&str] = &[
    "ok",
    "not_asked",
    "timeout",
    "helo_only",
    "not_offered",
    "keyword_mangled",
    "refused",
    "refused_temporarily",
    "alert",
    "closed",
    "malformed",
    "no_common_version",
    "no_common_suite",
    "client_certificate_required",
    "client_certificate_refused",
    "signature_failed",
    "bad_certificate",
    "downgrade_detected",
    "illegal_parameter",
    "not_tls",
    "local_error",
    "throttled",
    "tempfail",
    "unexpected_code",
    "too_long",
    "too_many_bytes",
    "ehlo_rejected",
];

/// Why a mail host has no address.
pub(super) const MX_OUTCOMES: &[&str] = &[
    "blocklisted",
    "special_use_name",
    "nxdomain",
    "no_data",
    "servfail",
    "timeout",
    "null_mx",
    "mx_unusable",
    "no_route",
    "closed",
    "local_error",
];

/// What becomes of mail.
pub(super) const DELIVERIES: &[&str] =
    &["encrypted", "plaintext", "deferred", "undeliverable", "undetermined"];

/// What becomes of mail through one endpoint.
pub(super) const PROBE_DELIVERIES: &[&str] = &["encrypted", "plaintext", "deferred", "undetermined"];

/// What becomes of mail through a host that takes it.
pub(super) const WEAKEST_DELIVERIES: &[&str] = &["encrypted", "plaintext"];

/// What else may become of mail, or otherwise; all but the last with a reason.
pub(super) const POSSIBLE_DELIVERIES: &[&str] = &["plaintext", "deferred", "encrypted"];

/// What would become of it if a host, or a policy, was not there.
pub(super) const OTHERWISE_DELIVERIES: &[&str] = &["plaintext", "undeliverable", "deferred", "encrypted"];

/// What becomes of mail under a connector.
pub(super) const CONNECTOR_DELIVERIES: &[&str] = &["delivered", "deferred", "undeliverable", "undetermined"];

/// By what a sender knows the host; the last with a cause.
pub(super) const AUTHENTICATED: &[&str] = &["none", "sts", "dane", "undetermined"];

/// Causes behind it.
pub(super) const AUTHENTICATED_OPEN: &[&str] = &["not_asked", "no_validating_resolver"];

/// How a host stands to DANE; the last with a cause.
pub(super) const DANE: &[&str] = &and_undetermined::<{ DaneStand::NAMES.len() + 1 }>(DaneStand::NAMES);

/// Causes behind it.
pub(super) const DANE_OPEN: &[&str] = &[
    "no_validating_resolver",
    "tlsa_lookup_failed",
    "tlsa_excess",
    "tlsa_hosts_excess",
    "dane_unverifiable",
    "dane_certificate_not_seen",
];

/// How a domain stands to MTA-STS; the last with a cause.
pub(super) const MTA_STS: &[&str] = &and_undetermined::<{ StsStand::NAMES.len() + 1 }>(StsStand::NAMES);

/// Causes behind it.
pub(super) const MTA_STS_OPEN: &[&str] = &["sts_policy_unknown"];

/// Modes of a policy.
pub(super) const MTA_STS_MODES: &[&str] = &["enforce", "testing", "none"];

/// What stands where reports on TLS are asked for.
pub(super) const TLS_RPT: &[&str] = &[
    "yes",
    "none",
    "faulty_several",
    "faulty_version",
    "faulty_field",
    "faulty_no_rua",
    "faulty_uri",
    "undetermined",
];

/// What a report on TLS calls a policy that fails (RFC 8460 §4.3).
pub(super) const TLS_RPT_RESULTS: &[&str] = &results::<{ TlsRptResult::ALL.len() }>();

/// Whether anybody vouches for the MX records; the last with a cause.
pub(super) const DNSSEC_MX: &[&str] = &["secure", "insecure", "bogus", "undetermined"];

/// The cause behind it.
pub(super) const DNSSEC_MX_OPEN: &[&str] = &["no_validating_resolver"];

/// These and `undetermined`.
const fn and_undetermined<const COUNT: usize>(names: &[&'static str]) -> [&'static str; COUNT] {
    let mut all = ["undetermined"; COUNT];
    let mut place = 0;
    while place < names.len() {
        all[place] = names[place];
        place += 1;
    }
    all
}

/// The names of [`TlsRptResult`].
const fn results<const COUNT: usize>() -> [&'static str; COUNT] {
    let mut all = [""; COUNT];
    let mut place = 0;
    while place < TlsRptResult::ALL.len() {
        all[place] = TlsRptResult::ALL[place].name();
        place += 1;
    }
    all
}

/// What a verdict rests on.
pub(super) const BASES: &[&str] = &["observed", "inferred", "assumed"];

/// Of a check of forced TLS; the last two have a reason behind a colon.
pub(super) const CHECKS: &[&str] = &["pass", "fail", "undetermined"];

/// Whether a promise is kept.
pub(super) const PROMISES: &[&str] = &["kept", "broken", "undetermined"];

/// Versions that the scanner's own handshake offers.
pub(super) const SCANNER_VERSIONS: &[&str] = &["TLSv1.3", "TLSv1.2"];

/// Versions that senders and further hellos offer.
pub(super) const ALL_VERSIONS: &[&str] = &["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3"];

/// Classes of cipher suites.
pub(super) const SUITE_CLASSES: &[&str] = &["recommended", "acceptable", "weak", "broken"];

/// Whether a chain is trusted; dates and names apart.
pub(super) const CHAINS: &[&str] = &[
    "valid",
    "self_signed",
    "untrusted_root",
    "incomplete_chain",
    "expired_root",
    "invalid",
    "unverifiable",
];

/// A leaf's validity.
pub(super) const DATES: &[&str] = &["valid", "expired", "not_yet_valid", "unreadable"];

/// Which name a leaf carries.
pub(super) const NAMES: &[&str] = &["mx_host", "domain", "none"];

/// Which name it carries where no domain is known.
pub(super) const PROBE_NAMES: &[&str] = &["mx_host", "none"];

/// A leaf's key.
pub(super) const KEYS: &[&str] = &["strong", "weak", "unknown"];

/// A leaf by an expectation.
pub(super) const EXPECTATIONS: &[&str] = &["current", "deprecated", "unexpected", "undetermined"];

/// The server's signature over the handshake.
pub(super) const SIGNATURES: &[&str] = &["verified", "failed", "unverifiable"];

/// What became of our client certificate.
pub(super) const CLIENT_CERTIFICATES: &[&str] = &["never_asked", "not_shown", "shown", "accepted", "refused"];

/// How replies break the letter of RFC 5321.
pub(super) const DEVIATIONS: &[&str] = &[
    "bare_lf",
    "bare_cr",
    "nul_byte",
    "control_character",
    "eight_bit",
    "overlong_line",
    "empty_line",
    "unsolicited_reply",
];

/// Whose order of suites decides.
pub(super) const PREFERENCES: &[&str] = &["server", "client", "undetermined"];

/// Why suites may be missing.
pub(super) const SUITE_GAPS: &[&str] =
    &["throttled", "timeout", "hang_up", "alert", "unreadable", "not_asked", "budget"];

/// Why groups may be missing.
pub(super) const GROUP_GAPS: &[&str] =
    &["throttled", "timeout", "hang_up", "alert", "unreadable", "not_asked", "budget", "certificate_curve"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Phase;

    #[test]
    fn every_kind_and_phase_is_there() {
        assert_eq!((OUTCOMES[0], OUTCOMES.last()), ("ok", Some(&"ehlo_rejected")));
        assert_eq!((PROBE_OUTCOMES[0], PROBE_OUTCOMES.last()), ("ok", Some(&"ehlo_rejected")));
        let phases = Phase::ALL.iter().filter(|phase| **phase != Phase::Quit).map(|phase| phase.name());
        assert_eq!(PHASES, phases.collect::<Vec<_>>());
        for (part, whole) in [
            (PROBE_PHASES, PHASES),
            (WEAKEST_PHASES, PHASES),
            (MX_PHASES, PHASES),
            (PROBE_OUTCOMES, OUTCOMES),
            (WEAKEST_OUTCOMES, OUTCOMES),
            (MX_OUTCOMES, OUTCOMES),
            (PROBE_DELIVERIES, DELIVERIES),
            (WEAKEST_DELIVERIES, DELIVERIES),
        ] {
            assert!(part.iter().all(|value| whole.contains(value)), "{part:?}");
        }
    }
}
