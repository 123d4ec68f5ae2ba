//! `mxray scan --dry-run`: what a scan would do, told after the DNS alone. Nothing
//! connects to a mail host, nor to a policy host.

use super::CommandError;
use super::canaries;
use super::display::Display;
use super::list_end::{AnswerCount, ListEnd};
use super::reader;
use super::scan_parts::{OpenedList, ScanPace, check_shard, style};
use super::signals::{Signals, Stop};
use crate::cli::{DryRunArg, PolicyArgs, ScanArgs};
use crate::engine::Progress;
use crate::engine::forecast::{
    ConnectionsEach, Forecast, ForecastBucket, ForecastPlace, ForecastRules, ForecastSample, Forecasted,
    SESSION_ASSUMED,
};
use crate::input::Entry;
use crate::model::text;
use crate::model::{DomainFacts, Endpoint, Kind, ProbeKey};
use crate::plan::{self, Stages};
use crate::run_dir::RunDirectory;
use crate::stage::{Lookup, Probe};
use crate::verdict::Reach;
use anyhow::anyhow;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Version of the document: grows when a key changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

/// Lines read ahead of the lookups.
const LINES_QUEUED_MAX: usize = 1024;

/// Looks the list up and tells the plan. What a scan would refuse is refused.
pub(super) async fn run(
    args: &ScanArgs,
    list: OpenedList,
    mut pace: ScanPace,
    signals: Signals,
    format: DryRunArg,
) -> Result<ExitCode, CommandError> {
    // Whatever is asked of the DNS alone.
    let policies = PolicyArgs { no_mta_sts: true, ..args.policies.clone() };
    let stages = plan::stages(&args.asking, &policies, &args.hellos, &args.judging, pace.lookup)?;
    canaries::find(&stages, &args.canaries.canary, pace.engine.port).await?;
    if args.shard.is_some() {
        check_shard(args.shard, Some(&plan::asked_by(args, &stages.settings)?))?;
    }
    args.output.as_deref().map(RunDirectory::check).transpose()?;
    pace.engine.limits.order_seed.get_or_insert_with(|| fastrand::u32(..).into());
    super::say_at_start(&stages.settings);
    pace.say();
    let stop = signals.watch("the plan so far is told");
    let each = ConnectionsEach::usual(&stages.policy, stages.settings.enumeration_connections);
    let looked = look_up(args, list, &stages, Forecast::new(&pace.engine, each), &pace, &stop).await?;
    let told = looked.forecast.told();
    let plan = Plan { told, each, rejected: looked.asked.rejected(), is_whole: stop.code().is_none() };
    super::tell(match format {
        DryRunArg::Json => format!("{:#}\n", plan.as_json()),
        DryRunArg::Text => plan.as_text(),
    })?;
    if let Some(code) = stop.code() {
        return Ok(ExitCode::from(code));
    }
    let mut asked = looked.asked;
    asked.leave_to_others(plan.told.of_other_shards);
    asked.add_private(plan.told.left_alone.get(Kind::PrivateAddress.name()).copied().unwrap_or_default());
    let list = if looked.name == "-" { "standard input".to_string() } else { looked.name };
    let (resolver, require_targets) = (stages.settings.resolver(), args.require_targets);
    Ok(ListEnd { asked, reach: Reach::default(), list, resolver, require_targets }.code(None))
}

struct LookedUp {
    forecast: Forecast,
    asked: AnswerCount,
    /// The list as it was named.
    name: String,
}

/// Looks the list up to its end, or until somebody stops it, and shows how far it is.
async fn look_up(
    args: &ScanArgs,
    list: OpenedList,
    stages: &Stages,
    forecast: Forecast,
    pace: &ScanPace,
    stop: &Stop,
) -> Result<LookedUp, CommandError> {
    let progress = Arc::new(Progress::default());
    let display = Display::of_lookups(progress.clone(), style(args));
    let OpenedList { list, name, options } = list;
    let _counting = reader::count_ahead(&name, options, progress.clone());
    let (lines_in, lines) = mpsc::channel(LINES_QUEUED_MAX);
    // One that still waits for standard input is left behind.
    let reading = tokio::task::spawn_blocking(move || {
        for entry in list {
            if lines_in.blocking_send(entry).is_err() {
                break;
            }
        }
    });
    let mut looked = LookedUp { forecast, asked: AnswerCount::default(), name };
    let looking = looked.all(stages, lines, pace.engine.lookups_in_flight, &progress);
    let ended = tokio::select! {
        ended = looking => ended,
        () = stop.token.cancelled() => Ok(()),
    };
    display.end().await;
    ended?;
    if stop.code().is_none() {
        reading.await.map_err(|error| anyhow!("reading failed: {error}"))?;
    }
    Ok(looked)
}

impl LookedUp {
    async fn all(
        &mut self,
        stages: &Stages,
        mut lines: mpsc::Receiver<std::io::Result<Entry>>,
        at_a_time: usize,
        progress: &Progress,
    ) -> Result<(), CommandError> {
        let rules = ForecastRules {
            refused: |key: &ProbeKey| stages.probe.permit(key).err().map(|why| why.kind.to_string()),
            is_free: |facts: &DomainFacts, number| stages.policy.hangs_on_certificate(facts, number),
        };
        let mut under_way: JoinSet<DomainFacts> = JoinSet::new();
        let mut open = true;
        while open || !under_way.is_empty() {
            tokio::select! {
                line = lines.recv(), if open && under_way.len() < at_a_time.max(1) => match line {
                    Some(Ok(Entry::Target(target))) => {
                        let lookup = stages.lookup.clone();
                        under_way.spawn(async move { lookup.lookup(target).await });
                    }
                    Some(Ok(Entry::Rejected(rejected))) => self.asked.add_rejected(&rejected),
                    Some(Err(error)) => {
                        return Err(anyhow!("the list could not be read to its end: {error}").into());
                    }
                    None => open = false,
                },
                Some(facts) = under_way.join_next() => {
                    let facts = facts.map_err(|error| anyhow!("a lookup failed: {error}"))?;
                    if self.forecast.add(&facts, &rules) {
                        self.asked.add_facts(&facts);
                    }
                    progress.domain_passed_on();
                }
            }
        }
        Ok(())
    }
}

/// What is told.
struct Plan {
    told: Forecasted,
    each: ConnectionsEach,
    /// Lines that are no target.
    rejected: u64,
    /// Whether the list was looked up to its end.
    is_whole: bool,
}

impl Plan {
    fn as_text(&self) -> String {
        let Self { told, each, rejected, is_whole } = self;
        let [addresses, networks, operators] = told.places;
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<13} {value}");
        };
        let without = of_which(&told.without_hosts, "without a host to ask");
        line("targets", told.domains.to_string() + &of_others(told.of_other_shards) + &without);
        line("rejected", format!("{} of the list", text::counted(*rejected, "line")));
        line("hosts", told.hosts.to_string() + &without_address(told.hosts_without_address));
        line(
            "addresses",
            format!(
                "{addresses}, in {}, of {}",
                text::counted(networks, "network"),
                text::counted(operators, "operator")
            ),
        );
        if let Some((ip, names)) = told.most_names {
            line("most names", format!("{names} asked on {ip}"));
        }
        if let Some(sample) = &told.sample {
            line("sample", sampled(sample));
        }
        let left_alone = of_which(&told.left_alone, "not made");
        line(
            "connections",
            format!(
                "{} first ones, one for each name at each address{left_alone}; {} with further ClientHellos",
                told.run.asked, told.run.connections
            ),
        );
        line("takes", taking(&told.run));
        text.push_str("\nslowest buckets\n");
        for bucket in &told.slowest {
            let _ = writeln!(
                text,
                "  {}, connections: {}: {}",
                place(bucket),
                bucket.connections,
                taking(bucket)
            );
        }
        text.push_str(&counted(*each));
        if !is_whole {
            text.push_str("Stopped early: this is the plan of the targets that were looked up by then.\n");
        }
        text
    }

    fn as_json(&self) -> Value {
        let Self { told, each, rejected, is_whole } = self;
        let bucket = |bucket: &ForecastBucket| {
            json!({
                "bucket": place(bucket),
                "first_connections": bucket.asked,
                "connections": bucket.connections,
                "at_least_s": bucket.at_least.as_secs_f64(),
                "with_sessions_s": bucket.with_sessions.as_secs_f64(),
            })
        };
        let [addresses, networks, operators] = told.places;
        json!({
            "schema_version": SCHEMA_VERSION,
            "mxray": env!("CARGO_PKG_VERSION"),
            "targets": told.domains,
            "of_other_shards": told.of_other_shards,
            "rejected": rejected,
            "without_hosts": told.without_hosts,
            "hosts": told.hosts,
            "hosts_without_address": told.hosts_without_address,
            "addresses": addresses,
            "networks": networks,
            "operators": operators,
            "most_names": told.most_names.map(|(ip, names)| json!({"address": ip, "names": names})),
            "not_connected": told.left_alone,
            "sample": told.sample.as_ref().map(sample_as_json),
            "connections_each": {"with_name": each.named, "without_name": each.nameless},
            "session_assumed_s": SESSION_ASSUMED.as_secs_f64(),
            "run": bucket(&told.run),
            "slowest": told.slowest.iter().map(bucket).collect::<Vec<_>>(),
            "stopped_early": !is_whole,
        })
    }
}

/// What is counted, and what is not.
fn counted(each: ConnectionsEach) -> String {
    let ConnectionsEach { named, nameless } = each;
    let both = if named == nameless { String::new() } else { format!(", one without a name {nameless}") };
    format!(
        "\nA host with two addresses is asked at both, one without a known address at none. Counted as if every host answered,\n\
         in TLS 1.3 with X25519: a name at an address takes {named} connections by these options{both}. Hosts whose handshake\n\
         fails take more, those that do not answer fewer. Second looks, retries and cool-downs come\n\
         on top. That a session takes {SESSION_ASSUMED:?} is assumed.\n"
    )
}

/// What a sample spares.
fn sampled(sample: &ForecastSample) -> String {
    let ForecastSample { endpoints, names_asked, names_not_asked, largest } = sample;
    if *endpoints == 0 {
        return "no address has so many names that not all are asked".to_string();
    }
    let at = |(endpoint, asked, left_out): &(Endpoint, u64, u64)| {
        format!("{asked} of {} at {endpoint}", asked + left_out)
    };
    let largest: Vec<String> = largest.iter().map(at).collect();
    format!(
        "about {names_asked} of {} names are asked at {endpoints} {}, if all are answered alike there ({})",
        names_asked + names_not_asked,
        text::noun(*endpoints, "address"),
        largest.join(", ")
    )
}

fn sample_as_json(sample: &ForecastSample) -> Value {
    let at = |(endpoint, asked, left_out): &(Endpoint, u64, u64)| json!({"endpoint": endpoint.to_string(), "names_asked": asked, "names_not_asked": left_out});
    json!({
        "endpoints": sample.endpoints,
        "names_asked": sample.names_asked,
        "names_not_asked": sample.names_not_asked,
        "largest": sample.largest.iter().map(at).collect::<Vec<_>>(),
    })
}

fn of_others(targets: u64) -> String {
    if targets == 0 { String::new() } else { format!("; all of it in other shards: {targets}") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::step_down::HelloPlan;
    use crate::sender::Sender;
    use crate::trust::pkix::Judge;
    use crate::trust::{Roots, Store};
    use crate::verdict::Policy;

    /// What the sender does not offer is asked for once more; each of what it offers is not.
    #[test]
    fn connections_to_a_key_follow_the_options() {
        let each = |sender: &str, plan: HelloPlan, enumeration| {
            let judge = Judge::new(Roots::new(vec![Store::new("none")]), jiff::Timestamp::UNIX_EPOCH);
            let policy = Policy::new(judge, Sender::named(sender).unwrap()).with_hellos(plan);
            let ConnectionsEach { named, nameless } = ConnectionsEach::usual(&policy, enumeration);
            (named, nameless)
        };
        let usual = HelloPlan::default();
        assert_eq!(each("exchange-online", usual, 0), (2, 2));
        assert_eq!(each("exchange-online", HelloPlan { hellos_max: 0, ..usual }, 0), (1, 1));
        assert_eq!(each("google", usual, 0), (1, 1));
        assert_eq!(each("google", HelloPlan { sender_hello: true, ..usual }, 0), (2, 2));
        assert_eq!(each("exchange-online", usual, 500), (32, 32));
        assert_eq!(each("exchange-online", usual, 7), (9, 9));
        // It names the host to nobody without DANE: a second handshake without a name.
        assert_eq!(each("exim", usual, 0), (2, 1));
    }
}
