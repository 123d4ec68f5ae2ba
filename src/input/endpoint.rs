//! Endpoint lists: `ip[,name[,port]]`, as zmap and zgrab2 pass them on.

use super::fault::{Fault, fault};
use super::fields::{Fields, find};
use crate::model::{DomainName, MxHost, Subject};
use std::borrow::Cow;
use std::net::IpAddr;

/// Names that a header may give the address (`saddr` is zmap's).
const IP_COLUMNS: [&str; 2] = ["ip", "saddr"];
const NAME_COLUMNS: [&str; 4] = ["name", "domain", "host", "sni"];
/// Names that a header may give the port (`sport` is zmap's).
const PORT_COLUMNS: [&str; 2] = ["port", "sport"];

/// Which field of an endpoint line says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointColumns {
    ip: usize,
    name: Option<usize>,
    port: Option<usize>,
}

impl EndpointColumns {
    /// `ip[,name[,port]]`.
    pub(super) const POSITIONAL: Self = Self { ip: 0, name: Some(1), port: Some(2) };

    /// Reads a header; `None` if the line is none. `column` is the name of the
    /// address column where it was chosen.
    pub(super) fn of_header(columns: &[String], column: Option<&str>) -> Option<Self> {
        let any = |names: &[&str]| names.iter().find_map(|name| find(columns, name));
        let ip = match column {
            Some(name) => find(columns, name),
            None => any(&IP_COLUMNS),
        }?;
        let other = |names: &[&str]| any(names).filter(|index| *index != ip);
        Some(Self { ip, name: other(&NAME_COLUMNS), port: other(&PORT_COLUMNS) })
    }

    /// Reads one line.
    pub(super) fn read(&self, line: &str) -> Result<Subject, Fault> {
        let fields: Vec<Cow<'_, str>> = Fields::of(line)
            .collect::<Result<_, _>>()
            .map_err(|_| fault(line, "a quote that the line does not close"))?;
        let field = |index: Option<usize>| {
            index.and_then(|index| fields.get(index)).map(|field| field.as_ref()).unwrap_or_default()
        };
        let ip = address(field(Some(self.ip))).ok_or_else(|| fault(line, "not an IP address"))?;
        let name = host(field(self.name)).map_err(|cause| fault(line, cause))?;
        let port = port(field(self.port)).map_err(|cause| fault(line, cause))?;
        Ok(Subject::Endpoint { ip, port, name })
    }
}

/// An address, IPv6 with or without brackets. One that is mapped into IPv6
/// (RFC 4291 §2.5.5.2) becomes the IPv4 address to which it connects, so that
/// it is paced and blocked as that.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let ip: IpAddr = bare.unwrap_or(text).parse().ok()?;
    (bare.is_none() || ip.is_ipv6()).then(|| ip.to_canonical())
}

fn host(text: &str) -> Result<Option<MxHost>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let host = MxHost::new(text);
    if host.is_usable() {
        return Ok(Some(host));
    }
    match DomainName::parse(text) {
        Ok(domain) => Ok(Some(MxHost::from(&domain))),
        Err(error) => Err(format!("the name is no host name: {error}")),
    }
}

fn port(text: &str) -> Result<Option<u16>, &'static str> {
    match text.parse::<u16>() {
        _ if text.is_empty() => Ok(None),
        Ok(port) if port > 0 => Ok(Some(port)),
        _ => Err("the port is no number from 1 to 65535"),
    }
}
