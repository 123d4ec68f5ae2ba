//! Endpoint lists: `ip,port`, `ip,name,tag,port` and what lies between, as zmap
//! and zgrab2 pass them on.

use super::fault::{LineFault, fault};
use super::fields::{LineFields, Twice, find, only};
use crate::model::{DomainName, MxHost, Subject};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// Names that a header may give the address (`saddr` is zmap's), in lower case
/// without blanks, hyphens and underscores. Of several the first counts.
const IP_COLUMNS: [&str; 5] = ["ip", "saddr", "ipaddress", "address", "ipaddr"];
/// Names that it may give the name, what says most clearly that it is the
/// server's first.
const NAME_COLUMNS: [&str; 10] =
    ["sni", "servername", "name", "mxhost", "mx", "hostname", "host", "fqdn", "domain", "domainname"];
/// Names that it may give the port (`sport` is zmap's).
const PORT_COLUMNS: [&str; 3] = ["port", "sport", "portnumber"];

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
        /// How many fields the header has.
        count: usize,
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
    ///
    /// # Errors
    /// [`Twice`] where a name that counts stands twice.
    pub(super) fn of_header(columns: &[String], column: Option<&str>) -> Result<Option<Self>, Twice> {
        if has_address(columns) {
            return Ok(None);
        }
        let ip = match column {
            Some(name) => find(columns, name),
            None => first_of(columns, &IP_COLUMNS, None),
        }?;
        let Some(ip) = ip else { return Ok(None) };
        let name = first_of(columns, &NAME_COLUMNS, Some(ip))?;
        let port = first_of(columns, &PORT_COLUMNS, Some(ip))?;
        Ok(Some(Self::Named { ip, name, port, count: columns.len() }))
    }

    /// Reads one line.
    pub(super) fn read(&self, line: &str, separator: u8) -> Result<Subject, LineFault> {
        let fields: Vec<Cow<'_, str>> = LineFields::of(line, separator)
            .collect::<Result<_, _>>()
            .map_err(|_| fault(line, "a quote that is not closed in this line"))?;
        let said = match self {
            Self::Positional => by_position(&fields).map_err(|cause| fault(line, cause))?,
            Self::Named { ip, name, port, count } => {
                // A separator that stands in a field without quotes moves the
                // fields behind it.
                if fields.iter().skip(*count).any(|field| !field.is_empty()) {
                    return Err(fault(line, "more fields than the header has"));
                }
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

/// The field that bears the first of these names, whatever its case, blanks,
/// hyphens and underscores; but not the one of the address.
fn first_of(columns: &[String], names: &[&str], address: Option<usize>) -> Result<Option<usize>, Twice> {
    for name in names {
        let place = only(columns, |column| bare(column) == *name)?;
        if place.is_some() && place != address {
            return Ok(place);
        }
    }
    Ok(None)
}

fn bare(column: &str) -> String {
    let kept = column.chars().filter(|character| !character.is_whitespace() && !"-_".contains(*character));
    kept.flat_map(char::to_lowercase).collect()
}

/// Whether one of the fields is an address: such a line is no header.
pub(super) fn has_address(columns: &[String]) -> bool {
    columns.iter().any(|column| address_and_port(column).is_some())
}

/// The fields of a line without a header: `ip`; `ip,port`, which zmap writes of
/// several ports, and `ip,port,name`, where the second is a number; `ip,name`;
/// and `ip,name,tag` or `ip,name,tag,port`, as zgrab2 has them. No host is
/// called by a number, and tags are passed over.
fn by_position<'a>(fields: &'a [Cow<'_, str>]) -> Result<Said<'a>, &'static str> {
    let used = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
    let texts: Vec<&str> = fields.iter().take(used.max(1)).map(AsRef::as_ref).collect();
    Ok(match texts.as_slice() {
        [ip] => Said { ip, ..Said::default() },
        [ip, port] if is_number(port) => Said { ip, name: "", port },
        [ip, port, name] if is_number(port) => {
            // A word without a dot is more likely something else.
            if !name.contains('.') || host(name).is_err() {
                return Err("after ip and port only a name may follow; add a header that says what it is");
            }
            Said { ip, name, port }
        }
        [ip, name] | [ip, name, _] => Said { ip, name, port: "" },
        [ip, name, _, port] => Said { ip, name, port },
        _ => return Err("more fields than ip, name, tag and port; add a header that says what they are"),
    })
}

/// Whether a text is a number, whole or as spreadsheets write it (`25.0`,
/// `2.5E+01`): no name of a host is one.
fn is_number(text: &str) -> bool {
    let begins = text.trim_start_matches(['+', '-', '.']).starts_with(|first: char| first.is_ascii_digit());
    begins && text.parse::<f64>().is_ok()
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
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let host = MxHost::new(text);
    // The last label of a name has letters (RFC 1123 §2.1); addresses are
    // told as such below.
    let counts = last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<IpAddr>().is_err();
    if counts || is_number(text) {
        return Err("a number instead of a name; add a header that says what it is".into());
    }
    if host.is_usable() {
        return Ok(Some(host));
    }
    match DomainName::parse(text) {
        Ok(domain) => Ok(Some(MxHost::from(&domain))),
        Err(error) => Err(format!("not a host name: {error}")),
    }
}

/// A port in digits, maybe with a point and zeros behind it, as spreadsheets
/// write whole numbers of a column that has gaps.
fn port(text: &str) -> Result<Option<u16>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => text,
    };
    // A sign is no part of it.
    let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
    match whole.parse::<u16>() {
        Ok(port) if port > 0 && digits => Ok(Some(port)),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}
