//! `run.json`: what was run, with which limits, and how it ended.

use super::{SCHEMA_VERSION, durable};
use crate::model::{Sha256, Shard};
use crate::packing::Packing;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Name of the file in the run directory.
pub(super) const RUN_NAME: &str = "run.json";

/// What a run was, apart from its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of mxray.
    pub mxray: String,
    /// The commit that it was built from, with `-changed` where files differed from
    /// it; `None` where the build did not tell, as one for tests.
    #[serde(default)]
    pub commit: Option<String>,
    /// Name of the machine that made the run; `None` of one that is older than this.
    #[serde(default)]
    pub host: Option<String>,
    /// The command line, program first.
    pub command: Vec<String>,
    /// The list: file, `-`, or what else stood for it.
    pub input: String,
    /// Who answered the DNS queries.
    pub resolver: String,
    /// Each resolver, and whether its word on DNSSEC (AD) was believed; empty in
    /// a run that was made before anybody looked.
    #[serde(default)]
    pub resolvers: Vec<ResolverInfo>,
    /// Name sent in EHLO.
    pub ehlo_name: String,
    /// Root stores that chains were judged against.
    pub roots: Vec<String>,
    /// The sender that verdicts are for.
    pub sender: String,
    /// TCP port of the mail hosts; an endpoint on the list may name another.
    pub port: u16,
    /// What verdicts were made by.
    pub judged_by: JudgedBy,
    /// What must be the same for whoever goes on with the run; `None` in one with
    /// which nobody can.
    #[serde(default)]
    pub asked_by: Option<AskedBy>,
    /// When later processes went on with the run, in their order.
    #[serde(default)]
    pub resumed: Vec<Timestamp>,
    /// Which part of its list the run asked; `None` for all of it.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// The runs of the shards that were joined, in their order; empty in any other
    /// run.
    #[serde(default)]
    pub merged_from: Vec<MergedShard>,
    /// The run whose observations were judged again; `None` for a scan.
    pub judged_from: Option<JudgedFrom>,
    /// How the tables and journals are packed; `None` where they are plain text.
    #[serde(default)]
    pub compress: Option<Packing>,
    /// Seed of the simulated fleet; `None` for a real scan.
    pub seed: Option<u64>,
    /// The limits in force.
    pub limits: RunLimits,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended; `None` as long as it has not.
    pub ended: Option<Timestamp>,
    /// Whether the whole list was done; `None` as long as the run has not
    /// ended, hence also after it was killed, and where its results could not
    /// be written: what reached the disk was not counted then.
    pub finished: Option<bool>,
    /// Whether the user broke it off.
    pub interrupted: bool,
    /// What broke it off: a list that could not be read on, a reader's end
    /// that took no more rows, a disk that is full.
    pub error: Option<String>,
    /// Families of addresses, `ipv4` or `ipv6`, over which TCP opened at none of
    /// many networks, so that this machine's own network may let nothing out;
    /// `None` as long as the run has not ended, and in one that was made before
    /// anybody looked.
    #[serde(default)]
    pub network_suspect: Option<Vec<String>>,
    /// Who was left alone because it complained; `None` as `network_suspect`.
    #[serde(default)]
    pub cool_downs: Option<RunCoolDowns>,
    /// Names that were not asked, because a sample of those of their address stands for
    /// all; `None` where every name was to be asked, and as long as the run has not
    /// ended.
    #[serde(default)]
    pub sample: Option<RunSample>,
    /// When the blocklist was read, each time, and what it came to; empty in a run
    /// without one. At most [`BLOCKLIST_READS_MAX`], the first and the last.
    #[serde(default)]
    pub blocklist: Vec<BlocklistRead>,
    /// When the run paused because its canaries refused; empty as long as it has not
    /// ended. At most a thousand.
    #[serde(default)]
    pub canary_pauses: Vec<RunPause>,
    /// How much was done.
    pub counts: RunCounts,
}

/// So far apart may be when a run asked and as of when its certificates were judged,
/// before that is worth a word.
const SAME_MOMENT_MAX: SignedDuration = SignedDuration::from_hours(24);

impl RunInfo {
    /// When the run began to ask, however often it was judged.
    pub fn asked_at(&self) -> Timestamp {
        self.judged_from.as_ref().map_or(self.started, |from| from.started.min(self.started))
    }

    /// When it began to ask, and as of when its certificates were judged, if that is more
    /// than a day before or after.
    pub fn other_moment(&self) -> Option<(Timestamp, Timestamp)> {
        let (asked, judged) = (self.asked_at(), self.judged_by.at);
        (judged.duration_since(asked).abs() > SAME_MOMENT_MAX).then_some((asked, judged))
    }
}

/// Readings of the blocklist that `run.json` tells of.
pub const BLOCKLIST_READS_MAX: usize = 1000;

/// A pause of the run because hosts of the user's own that had answered refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPause {
    /// When it began.
    pub began: Timestamp,
    /// When they answered again; `None` if they did not.
    pub ended: Option<Timestamp>,
    /// How each of them refused.
    pub refused: Vec<String>,
    /// Hosts of the list that were asked again after it.
    pub asked_again: u64,
}

/// What changes in it while the run goes on; `None`: as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunNews {
    /// Who is left alone because it complained.
    pub cool_downs: Option<RunCoolDowns>,
    /// All pauses that canaries made.
    pub canary_pauses: Option<Vec<RunPause>>,
    /// Each reading of the blocklist.
    pub blocklist: Option<Vec<BlocklistRead>>,
}

/// One reading of the blocklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlocklistRead {
    /// When.
    pub at: Timestamp,
    /// Entries that count from then on.
    pub entries: u64,
    /// Why those are still the ones of before; `None` if they are what was read.
    pub error: Option<String>,
}

/// A resolver that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolverInfo {
    /// Address and port.
    pub address: String,
    /// Whether it was believed that it had validated; `None` where nobody looked
    /// whether it validates, as before the first question.
    pub ad_believed: Option<bool>,
    /// Why.
    pub because: String,
}

/// What verdicts were made by, so that the same can be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedBy {
    /// The moment at which dates and chains were judged.
    pub at: Timestamp,
    /// What the command line named or left to its default, by option without
    /// the dashes: `roots`, `sender`, …
    pub options: BTreeMap<String, OptionValue>,
    /// Connectors of the file that take no part in the choice, by name:
    /// disabled, or used only where a mail flow rule says so.
    #[serde(default)]
    pub connectors_left_out: Vec<String>,
}

/// What one option named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionValue {
    /// The names or files.
    pub words: Vec<String>,
    /// Where each word that is a file was, as an absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// SHA-256 over what they held, which may be another thing later.
    pub sha256: Sha256,
}

/// What a scan was made of beside its command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// The list; `None` if it was no file, so that nobody can read it again.
    pub list: Option<ListFile>,
    /// The folder from which files were named, as an absolute path.
    pub folder: String,
    /// Families of addresses that were used: `ipv4`, `ipv6`.
    pub families: Vec<String>,
    /// SHA-256 of the file of the client certificate.
    pub client_certificate: Option<Sha256>,
}

/// A list that is a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFile {
    /// Where it was, as an absolute path.
    pub path: String,
    /// Its bytes, as they stand in the file.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: Sha256,
}

/// A shard of which a run was joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedShard {
    /// Which one.
    pub shard: Shard,
    /// The run directory, as it was named.
    pub run: String,
    /// Its command line.
    pub command: Vec<String>,
    /// Name sent in EHLO.
    pub ehlo_name: String,
    /// Who answered the DNS queries.
    pub resolver: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Where stored observations came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedFrom {
    /// The run directory, as it was named.
    pub run: String,
    /// Version of mxray that wrote it.
    pub mxray: String,
    /// Its command line.
    pub command: Vec<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` if it was killed.
    pub ended: Option<Timestamp>,
    /// Whether its whole list was done; `None` if it was killed.
    pub finished: Option<bool>,
}

/// The limits in force during a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLimits {
    /// Connections begun a second; 0 is no limit.
    pub rate: u32,
    /// Milliseconds between two connections to one address; 0 is none.
    pub per_ip_interval_ms: u64,
    /// Connections open to one address at a time; 0 is no limit.
    pub per_ip_connections: u32,
    /// Connections begun to one address in any sixty seconds; 0 is no limit.
    #[serde(default)]
    pub per_ip_rate: u32,
    /// What holds for one network; `None` in a run that was made before there
    /// were such limits.
    #[serde(default)]
    pub per_network: Option<BucketRunLimits>,
    /// The same for the hosts of one operator.
    #[serde(default)]
    pub per_operator: Option<BucketRunLimits>,
    /// Most connections at a time, those beside that are open for long.
    pub in_flight: usize,
    /// Most of the latter; 0 in a run that was made before they were told apart.
    #[serde(default)]
    pub slow_in_flight: usize,
    /// Most lookups at a time.
    pub lookups_in_flight: usize,
    /// Most repetitions of a probe.
    pub retries: u32,
    /// Milliseconds before the first repetition; they double with each.
    pub retry_delay_ms: u64,
    /// Milliseconds for which who complains is left alone at first, and at most;
    /// `None` in a run that was made before there were cool-downs, 0 for none.
    #[serde(default)]
    pub cool_down_ms: Option<u64>,
    /// The longest of them.
    #[serde(default)]
    pub cool_down_max_ms: Option<u64>,
    /// Milliseconds before the second look at a "no TLS" and at a handshake that
    /// fails with everyone; `None` in a run that was made before there was one.
    #[serde(default)]
    pub second_look_delay_ms: Option<u64>,
    /// Names on one address and port up to which each is asked, where of more a sample
    /// is; `None` where every name is asked.
    #[serde(default)]
    pub names_asked_min: Option<u32>,
    /// Whether the sender's offer was sent to every host that speaks TLS.
    pub sender_hello: bool,
    /// Most further hellos to a host; 0 is none.
    #[serde(alias = "hellos_per_host")]
    pub extra_client_hellos: usize,
    /// Most connections to a host for an enumeration; 0 for none.
    pub enumeration_connections: usize,
    /// Deadlines in milliseconds by phase name, `session` for the whole.
    pub timeouts_ms: BTreeMap<String, u64>,
}

impl RunLimits {
    /// Whether hosts are enumerated, so that the run has tables of what they accept.
    pub fn enumerates(&self) -> bool {
        self.enumeration_connections > 0
    }
}

/// Who was left alone during a run because it complained of the connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCoolDowns {
    /// Cool-downs of addresses, networks and operators.
    pub begun: u64,
    /// How many of these were given up.
    pub given_up: u64,
    /// The first of those, at most a thousand: an address, a network or the
    /// registrable domain of an operator.
    pub given_up_places: Vec<String>,
    /// Those that are left alone or asked more slowly, by their names: whoever goes on
    /// with the run does so, too.
    #[serde(default)]
    pub standing: BTreeMap<String, RunCoolDown>,
}

/// How it stands with a place that complained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCoolDown {
    /// Until when it is left alone; `None` if it was given up.
    pub until: Option<Timestamp>,
    /// Trials in a row that were complained of.
    pub trials_failed: u32,
    /// Cool-downs since it was last served a hundred times in a row.
    pub cool_downs: u32,
    /// Steps of slowness, each of which doubles its pauses.
    pub steps: u32,
}

/// What became of the names on addresses that had more than fifty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSample {
    /// Addresses and ports where a sample was answered alike.
    pub endpoints_alike: u64,
    /// Names that were asked there.
    pub names_asked: u64,
    /// Names that were not, and are told as one of those.
    pub names_inferred: u64,
    /// Addresses and ports where not all were answered alike, so that every name was
    /// asked.
    pub endpoints_differ: u64,
}

/// The limits of a network or an operator during a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRunLimits {
    /// Connections open there at a time; 0 is no limit.
    pub connections: u32,
    /// Milliseconds between two connections; 0 is none.
    pub interval_ms: u64,
    /// Connections begun there in any sixty seconds; 0 is no limit.
    pub rate: u32,
}

/// How much of a run is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    /// Targets taken from the list; those that were read ahead and never begun
    /// are not among them.
    pub targets_read: u64,
    /// Lines that were no targets.
    pub rejected: u64,
    /// Targets whose domain was taken from a URL.
    #[serde(default)]
    pub taken_from_urls: u64,
    /// Targets whose domain was taken from a mail address.
    #[serde(default)]
    pub taken_from_mail_addresses: u64,
    /// Connections begun, repetitions and further hellos included.
    pub connections: u64,
    /// Rows of `domains.csv`.
    pub domains_written: u64,
    /// Targets of which other shards of the run have something, too, so that `mxray
    /// merge` judges them: they are in `facts.jsonl` alone.
    #[serde(default)]
    pub parts_written: u64,
    /// Targets of which this shard of a run has nothing.
    #[serde(default)]
    pub of_other_shards: u64,
    /// Rows of `endpoints.csv`.
    pub endpoints_written: u64,
    /// Targets of the whole list that have no row, because the run was broken
    /// off. `None` where nobody knows how many the list has: it came from a pipe
    /// that was not read to its end, or could not be read on.
    pub unfinished: Option<u64>,
}

#[derive(Serialize)]
struct RunFile<'a, S> {
    schema: u32,
    #[serde(flatten)]
    info: &'a RunInfo,
    summary: Option<&'a S>,
}

/// Room for what [`RunInfo::error`] adds, in bytes.
pub(super) const ERROR_BYTES_MAX: usize = 8 * 1024;

/// Name under which the file is written before it takes its place, and which
/// keeps the room for that until then.
pub(super) const FRESH_NAME: &str = "run.json.new";

/// Keeps room beside the file for the one that says why a run broke off: the
/// reason may be that there is none left.
pub(super) fn keep_room(dir: &Path, info: &RunInfo) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(info)?;
    let mut file = File::create_new(dir.join(FRESH_NAME))?;
    file.write_all(&vec![b'\n'; text.len() + ERROR_BYTES_MAX])
}

/// Puts the file in place of an older one in one step, so that a reader never
/// meets half of it.
pub(super) fn replace<S: Serialize>(dir: &Path, info: &RunInfo, summary: Option<&S>) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(&RunFile { schema: SCHEMA_VERSION, info, summary })?;
    text.push(b'\n');
    let fresh = dir.join(FRESH_NAME);
    // Only a file of our own making is written to: what stands there already,
    // kept as room, left by a run that was killed or put there to lead
    // elsewhere, goes.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(&fresh)?.write_all(&text)?;
    durable::sync_file(dir, FRESH_NAME)?;
    fs::rename(&fresh, dir.join(RUN_NAME))?;
    durable::sync_folder(dir)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "mine").unwrap();
        let run = dir.path().join("run");
        fs::create_dir(&run).unwrap();
        std::os::unix::fs::symlink(&elsewhere, run.join("run.json.new")).unwrap();
        replace(&run, &crate::run_dir::fixtures::run_info(), None::<&()>).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
        assert!(fs::symlink_metadata(run.join("run.json")).unwrap().is_file());
        // What a killed run left behind is no hindrance.
        fs::write(run.join("run.json.new"), "half").unwrap();
        replace(&run, &crate::run_dir::fixtures::run_info(), None::<&()>).unwrap();
        assert!(!run.join("run.json.new").exists());
    }
}
