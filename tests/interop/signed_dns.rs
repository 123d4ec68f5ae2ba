//! DNSSEC of real servers: NSD serves a root zone that ldns has signed, and
//! Unbound or BIND validates what it says. `mail-systems.sh` has fetched them.

use super::mail_system::{Root, Running};
use super::stack::free_port;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

/// Where the resolver answers; whoever holds the root has these addresses for
/// himself, and what asks by the system's library asks at this port alone.
const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 53, 25, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 53, 25, 2);
const PORT: u16 = 53;

/// How long both may take until an answer is validated, and how often that is
/// tried.
const READY_MAX: Duration = Duration::from_secs(30);
const READY_INTERVAL: Duration = Duration::from_millis(50);

/// A question for `. DNSKEY` with EDNS and DO, under the number 7.
const ROOT_KEY: &[u8] = b"\0\x07\x01\0\0\x01\0\0\0\0\0\x01\0\0\x30\0\x01\0\0\x29\x04\xd0\0\0\x80\0\0\0";
/// AD, in the fourth octet of a header.
const AUTHENTIC: u8 = 0x20;

/// What the zones hold, each a line as in a zone file.
pub struct Zones {
    /// The root, which is signed.
    pub root: String,
    /// `insecure.`, which is not, as the root says.
    pub insecure: String,
    /// `bogus.`, which is signed by another key than the root says.
    pub bogus: String,
}

/// Who validates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validator {
    Unbound,
    Bind,
}

/// The servers, which end with the test.
pub struct SignedDns {
    root: Root,
    /// BIND's, where it is the resolver.
    bind: Option<Root>,
    /// Whom to ask.
    pub resolver: SocketAddr,
    running: Vec<Running>,
}

impl SignedDns {
    /// Says so where the programs are not there.
    pub fn start(zones: &Zones, validator: Validator) -> Option<Self> {
        let root = Root::of("dnssec")?;
        let bind = match validator {
            Validator::Unbound => None,
            Validator::Bind => Some(Root::of("bind")?),
        };
        for root in [Some(&root), bind.as_ref()].into_iter().flatten() {
            root.remove("run/mxray");
            root.folder("run/mxray", (0, 0), 0o755);
        }
        // BIND listens at no address but those that an interface has.
        let resolver = match validator {
            Validator::Unbound => (RESOLVER, PORT).into(),
            Validator::Bind => (Ipv4Addr::LOCALHOST, free_port()).into(),
        };
        let mut dns = Self { root, bind, resolver, running: Vec::new() };
        let own = dns.sign(".", &format!("{}\n{DELEGATIONS}\n{}", start_of("."), zones.root));
        dns.sign("bogus.", &format!("{}\n{}", start_of("bogus."), zones.bogus));
        dns.write("insecure.zone", &format!("{}\n{}", start_of("insecure."), zones.insecure));
        dns.write("nsd.conf", &nsd());
        let nsd = ["/usr/sbin/nsd", "-d", "-c", "/run/mxray/nsd.conf"];
        dns.running.push(dns.root.start(&nsd, "var/log/nsd"));
        let resolver = dns.start_resolver(&own);
        dns.running.push(resolver);
        dns.wait();
        Some(dns)
    }

    /// `key` is the file of the root's key.
    fn start_resolver(&self, key: &str) -> Running {
        let Some(bind) = &self.bind else {
            self.write("unbound.conf", &unbound(key));
            let unbound = ["/usr/sbin/unbound", "-d", "-c", "/run/mxray/unbound.conf"];
            return self.root.start(&unbound, "var/log/unbound");
        };
        let record = fs::read_to_string(self.root.file(&format!("{}.key", &key[1..]))).unwrap();
        let key = record.split_once("DNSKEY").unwrap().1.split(';').next().unwrap().trim().to_owned();
        bind.write("run/mxray/hints", HINTS);
        bind.write("run/mxray/named.conf", &named(&key, self.resolver));
        bind.start(&["/usr/sbin/named", "-g", "-4", "-c", "/run/mxray/named.conf"], "var/log/named")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.file("run/mxray").join(name), text).unwrap();
    }

    /// Signs a zone by a key of its own; the name of the key.
    fn sign(&self, zone: &str, text: &str) -> String {
        let file = if zone == "." { "root" } else { "bogus" };
        self.write(&format!("{file}.zone"), text);
        let made = self.root.run(&[
            "/usr/bin/ldns-keygen",
            "-r",
            "/dev/urandom",
            "-a",
            "ECDSAP256SHA256",
            "-k",
            zone,
        ]);
        let key = made.trim();
        for suffix in ["key", "private", "ds"] {
            let name = format!("{key}.{suffix}");
            fs::rename(self.root.file(&name), self.root.file("run/mxray").join(&name)).unwrap();
        }
        let (from, to) = (format!("/run/mxray/{file}.zone"), format!("/run/mxray/{file}.signed"));
        let key = format!("/run/mxray/{key}");
        self.root.run(&["/usr/bin/ldns-signzone", "-o", zone, "-f", &to, &from, &key]);
        key
    }

    /// Waits until an answer is validated.
    fn wait(&self) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(READY_INTERVAL)).unwrap();
        let begun = Instant::now();
        let mut reply = [0; 4096];
        loop {
            assert!(begun.elapsed() < READY_MAX, "{}", self.logs());
            let sent = socket.send_to(ROOT_KEY, self.resolver);
            if sent.and_then(|_| socket.recv(&mut reply)).is_ok_and(|length| length > 12)
                && reply[3] & AUTHENTIC != 0
            {
                return;
            }
            thread::sleep(READY_INTERVAL);
        }
    }

    fn logs(&self) -> String {
        let bind = self.bind.as_ref().map(|root| root.log("var/log/named")).unwrap_or_default();
        let others = ["nsd", "unbound"].map(|name| self.root.log(&format!("var/log/{name}")));
        format!("{bind}\n{}", others.join("\n"))
    }
}

impl Drop for SignedDns {
    fn drop(&mut self) {
        // Before the root is another's.
        self.running.clear();
    }
}

/// The resolver as `resolv.conf` names it.
pub fn resolv_conf() -> String {
    format!("nameserver {}\noptions edns0 trust-ad\n", IpAddr::from(RESOLVER))
}

const DELEGATIONS: &str = "\
ns. A 127.53.25.2
insecure. NS ns.
bogus. NS ns.
bogus. DS 12345 13 2 0000000000000000000000000000000000000000000000000000000000000000";

fn start_of(zone: &str) -> String {
    format!("$ORIGIN {zone}\n$TTL 300\n@ SOA ns. hostmaster. 1 3600 600 86400 300\n@ NS ns.")
}

fn nsd() -> String {
    let zone = |name: &str, file: &str| format!("zone:\n  name: \"{name}\"\n  zonefile: \"{file}\"\n");
    let zones =
        zone(".", "root.signed") + &zone("insecure.", "insecure.zone") + &zone("bogus.", "bogus.signed");
    format!(
        "server:\n  ip-address: {SERVER}@{PORT}\n  username: \"\"\n  chroot: \"\"\n  pidfile: \"\"\n  \
         zonesdir: \"/run/mxray\"\n  zonelistfile: \"/run/mxray/zone.list\"\n  \
         xfrdfile: \"/run/mxray/xfrd.state\"\n  server-count: 1\n\
         remote-control:\n  control-enable: no\n{zones}"
    )
}

fn unbound(key: &str) -> String {
    format!(
        "server:\n  interface: {RESOLVER}@{PORT}\n  access-control: 127.0.0.0/8 allow\n  \
         do-daemonize: no\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  directory: \"/run/mxray\"\n  \
         use-syslog: no\n  do-not-query-localhost: no\n  do-ip6: no\n  \
         module-config: \"validator iterator\"\n  trust-anchor-file: \"{key}.key\"\n\
         remote-control:\n  control-enable: no\n\
         stub-zone:\n  name: \".\"\n  stub-addr: {SERVER}@{PORT}\n  stub-prime: no\n"
    )
}

const HINTS: &str = ". 300 NS ns.\nns. 300 A 127.53.25.2\n";

/// `key` is the root's, as in a DNSKEY record: flags, protocol, algorithm, and the key.
fn named(key: &str, at: SocketAddr) -> String {
    let mut fields = key.split_ascii_whitespace();
    let numbers: Vec<&str> = fields.by_ref().take(3).collect();
    let text: String = fields.collect();
    format!(
        "options {{\n  directory \"/run/mxray\";\n  pid-file none;\n  session-keyfile none;\n  \
         listen-on port {} {{ {}; }};\n  listen-on-v6 {{ none; }};\n  recursion yes;\n  \
         allow-query {{ 127.0.0.0/8; }};\n  dnssec-validation yes;\n  empty-zones-enable no;\n}};\n\
         trust-anchors {{ . static-key {} \"{text}\"; }};\n\
         zone \".\" {{ type hint; file \"hints\"; }};\ncontrols {{ }};\n",
        at.port(),
        at.ip(),
        numbers.join(" ")
    )
}
