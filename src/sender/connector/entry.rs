//! One connector as a file describes it, before it is known to be consistent.
//!
//! TOML and CSV both end here, so that both are held to the same rules: those
//! that Microsoft documents for New-OutboundConnector.

use super::error::{ConnectorError, FileLine};
use crate::model::connector::{MtaStsMode, SMART_HOST_ADDRESSES_MAX, SmtpDaneMode};
use crate::model::{Connector, DomainName, Recipients, SmartHost, TlsDomain, TlsSettings};
use ipnet::IpNet;
use std::net::IpAddr;

/// Longest name of a connector, in bytes.
pub const CONNECTOR_NAME_BYTES_MAX: usize = 256;
/// Most recipient domains of one connector.
pub const CONNECTOR_RECIPIENTS_MAX: usize = 10_000;
/// Most smart hosts of one connector.
pub const CONNECTOR_SMART_HOSTS_MAX: usize = 64;

/// What a file says of one connector; what it leaves out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ConnectorEntry {
    pub place: FileLine,
    pub name: String,
    pub disabled: bool,
    pub recipients: Vec<String>,
    pub all_accepted_domains: bool,
    pub rule_scoped: bool,
    pub connector_type: String,
    pub tls_settings: String,
    pub tls_domain: String,
    pub avoids_mx: bool,
    pub smart_hosts: Vec<String>,
    pub all_via_on_premises: bool,
    pub smtp_dane_mode: String,
    pub mta_sts_mode: String,
}

impl ConnectorEntry {
    /// An error about this connector.
    pub(super) fn wrong(&self, what: impl Into<String>) -> ConnectorError {
        ConnectorError::of(self.place, &self.name, what)
    }

    /// Checks it and gives the connector.
    pub(super) fn check(&self) -> Result<Connector, ConnectorError> {
        check_name(self.place, &self.name)?;
        self.check_type()?;
        let tls_settings = self.tls_settings()?;
        Ok(Connector {
            name: self.name.as_str().into(),
            recipients: self.recipients()?,
            all_accepted_domains: self.all_accepted_domains,
            tls_settings,
            tls_domain: self.tls_domain(tls_settings)?,
            smart_hosts: self.smart_hosts()?,
            smtp_dane_mode: self.smtp_dane_mode()?,
            mta_sts_mode: self.mta_sts_mode()?,
        })
    }

    fn smtp_dane_mode(&self) -> Result<SmtpDaneMode, ConnectorError> {
        let Some(given) = told(&self.smtp_dane_mode) else { return Ok(SmtpDaneMode::default()) };
        let known = SmtpDaneMode::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(given));
        known.ok_or_else(|| {
            self.wrong(format!("SmtpDaneMode `{given}` is not Opportunistic, Mandatory or None"))
        })
    }

    fn mta_sts_mode(&self) -> Result<MtaStsMode, ConnectorError> {
        let Some(given) = told(&self.mta_sts_mode) else { return Ok(MtaStsMode::default()) };
        let known = MtaStsMode::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(given));
        known.ok_or_else(|| self.wrong(format!("MtaStsMode `{given}` is neither Opportunistic nor None")))
    }

    fn check_type(&self) -> Result<(), ConnectorError> {
        let on_premises = match self.connector_type.to_ascii_lowercase().as_str() {
            "" => self.all_via_on_premises,
            "onpremises" => true,
            "partner" => false,
            _ => {
                let given = &self.connector_type;
                return Err(self.wrong(format!("ConnectorType `{given}` is neither Partner nor OnPremises")));
            }
        };
        if self.all_via_on_premises && !on_premises {
            return Err(self.wrong("RouteAllMessagesViaOnPremises is for connectors of type OnPremises only"));
        }
        Ok(())
    }

    fn tls_settings(&self) -> Result<TlsSettings, ConnectorError> {
        let given = self.tls_settings.trim();
        if given.is_empty() || given.eq_ignore_ascii_case("$null") {
            return Ok(TlsSettings::None);
        }
        let all = [TlsSettings::None].into_iter().chain(TlsSettings::FORCED);
        let mut fitting = all.filter(|settings| settings.name().eq_ignore_ascii_case(given));
        fitting.next().ok_or_else(|| {
            self.wrong(format!(
                "TlsSettings `{given}` is not EncryptionOnly, CertificateValidation or DomainValidation"
            ))
        })
    }

    fn tls_domain(&self, settings: TlsSettings) -> Result<Option<TlsDomain>, ConnectorError> {
        let given = self.tls_domain.trim();
        if given.is_empty() || given.eq_ignore_ascii_case("$null") {
            return Ok(None);
        }
        if settings != TlsSettings::DomainValidation {
            return Err(self.wrong(format!(
                "TlsDomain `{given}` goes with TlsSettings DomainValidation only, which is {settings}"
            )));
        }
        if given.get(1..).is_some_and(|rest| rest.contains('*')) || given == "*" {
            return Err(self.wrong(format!(
                "TlsDomain `{given}`: a wildcard stands alone at the beginning, as in *.contoso.com"
            )));
        }
        let parsed = TlsDomain::parse(given);
        parsed.map(Some).map_err(|error| self.wrong(format!("TlsDomain `{given}`: {error}")))
    }

    fn recipients(&self) -> Result<Vec<Recipients>, ConnectorError> {
        if self.recipients.is_empty() && !self.all_accepted_domains && !self.rule_scoped {
            return Err(self.wrong(
                "it matches no mail: no RecipientDomains, and neither AllAcceptedDomains nor IsTransportRuleScoped",
            ));
        }
        if self.recipients.len() > CONNECTOR_RECIPIENTS_MAX {
            return Err(self.wrong(format!("more than {CONNECTOR_RECIPIENTS_MAX} RecipientDomains")));
        }
        let parse = |text: &String| {
            Recipients::parse(text).map_err(|error| self.wrong(format!("RecipientDomains `{text}`: {error}")))
        };
        self.recipients.iter().map(parse).collect()
    }

    fn smart_hosts(&self) -> Result<Vec<SmartHost>, ConnectorError> {
        match (self.avoids_mx, self.smart_hosts.is_empty()) {
            (true, true) => return Err(self.wrong("UseMXRecord is false, which needs SmartHosts")),
            (false, false) => return Err(self.wrong("SmartHosts go with UseMXRecord false, and it is true")),
            _ => {}
        }
        if self.smart_hosts.len() > CONNECTOR_SMART_HOSTS_MAX {
            return Err(self.wrong(format!("more than {CONNECTOR_SMART_HOSTS_MAX} SmartHosts")));
        }
        let hosts =
            self.smart_hosts.iter().map(|text| self.smart_host(text)).collect::<Result<Vec<_>, _>>()?;
        let addresses: usize = hosts.iter().map(|host| host.addresses().len()).sum();
        if addresses > SMART_HOST_ADDRESSES_MAX as usize {
            return Err(self.too_many());
        }
        Ok(hosts)
    }

    fn smart_host(&self, text: &str) -> Result<SmartHost, ConnectorError> {
        // The cmdlet shows an address as an address literal.
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let range = bare.parse::<IpNet>().ok();
        if let Some(range) = range.or_else(|| bare.parse::<IpAddr>().ok().map(IpNet::from)) {
            let host_bits = range.max_prefix_len() - range.prefix_len();
            if u32::from(host_bits) > SMART_HOST_ADDRESSES_MAX.ilog2() {
                return Err(self.too_many());
            }
            return Ok(SmartHost::Range(range));
        }
        let parsed = DomainName::parse(bare);
        parsed.map(SmartHost::Name).map_err(|error| {
            self.wrong(format!("SmartHosts `{text}` is not a host name, address or range: {error}"))
        })
    }

    fn too_many(&self) -> ConnectorError {
        self.wrong(format!(
            "its SmartHosts are over {SMART_HOST_ADDRESSES_MAX} addresses, and each is probed"
        ))
    }
}

/// Checks the name of a connector.
pub(in crate::sender) fn check_name(place: FileLine, name: &str) -> Result<(), ConnectorError> {
    if name.trim().is_empty() {
        return Err(ConnectorError::of(place, name, "it has no name"));
    }
    if name.len() > CONNECTOR_NAME_BYTES_MAX {
        let what = format!("its name is longer than {CONNECTOR_NAME_BYTES_MAX} bytes");
        return Err(ConnectorError::of(place, name, what));
    }
    Ok(())
}

/// What a file says, if anything.
pub(in crate::sender) fn told(value: &str) -> Option<&str> {
    Some(value.trim()).filter(|value| !value.is_empty() && !value.eq_ignore_ascii_case("$null"))
}
