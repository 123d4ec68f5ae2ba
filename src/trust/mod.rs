//! A presented chain judged: by the root stores, the path, the signatures, the
//! dates, the names, and what its owner said of it.

mod anchors;
mod chain;
pub mod dane;
pub mod expectation;
pub mod names;
pub mod pkix;
mod purpose;
pub mod roots;
mod signatures;

pub use pkix::{Assessed, Assessments, Judge};
pub use purpose::Purpose;
pub use roots::{FileRoots, Roots, Store};
