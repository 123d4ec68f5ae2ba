//! `mxray scan --dry-run`: what a scan would do, told after the DNS alone. Nothing
//! connects to a mail host, nor to a policy host.

use super::list_end::{is_unanswered, no_resolver};
use super::scan_parts::{OpenedList, ScanPace};
use super::signals::Signals;
use super::{CommandError, EXIT_NOTHING_ASKED, say};
use crate::cli::{DryRunArg, PolicyArgs, ScanArgs};
use crate::engine::forecast::{Forecast, ForecastBucket, ForecastPlace, Forecasted, SESSION_ASSUMED};
use crate::input::Entry;
use crate::model::{DomainFacts, Target};
use crate::plan::{self, Stages};
use crate::stage::{Lookup, Probe};
use anyhow::anyhow;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Targets read ahead of the lookups.
const TARGETS_QUEUED_MAX: usize = 1024;

/// Looks the list up and tells the plan.
pub(super) async fn run(
    args: &ScanArgs,
    list: OpenedList,
    pace: ScanPace,
    signals: Signals,
    format: DryRunArg,
) -> Result<ExitCode, CommandError> {
    // Whatever is asked of the DNS alone.
    let policies = PolicyArgs { no_mta_sts: true, ..args.policies.clone() };
    let stages = plan::stages(&args.asking, &policies, &args.hellos, &args.judging, pace.lookup)?;
    super::say_at_start(&stages.settings);
    pace.say();
    let stop = signals.watch("the plan so far is told");
    let (targets_in, targets) = mpsc::channel(TARGETS_QUEUED_MAX);
    let reading = tokio::task::spawn_blocking(move || read(list, &targets_in));
    let forecast = Forecast::new(pace.engine.limits, pace.engine.port);
    let looking = look_all(&stages, forecast, targets, pace.engine.lookups_in_flight);
    let mut looked = tokio::select! {
        looked = looking => looked?,
        () = stop.token.cancelled() => {
            return Ok(ExitCode::from(stop.code().unwrap_or_default()));
        }
    };
    let (rejected, error) = reading.await.map_err(|error| anyhow!("reading failed: {error}"))?;
    if let Some(error) = error {
        return Err(anyhow!("the list could not be read to its end: {error}").into());
    }
    let nobody_answered = looked.unanswered > 0 && looked.answered == 0;
    let told = std::mem::replace(&mut looked.forecast, Forecast::new(pace.engine.limits, 0)).told();
    super::tell(match format {
        DryRunArg::Json => format!("{:#}\n", as_json(&told, rejected)),
        DryRunArg::Text => as_text(&told, rejected),
    })?;
    if nobody_answered {
        say(format_args!("mxray: {}", no_resolver(&stages.settings.resolver())));
        return Ok(ExitCode::from(EXIT_NOTHING_ASKED));
    }
    Ok(ExitCode::SUCCESS)
}

/// Feeds the targets; gives the lines that are none, and why it ended early.
fn read(list: OpenedList, targets: &mpsc::Sender<Target>) -> (u64, Option<std::io::Error>) {
    let mut rejected = 0;
    for entry in list.list {
        match entry {
            Ok(Entry::Target(target)) => {
                if targets.blocking_send(target).is_err() {
                    break;
                }
            }
            Ok(Entry::Rejected(_)) => rejected += 1,
            Err(error) => return (rejected, Some(error)),
        }
    }
    (rejected, None)
}

struct LookedUp {
    forecast: Forecast,
    answered: u64,
    unanswered: u64,
}

async fn look_all(
    stages: &Stages,
    forecast: Forecast,
    mut targets: mpsc::Receiver<Target>,
    at_a_time: usize,
) -> Result<LookedUp, CommandError> {
    let mut looked = LookedUp { forecast, answered: 0, unanswered: 0 };
    let mut under_way: JoinSet<DomainFacts> = JoinSet::new();
    let mut open = true;
    while open || !under_way.is_empty() {
        tokio::select! {
            target = targets.recv(), if open && under_way.len() < at_a_time.max(1) => match target {
                Some(target) => {
                    let lookup = stages.lookup.clone();
                    under_way.spawn(async move { lookup.lookup(target).await });
                }
                None => open = false,
            },
            Some(facts) = under_way.join_next() => {
                let facts = facts.map_err(|error| anyhow!("a lookup failed: {error}"))?;
                looked.forecast.add(&facts, |key| stages.probe.permit(key).err().map(|why| why.kind.to_string()));
                if is_unanswered(&facts) { looked.unanswered += 1 } else { looked.answered += 1 }
            }
        }
    }
    Ok(looked)
}

fn as_text(told: &Forecasted, rejected: u64) -> String {
    let [addresses, networks, operators] = told.places;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<13} {value}");
    };
    line("targets", told.domains.to_string() + &of_which(&told.without_hosts, "without a host to ask"));
    line("rejected", format!("{rejected} lines of the list"));
    line("hosts", told.hosts.to_string() + &without_address(told.hosts_without_address));
    line("addresses", format!("{addresses}, in {networks} networks, of {operators} operators"));
    if let Some((ip, names)) = told.most_names {
        line("most names", format!("{names} on {ip}"));
    }
    let left_alone = of_which(&told.left_alone, "not made");
    line(
        "connections",
        format!("{} first ones, one for each name at each address{left_alone}", told.run.connections),
    );
    line("takes", taking(&told.run));
    text.push_str("\nslowest buckets\n");
    for bucket in &told.slowest {
        let _ =
            writeln!(text, "  {}, connections: {}: {}", place(bucket), bucket.connections, taking(bucket));
    }
    let _ = write!(
        text,
        "\nA host with two addresses has two connections, one without a known address has none. Further ClientHellos,\n\
         second looks, retries and cool-downs come on top. That a session takes {SESSION_ASSUMED:?} is assumed.\n"
    );
    text
}

fn of_which(counts: &BTreeMap<String, u64>, what: &str) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = counts.iter().map(|(why, count)| format!("{why} {count}")).collect();
    format!("; {what}: {} ({})", counts.values().sum::<u64>(), parts.join(", "))
}

fn taking(bucket: &ForecastBucket) -> String {
    format!("at least {}, with sessions about {}", lasting(bucket.at_least), lasting(bucket.with_sessions))
}

/// `2 s`, `3 min 7 s`, `10.91 h`.
fn lasting(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{:.2} h", time.as_secs_f64() / 3600.0),
    }
}

/// Why there are more hosts than connections.
fn without_address(count: u64) -> String {
    if count == 0 { String::new() } else { format!("; without an address, so not connected to: {count}") }
}

fn place(bucket: &ForecastBucket) -> String {
    match &bucket.place {
        None => "run".to_string(),
        Some(ForecastPlace::Address(ip)) => format!("address {ip}"),
        Some(ForecastPlace::Network(first)) => {
            format!("network {first}/{}", if first.is_ipv4() { 24 } else { 48 })
        }
        Some(ForecastPlace::Operator(name)) => format!("operator {name}"),
    }
}

fn as_json(told: &Forecasted, rejected: u64) -> Value {
    let bucket = |bucket: &ForecastBucket| {
        json!({
            "bucket": place(bucket),
            "connections": bucket.connections,
            "at_least_s": bucket.at_least.as_secs_f64(),
            "with_sessions_s": bucket.with_sessions.as_secs_f64(),
        })
    };
    let [addresses, networks, operators] = told.places;
    json!({
        "targets": told.domains,
        "rejected": rejected,
        "without_hosts": told.without_hosts,
        "hosts": told.hosts,
        "hosts_without_address": told.hosts_without_address,
        "addresses": addresses,
        "networks": networks,
        "operators": operators,
        "most_names": told.most_names.map(|(ip, names)| json!({"address": ip, "names": names})),
        "not_connected": told.left_alone,
        "session_assumed_s": SESSION_ASSUMED.as_secs_f64(),
        "run": bucket(&told.run),
        "slowest": told.slowest.iter().map(bucket).collect::<Vec<_>>(),
    })
}
