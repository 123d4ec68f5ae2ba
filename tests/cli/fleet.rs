//! A fleet inside the test for the command to scan.

use crate::command::{Folder, PATIENCE};
use mxray::internals::lab::{Fleet, FleetOptions, scenario};
use mxray::internals::model::DomainName;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A fleet with its own threads, and a folder that holds the `list` of its
/// domains and its `roots.pem`.
pub struct Lab {
    pub folder: Folder,
    pub fleet: Fleet,
    _runtime: Runtime,
}

impl Lab {
    /// `count` domains `d1.example`, `d2.example` and so on, all of which play
    /// one of `scenarios`.
    pub fn playing(scenarios: &[&str], count: usize) -> Self {
        let names: Vec<String> = (1..=count).map(|number| format!("d{number}.example")).collect();
        let domains = names.iter().map(|name| DomainName::parse(name).unwrap()).collect();
        let scenarios = scenarios.iter().map(|name| scenario(name).unwrap()).collect();
        let options = FleetOptions { scenarios, ..FleetOptions::new(domains).unwrap() };
        let runtime = Runtime::new().unwrap();
        let fleet = runtime.block_on(Fleet::start(options)).unwrap();
        let folder = Folder::new().with("list", names.join("\n") + "\n").with("roots.pem", fleet.root_pem());
        Self { folder, fleet, _runtime: runtime }
    }

    /// `words` and what leads every stage to the fleet, at full speed.
    pub fn args(&self, words: &str) -> Vec<String> {
        let words: Vec<&str> = words.split(' ').collect();
        let (command, rest) = words.split_first().unwrap();
        let mut args = vec![(*command).to_string()];
        // What the test says of an option counts.
        let mut usual = |pairs: &[[&'static str; 2]]| {
            let untold =
                pairs.iter().copied().filter(|[option, _]| *option == "--roots" || !rest.contains(option));
            args.extend(untold.flatten().map(String::from));
        };
        if *command == "scan" {
            usual(&HASTE);
        }
        if matches!(*command, "scan" | "probe") {
            usual(&AGAIN);
        }
        usual(&ASKING);
        args.extend(["--resolver".to_string(), self.fleet.dns_addr().to_string()]);
        args.extend(["--port".to_string(), self.fleet.smtp_port().to_string()]);
        if matches!(*command, "scan" | "probe") {
            args.extend(["--mta-sts-port".to_string(), self.fleet.policy_port().to_string()]);
        }
        args.extend(rest.iter().map(ToString::to_string));
        args
    }

    pub fn connections(&self) -> u64 {
        self.fleet.counters().connections()
    }
}

const HASTE: [[&str; 2]; 3] = [["--rate", "0"], ["--per-ip-interval", "0"], ["--cool-down", "0"]];
const AGAIN: [[&str; 2]; 2] = [["--retries", "0"], ["--second-look-delay", "0"]];
const ASKING: [[&str; 2]; 2] = [["--roots", "roots.pem"], ["--ehlo", "scanner.example"]];

/// Waits until `condition` holds.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
