//! The sender, the connectors and the expectations that words of the command
//! line name.

use super::UsageError;
use super::stored_files::StoredFiles;
use crate::cli::{ConnectorArgs, JudgingArgs};
use crate::model::{DomainName, Expectation, text};
use crate::sender::connector::{ConnectorError, Connectors};
use crate::sender::{AfterTlsFailure, DEFAULT_SENDER, Sender, connector, expectation_file};
use std::fmt::Display;
use std::path::Path;

/// Finds a sender by name, or reads a file that describes one; a word with a
/// dot or a slash in it is a file.
pub(super) fn sender(args: &JudgingArgs, places: &StoredFiles) -> Result<Sender, UsageError> {
    let name = args.sender.as_deref().unwrap_or(DEFAULT_SENDER);
    let told = |error: String| UsageError(format!("--sender {name}: {error}"));
    let sender = if is_file(name) {
        let text = String::from_utf8(places.read("sender", Path::new(name))?)
            .map_err(|_| told("not UTF-8 text".into()))?;
        Sender::parse(&text)
    } else {
        Sender::named(name)
    };
    let sender = sender.map_err(|error| told(error.to_string()))?;
    let Some(what) = &args.after_tls_failure else { return Ok(sender) };
    let told = |error: &dyn Display| UsageError(format!("--after-tls-failure {what}: {error}"));
    let what = what.parse().map_err(|error| told(&error))?;
    if sender.requires_tls.value && what == AfterTlsFailure::Plaintext {
        return Err(told(&format_args!("{} sends only over TLS", sender.name)));
    }
    Ok(sender.with_after_tls_failure(what))
}

/// The same sender; one of a file that calls itself as a built-in one does goes
/// by its file, for a copy may say something else.
pub(super) fn sender_told_apart(sender: Sender, word: Option<&str>) -> Sender {
    match word.filter(|word| is_file(word) && Sender::built_in_file(&sender.name).is_some()) {
        Some(file) => Sender { name: text::one_line(file).into(), ..sender },
        None => sender,
    }
}

/// The same for expectations, each with its word.
pub(super) fn expectations_told_apart(all: Vec<Expectation>, words: &[String]) -> Vec<Expectation> {
    let told_apart = |(expectation, word): (Expectation, &String)| {
        let is_copy = is_file(word) && expectation_file::is_built_in(&expectation.name);
        if is_copy { Expectation { name: text::one_line(word), ..expectation } } else { expectation }
    };
    all.into_iter().zip(words).map(told_apart).collect()
}

/// Whether a word for a sender or an expectation names a file.
pub(super) fn is_file(word: &str) -> bool {
    word.contains(['/', '.'])
}

/// Reads the connectors that are in force, and the names of those that take no
/// part.
///
/// # Errors
/// [`UsageError`] for a file that cannot be used, or that is not clear on
/// which connector takes which mail.
pub(super) fn connectors(
    args: &ConnectorArgs,
    places: &StoredFiles,
) -> Result<(Connectors, Vec<String>), UsageError> {
    let accepted = accepted_domains(&args.accepted_domain)?;
    let Some(path) = &args.connectors else { return Ok(<_>::default()) };
    let told = |error: ConnectorError| UsageError(format!("--connectors {}: {error}", path.display()));
    let bytes = places.read("connectors", path)?;
    let list = connector_file(path, &bytes, connector::parse_toml, connector::parse_csv)?;
    let left_out = list.left_out.clone();
    let in_force = list.in_force(accepted).map_err(told)?;
    Ok((in_force, left_out))
}

/// The domains of `--accepted-domain`.
pub(super) fn accepted_domains(given: &[String]) -> Result<Vec<DomainName>, UsageError> {
    let parse = |domain: &String| {
        DomainName::parse(domain)
            .map_err(|error| UsageError(format!("--accepted-domain `{domain}`: {error}")))
    };
    given.iter().map(parse).collect()
}

/// Reads a file of connectors: a CSV where its name says so, else TOML.
pub(super) fn connector_file<T>(
    path: &Path,
    bytes: &[u8],
    parse_toml: impl FnOnce(&str) -> Result<T, ConnectorError>,
    parse_csv: impl FnOnce(&[u8]) -> Result<T, ConnectorError>,
) -> Result<T, UsageError> {
    let told = |error: &dyn Display| UsageError(format!("--connectors {}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        return parse_csv(bytes).map_err(|error| told(&error));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| told(&"not UTF-8 text; a CSV needs a name that ends in .csv"))?;
    parse_toml(text).map_err(|error| told(&error))
}

/// Finds expectations by name, or reads files of them; a word with a dot or a
/// slash in it is a file.
pub(super) fn expectations(given: &[String], places: &StoredFiles) -> Result<Vec<Expectation>, UsageError> {
    let read = |name: &String| {
        let told = |error: String| UsageError(format!("--expect {name}: {error}"));
        if !is_file(name) {
            return expectation_file::named(name).map_err(|error| told(error.to_string()));
        }
        let text = String::from_utf8(places.read("expect", Path::new(name))?)
            .map_err(|_| told("not UTF-8 text".into()))?;
        expectation_file::parse(&text).map_err(|error| told(error.to_string()))
    };
    given.iter().map(read).collect()
}
