//! What the fleet saw, counted on its own side of the wire: the proof of what
//! a scanner did and did not do.

use super::guard::Watch;
use super::log::{ClientStage, ConnectionEnd, LogEntry};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most names that one address, or the DNS, counts one by one. What is beyond
/// is counted under the name `(other)`.
pub const COUNTED_NAMES_MAX: usize = 1_000_000;
const OTHER: &str = "(other)";

/// A snapshot of what the fleet saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// By address and name asked for in SNI; the name is empty where the
    /// connection ended before a ClientHello, or its ClientHello had none.
    pub endpoints: BTreeMap<(IpAddr, String), EndpointCount>,
    /// What each address of the fleet has counted.
    pub addresses: BTreeMap<IpAddr, AddressCount>,
    /// DNS queries by name and record type.
    pub queries: BTreeMap<(String, String), u64>,
    /// Requests for a policy by the name of the policy host.
    pub policies: BTreeMap<String, u64>,
}

/// What one address saw under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndpointCount {
    /// TCP connections that were accepted.
    pub connections: u64,
    /// Handshakes that ended in an established session.
    pub handshakes: u64,
}

/// What one address saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressCount {
    /// TCP connections that were accepted.
    pub connections: u64,
    /// Most connections at a time. A connection counts until the server has
    /// read QUIT or the end of the stream, or ends it itself.
    pub max_concurrent: u64,
}

impl Counters {
    /// Connections to all addresses.
    pub fn connections(&self) -> u64 {
        self.addresses.values().map(|count| count.connections).sum()
    }

    /// Handshakes at all addresses.
    pub fn handshakes(&self) -> u64 {
        self.endpoints.values().map(|count| count.handshakes).sum()
    }

    /// Writes one CSV with four kinds of rows: `endpoint`, `address`, `query` and
    /// `policy`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, writer: impl io::Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(writer);
        rows.write_record([
            "kind",
            "ip",
            "name",
            "type",
            "connections",
            "handshakes",
            "max_concurrent",
            "queries",
        ])?;
        for ((ip, name), count) in &self.endpoints {
            let [ip, connections, handshakes] =
                [ip.to_string(), count.connections.to_string(), count.handshakes.to_string()];
            rows.write_record(["endpoint", &ip, name, "", &connections, &handshakes, "", ""])?;
        }
        for (ip, count) in &self.addresses {
            let [ip, connections, max] =
                [ip.to_string(), count.connections.to_string(), count.max_concurrent.to_string()];
            rows.write_record(["address", &ip, "", "", &connections, "", &max, ""])?;
        }
        for ((name, kind), count) in &self.queries {
            rows.write_record(["query", "", name, kind, "", "", "", &count.to_string()])?;
        }
        for (name, count) in &self.policies {
            rows.write_record(["policy", "", name, "", "", "", "", &count.to_string()])?;
        }
        rows.flush()
    }
}

/// The counters of one listening address, shared by its connections.
#[derive(Debug, Default)]
pub(super) struct AddressCounter {
    connections: AtomicU64,
    open: AtomicU64,
    max_open: AtomicU64,
    // Many connection tasks write; the lock is held for one map access.
    names: Mutex<HashMap<String, EndpointCount>>,
}

impl AddressCounter {
    /// A connection came in; it is present until the value is dropped or
    /// told to leave.
    pub(super) fn enter(&self, entry: LogEntry) -> Presence<'_> {
        self.connections.fetch_add(1, Relaxed);
        let open = self.open.fetch_add(1, Relaxed) + 1;
        self.max_open.fetch_max(open, Relaxed);
        self.count("", |count| count.connections += 1);
        Presence { counter: self, present: true, end: None, guard: None, entry }
    }

    /// Adds to `snapshot` what this address saw.
    pub(super) fn collect(&self, ip: IpAddr, snapshot: &mut Counters) {
        let connections = self.connections.load(Relaxed);
        let max_concurrent = self.max_open.load(Relaxed);
        snapshot.addresses.insert(ip, AddressCount { connections, max_concurrent });
        for (name, count) in lock(&self.names).iter().filter(|(_, count)| count.connections > 0) {
            snapshot.endpoints.insert((ip, name.clone()), *count);
        }
    }

    fn count(&self, name: &str, add: impl FnOnce(&mut EndpointCount)) {
        let mut names = lock(&self.names);
        if let Some(count) = names.get_mut(name) {
            return add(count);
        }
        let name = if names.len() < COUNTED_NAMES_MAX { name } else { OTHER };
        add(names.entry(name.to_string()).or_default());
    }
}

/// One connection in the books of its address and in the log.
pub(super) struct Presence<'a> {
    counter: &'a AddressCounter,
    present: bool,
    end: Option<ConnectionEnd>,
    guard: Option<(&'a Watch, IpAddr)>,
    entry: LogEntry,
}

impl<'a> Presence<'a> {
    /// The ClientHello asked for this name: the connection is booked under it.
    pub(super) fn named(&self, name: &str) {
        self.entry.reached(ClientStage::ClientHello);
        self.entry.named(name);
        if !name.is_empty() {
            self.counter.count("", |count| count.connections -= 1);
            self.counter.count(name, |count| count.connections += 1);
        }
    }

    /// The handshake under this name is done.
    pub(super) fn established(&self, name: &str) {
        self.entry.reached(ClientStage::Handshake);
        self.counter.count(name, |count| count.handshakes += 1);
    }

    /// The connection does not count as open any more.
    pub(super) fn leave(&mut self) {
        if std::mem::take(&mut self.present) {
            self.counter.open.fetch_sub(1, Relaxed);
            self.entry.leave();
            if let Some((watch, client)) = self.guard {
                watch.leave(client);
            }
        }
    }

    /// The client came so far.
    pub(super) fn reached(&self, reached: ClientStage) {
        self.entry.reached(reached);
    }

    /// The connection has ended; so it is written down.
    pub(super) fn ended(&mut self, end: ConnectionEnd, detail: &str) {
        self.leave();
        self.entry.ended(end, detail);
    }

    /// The server watches this client.
    pub(super) fn guarded(&mut self, watch: &'a Watch, client: IpAddr) {
        self.guard = Some((watch, client));
    }

    /// How the connection ends, if that is known.
    pub(super) fn end(&self) -> Option<ConnectionEnd> {
        self.end
    }

    /// It is known how the connection ends; what comes later changes nothing.
    pub(super) fn ends(&mut self, end: ConnectionEnd, detail: &str) {
        self.end.get_or_insert(end);
        self.entry.ends(end, detail);
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The counters of the policy hosts: requests by name.
#[derive(Debug, Default)]
pub(super) struct PolicyCounter(Mutex<HashMap<String, u64>>);

impl PolicyCounter {
    /// A policy was asked for.
    pub(super) fn add(&self, name: &str) {
        let mut requests = lock(&self.0);
        let name = if requests.len() < COUNTED_NAMES_MAX { name } else { OTHER };
        *requests.entry(name.to_string()).or_default() += 1;
    }

    /// Adds to `snapshot` what was asked for.
    pub(super) fn collect(&self, snapshot: &mut Counters) {
        snapshot.policies.extend(lock(&self.0).iter().map(|(name, count)| (name.clone(), *count)));
    }
}

/// The counters of the DNS server.
#[derive(Debug, Default)]
pub(super) struct QueryCounter(Mutex<HashMap<(String, String), u64>>);

impl QueryCounter {
    /// A query came in.
    pub(super) fn add(&self, name: &str, kind: &str) {
        let mut queries = lock(&self.0);
        let name = if queries.len() < COUNTED_NAMES_MAX { name } else { OTHER };
        *queries.entry((name.to_string(), kind.to_string())).or_default() += 1;
    }

    /// Adds to `snapshot` what was asked.
    pub(super) fn collect(&self, snapshot: &mut Counters) {
        snapshot.queries.extend(lock(&self.0).iter().map(|(key, count)| (key.clone(), *count)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A count is whole after every statement, so poison means nothing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
