//! Causes in cells: why mail is not encrypted, or not delivered under forced
//! TLS. The names are those of the enums of the model, and stand nowhere else.

use crate::model::{CheckCause, CheckFailure, Kind, Phase, Reason, TlsSettings};

/// Which causes stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// None.
    Nothing,
    /// A [`Reason`].
    Reason,
    /// One that says something of an endpoint.
    ReasonAtEndpoint,
    /// A [`Reason`] or a [`CheckCause`] behind `undetermined`, of which these have
    /// names that stand in no other column of the table.
    Open(&'static [&'static str]),
    /// One that stands in a column of [`Why::Reason`] as well.
    ReasonAgain,
    /// Why a check of this strength is not passed: a [`CheckFailure`] behind
    /// `fail`, a [`CheckCause`] behind `undetermined`.
    Check(TlsSettings),
    /// Why mail under a connector is not delivered: one of both.
    Connector,
}

impl Why {
    /// Whether this cause may stand behind `value`, or alone where that is empty.
    pub(super) fn admits(self, value: &str, cause: &str) -> bool {
        match self {
            Self::Nothing => true,
            Self::Reason | Self::ReasonAtEndpoint | Self::ReasonAgain => is_reason(cause),
            Self::Open(names) => {
                let known = || CheckCause::NAMES.iter().any(|(name, _)| *name == cause);
                self.is_due(value) && (names.contains(&cause) || is_reason(cause) || known())
            }
            Self::Check(_) => {
                self.is_due(value) && (is_reason(cause) || self.of_check(value).any(|name| name == cause))
            }
            Self::Connector => {
                let strongest = Self::Check(TlsSettings::DomainValidation);
                is_reason(cause)
                    || self.named("").any(|name| name == cause)
                    || ["fail", "undetermined"]
                        .iter()
                        .any(|value| strongest.of_check(value).any(|name| name == cause))
            }
        }
    }

    /// Whether this value never stands without a cause.
    pub(super) fn is_due(self, value: &str) -> bool {
        match self {
            Self::Nothing | Self::Connector => false,
            Self::Reason | Self::ReasonAtEndpoint | Self::ReasonAgain => value != "encrypted",
            Self::Open(_) => value == "undetermined",
            Self::Check(_) => value != "pass",
        }
    }

    /// The causes with a name of their own that come about behind this value, or
    /// alone where that is empty. Phase and outcome of an attempt have columns
    /// of their own.
    pub(super) fn named(self, value: &str) -> Box<dyn Iterator<Item = &'static str>> {
        match self {
            Self::Reason if value.is_empty() => Box::new(Reason::names()),
            Self::ReasonAtEndpoint if value.is_empty() => Box::new(Reason::names_at_endpoints()),
            Self::Open(names) if value == "undetermined" => Box::new(names.iter().copied()),
            Self::Connector if value.is_empty() => Box::new(of_connectors()),
            Self::Check(_) => Box::new(self.of_check(value)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The names that a check may have behind this value.
    fn of_check(self, value: &str) -> impl Iterator<Item = &'static str> + use<> {
        let names = match value {
            "fail" => CheckFailure::NAMES,
            "undetermined" => CheckCause::NAMES,
            _ => &[],
        };
        let within = move |least: TlsSettings| matches!(self, Self::Check(settings) if least != TlsSettings::None && least <= settings);
        names.iter().filter(move |(_, least)| within(*least)).map(|(name, _)| *name)
    }
}

/// What only a connector's mail is undetermined for.
fn of_connectors() -> impl Iterator<Item = &'static str> {
    let names = CheckFailure::NAMES.iter().chain(CheckCause::NAMES);
    names.filter(|(_, least)| *least == TlsSettings::None).map(|(name, _)| *name)
}

fn is_reason(cause: &str) -> bool {
    let is_end = |phase: &Phase| {
        let kind = cause.strip_prefix(phase.name()).and_then(|rest| rest.strip_prefix('_'));
        kind.is_some_and(|kind| Kind::ALL.iter().any(|known| known.name() == kind))
    };
    Reason::names().any(|name| name == cause) || Phase::ALL.iter().any(is_end)
}
