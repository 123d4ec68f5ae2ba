//! Alerts: how a server says no (RFC 8446 §6, RFC 5246 §7.2).

use super::wire::{Malformed, MessageReader};
use crate::model::AlertDescription;

/// What the sender makes of its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertLevel(pub u8);

impl AlertLevel {
    /// The handshake may go on.
    pub const WARNING: Self = Self(1);
    /// It is over.
    pub const FATAL: Self = Self(2);
}

/// The content of an alert record (RFC 8446 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its level; TLS 1.3 keeps the byte without a meaning.
    pub level: AlertLevel,
    /// The registered code, as `handshake_failure` (RFC 8446 §6).
    pub description: AlertDescription,
}

impl Alert {
    /// Whether the handshake is over: anything but a warning is, and so is the
    /// warning that the sender closes.
    pub fn ends_handshake(self) -> bool {
        self.level != AlertLevel::WARNING || self.description == AlertDescription::CLOSE_NOTIFY
    }

    /// The alerts of one record, in their order. An alert cut in two by a
    /// record's end is malformed.
    ///
    /// # Errors
    /// Where the record holds no whole pairs of level and description.
    pub fn decode_all(fragment: &[u8]) -> Result<impl Iterator<Item = Alert>, Malformed> {
        let reader = MessageReader::new("Alert", fragment);
        if fragment.is_empty() {
            return Err(reader.malformed("is empty"));
        }
        if !fragment.len().is_multiple_of(2) {
            return Err(reader.malformed("is no pair of level and description"));
        }
        Ok(reader.code_points()?.map(|code| {
            let [level, description] = code.to_be_bytes();
            Alert { level: AlertLevel(level), description: AlertDescription(description) }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(fragment: &[u8]) -> Result<Vec<Alert>, Malformed> {
        Alert::decode_all(fragment).map(Iterator::collect)
    }

    #[test]
    fn level_and_description_are_kept_as_they_came() {
        let alerts = decode(&[1, 112, 2, 40, 77, 99]).unwrap();
        let seen: Vec<_> =
            alerts.iter().map(|alert| (alert.level.0, alert.description.to_string())).collect();
        assert_eq!(
            seen,
            [(1, "unrecognized_name".into()), (2, "handshake_failure".into()), (77, "0x63".into())]
        );
    }

    #[test]
    fn only_warnings_let_the_handshake_go_on() {
        let alerts = decode(&[1, 112, 1, 0, 2, 40, 0, 40]).unwrap();
        let ends: Vec<_> = alerts.iter().map(|alert| alert.ends_handshake()).collect();
        assert_eq!(ends, [false, true, true, true]);
    }

    #[test]
    fn half_an_alert_is_malformed() {
        assert_eq!(decode(&[]).unwrap_err().fault, "is empty");
        assert_eq!(decode(&[2]).unwrap_err().fault, "is no pair of level and description");
        assert_eq!(decode(&[2, 40, 1]).unwrap_err().fault, "is no pair of level and description");
    }
}
