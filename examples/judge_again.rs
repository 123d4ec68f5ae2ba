//! Judges a stored run again, for another sender, without a packet.
//!
//! ```sh
//! cargo run --example judge_again -- RUN_DIR postfix-may
//! ```

use mxray::judge::{Judge, Policy, Roots, Sender, Store};
use mxray::run::{Stored, StoredFacts, StoredRun};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// What becomes of mail to each domain of the run, as `a.example: encrypted`.
pub fn judge_again(run: &Path, roots: Store, sender: Sender) -> Result<Vec<String>, Box<dyn Error>> {
    let run = StoredRun::open(run)?;
    // At the moment of the run, so that no certificate has expired since.
    let policy = Policy::new(Judge::new(Roots::new(vec![roots]), run.info().started), sender);
    let mut judged = HashMap::new();
    let mut observations = run.observations()?;
    while let Some(stored) = observations.read_next()? {
        // A run that was killed may lack the certificates of its last probes.
        if let Stored::Whole(observation) = stored {
            let chains = policy.assess(&observation);
            let (_, endpoint) = policy.endpoint(*observation, &chains);
            judged.insert(endpoint.finding.key.clone(), Arc::new(endpoint));
        }
    }
    let mut lines = Vec::new();
    let mut facts = run.facts()?;
    while let Some(stored) = facts.read_next()? {
        // Nor those of its policy host.
        let StoredFacts::Whole(facts) = stored else { continue };
        let keys = facts.probe_keys(run.info().port);
        let probes: Vec<_> =
            keys.filter_map(|(exchange, key)| Some((exchange, judged.get(&key)?.clone()))).collect();
        let verdict = policy.verdict(&facts, &probes);
        lines.push(format!("{}: {}", facts.target.subject.label(), verdict.outcome.delivery));
    }
    Ok(lines)
}

#[allow(dead_code, reason = "a test takes this file in for what stands above")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let run = words.next().ok_or("say a run directory, and if you like a sender")?;
    let sender = Sender::named(words.next().as_deref().unwrap_or("exchange-online"))?;
    for line in judge_again(Path::new(&run), Store::mozilla(), sender)? {
        println!("{line}");
    }
    Ok(())
}
