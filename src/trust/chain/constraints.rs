//! The one name constraint that `pkix-path` 0.3.2 reads wrongly: a dNSName of no
//! labels. Every name is made of it by adding labels (RFC 5280 §4.2.1.10), and
//! the library takes it for one that none is.

use super::refusal::ChainRefusal;
use pkix_path::TrustAnchor;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{NameConstraints, SubjectAltName};

/// Refuses a path on which all DNS names are excluded and one is borne below.
pub(super) fn check(path: &[Certificate], anchor: &TrustAnchor) -> Result<(), ChainRefusal> {
    let mut excluded = anchor.name_constraints.as_ref().is_some_and(excludes_all);
    for certificate in path.iter().rev() {
        if excluded && extension::<SubjectAltName>(certificate).is_some_and(|names| bears_any(&names)) {
            return Err(ChainRefusal::invalid("a name is outside the name constraints"));
        }
        excluded |= extension::<NameConstraints>(certificate).is_some_and(|it| excludes_all(&it));
    }
    Ok(())
}

fn excludes_all(constraints: &NameConstraints) -> bool {
    let mut bases = constraints.excluded_subtrees.iter().flatten().map(|tree| &tree.base);
    bases.any(|base| matches!(base, GeneralName::DnsName(name) if name.as_str().is_empty()))
}

fn bears_any(names: &SubjectAltName) -> bool {
    names.0.iter().any(|name| matches!(name, GeneralName::DnsName(_)))
}

fn extension<T: AssociatedOid + for<'a> Decode<'a>>(certificate: &Certificate) -> Option<T> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let value = extensions.into_iter().find(|extension| extension.extn_id == T::OID)?.extn_value.as_bytes();
    T::from_der(value).ok()
}
