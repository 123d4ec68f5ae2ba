//! One inbound connector as a file describes it, before it is known to be consistent.
//!
//! TOML and CSV both end here, so that both are held to the same rules: those that
//! Microsoft documents for New-InboundConnector.

use crate::model::DomainName;
use crate::model::inbound::{DomainScope, InboundConnector, InboundConnectorType};
use crate::sender::connector::entry::{check_name, told};
use crate::sender::connector::{ConnectorError, FileLine};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Most SenderDomains of one connector, and most AssociatedAcceptedDomains.
pub const INBOUND_DOMAINS_MAX: usize = 10_000;
/// Most SenderIPAddresses of one connector.
pub const INBOUND_ADDRESSES_MAX: usize = 10_000;
/// Shortest prefix of a range in SenderIPAddresses, in bits (New-InboundConnector).
pub const SENDER_RANGE_PREFIX_MIN: u8 = 24;

/// What a file says of one connector; what it leaves out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InboundEntry {
    pub place: FileLine,
    pub name: String,
    pub disabled: bool,
    pub connector_type: String,
    pub sender_domains: Vec<String>,
    pub associated_accepted_domains: Vec<String>,
    /// `None` where the file does not tell: Microsoft gave either value as the default.
    pub require_tls: Option<bool>,
    pub tls_sender_certificate_name: String,
    pub restrict_domains_to_certificate: bool,
    pub restrict_domains_to_ip_addresses: bool,
    pub sender_ip_addresses: Vec<String>,
}

impl InboundEntry {
    /// An error about this connector.
    pub(super) fn wrong(&self, what: impl Into<String>) -> ConnectorError {
        ConnectorError::of(self.place, &self.name, what)
    }

    /// Checks it and gives the connector.
    pub(super) fn check(&self) -> Result<InboundConnector, ConnectorError> {
        check_name(self.place, &self.name)?;
        let connector_type = self.connector_type()?;
        let is_partner = connector_type == InboundConnectorType::Partner;
        let connector = InboundConnector {
            name: self.name.as_str().into(),
            connector_type,
            sender_domains: self.sender_domains()?,
            associated_accepted_domains: self.associated_accepted_domains()?,
            // These apply to Partner only; the hybrid wizard sets RequireTls of others, too.
            require_tls: is_partner && self.require_tls()?,
            restrict_domains_to_certificate: is_partner && self.restrict_domains_to_certificate,
            restrict_domains_to_ip_addresses: is_partner && self.restrict_domains_to_ip_addresses,
            tls_sender_certificate_name: self.certificate_name()?,
            sender_ip_addresses: self.addresses()?,
        };
        match connector_type {
            InboundConnectorType::Partner => self.check_partner(&connector)?,
            InboundConnectorType::OnPremises => self.check_on_premises(&connector)?,
        }
        Ok(connector)
    }

    fn connector_type(&self) -> Result<InboundConnectorType, ConnectorError> {
        match self.connector_type.trim().to_ascii_lowercase().as_str() {
            "partner" => Ok(InboundConnectorType::Partner),
            "onpremises" => Ok(InboundConnectorType::OnPremises),
            _ => {
                let given = &self.connector_type;
                Err(self.wrong(format!("ConnectorType `{given}` is neither Partner nor OnPremises")))
            }
        }
    }

    fn require_tls(&self) -> Result<bool, ConnectorError> {
        self.require_tls.ok_or_else(|| self.wrong("RequireTls is not told: True or False"))
    }

    fn check_partner(&self, connector: &InboundConnector) -> Result<(), ConnectorError> {
        let named = connector.tls_sender_certificate_name.is_some();
        if connector.sender_domains.is_empty() {
            return Err(self.wrong("it matches no mail: no SenderDomains"));
        }
        if connector.restrict_domains_to_certificate && !named {
            return Err(
                self.wrong("RestrictDomainsToCertificate is true, which needs TlsSenderCertificateName")
            );
        }
        if named && !connector.require_tls && !connector.restrict_domains_to_certificate {
            return Err(self.wrong(
                "TlsSenderCertificateName goes with RequireTls or RestrictDomainsToCertificate, and neither is true",
            ));
        }
        if connector.restrict_domains_to_ip_addresses && connector.sender_ip_addresses.is_empty() {
            return Err(self.wrong("RestrictDomainsToIPAddresses is true, which needs SenderIPAddresses"));
        }
        Ok(())
    }

    fn check_on_premises(&self, connector: &InboundConnector) -> Result<(), ConnectorError> {
        if connector.tls_sender_certificate_name.is_none() && connector.sender_ip_addresses.is_empty() {
            return Err(self.wrong(
                "it matches no mail: type OnPremises needs TlsSenderCertificateName or SenderIPAddresses",
            ));
        }
        Ok(())
    }

    fn sender_domains(&self) -> Result<Vec<DomainScope>, ConnectorError> {
        self.check_number(&self.sender_domains, INBOUND_DOMAINS_MAX, "SenderDomains")?;
        let parse = |text: &String| {
            DomainScope::parse(text).map_err(|error| self.wrong(format!("SenderDomains `{text}`: {error}")))
        };
        self.sender_domains.iter().map(parse).collect()
    }

    fn associated_accepted_domains(&self) -> Result<Vec<DomainName>, ConnectorError> {
        let given = &self.associated_accepted_domains;
        self.check_number(given, INBOUND_DOMAINS_MAX, "AssociatedAcceptedDomains")?;
        let parse = |text: &String| {
            let parsed = DomainName::parse(text);
            parsed.map_err(|error| self.wrong(format!("AssociatedAcceptedDomains `{text}`: {error}")))
        };
        given.iter().map(parse).collect()
    }

    fn certificate_name(&self) -> Result<Option<DomainScope>, ConnectorError> {
        let Some(given) = told(&self.tls_sender_certificate_name) else { return Ok(None) };
        if given.get(1..).is_some_and(|rest| rest.contains('*')) || given == "*" {
            return Err(self.wrong(format!(
                "TlsSenderCertificateName `{given}`: a wildcard stands alone at the beginning, as in *.contoso.com"
            )));
        }
        let parsed = DomainScope::parse(given).map(Some);
        parsed.map_err(|error| self.wrong(format!("TlsSenderCertificateName `{given}`: {error}")))
    }

    fn addresses(&self) -> Result<Vec<Ipv4Net>, ConnectorError> {
        self.check_number(&self.sender_ip_addresses, INBOUND_ADDRESSES_MAX, "SenderIPAddresses")?;
        self.sender_ip_addresses.iter().map(|text| self.address(text)).collect()
    }

    fn address(&self, text: &str) -> Result<Ipv4Net, ConnectorError> {
        let range = text.parse::<Ipv4Net>().ok();
        let range = range.or_else(|| text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from));
        let fits = range.filter(|range| range.prefix_len() >= SENDER_RANGE_PREFIX_MIN);
        fits.ok_or_else(|| {
            self.wrong(format!(
                "SenderIPAddresses `{text}` is neither an IPv4 address nor a range of \
                /{SENDER_RANGE_PREFIX_MIN} to /32"
            ))
        })
    }

    fn check_number(&self, given: &[String], max: usize, what: &str) -> Result<(), ConnectorError> {
        if given.len() > max {
            return Err(self.wrong(format!("more than {max} {what}")));
        }
        Ok(())
    }
}
