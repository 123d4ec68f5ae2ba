//! The connectors of a file, and which of them are in force.

use super::connectors::{Connectors, Tie};
use super::entry::ConnectorEntry;
use super::error::{ConnectorError, FileLine};
use crate::model::{Connector, DomainName};
use std::collections::HashMap;

/// Most connectors of a file.
pub const CONNECTORS_MAX: usize = 10_000;
/// Largest file of connectors, in bytes.
pub const CONNECTOR_FILE_BYTES_MAX: usize = 16 << 20;
/// Most accepted domains.
pub const ACCEPTED_DOMAINS_MAX: usize = 10_000;

/// A file of connectors that was understood and is consistent in itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorList {
    /// Those that are enabled and chosen by recipient domain.
    pub connectors: Vec<Connector>,
    /// Where each of them begins in the file.
    pub lines: Vec<FileLine>,
    /// Accepted domains of the organisation; a CSV names none.
    pub accepted_domains: Vec<DomainName>,
    /// Those that take no part in the choice, by name: disabled, or used only
    /// where a mail flow rule says so.
    pub left_out: Vec<String>,
}

impl ConnectorList {
    /// Checks all entries of a file.
    pub(super) fn from_entries(
        entries: &[ConnectorEntry],
        accepted_domains: Vec<DomainName>,
    ) -> Result<Self, ConnectorError> {
        if entries.len() > CONNECTORS_MAX {
            return Err(ConnectorError::at(FileLine(0), format!("more than {CONNECTORS_MAX} connectors")));
        }
        let mut list = Self { accepted_domains, ..Self::default() };
        let mut names = HashMap::new();
        for entry in entries {
            let connector = entry.check()?;
            if let Some(FileLine(line)) = names.insert(entry.name.to_lowercase(), entry.place) {
                return Err(entry.wrong(format!("the connector in line {line} has this name, too")));
            }
            if entry.disabled || entry.rule_scoped {
                list.left_out.push(entry.name.clone());
            } else {
                list.connectors.push(connector);
                list.lines.push(entry.place);
            }
        }
        Ok(list)
    }

    /// Puts the connectors in force, with further accepted domains.
    ///
    /// # Errors
    /// Two connectors would have to take the same mail; or one takes all
    /// accepted domains, and none are named.
    pub fn in_force(mut self, accepted_domains: Vec<DomainName>) -> Result<Connectors, ConnectorError> {
        self.accepted_domains.extend(accepted_domains);
        if self.accepted_domains.is_empty()
            && let Some(connector) = self.connectors.iter().find(|connector| connector.all_accepted_domains)
        {
            let what = "it takes all accepted domains, and none are named; \
                use --accepted-domain, or accepted_domains in a TOML file";
            return Err(ConnectorError::of(self.line_of(&connector.name), &connector.name, what));
        }
        Connectors::new(self.connectors.clone(), std::mem::take(&mut self.accepted_domains))
            .map_err(|tie| self.told(&tie))
    }

    fn told(&self, Tie(first, second, mail): &Tie) -> ConnectorError {
        let FileLine(line) = self.line_of(first);
        let what = format!("it takes {mail}, and so does connector `{first}` in line {line}");
        ConnectorError::of(self.line_of(second), second, what)
    }

    /// Where the connector of this name begins. No two have the same.
    fn line_of(&self, name: &str) -> FileLine {
        let mut all = self.connectors.iter().zip(&self.lines);
        all.find(|(connector, _)| &*connector.name == name).map(|(_, line)| *line).unwrap_or_default()
    }
}
