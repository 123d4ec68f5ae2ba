//! What `run.json` says of a run, in the words of the report.

use crate::model::text::{counted, grouped, printable};
use crate::plan::LAB_STORE;
use crate::report::document::{AboutRun, TablesBeside};
use crate::run_dir::{BucketRunLimits, ResolverInfo, RunInfo, RunLimits, RunPause};
use jiff::Timestamp;

/// How the run was made.
pub(super) fn about(info: &RunInfo, beside: Option<TablesBeside>) -> AboutRun {
    AboutRun {
        sender: shown(&info.sender),
        list: shown(&info.input),
        when: when(info),
        judged_at: format!("{:.0}", info.judged_by.at),
        notices: notices(info),
        settings: settings(info),
        citation: citation(info),
        beside,
    }
}

/// Text of the user's, or of whoever wrote the run.
fn shown(text: &str) -> String {
    printable(text).into_owned()
}

/// When hosts were asked, which is before a run is judged again or joined.
fn when(info: &RunInfo) -> String {
    let (started, ended) = match (&info.judged_from, info.merged_from.as_slice()) {
        (Some(from), _) => (from.started, from.ended),
        (None, []) => (info.started, info.ended),
        // Where one of them did not end, neither did all.
        (None, shards) => {
            let ends: Option<Vec<Timestamp>> = shards.iter().map(|shard| shard.ended).collect();
            let started = shards.iter().map(|shard| shard.started).min();
            (started.unwrap_or(info.started), ends.and_then(|ends| ends.into_iter().max()))
        }
    };
    match ended {
        Some(ended) => format!("Asked from {started:.0} to {ended:.0} (UTC)"),
        None => format!("Asked from {started:.0} (UTC); when it ended is not known"),
    }
}

/// Who asked whom, when, for which sender, and by which program.
fn citation(info: &RunInfo) -> String {
    let digest = info.asked_by.as_ref().and_then(|by| by.list.as_ref());
    let digest = digest.map_or_else(String::new, |list| format!(" (SHA-256 {})", list.sha256));
    let when = when(info);
    let commit = info.commit.as_ref();
    let commit = commit.map_or_else(String::new, |commit| format!(" (commit {})", shown(commit)));
    format!(
        "mxray {}{commit}, survey of the list {}{digest} for the sender {}, as {} in EHLO. {when}; judged as of {:.0}.",
        shown(&info.mxray),
        shown(&info.input),
        shown(&info.sender),
        shown(&info.ehlo_name),
        info.judged_by.at,
    )
}

fn notices(info: &RunInfo) -> Vec<String> {
    [
        simulated(info),
        shard(info),
        unfinished(info),
        network(info),
        given_up(info),
        judged_again(info),
        other_moment(info),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn simulated(info: &RunInfo) -> Option<String> {
    (info.roots == [LAB_STORE]).then(|| {
        "These domains and servers are made up: the run was made on the lab inside mxray.".to_string()
    })
}

fn shard(info: &RunInfo) -> Option<String> {
    let shard = info.shard?;
    let others = if is_uncounted(info) {
        "how many targets are in other shards, or are judged only when all are joined (mxray merge), is not known yet"
            .to_string()
    } else {
        format!(
            "{} targets are in other shards, and {} are judged only when all are joined (mxray merge)",
            grouped(info.counts.of_other_shards),
            grouped(info.counts.parts_written),
        )
    };
    Some(format!("This is shard {shard} of a run, and its figures are of that part alone: {others}."))
}

fn unfinished(info: &RunInfo) -> Option<String> {
    let why = info.error.as_deref().map(|error| format!(" ({})", shown(error))).unwrap_or_default();
    let left = match info.counts.unfinished {
        Some(1) => "1 target of the list has no row".to_string(),
        Some(count) => format!("{} targets of the list have no row", grouped(count)),
        None => "how many targets of the list have no row is not known".to_string(),
    };
    match info.finished {
        Some(true) => None,
        Some(false) => Some(format!("The run ended before its list did{why}: {left}.")),
        None => Some(format!(
            "The run has not come to its end: it goes on, or was killed{why}. The figures are of what is written."
        )),
    }
}

fn network(info: &RunInfo) -> Option<String> {
    let suspects = info.network_suspect.as_ref().filter(|suspects| !suspects.is_empty())?;
    Some(format!(
        "No connection opened anywhere over {}: the fault may be the network of the machine that scanned, so what hangs \
         on it is not determined.",
        suspects.join(" and ")
    ))
}

fn given_up(info: &RunInfo) -> Option<String> {
    let count = info.cool_downs.as_ref().map(|cool_downs| cool_downs.given_up).filter(|count| *count > 0)?;
    Some(format!(
        "{} addresses, networks or operators turned three looks away, and were asked no more; what is not known for that \
         is told as throttled.",
        grouped(count)
    ))
}

fn judged_again(info: &RunInfo) -> Option<String> {
    let from = info.judged_from.as_ref()?;
    Some(format!(
        "Judged again from what the run {} of mxray {} had seen; nothing was asked anew.",
        shown(&from.run),
        shown(&from.mxray)
    ))
}

fn other_moment(info: &RunInfo) -> Option<String> {
    let (asked, judged) = info.other_moment()?;
    let told = if judged > asked {
        "one that ends in between is told as expired"
    } else {
        "one that begins in between is told as not yet valid"
    };
    Some(format!(
        "Certificates were judged as of {judged:.0}, and hosts were asked from {asked:.0} on: {told}."
    ))
}

fn settings(info: &RunInfo) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Command", shown(&info.command.join(" "))),
        ("mxray", shown(&info.mxray)),
        ("Name in EHLO", shown(&info.ehlo_name)),
        ("Resolver", resolvers(info)),
        ("Root stores", shown(&info.roots.join(", "))),
        ("Port", info.port.to_string()),
        ("Pace", pace(&info.limits)),
        ("Looks", looks(&info.limits)),
        ("Timeouts", timeouts(&info.limits)),
        ("Done", done(info)),
    ];
    if let Some(list) = info.asked_by.as_ref().and_then(|by| by.list.as_ref()) {
        rows.push(("List, SHA-256", list.sha256.to_string()));
    }
    if let Some(by) = &info.asked_by {
        rows.push(("Address families", shown(&by.families.join(", "))));
    }
    for (option, value) in &info.judged_by.options {
        if option == "connectors" && !value.words.is_empty() {
            rows.push(("Connectors", shown(&value.words.join(", "))));
        }
    }
    if !info.resumed.is_empty() {
        rows.push(("Gone on with", moments(&info.resumed)));
    }
    if !info.merged_from.is_empty() {
        rows.push(("Joined from", shards(info)));
    }
    if let Some(sample) = &info.sample {
        rows.push((
            "Sample",
            format!(
                "{} names asked on {} addresses that answered alike stand for {} more; on {} addresses answers differed",
                grouped(sample.names_asked),
                grouped(sample.endpoints_alike),
                grouped(sample.names_inferred),
                grouped(sample.endpoints_differ)
            ),
        ));
    }
    if let Some(read) = info.blocklist.last() {
        rows.push(("Blocklist", format!("{} entries", grouped(read.entries))));
    }
    if !info.canary_pauses.is_empty() {
        rows.push(("Pauses for canaries", pauses(info)));
    }
    rows
}

/// Whether nothing was counted: `run.json` has zeros until the run comes to an end.
fn is_uncounted(info: &RunInfo) -> bool {
    info.finished.is_none()
}

fn done(info: &RunInfo) -> String {
    if is_uncounted(info) {
        return "not known: it is counted when the run comes to its end".to_string();
    }
    let counts = &info.counts;
    let (connections, elsewhere) = match &info.judged_from {
        None => (format!(", {}", counted(counts.connections, "connection")), ""),
        // Whoever judges asks nobody, and does not know how often others did.
        Some(_) => (String::new(), "; connections are counted in the run that was judged again"),
    };
    format!(
        "{} read, {} rejected{connections}, {}{elsewhere}",
        counted(counts.targets_read, "target"),
        counted(counts.rejected, "line"),
        counted(counts.endpoints_written, "endpoint")
    )
}

/// Moments that are told one by one.
const MOMENTS_TOLD_MAX: usize = 10;

fn moments(all: &[Timestamp]) -> String {
    let told: Vec<String> = all.iter().take(MOMENTS_TOLD_MAX).map(|at| format!("{at:.0}")).collect();
    let more = all.len().saturating_sub(MOMENTS_TOLD_MAX);
    let more = if more > 0 { format!(" and {} more", counted(more as u64, "time")) } else { String::new() };
    told.join(", ") + &more
}

fn pauses(info: &RunInfo) -> String {
    let one = |pause: &RunPause| {
        let end = match pause.ended {
            Some(ended) => format!("to {ended:.0}"),
            None if is_uncounted(info) => "on; when it ended is not known".to_string(),
            None => "until the run was stopped".to_string(),
        };
        let refused: Vec<_> =
            pause.refused.iter().take(MOMENTS_TOLD_MAX).map(|canary| shown(canary)).collect();
        let more = pause.refused.len().saturating_sub(MOMENTS_TOLD_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("from {:.0} {end} ({}{more})", pause.began, refused.join(", "))
    };
    let all = &info.canary_pauses;
    let told: Vec<String> = all.iter().take(MOMENTS_TOLD_MAX).map(one).collect();
    let more = all.len().saturating_sub(MOMENTS_TOLD_MAX);
    let more = if more > 0 { format!("; and {} more", counted(more as u64, "time")) } else { String::new() };
    told.join("; ") + &more
}

fn shards(info: &RunInfo) -> String {
    let of = |shard: &crate::run_dir::MergedShard| {
        format!("{} (EHLO {}, resolver {})", shard.shard, shown(&shard.ehlo_name), shown(&shard.resolver))
    };
    info.merged_from.iter().map(of).collect::<Vec<_>>().join("; ")
}

fn resolvers(info: &RunInfo) -> String {
    let of = |resolver: &ResolverInfo| {
        let believed = match resolver.ad_believed {
            Some(true) => "its word on DNSSEC was believed",
            Some(false) => "its word on DNSSEC was not believed",
            None => "nobody looked whether it validates",
        };
        format!("{} ({believed}: {})", shown(&resolver.address), shown(&resolver.because))
    };
    match info.resolvers.as_slice() {
        [] => shown(&info.resolver),
        resolvers => resolvers.iter().map(of).collect::<Vec<_>>().join("; "),
    }
}

fn pace(limits: &RunLimits) -> String {
    let mut parts = vec![
        format!("{} connections a second", most(limits.rate.into())),
        format!("{} open at a time", most(limits.in_flight as u64)),
        format!(
            "to one address {} at a time, {} ms apart",
            most(limits.per_ip_connections.into()),
            limits.per_ip_interval_ms
        ),
    ];
    for (what, bucket) in [("network", limits.per_network), ("operator", limits.per_operator)] {
        if let Some(BucketRunLimits { connections, interval_ms, .. }) = bucket {
            parts.push(format!(
                "to one {what} {} at a time, {interval_ms} ms apart",
                most(connections.into())
            ));
        }
    }
    parts.join("; ")
}

/// 0 is no limit.
fn most(limit: u64) -> String {
    if limit == 0 { "any number".to_string() } else { format!("at most {}", grouped(limit)) }
}

fn looks(limits: &RunLimits) -> String {
    let second =
        limits.second_look_delay_ms.map_or_else(String::new, |ms| format!(", a second look after {ms} ms"));
    format!(
        "{} retries{second}, at most {} further ClientHellos to a host{}",
        limits.retries,
        limits.extra_client_hellos,
        if limits.sender_hello { ", the sender's own to every host" } else { "" }
    )
}

fn timeouts(limits: &RunLimits) -> String {
    let one = |(phase, ms): (&String, &u64)| format!("{} {ms} ms", shown(phase));
    limits.timeouts_ms.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_dir::fixtures::run_info;
    use crate::run_dir::{JudgedFrom, MergedShard, RunSample};

    fn told<'a>(about: &'a AboutRun, name: &str) -> Option<&'a str> {
        about.settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_run_of_shards_is_as_old_as_its_first_and_names_them_all() {
        let mut info = run_info();
        let shard = |number: u8, started: &str, ended: &str| MergedShard {
            shard: format!("{number}/2").parse().unwrap(),
            run: format!("part{number}"),
            command: Vec::new(),
            ehlo_name: format!("s{number}.example"),
            resolver: "192.0.2.53:53".to_string(),
            started: started.parse().unwrap(),
            ended: Some(ended.parse().unwrap()),
        };
        info.merged_from = vec![
            shard(1, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
            shard(2, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ];
        let about = about(&info, None);
        assert_eq!(about.when, "Asked from 2026-01-01T00:00:00Z to 2026-02-02T00:00:00Z (UTC)");
        let shards = told(&about, "Joined from").unwrap();
        assert!(
            shards.contains("1/2 (EHLO s1.example") && shards.contains("2/2 (EHLO s2.example"),
            "{shards}"
        );
        // Of one that was killed nobody knows when it ended.
        info.merged_from[0].ended = None;
        assert!(when(&info).contains("when it ended is not known"), "{}", when(&info));
    }

    #[test]
    fn every_pause_is_told_with_its_canary_up_to_a_limit() {
        let mut info = run_info();
        info.finished = Some(false);
        let pause = |ended: Option<&str>| RunPause {
            began: "2026-03-01T13:00:00Z".parse().unwrap(),
            ended: ended.map(|ended| ended.parse().unwrap()),
            refused: vec!["192.0.2.1:25: greeting: rejected".to_string()],
            asked_again: 4,
        };
        info.canary_pauses = vec![pause(Some("2026-03-01T13:05:00Z")), pause(None)];
        let told_of = |info: &RunInfo| told(&about(info, None), "Pauses for canaries").unwrap().to_string();
        let canary = "(192.0.2.1:25: greeting: rejected)";
        assert_eq!(
            told_of(&info),
            format!(
                "from 2026-03-01T13:00:00Z to 2026-03-01T13:05:00Z {canary}; from 2026-03-01T13:00:00Z until the run was \
                 stopped {canary}"
            )
        );
        // Of one that was killed nobody knows it.
        info.finished = None;
        assert!(told_of(&info).contains("on; when it ended is not known"), "{}", told_of(&info));
        info.canary_pauses = vec![pause(None); MOMENTS_TOLD_MAX + 2];
        assert!(told_of(&info).ends_with("; and 2 times more"), "{}", told_of(&info));
        info.canary_pauses[0].refused = vec!["x\u{202e}".to_string(); MOMENTS_TOLD_MAX + 3];
        assert!(told_of(&info).contains(" and 3 more)") && !told_of(&info).contains('\u{202e}'));
    }

    #[test]
    fn another_moment_than_that_of_the_answers_is_told_at_the_head() {
        let mut info = run_info();
        let told_at = |at: &str, info: &mut RunInfo| {
            info.judged_by.at = at.parse().unwrap();
            let notices = about(info, None).notices;
            notices.into_iter().filter(|notice| notice.starts_with("Certificates were")).collect::<Vec<_>>()
        };
        assert_eq!(told_at("2026-03-02T12:00:00Z", &mut info), [""; 0], "a day is the same moment");
        let told = "Certificates were judged as of 2027-03-01T12:00:00Z, and hosts were asked from 2026-03-01T12:00:00Z \
                    on: one that ends in between is told as expired.";
        assert_eq!(told_at("2027-03-01T12:00:00Z", &mut info), [told]);
        let told = told_at("2025-03-01T12:00:00Z", &mut info);
        assert!(told[0].ends_with("one that begins in between is told as not yet valid."), "{told:?}");
    }

    #[test]
    fn what_nobody_counted_is_not_told_as_zero() {
        let mut info = run_info();
        info.shard = Some("2/3".parse().unwrap());
        let killed = about(&info, None);
        assert!(told(&killed, "Done").unwrap().starts_with("not known"), "{:?}", told(&killed, "Done"));
        let shard = killed.notices.iter().find(|notice| notice.contains("shard 2/3")).unwrap();
        assert!(shard.contains("is not known yet") && !shard.contains(" 0 "), "{shard}");
        info.finished = Some(true);
        (info.counts.targets_read, info.counts.connections) = (1200, 3400);
        let ended = about(&info, None);
        let done = "1,200 targets read, 0 lines rejected, 3,400 connections, 0 endpoints";
        assert_eq!(told(&ended, "Done"), Some(done));
        info.counts.connections = 0;
        info.judged_from = Some(JudgedFrom {
            run: "before".to_string(),
            mxray: "0.1.0".to_string(),
            command: Vec::new(),
            started: info.started,
            ended: None,
            finished: Some(true),
        });
        let judged = about(&info, None);
        let done = "1,200 targets read, 0 lines rejected, 0 endpoints; connections are counted in the run that was judged \
                    again";
        assert_eq!(told(&judged, "Done"), Some(done));
    }

    #[test]
    fn a_run_that_was_judged_again_is_as_old_as_what_was_seen() {
        let mut info = run_info();
        info.judged_from = Some(JudgedFrom {
            run: "old\u{202e}run".to_string(),
            mxray: "0.1.0".to_string(),
            command: Vec::new(),
            started: "2025-01-01T00:00:00Z".parse().unwrap(),
            ended: Some("2025-01-02T00:00:00Z".parse().unwrap()),
            finished: Some(true),
        });
        info.resumed = vec!["2026-05-05T00:00:00Z".parse().unwrap(); MOMENTS_TOLD_MAX + 2];
        info.sample = Some(RunSample {
            endpoints_alike: 4,
            names_asked: 200,
            names_inferred: 9000,
            endpoints_differ: 1,
        });
        let about = about(&info, None);
        assert_eq!(about.when, "Asked from 2025-01-01T00:00:00Z to 2025-01-02T00:00:00Z (UTC)");
        let notice = about.notices.iter().find(|notice| notice.starts_with("Judged again")).unwrap();
        assert!(!notice.contains('\u{202e}'), "{notice}");
        assert!(told(&about, "Gone on with").unwrap().ends_with(" and 2 times more"));
        assert!(told(&about, "Sample").unwrap().contains("stand for 9,000 more"));
    }
}
