//! Scenarios of the lab: such that a fleet can play them within the limits, or
//! refused by one line.

use super::{Seed, message};
use mxray::internals::lab::{DH_BITS_MAX, Scenario, Server, Step, Words};
use std::collections::BTreeSet;

/// Most bytes that a step may say at once, and its longest pause in
/// milliseconds, as `src/lab/step.rs` has them.
const STEP_BYTES_MAX: usize = 64 * 1024;
const WAIT_MS_MAX: u64 = 600_000;

/// A file is named as the scenario in it.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap_or("x");
    match Scenario::parse(name, text) {
        Err(error) => message::check(&error.to_string()),
        Ok(scenario) => {
            assert_eq!(scenario.name, name);
            check_roles(&scenario);
            scenario.server.values().for_each(check_server);
            let again = Scenario::parse(name, text).map(|again| format!("{again:?}")).unwrap();
            assert_eq!(again, format!("{scenario:?}"), "read the same again");
        }
    }
}

/// Every server has its exchange and what is expected of it.
fn check_roles(scenario: &Scenario) {
    let roles: BTreeSet<&String> = scenario.server.keys().collect();
    let played: Vec<&String> =
        scenario.dns.exchanges.iter().filter_map(|exchange| exchange.server.as_ref()).collect();
    assert_eq!(played.len(), roles.len(), "each server answers for one exchange");
    assert_eq!(played.into_iter().collect::<BTreeSet<_>>(), roles);
    assert_eq!(scenario.expect.endpoint.keys().collect::<BTreeSet<_>>(), roles);
    assert!(roles.iter().all(|role| scenario.exchange(role).is_some_and(|exchange| exchange.buckets > 0)));
    for role in [&scenario.expect.best, &scenario.expect.weakest].into_iter().flatten() {
        assert!(roles.contains(role));
    }
    for (column, cell) in scenario.expect.finding(scenario.expect.best.as_deref()) {
        assert!(column != "phase" || !cell.is_empty(), "it says where the attempt ends");
    }
}

fn check_server(server: &Server) {
    let steps =
        [&server.greeting, &server.ehlo, &server.helo, &server.starttls, &server.ehlo_tls, &server.quit];
    steps.into_iter().chain(&server.client_hello).for_each(check_step);
    let Some(legacy) = &server.legacy else { return };
    assert!(legacy.dh_bits <= DH_BITS_MAX);
    let answers = legacy.intolerant.iter().map(|intolerant| &intolerant.answer);
    [&legacy.no_common_version, &legacy.no_common_suite].into_iter().chain(answers).for_each(check_step);
}

/// Whatever stands for what, a step is bounded.
fn check_step(step: &Step) {
    assert!(step.wait_ms <= WAIT_MS_MAX);
    let (Words::Lines(text) | Words::Raw(text)) = &step.words else { return };
    assert!(text.chars().all(|character| u32::from(character) <= 0xff), "each character is a byte");
    let filled = text.matches("{fill}").count() * step.fill;
    assert!(text.chars().count() + filled <= STEP_BYTES_MAX + "{fill}".len(), "{filled} bytes filled in");
}

pub fn seeds() -> Vec<Seed> {
    let file = |name: &'static str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/lab");
        (name, std::fs::read(folder.join(format!("{name}.toml"))).unwrap())
    };
    let odd_key = b"name = \"x\"\n\"t\\u001b\\ntle\" = 't'\n".to_vec();
    let filled = "name = \"x\"\ntitle = 't'\nweight = 0\n[dns]\nexchanges = [{ host = 'a', server = 's' }]\n\
        [server.s]\nhelo = { say = '250 {fill}{fill}', fill = 40000 }\n[expect]\nmx_count = 1\nbest = 's'\n\
        [expect.endpoint.s]\nphase = 'ehlo'\noutcome = 'timeout'\ndelivery = 'undetermined'\nreason = 'ehlo_timeout'\n";
    vec![
        file("all_dead"),
        file("best_weaker"),
        file("cert_by_sni"),
        file("dhe_1024"),
        file("dns_servfail"),
        file("ehlo_endless"),
        file("ehlo_line_overlong"),
        file("implicit_mx"),
        file("intolerant_long_hello"),
        file("provider_pool"),
        file("starttls_plaintext"),
        ("key-with-an-escape", odd_key),
        ("filled-twice", filled.as_bytes().to_vec()),
    ]
}
