//! The columns of `domains.csv`: one row for each target, the same columns for
//! the endpoint that the verdict rests on and, with `weakest_` before, for the
//! weakest.

use super::closed;
use super::column::{Column, column, due, number, one_of, why, words, yes_no};
use super::policies;
use super::side::{best, weakest};
use super::value::Value;
use super::why::Why;
use crate::model::mta_sts::StsMode;
use crate::model::{
    Basis, Check, ConnectorVerdict, DomainRecord, Logged, NegotiatedTls, PossibleDelivery, Promise, Subject,
    TlsRptResult, TlsSettings,
};

fn session(record: &DomainRecord) -> Option<&NegotiatedTls> {
    record.verdict.outcome.session.as_deref()
}

/// Each with its reason, blanks between.
fn possible(deliveries: &[PossibleDelivery]) -> Value<'static> {
    if deliveries.is_empty() {
        return Value::Absent;
    }
    Value::joined(deliveries.iter().map(PossibleDelivery::to_string), " ")
}

fn basis(basis: Option<Basis>) -> Value<'static> {
    Value::text(basis.map(Basis::name))
}

/// The `domain` column: what the target is called.
pub(super) fn label(subject: &Subject) -> Value<'_> {
    match subject {
        Subject::Domain(domain) => Value::Text(domain.as_str().into()),
        other => Value::Text(other.label().into()),
    }
}

/// Whether MX records were asked for at all.
fn asked_dns(record: &DomainRecord) -> bool {
    matches!(record.facts.target.subject, Subject::Domain(_))
}

fn check(check: Check) -> Value<'static> {
    Value::Text(check.to_string().into())
}

fn connector(record: &DomainRecord) -> Option<&ConnectorVerdict> {
    record.verdict.connector.as_ref()
}

fn connector_logged(record: &DomainRecord) -> Option<&Logged> {
    connector(record)?.logged.as_ref()
}

/// The columns of `domains.csv`, in order.
pub const DOMAINS: &[Column<DomainRecord>] = &[
    due(number("line", "Line number in the input, from 1.", |r| Value::Number(r.facts.target.line))),
    due(column(
        "domain",
        "The domain in lower-case A-labels; for an endpoint its name, else its address, with the port where the line has one.",
        |r| label(&r.facts.target.subject),
    )),
    column("tld", "Its top-level domain; empty for an endpoint.", |r| {
        Value::text(r.facts.target.subject.domain().and_then(|domain| domain.rsplit('.').next()))
    }),
    column("mx_host", "MX host of the endpoint that `delivery` rests on.", |r| best(r).mx_host()),
    column(
        "mx_operator",
        "Registrable domain of that MX host, by the Public Suffix List: who runs it.",
        |r| best(r).mx_operator(),
    ),
    number(
        "mx_preference",
        "Preference of that MX; empty if the line is an endpoint, for which no MX is looked up.",
        |r| {
            if asked_dns(r) { best(r).mx_preference() } else { Value::Absent }
        },
    ),
    yes_no("implicit_mx", "Whether the domain has no MX record and is its own mail host.", |r| {
        Value::flag(asked_dns(r).then_some(r.facts.implicit_mx))
    }),
    column("ip", "Address of the endpoint.", |r| best(r).ip()),
    number("port", "TCP port of the endpoint.", |r| best(r).port()),
    column(
        "sni",
        "Name sent to the endpoint as SNI: `mx_host`, or the TLSA base domain where `mx_host` is an alias and that counts.",
        |r| best(r).sni(),
    ),
    column(
        "inferred_from",
        "Whose connections the row tells of, if that name was not asked: as in `endpoints.csv`.",
        |r| best(r).inferred_from(),
    ),
    due(one_of(closed::PHASES, "phase", "Where the attempt ended; `after_tls` if nothing failed.", |r| {
        best(r).phase()
    })),
    due(one_of(closed::OUTCOMES, "outcome", "`ok`, or what ended the attempt.", |r| best(r).outcome())),
    number("reply_code", "SMTP reply code, if a reply ended the attempt.", |r| best(r).reply_code()),
    column("alert", "TLS alert by its registered name, if an alert ended the attempt.", |r| best(r).alert()),
    yes_no(
        "starttls_offered",
        "Whether the reply to EHLO listed STARTTLS; empty if there was no such reply, or it is not known which reply it was.",
        |r| best(r).starttls_offered(),
    ),
    column("sender", "Whose mail the verdict is about.", |r| Value::Text((&*r.verdict.sender).into())),
    due(one_of(
        closed::DELIVERIES,
        "delivery",
        "What becomes of mail. If hosts of one preference, or addresses of one host, differ, the worst of it.",
        |r| Value::Text(r.verdict.outcome.delivery.name().into()),
    )),
    why(
        Why::Reason,
        &[],
        "reason",
        "Why the delivery is not encrypted: phase and outcome that decided it.",
        |r| Value::name(r.verdict.outcome.reason.map(|reason| reason.to_string().into())),
    ),
    one_of(
        closed::BASES,
        "basis",
        "What `delivery` rests on; see `docs/senders.md`. Empty if `delivery` is `undetermined`.",
        |r| basis(r.verdict.outcome.basis),
    ),
    words(why(
        Why::ReasonAgain,
        closed::POSSIBLE_DELIVERIES,
        "delivery_also",
        "What else may become of it, if hosts of one preference, or addresses of one host, differ: each as `encrypted` or `plaintext:REASON`, worst first, blanks between.",
        |r| possible(&r.verdict.also),
    )),
    words(why(
        Why::ReasonAgain,
        closed::OTHERWISE_DELIVERIES,
        "otherwise",
        "If one host, or an unknown policy of MTA-STS, leaves `delivery` undetermined: what would become of mail if that host were not there, or without a policy, written as in `delivery_also`.",
        |r| possible(&r.verdict.otherwise),
    )),
    column(
        "enhanced_code",
        "Reply code and enhanced status code that the sender logs, where that is published.",
        |r| Value::text(r.verdict.outcome.logged.as_ref().map(|logged| &*logged.code)),
    ),
    column("enhanced_text", "The text that it logs beside the code.", |r| {
        Value::text(r.verdict.outcome.logged.as_ref().map(|logged| &*logged.text))
    }),
    one_of(
        closed::ALL_VERSIONS,
        "delivery_tls_version",
        "Version that the sender would get; empty if that is not known.",
        |r| Value::name(session(r).and_then(|session| session.version).map(|version| version.name())),
    ),
    column("delivery_cipher_suite", "Cipher suite that it would get.", |r| {
        Value::name(session(r).and_then(|session| session.suite).map(|suite| suite.name()))
    }),
    column("delivery_key_exchange_group", "Group of the key exchange that it would get.", |r| {
        Value::name(session(r).and_then(|session| session.group).map(|group| group.name()))
    }),
    yes_no(
        "delivery_forward_secrecy",
        "Whether that session stays secret when the server's key is lost.",
        |r| Value::flag(session(r).and_then(NegotiatedTls::forward_secrecy)),
    ),
    number(
        "steps_down",
        "How many suites of its offer the sender prefers to the one that it would get.",
        |r| Value::number(session(r).and_then(|session| session.steps_down)),
    ),
    words(column("declined_suites", "Those suites, which the server did not choose, best first.", |r| {
        match session(r) {
            Some(session) if !session.declined_suites.is_empty() => {
                Value::joined(session.declined_suites.iter().map(|suite| suite.name()), " ")
            }
            _ => Value::Absent,
        }
    })),
    why(
        Why::Open(closed::AUTHENTICATED_OPEN),
        closed::AUTHENTICATED,
        "authenticated",
        "By what the sender knows that it talks to the host it means, if `delivery` is `encrypted`: by nothing, by the policy of MTA-STS and a certificate, or by TLSA records. Of several hosts that take the mail the least; `undetermined` where one that may take it before them leaves that open.",
        policies::authenticated,
    ),
    why(
        Why::Open(closed::DANE_OPEN),
        closed::DANE,
        "dane",
        "How that host stands to DANE, whether the sender uses it or not; empty if TLSA records were not asked for.",
        policies::dane,
    ),
    column(
        "dane_detail",
        "Which TLSA record fits which certificate, or why none does, and which records are of no use and why.",
        |r| Value::text(r.verdict.policies.dane_detail.as_deref()),
    ),
    number(
        "tlsa_records",
        "TLSA records of that host; empty if they were not asked for or there was no answer.",
        |r| r.verdict.policies.tlsa_records.map_or(Value::Absent, Value::count),
    ),
    why(
        Why::Open(closed::DNSSEC_MX_OPEN),
        closed::DNSSEC_MX,
        "dnssec_mx",
        "Whether a resolver that validates vouches for the MX records, or that there are none; empty if that was not asked.",
        policies::dnssec_mx,
    ),
    why(
        Why::Open(closed::MTA_STS_OPEN),
        closed::MTA_STS,
        "mta_sts",
        "How the domain stands to MTA-STS, as a sender finds it that has no policy in its cache: the first thing that is wrong. Empty if that was not asked.",
        policies::mta_sts,
    ),
    one_of(closed::MTA_STS_MODES, "mta_sts_mode", "Mode of the policy; empty if none holds.", |r| {
        Value::text(r.verdict.policies.mta_sts_mode.map(StsMode::name))
    }),
    column("mta_sts_detail", "What is wrong, in words.", |r| {
        Value::text(r.verdict.policies.mta_sts_detail.as_deref())
    }),
    why(
        Why::Open(&[]),
        closed::TLS_RPT,
        "tls_rpt",
        "Whether the domain asks for reports on TLS (RFC 8460), or what is wrong with the record by which it does; empty if that was not asked.",
        policies::tls_rpt,
    ),
    one_of(
        closed::TLS_RPT_RESULTS,
        "tls_rpt_result",
        "What such a report would call the policy of DANE or MTA-STS that fails first; empty if there is none or it holds.",
        |r| Value::text(r.verdict.policies.tls_rpt_result.map(TlsRptResult::name)),
    ),
    one_of(
        closed::ALL_VERSIONS,
        "server_best_version",
        "Newest version that the best MX agreed to, in the handshake or in any further ClientHello.",
        |r| {
            Value::name(
                best(r).finding().and_then(|finding| finding.server_best().0).map(|version| version.name()),
            )
        },
    ),
    column("server_best_suite", "Cipher suite that it chose first in that version.", |r| {
        Value::name(best(r).finding().and_then(|finding| finding.server_best().1).map(|suite| suite.name()))
    }),
    one_of(
        closed::PROMISES,
        "exchange_online_promise",
        "At an MX host of Exchange Online: whether it keeps Microsoft's promise of TLS 1.2 or newer with forward secrecy, and, if its TLSA records are signed, does as they say.",
        |r| Value::text(r.verdict.promise.map(Promise::name)),
    ),
    one_of(
        closed::SCANNER_VERSIONS,
        "tls_version",
        "Negotiated version, as `TLSv1.3`. This and all columns of the handshake and the certificate are about the scanner's first handshake, even if the sender is judged by a second one.",
        |r| best(r).tls_version(),
    ),
    column("cipher_suite", "Negotiated cipher suite by its IANA name.", |r| best(r).cipher_suite()),
    column("key_exchange_group", "Group of the key exchange by its IANA name.", |r| {
        best(r).key_exchange_group()
    }),
    yes_no(
        "forward_secrecy",
        "Whether the key exchange of `cipher_suite` is ephemeral; if that is empty, the one of `server_best_suite`.",
        |r| best(r).forward_secrecy(),
    ),
    one_of(
        closed::CHAINS,
        "cert_chain",
        "Whether the certificate chain leads to a trusted root; dates and names apart.",
        |r| best(r).cert_chain(),
    ),
    words(column(
        "cert_trusted_by",
        "Root stores that trust the chain, blanks between; see `docs/trust.md`.",
        |r| best(r).root().map_or(Value::Absent, |root| Value::joined(&root.trusted_by, " ")),
    )),
    column("cert_root", "Subject of the root that a valid chain ends in.", |r| {
        Value::text(best(r).root().and_then(|root| root.subject.as_deref()))
    }),
    column("cert_root_sha256", "SHA-256 of that root's certificate.", |r| {
        best(r).root().and_then(|root| root.sha256.as_ref()).map_or(Value::Absent, Value::Digest)
    }),
    one_of(closed::DATES, "cert_dates", "Whether the leaf is valid at the moment of the verdict.", |r| {
        best(r).cert_dates()
    }),
    one_of(
        closed::NAMES,
        "cert_name",
        "Which name the leaf carries: that of the MX host, else the domain, else neither.",
        |r| best(r).cert_name(),
    ),
    one_of(closed::KEYS, "cert_key", "How strong the leaf's key is (RFC 9325 §4.5).", |r| {
        best(r).cert_key()
    }),
    column("cert_sha256", "SHA-256 of the leaf; its row in `certificates.csv`.", |r| best(r).cert_sha256()),
    one_of(
        closed::EXPECTATIONS,
        "cert_expectation",
        "What the leaf is by `--expect`; see `docs/expectations.md`.",
        |r| Value::text(best(r).expected(r).map(|expected| expected.status.name())),
    ),
    column("cert_expectation_detail", "Which row of the expectation that is, or what differs.", |r| {
        Value::text(best(r).expected(r).map(|expected| expected.detail.as_str()))
    }),
    number("mx_count", "Mail hosts that the DNS names for the domain.", |r| {
        Value::count(r.facts.exchanges.len().saturating_add(r.facts.hosts_excess().unwrap_or_default()))
    }),
    number(
        "mx_excess",
        "How many of these were not looked at: those beyond the first 100. Empty if an old run did not count them.",
        |r| r.facts.hosts_excess().map_or(Value::Absent, Value::count),
    ),
    number(
        "address_excess",
        "How many addresses of the hosts were not looked at: those beyond the first 32 of each. Empty if an old run did not count them.",
        |r| r.facts.addresses_excess().map_or(Value::Absent, Value::count),
    ),
    column(
        "weakest_mx_host",
        "MX host of the weakest endpoint that takes mail, by what this sender would get.",
        |r| weakest(r).mx_host(),
    ),
    number("weakest_mx_preference", "As `mx_preference`, of the weakest.", |r| {
        if asked_dns(r) { weakest(r).mx_preference() } else { Value::Absent }
    }),
    column("weakest_ip", "As `ip`, of the weakest.", |r| weakest(r).ip()),
    number("weakest_port", "As `port`, of the weakest.", |r| weakest(r).port()),
    column("weakest_sni", "As `sni`, of the weakest.", |r| weakest(r).sni()),
    one_of(closed::WEAKEST_PHASES, "weakest_phase", "As `phase`, of the weakest.", |r| weakest(r).phase()),
    one_of(closed::WEAKEST_OUTCOMES, "weakest_outcome", "As `outcome`, of the weakest.", |r| {
        weakest(r).outcome()
    }),
    number("weakest_reply_code", "As `reply_code`, of the weakest.", |r| weakest(r).reply_code()),
    column("weakest_alert", "As `alert`, of the weakest.", |r| weakest(r).alert()),
    one_of(closed::WEAKEST_DELIVERIES, "weakest_delivery", "As `delivery`, of the weakest.", |r| {
        weakest(r).delivery()
    }),
    why(Why::ReasonAgain, &[], "weakest_reason", "As `reason`, of the weakest.", |r| weakest(r).reason()),
    one_of(
        closed::ALL_VERSIONS,
        "weakest_tls_version",
        "As `tls_version`, of the weakest. If the scanner's first handshake failed there, or this sender is judged by a second one: the version that this sender would get.",
        |r| weakest(r).any_version(),
    ),
    column("weakest_cipher_suite", "As `cipher_suite`, in the same way.", |r| weakest(r).any_suite()),
    column("weakest_key_exchange_group", "As `key_exchange_group`, in the same way.", |r| {
        weakest(r).any_group()
    }),
    yes_no("weakest_forward_secrecy", "As `forward_secrecy`, in the same way.", |r| {
        weakest(r).any_forward_secrecy()
    }),
    one_of(
        closed::CHAINS,
        "weakest_cert_chain",
        "As `cert_chain`, of the weakest: about the certificate in the handshake by which this sender is judged, be it the first or a second one. Empty if that handshake showed none, or none that the sender is shown as well (`certificate_not_seen`).",
        |r| weakest(r).cert_chain(),
    ),
    one_of(closed::DATES, "weakest_cert_dates", "As `cert_dates`, of the same certificate.", |r| {
        weakest(r).cert_dates()
    }),
    one_of(closed::NAMES, "weakest_cert_name", "As `cert_name`, of the same certificate.", |r| {
        weakest(r).cert_name()
    }),
    one_of(closed::KEYS, "weakest_cert_key", "As `cert_key`, of the same certificate.", |r| {
        weakest(r).cert_key()
    }),
    column("weakest_cert_sha256", "As `cert_sha256`, of the same certificate.", |r| weakest(r).cert_sha256()),
    yes_no("smart_hosts", "Whether the endpoints are the smart hosts of the connector, not the MX.", |r| {
        Value::flag(asked_dns(r).then_some(r.facts.smart_hosts))
    }),
    due(why(
        Why::Check(TlsSettings::EncryptionOnly),
        closed::CHECKS,
        "encryption_only",
        "Whether mail passes under TlsSettings EncryptionOnly; `fail` and `undetermined` have a reason behind a colon. One endpoint that passes is enough. If none passes and one is not known, it is `undetermined`. If all fail, the reason is that of the endpoint that got furthest; among equals, names and addresses do not decide which.",
        |r| check(r.verdict.forced.encryption_only),
    )),
    one_of(closed::BASES, "encryption_only_basis", "As `basis`, of `encryption_only`.", |r| {
        basis(r.verdict.forced_basis.encryption_only)
    }),
    due(why(
        Why::Check(TlsSettings::CertificateValidation),
        closed::CHECKS,
        "certificate_validation",
        "As `encryption_only`, under CertificateValidation: chain and dates; revocation is not looked at.",
        |r| check(r.verdict.forced.certificate_validation),
    )),
    one_of(closed::BASES, "certificate_validation_basis", "As `basis`, of `certificate_validation`.", |r| {
        basis(r.verdict.forced_basis.certificate_validation)
    }),
    due(why(
        Why::Check(TlsSettings::DomainValidation),
        closed::CHECKS,
        "domain_validation",
        "As `encryption_only`, under DomainValidation with the recipient domain as TlsDomain.",
        |r| check(r.verdict.forced.domain_validation),
    )),
    one_of(closed::BASES, "domain_validation_basis", "As `basis`, of `domain_validation`.", |r| {
        basis(r.verdict.forced_basis.domain_validation)
    }),
    column("connector", "The connector of `--connectors` that takes mail to the domain.", |r| {
        Value::text(connector(r).map(|connector| &*connector.name))
    }),
    one_of(closed::CONNECTOR_DELIVERIES, "connector_delivery", "What becomes of mail under it.", |r| {
        Value::text(connector(r).map(|connector| connector.delivery.name()))
    }),
    why(
        Why::Connector,
        &[],
        "connector_reason",
        "Why mail under it is not delivered, as behind the colon of the checks.",
        |r| Value::text(connector(r).and_then(|connector| connector.reason.as_deref())),
    ),
    column("connector_code", "What the sender logs then, where that is published, as `450 4.4.317`.", |r| {
        Value::text(connector_logged(r).map(|logged| &*logged.code))
    }),
    column(
        "connector_detail",
        "The text that the sender logs beside that code; the inner error where there is one.",
        |r| Value::text(connector_logged(r).map(|logged| &*logged.text)),
    ),
    column("detail", "The failure in words, where there is one: what the server or the DNS said.", |r| {
        Value::text(best(r).failure.and_then(|failure| failure.detail.as_deref()))
    }),
];
