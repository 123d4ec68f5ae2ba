//! Postfix, Exim and OpenSMTPD as `mail-systems.sh` unpacked them: each is
//! started in a root of its own, delivers one message to a port of this
//! machine, and ends with the test. Everything else is as Debian ships it.

use super::stack::{Identities, left_out};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where the roots are: `mail-systems.sh` was given the same folder.
const FOLDER: &str = "MXRAY_MAIL_SYSTEMS";

/// The first account that `mail-systems.sh` makes in a root.
const ACCOUNT: u32 = 200;
const SECOND_ACCOUNT: u32 = 201;

/// How long a system may run, in seconds, should the test be killed meanwhile.
const LIFE_S: &str = "120";

/// How long OpenSMTPD may take until it takes a message, and how often it is
/// tried.
const READY_MAX: Duration = Duration::from_secs(30);
const READY_INTERVAL: Duration = Duration::from_millis(50);

const MESSAGE: &str = "From: a@scanner.example\nTo: b@front.example\nSubject: a message\n\nNo more.\n";

/// The root of a mail system, which nobody else uses meanwhile.
pub struct Root {
    path: PathBuf,
    _lock: File,
}

impl Root {
    /// Says so where it is not there.
    pub fn of(name: &str) -> Option<Self> {
        let path = std::env::var_os(FOLDER).map(|folder| PathBuf::from(folder).join(name));
        let Some(path) = path.filter(|path| path.join("packages").exists()) else {
            left_out(&format!(
                "{name} (tests/interop/mail-systems.sh fetches it; {FOLDER} says where it is)"
            ));
            return None;
        };
        // Several runs of the tests may share the folder.
        let lock = File::open(path.join("packages")).unwrap();
        lock.lock().unwrap();
        Some(Self { path, _lock: lock })
    }

    /// The versions of its packages.
    pub fn packages(&self) -> String {
        fs::read_to_string(self.path.join("packages")).unwrap()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// An empty folder of an account's.
    pub fn folder(&self, path: &str, (user, group): (u32, u32), mode: u32) {
        let path = self.file(path);
        fs::create_dir_all(&path).unwrap();
        chown(&path, Some(user), Some(group)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.file(path), text).unwrap();
    }

    /// The configuration of Postfix's programs that need no queue.
    pub fn configure(&self, main: &str) {
        self.folder("run/mxray/conf", (0, 0), 0o755);
        self.write("run/mxray/conf/main.cf", main);
    }

    pub fn remove(&self, path: &str) {
        let path = self.file(path);
        if path.exists() {
            fs::remove_dir_all(path).unwrap();
        }
    }

    /// Runs a program in the root until it ends by itself or is dropped.
    pub fn start(&self, program: &[&str], log: &str) -> Running {
        let output = File::create(self.file(log)).unwrap();
        let mut command = self.command(program);
        command.stdout(output.try_clone().unwrap()).stderr(output);
        Running { child: command.stdin(Stdio::null()).spawn().unwrap() }
    }

    /// What a program says that ends well.
    pub fn run(&self, program: &[&str]) -> String {
        let output = self.command(program).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What stands in a file.
    pub fn log(&self, path: &str) -> String {
        log(&self.file(path))
    }

    /// What stands in a file, once one of these words does: whoever writes it does so by the
    /// way.
    pub fn log_that_says(&self, path: &str, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log(path);
            if words.iter().any(|word| log.contains(word)) {
                return log;
            }
            assert!(begun.elapsed() < READY_MAX, "none of {words:?} is in {log}");
            thread::sleep(READY_INTERVAL);
        }
    }

    pub fn command(&self, program: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", LIFE_S, "chroot"]).arg(&self.path).args(program);
        command
    }

    /// Hands a message to the program that takes them; whether it did.
    pub fn submit(&self, program: &[&str]) -> bool {
        self.hand_in(program).status.success()
    }

    /// The same, and what it says.
    fn hand_in(&self, program: &[&str]) -> Output {
        let message = self.file("tmp/message");
        fs::write(&message, MESSAGE).unwrap();
        let mut command = self.command(program);
        command.stdin(File::open(message).unwrap()).output().unwrap()
    }
}

/// What was started.
pub struct Running {
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        // `timeout` passes it on to all that it started.
        if let Ok(id) = self.child.id().try_into() {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

/// Postfix at a security level. It keeps a message for some minutes after a
/// handshake that failed before it may go in clear; here for a second.
pub fn postfix(root: &Root, level: &str, port: u16) -> Running {
    postfix_with(root, level, port, "")
}

/// The same, with more in its configuration.
pub fn postfix_with(root: &Root, level: &str, port: u16, more: &str) -> Running {
    let main = format!("relayhost = [127.0.0.1]:{port}\nsmtp_tls_security_level = {level}\n{more}");
    postfix_that(root, &main, "", &[vec!["b@front.example".to_string()]])
}

/// Postfix with this in its configuration, these services beside its own, and a message to
/// each of these lists of recipients.
pub fn postfix_that(root: &Root, more: &str, services: &str, messages: &[Vec<String>]) -> Running {
    let (nobody, owner) = ((0, 0), (ACCOUNT, 0));
    root.remove("run/mxray");
    root.folder("run/mxray/conf", nobody, 0o755);
    root.folder("run/mxray/data", owner, 0o700);
    root.folder("run/mxray/spool", nobody, 0o755);
    root.folder("run/mxray/spool/pid", nobody, 0o755);
    for queue in ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private"]
        .into_iter()
        .chain(["saved", "trace"])
    {
        root.folder(&format!("run/mxray/spool/{queue}"), owner, 0o700);
    }
    root.folder("run/mxray/spool/maildrop", (ACCOUNT, SECOND_ACCOUNT), 0o730);
    root.folder("run/mxray/spool/public", (ACCOUNT, SECOND_ACCOUNT), 0o710);
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = /run/mxray/spool\ndata_directory = /run/mxray/data\n\
         meta_directory = /etc/postfix\ncommand_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\n\
         myhostname = scanner.example\nmydestination =\nalias_maps =\nalias_database =\n\
         inet_interfaces = loopback-only\ninet_protocols = ipv4\nsmtp_host_lookup = native\n\
         minimal_backoff_time = 1s\nqueue_run_delay = 1s\n{more}"
    );
    fs::write(root.file("run/mxray/conf/main.cf"), main).unwrap();
    fs::write(root.file("run/mxray/conf/master.cf"), POSTFIX_SERVICES.to_string() + services).unwrap();
    let master = ["/usr/lib/postfix/sbin/master", "-c", "/run/mxray/conf", "-d"];
    let running = root.start(&master, "var/log/postfix");
    let sendmail = ["/usr/sbin/sendmail", "-C", "/run/mxray/conf", "-f", "a@scanner.example"];
    for recipients in messages {
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        // What is handed in before anybody listens is found as well.
        assert!(root.submit(&[&sendmail[..], &recipients].concat()), "Postfix took no message");
    }
    running
}

/// Those of Debian's `master.cf.dist` that take part in a delivery.
const POSTFIX_SERVICES: &str = "\
postlog   unix-dgram n  -       n       -       1       postlogd
pickup    unix  n       -       n       1       1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       1       1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
scache    unix  -       -       n       -       1       scache
";

/// What Postfix as a server writes.
pub const POSTFIX_SERVER_LOG: &str = "var/log/postfix-server";

/// Postfix as a server: `services` are its ports, and what runs there. Limits of
/// clients hold where a service says so.
pub fn postfix_server(root: &Root, identities: &Identities, services: &[(u16, &str)]) -> Running {
    let (nobody, owner) = ((0, 0), (ACCOUNT, 0));
    root.remove("run/mxray");
    for folder in ["run/mxray/conf", "run/mxray/spool", "run/mxray/spool/pid"] {
        root.folder(folder, nobody, 0o755);
    }
    root.folder("run/mxray/data", owner, 0o700);
    root.folder("run/mxray/spool/private", owner, 0o700);
    root.folder("run/mxray/spool/public", (ACCOUNT, SECOND_ACCOUNT), 0o710);
    for key in identities.names() {
        let [key_text, certificate] =
            ["key", "pem"].map(|end| fs::read_to_string(identities.file(&format!("{key}.{end}"))).unwrap());
        root.write(&format!("run/mxray/conf/{key}.pem"), &(key_text + &certificate));
    }
    root.write("run/mxray/conf/main.cf", POSTFIX_SERVER);
    let mut master = POSTFIX_SERVER_SERVICES.to_string();
    for (port, service) in services {
        // Of postscreen there must be one process, which has all clients.
        let processes = if service.starts_with("postscreen") { "1" } else { "-" };
        master += &format!("127.0.0.1:{port} inet n - n - {processes} {service}\n");
    }
    root.write("run/mxray/conf/master.cf", &master);
    let _ = fs::remove_file(root.file(POSTFIX_SERVER_LOG));
    root.start(&["/usr/lib/postfix/sbin/master", "-c", "/run/mxray/conf", "-d"], "var/log/postfix")
}

const POSTFIX_SERVER: &str = "\
compatibility_level = 3.6
queue_directory = /run/mxray/spool
data_directory = /run/mxray/data
meta_directory = /etc/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = /run/mxray/conf/ecdsa.pem /run/mxray/conf/rsa.pem
maillog_file = /var/log/postfix-server
";

const POSTFIX_SERVER_SERVICES: &str = "\
postlog   unix-dgram n  -       n       -       1       postlogd
anvil     unix  -       -       n       -       1       anvil
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
proxymap  unix  -       -       n       -       -       proxymap
smtpd     pass  -       -       n       -       -       smtpd
tlsproxy  unix  -       -       n       -       0       tlsproxy
dnsblog   unix  -       -       n       -       0       dnsblog
";

/// Exim, which has delivered when it ends.
pub fn exim(root: &Root, port: u16) {
    exim_with(root, port, "");
}

/// The same, with more in the configuration of its client: what it says of the dialogue.
pub fn exim_with(root: &Root, port: u16, more: &str) -> String {
    for folder in ["var/spool/exim", "var/log/exim"] {
        root.remove(folder);
        root.folder(folder, (ACCOUNT, ACCOUNT), 0o750);
    }
    let configuration = format!(
        "primary_hostname = scanner.example\nspool_directory = /var/spool/exim\n\
         log_file_path = /var/log/exim/%s\nexim_user = Debian-exim\nexim_group = Debian-exim\n\
         never_users =\nkeep_environment =\n\
         begin routers\nall:\n  driver = manualroute\n  transport = out\n  route_list = * 127.0.0.1 byname\n  \
         self = send\n\
         begin transports\nout:\n  driver = smtp\n  port = {port}\n{more}\
         begin retry\n* * F,2h,1m\n"
    );
    fs::write(root.file("etc/mxray.conf"), configuration).unwrap();
    let exim = ["/usr/sbin/exim4", "-C", "/etc/mxray.conf", "-odf", "-v", "-f", "a@scanner.example"];
    let output = root.hand_in(&[&exim[..], &["b@front.example"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "Exim took no message: {said}");
    said
}

pub fn opensmtpd(root: &Root, port: u16) -> Running {
    root.remove("var/spool/smtpd");
    root.folder("var/lib/opensmtpd/empty", (0, 0), 0o755);
    let configuration = format!(
        "action \"out\" relay host smtp://127.0.0.1:{port} helo scanner.example\n\
         match from any for any action \"out\"\n"
    );
    fs::write(root.file("etc/mxray.conf"), configuration).unwrap();
    let _ = fs::remove_file(root.file("var/run/smtpd.sock"));
    let running = root.start(&["/usr/sbin/smtpd", "-d", "-f", "/etc/mxray.conf"], "var/log/smtpd");
    let begun = Instant::now();
    let sendmail = ["/usr/sbin/sendmail", "-f", "a@scanner.example", "b@front.example"];
    while !root.file("var/run/smtpd.sock").exists() || !root.submit(&sendmail) {
        assert!(begun.elapsed() < READY_MAX, "{}", log(&root.file("var/log/smtpd")));
        thread::sleep(READY_INTERVAL);
    }
    running
}

fn log(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
