//! The columns of `domains.csv`: one row for each target, the same columns for
//! the endpoint that the verdict rests on and, with `weakest_` before, for the
//! weakest.

use super::column::{Column, column};
use super::side::{best, weakest};
use super::value::Value;
use crate::model::{
    Basis, Check, ConnectorVerdict, DomainRecord, Logged, PossibleDelivery, Promise, Session, Subject,
};

fn session(record: &DomainRecord) -> Option<&Session> {
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
    column("line", "Line number in the input, from 1.", |r| Value::Number(r.facts.target.line)),
    column(
        "domain",
        "The domain in lower-case A-labels; for an endpoint its name, else its address, with the port where the line has one.",
        |r| label(&r.facts.target.subject),
    ),
    column("mx_host", "MX host of the endpoint that `delivery` rests on.", |r| best(r).mx_host()),
    column(
        "mx_preference",
        "Preference of that MX; empty for an endpoint, whose MX nobody asked for.",
        |r| {
            if asked_dns(r) { best(r).mx_preference() } else { Value::Absent }
        },
    ),
    column("implicit_mx", "Whether the domain has no MX record and is its own mail host.", |r| {
        Value::flag(asked_dns(r).then_some(r.facts.implicit_mx))
    }),
    column("ip", "Address of the endpoint.", |r| best(r).ip()),
    column("port", "TCP port of the endpoint.", |r| best(r).port()),
    column("phase", "Where the attempt ended; `after_tls` if it ran to its end.", |r| best(r).phase()),
    column("outcome", "`ok`, or what ended the attempt.", |r| best(r).outcome()),
    column("reply_code", "SMTP reply code, if a reply ended the attempt.", |r| best(r).reply_code()),
    column("alert", "TLS alert by its registered name, if an alert ended the attempt.", |r| best(r).alert()),
    column("sender", "Whose mail the verdict is about.", |r| Value::Text((&*r.verdict.sender).into())),
    column(
        "delivery",
        "What becomes of mail: `encrypted`, `plaintext`, `deferred`, `undeliverable` or `undetermined`; the worst where hosts of one preference, or addresses of one host, differ.",
        |r| Value::Text(r.verdict.outcome.delivery.name().into()),
    ),
    column("reason", "Why the delivery is not encrypted: phase and outcome that decided it.", |r| {
        Value::name(r.verdict.outcome.reason.map(|reason| reason.to_string().into()))
    }),
    column(
        "basis",
        "What `delivery` rests on: `observed`, `inferred` or `assumed`; empty where nothing is known of it.",
        |r| basis(r.verdict.outcome.basis),
    ),
    column(
        "delivery_also",
        "What else may become of it, where hosts of one preference, or addresses of one host, differ: each as `encrypted` or `plaintext:REASON`, worst first, blanks between.",
        |r| possible(&r.verdict.also),
    ),
    column(
        "otherwise",
        "Where one host leaves `delivery` undetermined: what would become of mail if that host stayed away, as in `delivery_also`, worst first.",
        |r| possible(&r.verdict.otherwise),
    ),
    column(
        "enhanced_code",
        "Reply code and enhanced status code that the sender logs, where that is published.",
        |r| Value::text(r.verdict.outcome.logged.as_ref().map(|logged| &*logged.code)),
    ),
    column("enhanced_text", "What it logs beside the code.", |r| {
        Value::text(r.verdict.outcome.logged.as_ref().map(|logged| &*logged.text))
    }),
    column(
        "delivery_tls_version",
        "Version that the sender would get; empty where that is not known.",
        |r| Value::name(session(r).and_then(|session| session.version).map(|version| version.name())),
    ),
    column("delivery_cipher_suite", "Cipher suite that it would get.", |r| {
        Value::name(session(r).and_then(|session| session.suite).map(|suite| suite.name()))
    }),
    column("delivery_key_exchange_group", "Group of the key exchange that it would get.", |r| {
        Value::name(session(r).and_then(|session| session.group).map(|group| group.name()))
    }),
    column(
        "delivery_forward_secrecy",
        "Whether that session stays secret when the server's key is lost.",
        |r| Value::flag(session(r).and_then(Session::forward_secrecy)),
    ),
    column("steps_down", "How many suites of the sender's offer stand before the one it would get.", |r| {
        Value::number(session(r).and_then(|session| session.steps_down))
    }),
    column("skipped", "Those better suites, which the server declined, best first.", |r| match session(r) {
        Some(session) if !session.skipped.is_empty() => {
            Value::joined(session.skipped.iter().map(|suite| suite.name()), " ")
        }
        _ => Value::Absent,
    }),
    column("server_best_version", "Newest version that the best MX agreed to, in whatever hello.", |r| {
        Value::name(
            best(r).finding().and_then(|finding| finding.server_best().0).map(|version| version.name()),
        )
    }),
    column("server_best_suite", "Cipher suite that it chose there first.", |r| {
        Value::name(best(r).finding().and_then(|finding| finding.server_best().1).map(|suite| suite.name()))
    }),
    column(
        "exchange_online_mx",
        "At an MX host of Exchange Online: whether TLS 1.2 or newer with forward secrecy was `kept` or `broken`, or `undetermined`.",
        |r| Value::text(r.verdict.promise.map(Promise::name)),
    ),
    column("tls_version", "Negotiated version, as `TLSv1.3`.", |r| best(r).tls_version()),
    column("cipher_suite", "Negotiated cipher suite by its IANA name.", |r| best(r).cipher_suite()),
    column("key_exchange_group", "Group of the key exchange by its IANA name.", |r| {
        best(r).key_exchange_group()
    }),
    column("forward_secrecy", "Whether the key exchange is ephemeral.", |r| best(r).forward_secrecy()),
    column(
        "cert_chain",
        "`valid`, `self_signed`, `untrusted_root`, `incomplete_chain`, `expired_root`, `invalid` or `unverifiable`; dates and names apart.",
        |r| best(r).cert_chain(),
    ),
    column(
        "cert_trusted_by",
        "Root stores that trust the chain, blanks between; see `docs/trust.md`.",
        |r| best(r).root().map_or(Value::Absent, |root| Value::joined(&root.trusted_by, " ")),
    ),
    column("cert_root", "Subject of the root that a valid chain ends in.", |r| {
        Value::text(best(r).root().and_then(|root| root.subject.as_deref()))
    }),
    column("cert_root_sha256", "SHA-256 of that root's certificate.", |r| {
        best(r).root().and_then(|root| root.sha256.as_ref()).map_or(Value::Absent, Value::Digest)
    }),
    column("cert_dates", "`valid`, `expired`, `not_yet_valid` or `unreadable`: the leaf's validity.", |r| {
        best(r).cert_dates()
    }),
    column("cert_name", "Which name the leaf carries: `mx_host`, `domain` or `none`.", |r| {
        best(r).cert_name()
    }),
    column("cert_key", "`strong`, `weak` or `unknown`: the leaf's key (RFC 9325 §4.5).", |r| {
        best(r).cert_key()
    }),
    column("cert_sha256", "SHA-256 of the leaf; its row in `certificates.csv`.", |r| best(r).cert_sha256()),
    column(
        "cert_expectation",
        "`current`, `deprecated`, `unexpected` or `undetermined`: the leaf by `--expect`; see `docs/expectations.md`.",
        |r| Value::text(best(r).expected(r).map(|expected| expected.status.name())),
    ),
    column("cert_expectation_detail", "Which row of the expectation that is, or what differs.", |r| {
        Value::text(best(r).expected(r).map(|expected| expected.detail.as_str()))
    }),
    column("mx_count", "Mail hosts that the DNS names for the domain.", |r| {
        Value::count(r.facts.exchanges.len().saturating_add(r.facts.hosts_excess().unwrap_or_default()))
    }),
    column(
        "mx_excess",
        "Of these, the hosts beyond the hundredth, at which nobody looked; empty in an old run that did not count them.",
        |r| r.facts.hosts_excess().map_or(Value::Absent, Value::count),
    ),
    column(
        "address_excess",
        "Addresses of the hosts, beyond 32 of each, at which nobody looked; empty in an old run that did not count them.",
        |r| r.facts.addresses_excess().map_or(Value::Absent, Value::count),
    ),
    column(
        "weakest_mx_host",
        "MX host of the weakest endpoint that takes mail, by what this sender would get.",
        |r| weakest(r).mx_host(),
    ),
    column("weakest_mx_preference", "As `mx_preference`, of the weakest.", |r| {
        if asked_dns(r) { weakest(r).mx_preference() } else { Value::Absent }
    }),
    column("weakest_ip", "As `ip`, of the weakest.", |r| weakest(r).ip()),
    column("weakest_port", "As `port`, of the weakest.", |r| weakest(r).port()),
    column("weakest_phase", "As `phase`, of the weakest.", |r| weakest(r).phase()),
    column("weakest_outcome", "As `outcome`, of the weakest.", |r| weakest(r).outcome()),
    column("weakest_reply_code", "As `reply_code`, of the weakest.", |r| weakest(r).reply_code()),
    column("weakest_alert", "As `alert`, of the weakest.", |r| weakest(r).alert()),
    column("weakest_delivery", "As `delivery`, of the weakest.", |r| weakest(r).delivery()),
    column("weakest_reason", "As `reason`, of the weakest.", |r| weakest(r).reason()),
    column(
        "weakest_tls_version",
        "As `tls_version`, of the weakest; where the scanner's own handshake failed there, the one that this sender would get.",
        |r| weakest(r).any_version(),
    ),
    column("weakest_cipher_suite", "As `cipher_suite`, in the same way.", |r| weakest(r).any_suite()),
    column("weakest_key_exchange_group", "As `key_exchange_group`, in the same way.", |r| {
        weakest(r).any_group()
    }),
    column("weakest_forward_secrecy", "As `forward_secrecy`, in the same way.", |r| {
        weakest(r).any_forward_secrecy()
    }),
    column("weakest_cert_chain", "As `cert_chain`, of the weakest.", |r| weakest(r).cert_chain()),
    column("weakest_cert_dates", "As `cert_dates`, of the weakest.", |r| weakest(r).cert_dates()),
    column("weakest_cert_name", "As `cert_name`, of the weakest.", |r| weakest(r).cert_name()),
    column("weakest_cert_key", "As `cert_key`, of the weakest.", |r| weakest(r).cert_key()),
    column("weakest_cert_sha256", "As `cert_sha256`, of the weakest.", |r| weakest(r).cert_sha256()),
    column("smart_hosts", "Whether the endpoints are the smart hosts of the connector, not the MX.", |r| {
        Value::flag(asked_dns(r).then_some(r.facts.smart_hosts))
    }),
    column(
        "encryption_only",
        "Whether mail passes under TlsSettings EncryptionOnly: `pass`, `fail:REASON`, `undetermined:REASON`. One endpoint that passes is enough; where none does, one that may still keeps it `undetermined`. The reason of a failure is that of the endpoint that got furthest, the first of equals.",
        |r| check(r.verdict.forced.encryption_only),
    ),
    column("encryption_only_basis", "As `basis`, of `encryption_only`.", |r| {
        basis(r.verdict.forced_basis.encryption_only)
    }),
    column(
        "certificate_validation",
        "As `encryption_only`, under CertificateValidation: chain and dates; revocation is not looked at.",
        |r| check(r.verdict.forced.certificate_validation),
    ),
    column("certificate_validation_basis", "As `basis`, of `certificate_validation`.", |r| {
        basis(r.verdict.forced_basis.certificate_validation)
    }),
    column(
        "domain_validation",
        "As `encryption_only`, under DomainValidation with the recipient domain as TlsDomain.",
        |r| check(r.verdict.forced.domain_validation),
    ),
    column("domain_validation_basis", "As `basis`, of `domain_validation`.", |r| {
        basis(r.verdict.forced_basis.domain_validation)
    }),
    column("connector", "The connector of `--connectors` that takes mail to the domain.", |r| {
        Value::text(connector(r).map(|connector| &*connector.name))
    }),
    column(
        "connector_delivery",
        "`delivered`, `deferred`, `undeliverable` or `undetermined` under it.",
        |r| Value::text(connector(r).map(|connector| connector.passage.name())),
    ),
    column(
        "connector_reason",
        "Why mail under it is not delivered, as behind the colon of the checks.",
        |r| Value::text(connector(r).and_then(|connector| connector.reason.as_deref())),
    ),
    column("connector_code", "What the sender logs then, where that is published, as `450 4.4.317`.", |r| {
        Value::text(connector_logged(r).map(|logged| &*logged.code))
    }),
    column("connector_detail", "The words beside that code: the inner error where there is one.", |r| {
        Value::text(connector_logged(r).map(|logged| &*logged.text))
    }),
    column("detail", "What a person would want to read of the failure of the best.", |r| {
        Value::text(best(r).failure.and_then(|failure| failure.detail.as_deref()))
    }),
];
