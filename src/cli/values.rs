//! Values on the command line that are more than a word: times, moments and
//! addresses.

use jiff::Timestamp;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// One value of `--timeout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeoutArg {
    /// The phase, or every phase.
    pub phase: Option<String>,
    /// Its time.
    pub time: Duration,
}

/// What `--timeout` can name.
pub const TIMEOUT_PHASES: [&str; 10] = [
    "dns",
    "connect",
    "connect_retry",
    "greeting",
    "ehlo",
    "starttls",
    "tls",
    "after_tls",
    "quit",
    "session",
];

impl FromStr for TimeoutArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, time) = match text.split_once('=') {
            Some((phase, time)) => (Some(phase.trim()), time),
            None => (None, text),
        };
        if let Some(phase) = phase
            && !TIMEOUT_PHASES.contains(&phase)
        {
            return Err(format!("no phase `{phase}`; there are {}", TIMEOUT_PHASES.join(", ")));
        }
        let time = parse_time_limit(time)?;
        Ok(Self { phase: phase.map(str::to_string), time })
    }
}

/// Longest duration that the command line takes.
const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// Reads `250ms`, `1.5s`, `2m`, or a bare number of seconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let hint = || "not a time between 0 and 24h; try 250ms, 2s or 1m".to_string();
    let text = text.trim();
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| hint())?,
        Err(_) => {
            let signed: jiff::SignedDuration = text.parse().map_err(|_| hint())?;
            Duration::try_from(signed).map_err(|_| hint())?
        }
    };
    if duration > DURATION_MAX { Err(hint()) } else { Ok(duration) }
}

/// As [`parse_duration`], for a limit within which something must be done.
pub(super) fn parse_time_limit(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("it needs some time; try 10s".to_string()),
        time => Ok(time),
    }
}

/// Longest text that tells who asks, in bytes.
const CONTACT_BYTES_MAX: usize = 200;

/// A mail address or a URL, as it can stand in a comment of User-Agent (RFC 9110
/// §5.6.5).
pub(super) fn parse_contact(text: &str) -> Result<String, String> {
    let sound = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'\\');
    if (1..=CONTACT_BYTES_MAX).contains(&text.len()) && text.bytes().all(sound) {
        return Ok(text.to_owned());
    }
    Err(format!("not a mail address or URL of at most {CONTACT_BYTES_MAX} characters, all visible ASCII"))
}

/// Most per cent that the command line takes.
const PERCENT_MAX: f64 = 10_000.0;

/// Reads `10%` as a share, 0.1.
pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let percent = number.filter(|percent| (0.0..=PERCENT_MAX).contains(percent));
    let hint = || "not a percentage between 0% and 10000%; try 10%".to_string();
    percent.map(|percent| percent / 100.0).ok_or_else(hint)
}

/// Reads a moment, or a date for its first moment in UTC.
pub(super) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: jiff::civil::Date| jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let moment = text.parse().ok().or_else(|| text.parse().ok().and_then(midnight));
    moment.ok_or_else(|| {
        "not a moment from year 0 to 9999-12-30; try 2026-11-24 or 2026-11-24T12:00:00Z".to_string()
    })
}

/// Reads `ADDR:PORT`, or a port alone for loopback.
pub(super) fn parse_metrics_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "not PORT or ADDR:PORT; try 9925 or 127.0.0.1:9925".to_string())
}

/// Reads `ADDR:PORT`, or an address alone for port 53.
pub(super) fn parse_resolver(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => return Err("port 0 answers nothing; try 53".to_string()),
        Ok(address) => return Ok(address),
        Err(_) => {}
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, 53)),
        Err(_) => Err("not ADDR:PORT; try 127.0.0.1:53 or [::1]:53".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("0", Some(Duration::ZERO)),
            ("2", Some(Duration::from_secs(2))),
            ("0.5", Some(Duration::from_millis(500))),
            ("250ms", Some(Duration::from_millis(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("2m", Some(Duration::from_secs(120))),
            ("-1", None),
            ("-1s", None),
            ("", None),
            ("soon", None),
            ("NaN", None),
            ("25h", None),
        ] {
            assert_eq!(parse_duration(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_share_is_written_in_per_cent() {
        for (text, expected) in [
            ("10%", Some(0.1)),
            ("0%", Some(0.0)),
            ("2.5 %", Some(0.025)),
            ("10000%", Some(100.0)),
            ("10", None),
            ("-1%", None),
            ("10001%", None),
            ("NaN%", None),
            ("%", None),
        ] {
            assert_eq!(parse_percent(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_date_or_more() {
        let noon = "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(parse_moment("2026-11-24T13:00:00+01:00"), Ok(noon));
        assert_eq!(parse_moment("2026-11-24").map(|at| at.to_string()), Ok("2026-11-24T00:00:00Z".into()));
        assert_eq!(parse_moment("9999-12-30").map(|at| at.to_string()), Ok("9999-12-30T00:00:00Z".into()));
        for text in ["", "today", "2026-13-01", "1764000000", "9999-12-31"] {
            let told = parse_moment(text).unwrap_err();
            assert!(told.starts_with("not a moment from year 0 to 9999-12-30; try "), "{text}: {told}");
        }
    }

    #[test]
    fn timeouts_name_a_phase_or_none() {
        let all: TimeoutArg = "20s".parse().unwrap();
        assert_eq!((all.phase, all.time), (None, Duration::from_secs(20)));
        let one: TimeoutArg = "greeting=1m".parse().unwrap();
        assert_eq!((one.phase.as_deref(), one.time), (Some("greeting"), Duration::from_secs(60)));
        assert!("banner=1m".parse::<TimeoutArg>().is_err());
        assert!("greeting=0".parse::<TimeoutArg>().is_err());
    }
}
