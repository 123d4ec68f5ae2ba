//! The file that tells whoever finds us in a log who asks, and how to be left alone:
//! `/.well-known/probing.txt` (RFC 9511 §2.2), in the form of RFC 9116 §4.

use super::check::PreflightCheck;
use crate::cli::PreflightArgs;
use crate::plan::UsageError;
use jiff::{SignedDuration, Timestamp};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

const CHECK: &str = "probing file";

/// How long the file is right: under a year, as RFC 9116 §2.5.5 recommends.
const VALID: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What a survey is, where nobody says more.
const DESCRIPTION: &str =
    "A survey of how mail servers answer STARTTLS. No mail is sent. Write to the contact to be left alone.";

/// Writes the file; one that is there already is left as it is.
pub(super) fn write(path: &Path, args: &PreflightArgs, ehlo: &str) -> Result<PreflightCheck, UsageError> {
    let told = |error: String| UsageError(format!("--probing-file {}: {error}", path.display()));
    let contact = args.contact.as_deref().ok_or_else(|| told("it needs --contact".into()))?;
    let contact = contact_uri(contact).map_err(told)?;
    let description = args.description.as_deref().unwrap_or(DESCRIPTION);
    let text = text(ehlo, &contact, description, Timestamp::now()).map_err(told)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| told(error.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|error| told(error.to_string()))?;
    let place = format!("written; it belongs at {}", place(ehlo));
    Ok(PreflightCheck::ok(CHECK, path.display(), place))
}

/// Where it is looked for: under the name of the source address (RFC 9511 §4).
fn place(name: &str) -> String {
    format!("https://{name}/.well-known/probing.txt")
}

/// A contact as a URI; of the web only over HTTPS (RFC 9116 §2.5.3).
fn contact_uri(contact: &str) -> Result<String, String> {
    if ["mailto:", "https://", "tel:"].iter().any(|scheme| contact.starts_with(scheme)) {
        return Ok(contact.to_string());
    }
    if contact.contains("://") || !contact.contains('@') {
        return Err(format!(
            "--contact {contact} is no mail address and begins with none of mailto:, https:// and tel:"
        ));
    }
    Ok(format!("mailto:{contact}"))
}

fn text(name: &str, contact: &str, description: &str, now: Timestamp) -> Result<String, String> {
    if description.chars().any(char::is_control) {
        return Err("the description is one line".into());
    }
    let expires = now.checked_add(VALID).map_err(|error| error.to_string())?;
    Ok(format!(
        "Canonical: {}\nContact: {contact}\nExpires: {expires:.0}\nPreferred-Languages: en\nDescription: {description}\n",
        place(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_fields_of_its_rfc() {
        let now = "2026-11-27T12:00:00.5Z".parse().unwrap();
        let text = text("scanner.example", "mailto:a@example.org", "Mail servers.", now).unwrap();
        let expected = "Canonical: https://scanner.example/.well-known/probing.txt\nContact: mailto:a@example.org\n\
             Expires: 2027-05-26T12:00:00Z\nPreferred-Languages: en\nDescription: Mail servers.\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_contact_is_a_uri() {
        for (contact, uri) in [
            ("a@example.org", Some("mailto:a@example.org")),
            ("mailto:a@example.org", Some("mailto:a@example.org")),
            ("https://example.org/scan", Some("https://example.org/scan")),
            ("http://example.org/scan", None),
            ("example.org", None),
        ] {
            assert_eq!(contact_uri(contact).ok().as_deref(), uri, "{contact}");
        }
    }
}
