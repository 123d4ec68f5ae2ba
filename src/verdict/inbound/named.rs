//! Whether the client showed the certificate that a hybrid's server is told to present.

use crate::model::inbound::{CertificateName, NamedCause};
use crate::model::{CertificateFacts, SignatureCheck};

/// Whether `name` is that of the leaf, and the client proved that it has its key. A name that
/// is another is no, proven or not.
pub(super) fn is_named(
    name: &CertificateName,
    leaf: &CertificateFacts,
    signature: Option<&SignatureCheck>,
) -> Result<bool, NamedCause> {
    match name.names(leaf) {
        None => Err(NamedCause::CertificateUnreadable),
        Some(false) => Ok(false),
        Some(true) if signature == Some(&SignatureCheck::Verified) => Ok(true),
        Some(true) => Err(NamedCause::KeyNotProven),
    }
}
