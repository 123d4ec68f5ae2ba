//! The columns of `endpoints.csv`: one row for each probed key, with all that
//! was seen. What it means for a domain stands in `domains.csv`.

use super::closed;
use super::column::{CellKind, Column, column, due, number, of, one_of, time, why, words, yes_no};
use super::value::Value;
use super::why::Why;
use crate::model::text::ELLIPSIS;
use crate::model::{
    CipherSuite, Deviation, Dialogue, EndpointRecord, ExpectationMatch, Failure, Observation, Phase,
    ProtocolVersion, Reason, Reply, ServerBest, TlsObservation, TrustedRoot,
};
use std::borrow::Cow;

fn tls(record: &EndpointRecord) -> Option<&TlsObservation> {
    record.observation.tls.as_ref()
}

/// A server of TLS 1.2 and before gives an id or none; only a run of schema 1
/// does not know which.
fn session_id(record: &EndpointRecord) -> Value<'_> {
    let Some(tls) = tls(record) else { return Value::Absent };
    match (tls.session_id, tls.version) {
        (None, Some(version)) if version < ProtocolVersion::TLS13 => Value::not_recorded(),
        (known, _) => Value::flag(known),
    }
}

fn best(record: &EndpointRecord) -> Option<ServerBest> {
    ServerBest::of(&record.observation)
}

fn phase(record: &EndpointRecord) -> Phase {
    record.observation.failure.as_ref().map_or(Phase::AfterTls, |failure| failure.phase)
}

fn outcome(record: &EndpointRecord) -> &'static str {
    record.observation.failure.as_ref().map_or("ok", |failure| failure.kind.name())
}

/// Suite of the handshake, or where that came to none the best one that the
/// server agreed to in a further hello.
fn suite(record: &EndpointRecord) -> Option<CipherSuite> {
    tls(record).and_then(|tls| tls.suite).or_else(|| best(record)?.suite)
}

/// The keywords of a 250 to EHLO, as sent, without their parameters; the first
/// line is the server's greeting and lists none (RFC 5321 §4.1.1.1).
fn keywords(reply: Option<&Reply>) -> Value<'_> {
    let lines = reply.filter(|reply| reply.code == 250).map(|reply| reply.lines.iter().skip(1));
    let words = lines.into_iter().flatten().filter_map(|line| line.split_ascii_whitespace().next());
    Value::joined(words, " ")
}

fn deviations(record: &EndpointRecord) -> Value<'static> {
    let seen = record.observation.dialogue.deviations();
    Value::joined(seen.into_iter().map(Deviation::name), " ")
}

fn plaintext_after_starttls(dialogue: &Dialogue) -> Value<'static> {
    let cut = if dialogue.plaintext_after_starttls_cut == Some(true) { ELLIPSIS } else { "" };
    Value::joined(
        [dialogue.plaintext_after_starttls.as_str(), cut].into_iter().filter(|text| !text.is_empty()),
        "",
    )
}

fn leaf_sha256(record: &EndpointRecord) -> Value<'_> {
    let leaf = record.assessment.as_ref().and_then(|assessment| assessment.certificates.first());
    leaf.map_or(Value::Absent, |leaf| Value::Digest(&leaf.sha256))
}

/// No domain is known here: an expectation about domains alone says nothing.
fn expected(record: &EndpointRecord) -> Option<&ExpectationMatch> {
    let host = record.observation.key.sni.as_ref().map(|host| host.as_str());
    ExpectationMatch::for_host(&record.assessment.as_ref()?.expectations, None, host)
}

fn root(record: &EndpointRecord) -> Option<&TrustedRoot> {
    record.assessment.as_ref().and_then(|assessment| assessment.root.as_deref())
}

fn other_attempts(record: &EndpointRecord) -> Value<'_> {
    let Observation { attempts, other_attempts, .. } = &record.observation;
    match other_attempts {
        None if *attempts > 1 => Value::not_recorded(),
        others => {
            let ends = others.iter().flatten().map(|other| other.failure.as_ref());
            let told = ends.map(|end| end.map_or("ok".to_string(), |end| Reason::from(end).to_string()));
            Value::joined(told, " ")
        }
    }
}

fn inferred_from(record: &EndpointRecord) -> Value<'_> {
    let Observation { inferred_from, key, .. } = &record.observation;
    match inferred_from.as_ref().map(|other| other.sni.as_ref()) {
        None => Value::text(None),
        Some(Some(name)) => Value::text(Some(name.as_str())),
        Some(None) => Value::Ip(key.endpoint.ip),
    }
}

/// The columns of `endpoints.csv`, in order.
pub const ENDPOINTS: &[Column<EndpointRecord>] = &[
    due(column("ip", "Address.", |r| Value::Ip(r.observation.key.endpoint.ip))),
    due(number("port", "TCP port.", |r| Value::Number(r.observation.key.endpoint.port.into()))),
    column("sni", "Name sent as SNI; empty if none was sent.", |r| {
        Value::text(r.observation.key.sni.as_ref().map(|name| name.as_str()))
    }),
    due(time("started", "Start of the connection that the row describes (UTC, milliseconds).", |r| {
        Value::Time(r.observation.started, 3)
    })),
    number(
        "attempts",
        "Connections made, those of further ClientHellos not counted; 0 if none was allowed (blocklist, private address).",
        |r| Value::Number(r.observation.attempts.into()),
    ),
    words(column(
        "other_attempts",
        "How the other connections ended, in order, blanks between: each `ok`, or phase and outcome, as `greeting_throttled`. The row describes the one that came furthest. `undetermined:not_recorded` in an old run that did not write them down.",
        other_attempts,
    )),
    column(
        "inferred_from",
        "The name (or, without one, the address) whose connections the row tells of, for this name was not asked. Nobody answered them, and what lies before the name is the same for every name of an address and port; or, with `outcome` `not_asked`, a sample of the names of the address was answered alike (`--sample`), and `delivery` is that of this one. Empty if it was asked itself.",
        inferred_from,
    ),
    due(one_of(
        closed::PROBE_PHASES,
        "phase",
        "Where the attempt ended; `after_tls` if nothing failed.",
        |r| Value::Text(phase(r).name().into()),
    )),
    due(one_of(closed::PROBE_OUTCOMES, "outcome", "`ok`, or what ended the attempt.", |r| {
        Value::Text(outcome(r).into())
    })),
    number("reply_code", "SMTP reply code, if a reply ended the attempt.", |r| {
        Value::number(r.observation.failure.as_ref().and_then(|failure| failure.reply_code))
    }),
    column("alert", "TLS alert by its registered name, if an alert ended the attempt.", |r| {
        let failure = r.observation.failure.as_ref();
        Value::name(failure.and_then(|failure| failure.alert).map(|alert| alert.name()))
    }),
    one_of(
        closed::PROBE_DELIVERIES,
        "delivery",
        "What delivery through this endpoint would be; see `domains.csv`.",
        |r| Value::Text(r.outcome.delivery.name().into()),
    ),
    why(
        Why::ReasonAtEndpoint,
        &[],
        "reason",
        "Why that is not encrypted: phase and outcome that decided it.",
        |r| Value::name(r.outcome.reason.map(|reason| reason.to_string().into())),
    ),
    yes_no(
        "starttls_offered",
        "Whether the reply to EHLO listed STARTTLS; empty if there was no such reply, or it is not known which reply it was.",
        |r| Value::flag(r.observation.failure.as_ref().map_or(Some(true), Failure::starttls_offered)),
    ),
    one_of(
        closed::SCANNER_VERSIONS,
        "tls_version",
        "Negotiated version, as `TLSv1.3`. This and all columns of the handshake and the certificate are about the scanner's first handshake; a second one is in the journal.",
        |r| Value::name(tls(r).and_then(|tls| tls.version).map(|version| version.name())),
    ),
    column("cipher_suite", "Negotiated cipher suite by its IANA name.", |r| {
        Value::name(tls(r).and_then(|tls| tls.suite).map(|suite| suite.name()))
    }),
    one_of(
        closed::SUITE_CLASSES,
        "cipher_suite_class",
        "How good that suite is; if there is none, `server_best_suite`.",
        |r| Value::text(suite(r).and_then(CipherSuite::class).map(|class| class.name())),
    ),
    column("key_exchange_group", "Group of the key exchange by its IANA name.", |r| {
        Value::name(tls(r).and_then(|tls| tls.group).map(|group| group.name()))
    }),
    yes_no(
        "forward_secrecy",
        "Whether the key exchange of `cipher_suite` is ephemeral; if that is empty, the one of `server_best_suite`.",
        |r| Value::flag(suite(r).and_then(CipherSuite::forward_secrecy)),
    ),
    column("signature_scheme", "Scheme of the server's handshake signature by its IANA name.", |r| {
        Value::name(tls(r).and_then(|tls| tls.signature_scheme).map(|scheme| scheme.name()))
    }),
    one_of(
        closed::SIGNATURES,
        "signature",
        "Whether that signature holds. `failed`: it does not, or its scheme was not offered. `unverifiable`: mxray cannot check it.",
        |r| Value::text(tls(r).and_then(|tls| tls.signature.as_ref()).map(|check| check.name())),
    ),
    column("signature_detail", "What mxray cannot check of an `unverifiable` signature.", |r| {
        Value::text(tls(r).and_then(|tls| tls.signature.as_ref()).and_then(|check| check.limit()))
    }),
    column("alpn", "ALPN protocol that the server chose, although none was offered.", |r| {
        Value::text(tls(r).and_then(|tls| tls.alpn.as_deref()))
    }),
    yes_no("hello_retry", "Whether the server asked for another key share.", |r| {
        Value::flag(tls(r).map(|tls| tls.hello_retry))
    }),
    yes_no("ocsp_stapled", "Whether an OCSP response was stapled.", |r| {
        Value::flag(tls(r).map(|tls| tls.ocsp_stapled))
    }),
    yes_no("client_certificate_requested", "Whether the server asked for a client certificate.", |r| {
        Value::flag(tls(r).map(|tls| tls.client_certificate_requested))
    }),
    one_of(
        closed::CLIENT_CERTIFICATES,
        "client_certificate",
        "What became of the scanner's client certificate. `shown`: it was sent, and whether the server accepted it is not known.",
        |r| Value::text(tls(r).map(|tls| tls.client_certificate.name())),
    ),
    of(
        CellKind::NumberOrWord,
        column(
            "tickets",
            "Resumption tickets that came before QUIT was answered; whether the server would accept one was not tried. `undetermined:not_recorded` in an old run that did not count them.",
            |r| {
                tls(r).map_or(Value::Absent, |tls| {
                    tls.tickets.map_or_else(Value::not_recorded, |n| Value::Number(n.into()))
                })
            },
        ),
    ),
    of(
        CellKind::FlagOrWord,
        one_of(
            closed::YES_NO_NOT_RECORDED,
            "session_id",
            "Whether a server of TLS 1.2 gave the session an id; whether it would resume the session was not tried.",
            session_id,
        ),
    ),
    one_of(
        closed::CHAINS,
        "cert_chain",
        "Whether the certificate chain leads to a trusted root; dates and names apart.",
        |r| Value::text(r.assessment.as_ref().map(|assessment| assessment.chain.name())),
    ),
    column(
        "cert_chain_detail",
        "Why the chain is not valid, in words. Of a valid one: who found it valid, if rustls-webpki did not.",
        |r| Value::text(r.assessment.as_ref().and_then(|assessment| assessment.chain_detail.as_deref())),
    ),
    words(column(
        "cert_trusted_by",
        "Root stores that trust the chain, blanks between; see `docs/trust.md`.",
        |r| root(r).map_or(Value::Absent, |root| Value::joined(&root.trusted_by, " ")),
    )),
    column("cert_root", "Subject of the root that a valid chain ends in.", |r| {
        Value::text(root(r).and_then(|root| root.subject.as_deref()))
    }),
    column("cert_root_sha256", "SHA-256 of that root's certificate.", |r| {
        root(r).and_then(|root| root.sha256.as_ref()).map_or(Value::Absent, Value::Digest)
    }),
    one_of(closed::DATES, "cert_dates", "Whether the leaf is valid at the moment of the verdict.", |r| {
        Value::text(r.assessment.as_ref().map(|assessment| assessment.dates.name()))
    }),
    one_of(closed::PROBE_NAMES, "cert_name", "Whether the leaf carries the name of the MX host.", |r| {
        Value::text(r.name.map(|name| name.name()))
    }),
    one_of(closed::KEYS, "cert_key", "How strong the leaf's key is (RFC 9325 §4.5).", |r| {
        Value::text(r.assessment.as_ref().map(|assessment| assessment.key.name()))
    }),
    column("cert_sha256", "SHA-256 of the leaf; its row in `certificates.csv`.", leaf_sha256),
    one_of(
        closed::EXPECTATIONS,
        "cert_expectation",
        "What the leaf is by `--expect`; see `docs/expectations.md`.",
        |r| Value::text(expected(r).map(|expected| expected.status.name())),
    ),
    column("cert_expectation_detail", "Which row of the expectation that is, or what differs.", |r| {
        Value::text(expected(r).map(|expected| expected.detail.as_str()))
    }),
    number("chain_length", "Certificates presented, those beyond the limit counted.", |r| {
        tls(r).map_or(Value::Absent, |tls| Value::count(tls.chain.len() + tls.chain_excess))
    }),
    number(
        "extra_client_hellos",
        "ClientHellos sent after that of the first handshake, second handshakes included, each on a connection of its own.",
        |r| Value::count(r.observation.extra_client_hellos.len()),
    ),
    one_of(
        closed::ALL_VERSIONS,
        "server_best_version",
        "Newest version that the server agreed to, in the handshake or in any further ClientHello.",
        |r| Value::name(best(r).map(|best| best.version.name())),
    ),
    column("server_best_suite", "Cipher suite that it chose first in that version.", |r| {
        Value::name(best(r).and_then(|best| best.suite).map(|suite| suite.name()))
    }),
    column("server_best_group", "Group of the key exchange that it chose with it.", |r| {
        Value::name(best(r).and_then(|best| best.group).map(|group| group.name()))
    }),
    number(
        "server_best_dh_bits",
        "Bits of the server's own Diffie-Hellman prime there; only further ClientHellos show it.",
        |r| Value::number(best(r).and_then(|best| best.dh_bits).map(|bits| bits as u64)),
    ),
    column(
        "greeting",
        "Lines of the banner, ` | ` between them, cut to 1024 bytes, an ellipsis included.",
        |r| Value::joined(r.observation.dialogue.greeting.iter().flat_map(|reply| &reply.lines), " | "),
    ),
    words(column(
        "ehlo_keywords",
        "Keywords of EHLO in clear, without parameters, cut as `greeting`.",
        |r| keywords(r.observation.dialogue.ehlo.as_ref()),
    )),
    words(column(
        "ehlo_tls_keywords",
        "Keywords of EHLO inside TLS, without parameters, cut as `greeting`.",
        |r| keywords(r.observation.dialogue.ehlo_tls.as_ref()),
    )),
    column(
        "plaintext_after_starttls",
        "Plaintext between the 220 to STARTTLS and the handshake, cut to 1024 bytes; an ellipsis then ends it.",
        |r| plaintext_after_starttls(&r.observation.dialogue),
    ),
    words(one_of(
        closed::DEVIATIONS,
        "deviations",
        "How replies, or what came instead of one, break RFC 5321; several with blanks between.",
        deviations,
    )),
    number("connect_us", "SYN to established, in microseconds.", |r| {
        Value::number(r.observation.timings.connect_us)
    }),
    number("greeting_us", "Established to the end of the banner, in microseconds.", |r| {
        Value::number(r.observation.timings.greeting_us)
    }),
    number("ehlo_us", "EHLO (and HELO) sent to answered, in microseconds.", |r| {
        Value::number(r.observation.timings.ehlo_us)
    }),
    number("starttls_us", "STARTTLS sent to answered, in microseconds.", |r| {
        Value::number(r.observation.timings.starttls_us)
    }),
    number("handshake_us", "ClientHello sent to session established, in microseconds.", |r| {
        Value::number(r.observation.timings.handshake_us)
    }),
    number("ehlo_tls_us", "EHLO inside TLS sent to answered, in microseconds.", |r| {
        Value::number(r.observation.timings.ehlo_tls_us)
    }),
    number("quit_us", "QUIT sent to answered, in microseconds.", |r| {
        Value::number(r.observation.timings.quit_us)
    }),
    number("total_us", "First SYN to the last byte, in microseconds.", |r| {
        Value::Number(r.observation.timings.total_us)
    }),
    number("bytes_in", "Bytes received on the socket, those after the last words not counted.", |r| {
        Value::Number(r.observation.bytes_in)
    }),
    number("bytes_out", "Bytes sent on the socket.", |r| Value::Number(r.observation.bytes_out)),
    column("detail", "The failure in words: what the server said, or what broke off.", |r| {
        let failure = r.observation.failure.as_ref();
        failure
            .and_then(|failure| failure.detail.as_deref())
            .map_or(Value::Absent, |detail| Value::Text(Cow::Borrowed(detail)))
    }),
];
