//! What a check came to: right, wrong, or not determined and why.

use crate::model::text::printable;
use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckState {
    Ok,
    Fault,
    NotDetermined,
}

impl CheckState {
    fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fault => "fault",
            Self::NotDetermined => "not determined",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct PreflightCheck {
    /// What was looked at.
    pub(super) check: &'static str,
    /// The address, zone, host or file that it is about; empty for the machine.
    pub(super) about: String,
    pub(super) state: CheckState,
    /// What was found, or why nothing was.
    pub(super) cause: String,
}

impl PreflightCheck {
    pub(super) fn new(
        check: &'static str,
        about: impl ToString,
        state: CheckState,
        cause: impl ToString,
    ) -> Self {
        Self { check, about: about.to_string(), state, cause: cause.to_string() }
    }

    pub(super) fn ok(check: &'static str, about: impl ToString, cause: impl ToString) -> Self {
        Self::new(check, about, CheckState::Ok, cause)
    }

    pub(super) fn fault(check: &'static str, about: impl ToString, cause: impl ToString) -> Self {
        Self::new(check, about, CheckState::Fault, cause)
    }

    pub(super) fn not_determined(check: &'static str, about: impl ToString, cause: impl ToString) -> Self {
        Self::new(check, about, CheckState::NotDetermined, cause)
    }

    /// A line for a person.
    pub(super) fn line(&self) -> String {
        let about = if self.about.is_empty() { String::new() } else { format!("{}: ", self.about) };
        let told = format!("{about}{}", self.cause);
        format!("{:<15} {:<13} {}\n", self.state.words(), self.check, printable(&told))
    }
}
