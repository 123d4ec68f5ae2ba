//! A fleet of one domain, `a.example`, for what its servers and its DNS say,
//! whatever a scanner would find.

// clippy does not see that everything here is a test.
#![allow(clippy::unwrap_used)]

use mxray::internals::lab::{Fleet, FleetOptions, Scenario};
use mxray::internals::model::DomainName;

const HEAD: &str = "name = 'odd'\ntitle = 'A title'\nweight = 1\n";

const EXPECTED: &str = "
[expect]
mx_count = 1
best = 'mx'

[expect.endpoint.mx]
phase = 'greeting'
outcome = 'timeout'
delivery = 'undetermined'
reason = 'greeting_timeout'
";

/// The domain plays these tables of a scenario, with one server, `mx`.
pub async fn fleet(tables: &str) -> Fleet {
    let scenarios = vec![Scenario::parse("odd", &[HEAD, tables, EXPECTED].concat()).unwrap()];
    let domains = vec![DomainName::parse("a.example").unwrap()];
    let options = FleetOptions { scenarios, hosts_per_scenario: 1, ..FleetOptions::new(domains).unwrap() };
    Fleet::start(options).await.unwrap()
}
