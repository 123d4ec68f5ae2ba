//! `mxray demo`: the main job on the embedded lab.

use super::CommandError;
use super::display::Style;
use super::opt_outs::OptOuts;
use super::own_folder::in_folder;
use super::signals::{Signals, Stop};
use super::survey::{self, EarlierPart, Survey};
use super::writer::{Fold, Outputs};
use crate::cli::DemoArgs;
use crate::engine::EngineConfig;
use crate::engine::pace::{BucketLimits, Limits};
use crate::input::{self, InputOptions};
use crate::interrogate::RetryPlan;
use crate::lab::{self, Fleet, FleetOptions};
use crate::model::DomainName;
use crate::model::text::counted;
use crate::plan::{self, LabPlace, LabTime, UsageError};
use crate::run_dir::RunDirectory;
use crate::run_dir::read::StoredRun;
use anyhow::{Context, anyhow};
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Addresses that each scenario is spread over: with one connection at a time
/// to an address, slow servers then do not add up.
const HOSTS_PER_SCENARIO: usize = 32;

/// A list made for the demo stays beside its results under this name.
const LIST_NAME: &str = "demo-domains.txt";

/// What differs from a scan of the internet: the fleet is our own, near, and
/// minds no haste. It shares the machine with the scan, so that many at a time
/// would make all of them slow, and an answer late.
fn engine(port: u16) -> EngineConfig {
    EngineConfig {
        port,
        limits: Limits { per_ip: BucketLimits::of_connections(1), ..Limits::none(200) },
        lookups_in_flight: 64,
        retry: RetryPlan {
            retries: 1,
            retry_delay: DEMO_RETRY_DELAY,
            second_look_delay: Duration::from_millis(250),
        },
        spill_dir: None,
        sample: false,
        shard: None,
        ..EngineConfig::default()
    }
}

/// Starts the fleet, scans it, and holds the result against what the fleet
/// was told to play.
pub(super) async fn run(args: DemoArgs) -> Result<ExitCode, CommandError> {
    let signals = Signals::new();
    let names: Vec<String> = (1..=args.domains).map(|number| format!("d{number:05}.example")).collect();
    let domains: Result<Vec<DomainName>, _> = names.iter().map(|name| DomainName::parse(name)).collect();
    let domains = domains.context("the demo's own names")?;
    let mut options = FleetOptions::new(domains).map_err(|error| UsageError(error.to_string()))?;
    options.seed = args.seed;
    options.hosts_per_scenario = HOSTS_PER_SCENARIO;
    let fleet = Fleet::start(options).await.map_err(|error| anyhow!("the lab does not start: {error}"))?;
    for name in fleet.left_out() {
        super::say(format_args!("mxray: scenario {name} is skipped: this machine has no ::1"));
    }

    let connectors = connectors(&fleet)?;
    let place = LabPlace { dns: fleet.dns_addr(), policy_port: fleet.policy_port() };
    let time = LabTime { dns: DEMO_DNS_TIMEOUT, phase: DEMO_TIMEOUT, retry_delay: DEMO_RETRY_DELAY };
    let stages = plan::lab_stages(place, fleet.root_certificates(), &connectors, time)?;
    let engine = engine(fleet.smtp_port());
    let mut info = survey::run_info(LIST_NAME, &stages.settings, &engine, Some(args.seed));
    info.compress = plan::packing(args.compress);
    let directory =
        in_folder(args.output.as_deref(), "mxray-demo", |path| RunDirectory::create(path, &info))?;
    let path = directory.path().to_path_buf();
    super::say(format_args!(
        "{} under .example, served on loopback by this process",
        counted(args.domains.into(), "simulated domain")
    ));
    let list_path = path.join(LIST_NAME);
    fs::write(&list_path, names.join("\n") + "\n").context("cannot write the demo's list")?;
    fs::write(path.join(plan::LAB_ROOTS_NAME), fleet.root_pem()).context("cannot write the lab's roots")?;
    fs::write(path.join(plan::LAB_CONNECTORS_NAME), connectors)
        .context("cannot write the lab's connectors")?;
    let list_name = list_path.to_string_lossy().into_owned();
    let list_options = InputOptions::default();
    let earlier = EarlierPart::default();
    let progress = earlier.progress.clone();
    let survey = Survey {
        list: input::open(&list_name, &list_options)?,
        list_name,
        list_options,
        stages,
        engine,
        outputs: Outputs { directory: Some(directory), stream: None, earlier: Fold::default(), progress },
        style: Style::Auto,
        info,
        signals,
        require_targets: false,
        earlier,
        opt_outs: OptOuts::default(),
    };
    let surveyed = survey.run().await?;
    let is_stopped = surveyed.stop.code().is_some();
    // The headline stands last.
    let checked = if is_stopped { Ok(()) } else { check(&fleet, &path, &surveyed.stop) };
    let code = surveyed.tell(false, args.summary.summary)?;
    checked?;
    if !is_stopped {
        fleet.shutdown().await;
    }
    Ok(code)
}

/// The connectors that domains of the fleet are under.
fn connectors(fleet: &Fleet) -> Result<String, CommandError> {
    let mut text = Vec::new();
    fleet.write_connectors(&mut text).context("cannot write the lab's connectors")?;
    Ok(String::from_utf8(text).context("the lab's connectors")?)
}

/// Pause before what failed is asked again.
const DEMO_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Time for every phase of a dialogue of the demo: a silent server is waited for
/// so long, and asked again.
const DEMO_TIMEOUT: Duration = Duration::from_secs(4);

/// Time for a question to the DNS. Those that get no answer wait beside the
/// silent servers, which take longer yet.
const DEMO_DNS_TIMEOUT: Duration = Duration::from_secs(12);

/// Most findings that are listed; all are counted.
const DISAGREEMENTS_SHOWN_MAX: usize = 10;

/// Compares every row with what the fleet was told to play, and says so.
fn check(fleet: &Fleet, path: &Path, stop: &Stop) -> Result<(), CommandError> {
    let truth = File::create(path.join("truth.csv")).context("cannot write truth.csv")?;
    fleet.write_truth(truth).context("cannot write truth.csv")?;
    let rows = StoredRun::open(path)?.text("domains.csv")?;
    let wrong = lab::disagreements(fleet, lab::USUAL_SENDER, rows).context("cannot read domains.csv back")?;
    if wrong.is_empty() {
        let played = fleet.truth().len();
        return super::tell_until(
            &stop.token,
            format_args!("every row is what the lab played ({})\n\n", counted(played as u64, "domain")),
        );
    }
    for disagreement in wrong.iter().take(DISAGREEMENTS_SHOWN_MAX) {
        super::say(format_args!("  {disagreement}"));
    }
    let found = wrong.len() as u64;
    let are = if found == 1 { "is" } else { "are" };
    Err(anyhow!("{} {are} not what the lab played", counted(found, "finding")).into())
}
