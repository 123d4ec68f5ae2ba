//! What a path may cost to validate. The policy tree of RFC 5280 §6.1.2 grows
//! with the product of the policies of each certificate, name constraints with
//! that of names and subtrees; whoever presents a chain chooses both.

use super::refusal::ChainRefusal;
use crate::model::ChainStatus;
use x509_cert::Certificate;
use x509_cert::der::DecodeOwned;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::{CertificatePolicies, NameConstraints, PolicyMappings, SubjectAltName};

/// Most nodes that the policy tree of a path may come to have. Chains in use
/// have a few dozen.
const POLICY_NODES_MAX: usize = 1 << 16;
/// Most comparisons of a name with a constraint. rustls-webpki allows as many.
const NAME_COMPARISONS_MAX: usize = 250_000;

/// Refuses to look at a path that would cost too much.
pub(super) fn check(path: &[Certificate]) -> Result<(), ChainRefusal> {
    let nodes = path.iter().fold(1_usize, |nodes, certificate| {
        let policies = count::<CertificatePolicies>(certificate, |list| list.0.len());
        let mappings = count::<PolicyMappings>(certificate, |list| list.0.len());
        nodes.saturating_mul((policies + mappings).max(1))
    });
    if nodes > POLICY_NODES_MAX {
        return Err(too_much(format!("over {POLICY_NODES_MAX} policies to follow")));
    }
    let subtrees = |list: &NameConstraints| {
        list.permitted_subtrees.as_ref().map_or(0, Vec::len)
            + list.excluded_subtrees.as_ref().map_or(0, Vec::len)
    };
    let constraints: usize = path.iter().map(|it| count::<NameConstraints>(it, subtrees)).sum();
    let names: usize = path.iter().map(|it| 1 + count::<SubjectAltName>(it, |list| list.0.len())).sum();
    // Constraints are held against each other, too.
    if constraints.saturating_mul(names + constraints) > NAME_COMPARISONS_MAX {
        return Err(too_much(format!("over {NAME_COMPARISONS_MAX} names to compare")));
    }
    Ok(())
}

fn too_much(what: String) -> ChainRefusal {
    ChainRefusal::new(ChainStatus::Unverifiable, format!("too much to validate: {what}"))
}

/// How much there is of an extension; nothing where it cannot be read.
fn count<T: AssociatedOid + DecodeOwned>(certificate: &Certificate, of: impl Fn(&T) -> usize) -> usize {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let values = extensions.filter(|extension| extension.extn_id == T::OID);
    values
        .filter_map(|extension| T::from_der(extension.extn_value.as_bytes()).ok())
        .map(|list| of(&list))
        .sum()
}
