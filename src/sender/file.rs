//! Sender files: those that come with mxray, and those that a person names.

use super::check;
use super::definition::Sender;
use super::error::SenderError;
use super::toml_fault;
use crate::model::text;

/// Name of the sender that verdicts are for unless another is asked for.
pub const DEFAULT_SENDER: &str = "exchange-online";

/// The senders that come with mxray, by name.
const BUILT_IN: &[(&str, &str)] = &[
    ("exchange-online", include_str!("../../datasets/senders/exchange-online.toml")),
    ("exchange-online-2018", include_str!("../../datasets/senders/exchange-online-2018.toml")),
    ("exchange-online-2020", include_str!("../../datasets/senders/exchange-online-2020.toml")),
    ("exim", include_str!("../../datasets/senders/exim.toml")),
    ("google", include_str!("../../datasets/senders/google.toml")),
    ("opensmtpd", include_str!("../../datasets/senders/opensmtpd.toml")),
    ("postfix-dane", include_str!("../../datasets/senders/postfix-dane.toml")),
    ("postfix-dane-only", include_str!("../../datasets/senders/postfix-dane-only.toml")),
    ("postfix-encrypt", include_str!("../../datasets/senders/postfix-encrypt.toml")),
    ("postfix-may", include_str!("../../datasets/senders/postfix-may.toml")),
    ("rfc9325", include_str!("../../datasets/senders/rfc9325.toml")),
];

impl Sender {
    /// One that comes with mxray.
    ///
    /// # Errors
    /// No sender has this name; the message lists those that there are.
    pub fn named(name: &str) -> Result<Self, SenderError> {
        let text = Self::built_in_file(name).ok_or_else(|| {
            SenderError(format!("no sender is named `{name}`; there are {}", Self::names().join(", ")))
        })?;
        Self::parse(text).map_err(|error| SenderError(format!("{name}: {error}")))
    }

    /// The file of one that comes with mxray, as a person may copy it.
    pub fn built_in_file(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The names of those that come with mxray.
    pub fn names() -> Vec<&'static str> {
        BUILT_IN.iter().map(|(name, _)| *name).collect()
    }

    /// Reads a sender file.
    ///
    /// # Errors
    /// The text is no TOML, breaks the schema, or contradicts itself; with the
    /// line.
    pub fn parse(file: &str) -> Result<Self, SenderError> {
        let sender: Self = toml::from_str(file).map_err(|error| SenderError(told(file, &error)))?;
        // Messages quote what the file says.
        check::check(&sender).map_err(|fault| SenderError(text::one_line(&fault.in_file(file))))?;
        Ok(sender)
    }
}

/// What is wrong with a TOML text, and where, in one line.
fn told(file: &str, error: &toml::de::Error) -> String {
    let (line, what) = toml_fault::told(file, error);
    let place = line.map_or(String::new(), |line| format!("line {line}: "));
    text::one_line(&format!("{place}{what}"))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
