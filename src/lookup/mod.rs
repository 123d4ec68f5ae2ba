//! MX, A and AAAA: [`crate::engine::stage::Lookup`] on hickory-resolver.
