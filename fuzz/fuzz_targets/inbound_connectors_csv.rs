//! The oracle says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mxray_fuzz::oracles::inbound_connectors_csv::check(input));
