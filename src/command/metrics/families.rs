//! The counters under the names by which Prometheus knows them: base units, and
//! `_total` for what only grows.

use crate::engine::meters::LOOKUP_BOUNDS;
use crate::engine::{PhaseEnd, Progress, Snapshot};
use crate::model::Phase;
use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::io;

/// A value and its labels.
type LabelledValue = (Vec<(&'static str, &'static str)>, f64);

/// All of them as text.
///
/// # Errors
/// One has no value or no name, which is a defect of this program.
pub(super) fn encoded(progress: &Progress) -> prometheus::Result<String> {
    let snapshot = progress.snapshot();
    let mut families = of_domains(&snapshot);
    families.extend(of_connections(progress, &snapshot));
    families.extend(of_waiting(progress, &snapshot));
    families.push(of_lookups(progress));
    if let Ok((open, most)) = open_files() {
        families.push(gauge("process_open_fds", "Open files of the process.", alone(open)));
        families.push(gauge("process_max_fds", "Open files that it may have.", alone(most)));
    }
    // Nothing ended yet: a family without a value is none.
    families.retain(|family| !family.get_metric().is_empty());
    TextEncoder::new().encode_to_string(&families)
}

fn of_domains(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let ended = snapshot.outcomes.iter().map(|(end, count)| of_end(*end, Phase::AfterTls, *count));
    let mut families = vec![
        counter("mxray_targets_read_total", "Targets read of the list.", alone(snapshot.targets_taken)),
        counter(
            "mxray_domains_done_total",
            "Targets with a row, by phase and outcome as in domains.csv.",
            ended.collect(),
        ),
        counter("mxray_endpoints_done_total", "Hosts asked to their end.", alone(snapshot.probes_done)),
        counter("mxray_handshakes_total", "TLS sessions established.", alone(snapshot.handshakes)),
    ];
    if let Some(total) = snapshot.total {
        families.push(gauge("mxray_targets", "Targets of the list.", alone(total)));
    }
    families
}

/// An end with its labels; what ran to its end came to the phase `last`.
fn of_end(end: PhaseEnd, last: Phase, count: u64) -> LabelledValue {
    let (phase, outcome) = end.map_or((last, "ok"), |(phase, kind)| (phase, kind.name()));
    (vec![("phase", phase.name()), ("outcome", outcome)], count as f64)
}

fn of_connections(progress: &Progress, snapshot: &Snapshot) -> [MetricFamily; 2] {
    let connections = progress.meters().connections();
    let ended = connections.into_iter().map(|(end, count)| of_end(end, Phase::Quit, count)).collect();
    [
        counter(
            "mxray_connections_total",
            "Connections to mail hosts that ended, by the phase they came to and how.",
            ended,
        ),
        gauge("mxray_connections_in_flight", "Connections that are open.", alone(snapshot.in_flight)),
    ]
}

fn of_waiting(progress: &Progress, snapshot: &Snapshot) -> Vec<MetricFamily> {
    let waiting = progress.meters().waiting();
    let paused = vec![
        (vec![("for", "retry")], snapshot.retries_waiting as f64),
        (vec![("for", "second_look")], snapshot.second_looks_waiting as f64),
    ];
    let is_paused = progress.canary_pauses().borrow().last().is_some_and(|pause| pause.ended.is_none());
    vec![
        gauge("mxray_hosts_queued", "Hosts that wait for their connection.", alone(waiting.queued)),
        gauge("mxray_domains_waiting", "Domains that wait for a host.", alone(waiting.domains)),
        gauge("mxray_domains_spilled", "Domains that wait in the file.", alone(waiting.in_file)),
        gauge("mxray_hosts_paused", "Hosts that wait for their time to be asked again.", paused),
        gauge(
            "mxray_bucket_wait_seconds",
            "What the slowest address, network or operator takes for all that waits there.",
            vec![(Vec::new(), snapshot.least.max(snapshot.rest).as_secs_f64())],
        ),
        counter(
            "mxray_cool_downs_total",
            "Cool-downs of addresses, networks and operators that complained.",
            alone(progress.meters().cool_downs()),
        ),
        gauge(
            "mxray_places_cooling",
            "Addresses, networks and operators left alone now.",
            alone(snapshot.cooling),
        ),
        gauge(
            "mxray_canary_pause",
            "1 while the run pauses, as canaries refuse.",
            alone(u64::from(is_paused)),
        ),
        gauge("mxray_places_given_up", "Those that are asked no more.", alone(snapshot.given_up)),
    ]
}

fn of_lookups(progress: &Progress) -> MetricFamily {
    let times = progress.meters().lookups();
    let buckets = LOOKUP_BOUNDS.iter().zip(times.within).map(|(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound.as_secs_f64());
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(times.count);
    histogram.set_sample_sum(times.sum.as_secs_f64());
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    let help = "How long the lookup of a target took: all its questions, and its policy.";
    family("mxray_dns_lookup_seconds", help, MetricType::HISTOGRAM, vec![metric])
}

/// One value without labels.
fn alone(value: u64) -> Vec<LabelledValue> {
    vec![(Vec::new(), value as f64)]
}

fn counter(name: &str, help: &str, samples: Vec<LabelledValue>) -> MetricFamily {
    let metrics = samples.into_iter().map(|(labels, value)| {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        metric
    });
    family(name, help, MetricType::COUNTER, metrics.collect())
}

fn gauge(name: &str, help: &str, samples: Vec<LabelledValue>) -> MetricFamily {
    let metrics = samples.into_iter().map(|(labels, value)| {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = labelled(labels);
        metric.set_gauge(gauge);
        metric
    });
    family(name, help, MetricType::GAUGE, metrics.collect())
}

fn labelled(labels: Vec<(&'static str, &'static str)>) -> Metric {
    let pairs = labels.into_iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_string());
        pair.set_value(value.to_string());
        pair
    });
    let mut metric = Metric::default();
    metric.set_label(pairs.collect());
    metric
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_string());
    family.set_help(help.to_string());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

/// Open files of this process, and how many it may have, where the system says.
#[cfg(unix)]
fn open_files() -> io::Result<(u64, u64)> {
    let open = std::fs::read_dir("/proc/self/fd")?.count() as u64;
    // The one that reads the directory is none of the run's.
    Ok((open.saturating_sub(1), rlimit::Resource::NOFILE.get_soft()?))
}

/// Nobody asks such a system.
#[cfg(not(unix))]
fn open_files() -> io::Result<(u64, u64)> {
    Err(io::ErrorKind::Unsupported.into())
}
