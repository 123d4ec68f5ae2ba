//! The columns that `domains.csv` has of an endpoint: of the one on which the
//! verdict rests, and of the weakest.

use super::value::Value;
use crate::model::{
    Check, CheckCause, CipherSuite, DomainRecord, Exchange, ExpectationMatch, Failure, Finding, MxHost,
    NegotiatedTls, Phase, ProbeKey, TlsFinding, TrustedRoot, View,
};

/// One of the two endpoints of a row.
pub(super) struct Side<'a> {
    view: Option<&'a View>,
    /// What a handshake showed there: of the best the scanner's first, of the
    /// weakest that by which the sender is judged.
    tls: Option<&'a TlsFinding>,
    /// The same of the certificate: of the weakest only where it is, as far as can
    /// be told, the one that the sender is shown.
    certified: Option<&'a TlsFinding>,
    /// A host without addresses, where the verdict rests on one.
    unresolved: Option<&'a Exchange>,
    pub(super) failure: Option<&'a Failure>,
}

/// That on which the verdict rests: an endpoint, a host without addresses, or
/// what ended before any probe.
pub(super) fn best(record: &DomainRecord) -> Side<'_> {
    let (facts, verdict) = (&record.facts, &record.verdict);
    if verdict.best.is_some() {
        let tls = verdict.best.as_ref().and_then(|view| view.finding().tls.as_ref());
        return side(verdict.best.as_ref(), tls);
    }
    let unresolved = verdict.unresolved.and_then(|exchange| facts.exchanges.get(exchange));
    let failure = unresolved.map_or(facts.failure.as_ref(), Exchange::why_unresolved);
    Side { view: None, tls: None, certified: None, unresolved, failure }
}

/// The weakest that takes mail.
pub(super) fn weakest(record: &DomainRecord) -> Side<'_> {
    let view = record.verdict.weakest.as_ref();
    let weakest = side(view, view.and_then(|view| view.endpoint.handshake()));
    let not_seen = Check::Undetermined(CheckCause::CertificateNotSeen);
    let is_seen = view.is_some_and(|view| view.endpoint.certificate != not_seen);
    Side { certified: weakest.tls.filter(|_| is_seen), ..weakest }
}

fn side<'a>(view: Option<&'a View>, tls: Option<&'a TlsFinding>) -> Side<'a> {
    let failure = view.and_then(|view| view.finding().failure.as_ref());
    Side { view, tls, certified: tls, unresolved: None, failure }
}

impl<'a> Side<'a> {
    pub(super) fn finding(&self) -> Option<&'a Finding> {
        self.view.map(View::finding)
    }

    fn host(&self) -> Option<&'a MxHost> {
        let unresolved = self.unresolved.and_then(|exchange| exchange.host.as_ref());
        self.view.map_or(unresolved, |view| view.host.as_ref())
    }

    pub(super) fn mx_host(&self) -> Value<'a> {
        Value::text(self.host().map(MxHost::as_str))
    }

    pub(super) fn mx_preference(&self) -> Value<'a> {
        let unresolved = self.unresolved.map(|exchange| exchange.preference);
        Value::number(self.view.map(|view| view.preference).or(unresolved))
    }

    /// Who runs the host, by its name.
    pub(super) fn mx_operator(&self) -> Value<'a> {
        Value::text(self.host().and_then(MxHost::operator))
    }

    pub(super) fn starttls_offered(&self) -> Value<'a> {
        let offered =
            |finding: &Finding| finding.failure.as_ref().map_or(Some(true), Failure::starttls_offered);
        Value::flag(self.finding().and_then(offered))
    }

    pub(super) fn ip(&self) -> Value<'a> {
        self.finding().map_or(Value::Absent, |finding| Value::Ip(finding.key.endpoint.ip))
    }

    pub(super) fn port(&self) -> Value<'a> {
        Value::number(self.finding().map(|finding| finding.key.endpoint.port))
    }

    pub(super) fn sni(&self) -> Value<'a> {
        Value::text(self.finding().and_then(|finding| finding.key.sni.as_ref()).map(MxHost::as_str))
    }

    /// The name whose connections are told, or without one the address.
    pub(super) fn inferred_from(&self) -> Value<'a> {
        match self.view.and_then(|view| view.endpoint.stand_in.as_deref()) {
            None => Value::Absent,
            Some(ProbeKey { sni: Some(name), .. }) => Value::text(Some(name.as_str())),
            Some(ProbeKey { endpoint, sni: None }) => Value::Ip(endpoint.ip),
        }
    }

    pub(super) fn phase(&self) -> Value<'a> {
        let ended = self.failure.map(|failure| failure.phase);
        let phase = ended.or(self.view.map(|_| Phase::AfterTls));
        Value::text(phase.map(Phase::name))
    }

    pub(super) fn outcome(&self) -> Value<'a> {
        let kind = self.failure.map(|failure| failure.kind.name());
        Value::text(kind.or(self.view.map(|_| "ok")))
    }

    pub(super) fn reply_code(&self) -> Value<'a> {
        Value::number(self.failure.and_then(|failure| failure.reply_code))
    }

    pub(super) fn alert(&self) -> Value<'a> {
        Value::name(self.failure.and_then(|failure| failure.alert).map(|alert| alert.name()))
    }

    pub(super) fn delivery(&self) -> Value<'a> {
        Value::text(self.view.map(|view| view.outcome().delivery.name()))
    }

    pub(super) fn reason(&self) -> Value<'a> {
        let reason = self.view.and_then(|view| view.outcome().reason);
        Value::name(reason.map(|reason| reason.to_string().into()))
    }

    pub(super) fn tls_version(&self) -> Value<'a> {
        Value::name(self.tls.and_then(|tls| tls.version).map(|version| version.name()))
    }

    pub(super) fn cipher_suite(&self) -> Value<'a> {
        Value::name(self.tls.and_then(|tls| tls.suite).map(|suite| suite.name()))
    }

    pub(super) fn key_exchange_group(&self) -> Value<'a> {
        Value::name(self.tls.and_then(|tls| tls.group).map(|group| group.name()))
    }

    pub(super) fn forward_secrecy(&self) -> Value<'a> {
        Value::flag(self.finding().and_then(Finding::forward_secrecy))
    }

    /// What mail would be encrypted with there, where the scanner's first
    /// handshake came to nothing or is not the one by which the sender is judged.
    fn session(&self) -> Option<&'a NegotiatedTls> {
        let without = self.tls.is_none_or(|tls| tls.version.is_none());
        let of_sender = |view: &&View| without || view.endpoint.second_handshake.is_some();
        self.view.filter(of_sender)?.outcome().session.as_deref()
    }

    /// The version of the handshake, or else the one that mail would get.
    pub(super) fn any_version(&self) -> Value<'a> {
        let version = self.session().and_then(|session| session.version);
        version.map_or_else(|| self.tls_version(), |version| Value::Text(version.name()))
    }

    /// The same for the suite.
    pub(super) fn any_suite(&self) -> Value<'a> {
        let suite = self.session().and_then(|session| session.suite);
        suite.map_or_else(|| self.cipher_suite(), |suite| Value::Text(suite.name()))
    }

    /// The same for the group.
    pub(super) fn any_group(&self) -> Value<'a> {
        let group = self.session().and_then(|session| session.group);
        group.map_or_else(|| self.key_exchange_group(), |group| Value::Text(group.name()))
    }

    /// The same for forward secrecy.
    pub(super) fn any_forward_secrecy(&self) -> Value<'a> {
        let secrecy = self.session().and_then(NegotiatedTls::forward_secrecy);
        let own = || self.tls.and_then(|tls| tls.suite).and_then(CipherSuite::forward_secrecy);
        Value::flag(secrecy.or_else(own))
    }

    pub(super) fn cert_chain(&self) -> Value<'a> {
        Value::text(self.certified.and_then(|tls| tls.chain).map(|status| status.name()))
    }

    pub(super) fn expected(&self, record: &DomainRecord) -> Option<&'a ExpectationMatch> {
        let host = self.view.and_then(|view| view.host.as_ref()).map(|host| host.as_str());
        let domain = record.facts.target.subject.domain();
        ExpectationMatch::for_host(&self.certified?.expectations, domain, host)
    }

    pub(super) fn root(&self) -> Option<&'a TrustedRoot> {
        self.certified.and_then(|tls| tls.root.as_deref())
    }

    pub(super) fn cert_dates(&self) -> Value<'a> {
        Value::text(self.certified.and_then(|tls| tls.dates).map(|status| status.name()))
    }

    pub(super) fn cert_name(&self) -> Value<'a> {
        Value::text(self.certified.and(self.view).and_then(|view| view.name).map(|status| status.name()))
    }

    pub(super) fn cert_key(&self) -> Value<'a> {
        Value::text(self.certified.and_then(|tls| tls.key).map(|status| status.name()))
    }

    pub(super) fn cert_sha256(&self) -> Value<'a> {
        let leaf = self.certified.and_then(|tls| tls.leaf.as_deref());
        leaf.map_or(Value::Absent, |leaf| Value::Digest(&leaf.sha256))
    }
}
