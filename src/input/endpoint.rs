//! Endpoint lists: `ip,port`, `ip,name,tag,port` and what lies between, as zmap
//! and zgrab2 pass them on.

use super::fault::{Fault, fault};
use super::fields::{Fields, find};
use crate::model::{DomainName, MxHost, Subject};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// Names that a header may give the address (`saddr` is zmap's).
const IP_COLUMNS: [&str; 2] = ["ip", "saddr"];
const NAME_COLUMNS: [&str; 4] = ["name", "domain", "host", "sni"];
/// Names that a header may give the port (`sport` is zmap's).
const PORT_COLUMNS: [&str; 2] = ["port", "sport"];

/// Which field of an endpoint line says what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndpointColumns {
    /// Without a header: see [`by_position`].
    Positional,
    /// As a header says.
    Named {
        /// Field of the address.
        ip: usize,
        /// Field of the name.
        name: Option<usize>,
        /// Field of the port.
        port: Option<usize>,
    },
}

/// What the fields of a line say, empty where they say nothing.
#[derive(Default)]
struct Said<'a> {
    ip: &'a str,
    name: &'a str,
    port: &'a str,
}

impl EndpointColumns {
    /// Reads a header; `None` if the line is none. `column` is the name of the
    /// address column where it was chosen.
    pub(super) fn of_header(columns: &[String], column: Option<&str>) -> Option<Self> {
        let any = |names: &[&str]| names.iter().find_map(|name| find(columns, name));
        let ip = match column {
            Some(name) => find(columns, name),
            None => any(&IP_COLUMNS),
        }?;
        let other = |names: &[&str]| any(names).filter(|index| *index != ip);
        Some(Self::Named { ip, name: other(&NAME_COLUMNS), port: other(&PORT_COLUMNS) })
    }

    /// Reads one line.
    pub(super) fn read(&self, line: &str, separator: u8) -> Result<Subject, Fault> {
        let fields: Vec<Cow<'_, str>> = Fields::of(line, separator)
            .collect::<Result<_, _>>()
            .map_err(|_| fault(line, "a quote that the line does not close"))?;
        let said = match self {
            Self::Positional => by_position(&fields).map_err(|cause| fault(line, cause))?,
            Self::Named { ip, name, port } => {
                let field = |index: &usize| fields.get(*index).map(AsRef::as_ref).unwrap_or_default();
                let or_nothing = |index: &Option<usize>| index.as_ref().map(field).unwrap_or_default();
                Said { ip: field(ip), name: or_nothing(name), port: or_nothing(port) }
            }
        };
        let (ip, own_port) = address_and_port(said.ip).ok_or_else(|| fault(line, "not an IP address"))?;
        let name = host(said.name).map_err(|cause| fault(line, cause))?;
        let port = port(said.port).map_err(|cause| fault(line, cause))?;
        match (own_port, port) {
            (Some(own), Some(port)) if own != port => Err(fault(line, "two ports")),
            (own, port) => Ok(Subject::Endpoint { ip, port: port.or(own), name }),
        }
    }
}

/// The fields of a line without a header: `ip`; `ip,port`, which zmap writes of
/// several ports, where the second is a number; `ip,name`; and `ip,name,tag`
/// or `ip,name,tag,port`, as zgrab2 has them. No host is called by a number,
/// and tags are passed over.
fn by_position<'a>(fields: &'a [Cow<'_, str>]) -> Result<Said<'a>, &'static str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let texts: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
    Ok(match texts.as_slice() {
        [ip] => Said { ip, ..Said::default() },
        [ip, port] | [ip, port, _] if is_number(port) => Said { ip, name: "", port },
        [ip, name] | [ip, name, _] => Said { ip, name, port: "" },
        [ip, name, _, port] => Said { ip, name, port },
        _ => return Err("more fields than ip, name, tag and port; a header says what they are"),
    })
}

/// An address, and the port that is written to it: `192.0.2.1:25` or
/// `[2001:db8::1]:25`.
fn address_and_port(text: &str) -> Option<(IpAddr, Option<u16>)> {
    match text.parse::<SocketAddr>() {
        Ok(both) if both.port() > 0 => Some((both.ip().to_canonical(), Some(both.port()))),
        Ok(_) => None,
        Err(_) => Some((address(text)?, None)),
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
