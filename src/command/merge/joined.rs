//! What `run.json` says of a run that was joined.

use crate::command::survey::suspects;
use crate::model::Shard;
use crate::run_dir::{
    BLOCKLIST_READS_MAX, MergedShard, RunCoolDowns, RunCounts, RunInfo, RunLimits, RunSample,
};
use crate::verdict::Reach;
use std::path::Path;

/// Places that were given up which are named.
const GIVEN_UP_NAMED_MAX: usize = 1000;

/// Pauses for canaries that are kept, as many as of one run.
const PAUSES_MAX: usize = 1000;

/// At the start: what all shards have in common, and where each came from. The
/// limits are those of all of them together.
pub(super) fn run_info(shards: &[(&Path, &RunInfo)]) -> Option<RunInfo> {
    let (_, first) = *shards.first()?;
    let infos = || shards.iter().map(|(_, info)| *info);
    let mut info = first.clone();
    info.command = crate::command::given_words();
    info.resolver = distinct(infos().map(|info| info.resolver.clone())).join(" ");
    info.resolvers = distinct(infos().flat_map(|info| info.resolvers.clone()));
    // As a run is judged by the moment at which it began.
    info.judged_by.at = infos().map(|info| info.judged_by.at).min()?;
    info.started = infos().map(|info| info.started).min()?;
    info.resumed = infos().flat_map(|info| info.resumed.clone()).collect();
    info.resumed.sort_unstable();
    info.limits = limits(&infos().map(|info| &info.limits).collect::<Vec<_>>(), &first.limits);
    info.shard = None;
    info.merged_from =
        shards.iter().filter_map(|(path, info)| Some(merged(path, info, info.shard?))).collect();
    info.blocklist = infos().flat_map(|info| info.blocklist.clone()).take(BLOCKLIST_READS_MAX).collect();
    info.canary_pauses = infos().flat_map(|info| info.canary_pauses.clone()).collect();
    info.canary_pauses.sort_by_key(|pause| pause.began);
    info.canary_pauses.truncate(PAUSES_MAX);
    (info.ended, info.finished) = (None, None);
    (info.network_suspect, info.cool_downs, info.sample) = (None, None, None);
    info.counts = RunCounts::default();
    Some(info)
}

/// At the end.
pub(super) fn finish(
    info: &mut RunInfo,
    shards: &[(&Path, &RunInfo)],
    counts: RunCounts,
    suspect: Vec<String>,
) {
    let infos = || shards.iter().map(|(_, info)| *info);
    info.ended = infos().filter_map(|info| info.ended).max();
    info.finished = Some(true);
    info.network_suspect = Some(suspect);
    info.cool_downs = Some(cool_downs(infos().filter_map(|info| info.cool_downs.as_ref())));
    info.sample = infos().filter_map(|info| info.sample).reduce(|one, other| RunSample {
        endpoints_alike: one.endpoints_alike + other.endpoints_alike,
        names_asked: one.names_asked + other.names_asked,
        names_inferred: one.names_inferred + other.names_inferred,
        endpoints_differ: one.endpoints_differ + other.endpoints_differ,
    });
    let before = infos().next().map(|first| first.counts).unwrap_or_default();
    info.counts = RunCounts {
        connections: infos().map(|info| info.counts.connections).sum(),
        taken_from_urls: before.taken_from_urls,
        taken_from_mail_addresses: before.taken_from_mail_addresses,
        unfinished: Some(0),
        ..counts
    };
}

/// Families over which some machine let nothing out: what it could not reach is not
/// known to be away.
pub(super) fn suspect_families(shards: &[(&Path, &RunInfo)], all: &Reach) -> Vec<String> {
    let by_shard = shards.iter().filter_map(|(_, info)| info.network_suspect.clone()).flatten();
    let mut families = distinct(by_shard.chain(suspects(all)));
    families.sort_unstable();
    families
}

fn merged(path: &Path, info: &RunInfo, shard: Shard) -> MergedShard {
    MergedShard {
        shard,
        run: path.display().to_string(),
        command: info.command.clone(),
        ehlo_name: info.ehlo_name.clone(),
        resolver: info.resolver.clone(),
        started: info.started,
        ended: info.ended,
    }
}

/// The shares put together; 0 is no limit, and then it is none for all.
fn limits(all: &[&RunLimits], first: &RunLimits) -> RunLimits {
    let sum = |of: fn(&RunLimits) -> u32| all.iter().map(|limits| of(limits)).sum::<u32>();
    let per_operator = first.per_operator.map(|mut limits| {
        limits.connections = sum(|limits| limits.per_operator.map_or(0, |limits| limits.connections));
        limits.rate = sum(|limits| limits.per_operator.map_or(0, |limits| limits.rate));
        limits.interval_ms /= all.len().max(1) as u64;
        limits
    });
    RunLimits {
        rate: sum(|limits| limits.rate),
        in_flight: all.iter().map(|limits| limits.in_flight).sum(),
        slow_in_flight: all.iter().map(|limits| limits.slow_in_flight).sum(),
        lookups_in_flight: all.iter().map(|limits| limits.lookups_in_flight).sum(),
        per_operator,
        ..first.clone()
    }
}

fn cool_downs<'a>(all: impl Iterator<Item = &'a RunCoolDowns>) -> RunCoolDowns {
    let mut sum = RunCoolDowns::default();
    for one in all {
        sum.begun += one.begun;
        sum.given_up += one.given_up;
        let room = GIVEN_UP_NAMED_MAX.saturating_sub(sum.given_up_places.len());
        sum.given_up_places.extend(one.given_up_places.iter().take(room).cloned());
        sum.standing.extend(one.standing.clone());
    }
    sum
}

/// Each once, in the order in which they come.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_dir::RunPause;
    use crate::run_dir::fixtures::run_info as fixture;

    #[test]
    fn the_pauses_of_every_shard_are_kept() {
        let with_pause = |began: &str| {
            let pause =
                RunPause { began: began.parse().unwrap(), ended: None, refused: Vec::new(), asked_again: 0 };
            RunInfo { canary_pauses: vec![pause], ..fixture() }
        };
        let shards = ["2026-03-01T14:00:00Z", "2026-03-01T13:00:00Z"].map(with_pause);
        let named: Vec<(&Path, &RunInfo)> = shards.iter().map(|info| (Path::new("part"), info)).collect();
        let began = run_info(&named).unwrap().canary_pauses.into_iter().map(|pause| pause.began.to_string());
        assert_eq!(began.collect::<Vec<_>>(), ["2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"]);
    }
}
