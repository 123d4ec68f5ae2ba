//! Certificate facts, read leniently and trusting nothing (RFC 5280).
