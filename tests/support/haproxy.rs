//! A real HAProxy in front of two real web servers, all of them processes of their own, and a copy of the
//! workspace that ships, to run its runbooks against them.

#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A process that ends with the test.
pub struct Process(Option<Child>);

impl Process {
    /// Without any chance to say goodbye.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How long something is waited for: so many looks, at least this apart.
const PATIENCE: usize = 3000;
const LOOK: Duration = Duration::from_millis(10);

/// Looks until there is something to see.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE {
        if let Some(seen) = look() {
            return seen;
        }
        sleep(LOOK);
    }
    panic!("waited in vain until {what}");
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub struct Site {
    pub folder: tempfile::TempDir,
    pub main: Process,
    pub backup: Process,
    main_at: SocketAddr,
    backup_at: SocketAddr,
    service_at: SocketAddr,
    _haproxy: Process,
}

impl Site {
    /// The main server has the traffic; HAProxy does not check it, so that nobody but drctl moves it away.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_workspace(folder.path());
        for name in ["main", "backup"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("health"), name).unwrap();
        }
        let (main, main_at) = web_server(&folder.path().join("main"), 0);
        let (backup, backup_at) = web_server(&folder.path().join("backup"), 0);
        let (haproxy, service_at) = haproxy(folder.path(), main_at, backup_at);
        Self { folder, main, backup, main_at, backup_at, service_at, _haproxy: haproxy }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A runtime socket as socat writes it: `admin` may do anything, `user` may only look.
    pub fn socket(&self, level: &str) -> String {
        format!("UNIX-CONNECT:{}", self.path(&format!("{level}.sock")).display())
    }

    pub fn main_url(&self) -> String {
        format!("http://{}/health", self.main_at)
    }

    pub fn backup_url(&self) -> String {
        format!("http://{}/health", self.backup_at)
    }

    pub fn service_url(&self) -> String {
        format!("http://{}/health", self.service_at)
    }

    /// What customers get.
    pub fn ask(&self, path: &str) -> (u16, String) {
        get(self.service_at, path)
    }

    pub fn revive_main(&mut self) {
        self.main = web_server(&self.path("main"), self.main_at.port()).0;
    }

    /// Whether HAProxy was told to take the main server out of service.
    pub fn main_is_in_maintenance(&self) -> bool {
        let command = "show servers state api";
        let script = "printf '%s\\n' \"$1\" | socat -t 5 - \"$2\"";
        let shell = Command::new("sh").args(["-c", script, "sh", command, &self.socket("admin")]).output().unwrap();
        let answer = String::from_utf8(shell.stdout).unwrap();
        // The sixth column after the backend's is `srv_admin_state`: 0 in service, 1 forced out of it.
        let line = answer.lines().find(|line| line.contains(" main ")).unwrap_or_else(|| panic!("{answer}"));
        line.split(' ').nth(6) == Some("1")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("CI").env_remove("DRCTL_STATE").env_remove("DRCTL_WORKSPACE");
        command
    }

    pub fn drctl(&self, words: &[&str]) -> Ran {
        self.ran(self.command(words).output().unwrap())
    }

    /// Starts a run that stays while it waits for people.
    pub fn start_run(&self, words: &[&str]) -> Process {
        let mut command = self.command(words);
        command.arg("--wait").stdout(Stdio::piped()).stderr(Stdio::piped());
        Process(Some(command.spawn().unwrap()))
    }

    /// Waits for its end.
    pub fn end(&self, mut run: Process) -> Ran {
        self.ran(run.0.take().unwrap().wait_with_output().unwrap())
    }

    /// What `drctl status` says, once it says `words`.
    pub fn status_with(&self, words: &str) -> String {
        let mut last = None;
        for _ in 0..PATIENCE {
            let status = self.drctl(&["status"]);
            if status.stdout.contains(words) {
                return status.stdout;
            }
            last = Some(status);
            sleep(LOOK);
        }
        panic!("the status never said `{words}`: {last:?}");
    }

    fn ran(&self, output: Output) -> Ran {
        let text = |bytes| self.scrub(&String::from_utf8(bytes).unwrap());
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Every notice on disk, in the order of channels and names, with what differs each time replaced.
    pub fn notices(&self) -> String {
        self.notices_of("")
    }

    /// The notices whose names begin so: those of a channel.
    pub fn notices_of(&self, beginning: &str) -> String {
        let mut notices = BTreeMap::new();
        for channel in fs::read_dir(self.path(".drctl/notices")).into_iter().flatten() {
            for file in fs::read_dir(channel.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.strip_prefix(self.path(".drctl/notices")).unwrap().display().to_string();
                notices.insert(self.scrub(&name), self.scrub(&fs::read_to_string(&path).unwrap()));
            }
        }
        notices.retain(|name, _| name.starts_with(beginning));
        notices.into_iter().map(|(name, text)| format!("--- {name}\n{text}")).collect()
    }

    /// Replaces the run's name, addresses, the folder and times.
    fn scrub(&self, text: &str) -> String {
        let mut text = scrub_times(text);
        let runs = fs::read_dir(self.path(".drctl/runs")).into_iter().flatten();
        for run in runs {
            text = text.replace(&run.unwrap().file_name().into_string().unwrap(), "RUN");
        }
        for (url, name) in [(self.main_url(), "MAIN"), (self.backup_url(), "BACKUP"), (self.service_url(), "SERVICE")] {
            text = text.replace(&url, name);
        }
        text.replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

/// `2026-11-20T23:37:01.123Z` and `2026-11-20 23:37 UTC` become `TIME`.
fn scrub_times(text: &str) -> String {
    let shape = "0000-00-00_00:00";
    let fits = |part: &[u8]| {
        let same = |(have, want): (&u8, u8)| match want {
            b'0' => have.is_ascii_digit(),
            b'_' => matches!(have, b'T' | b' '),
            _ => *have == want,
        };
        part.iter().zip(shape.bytes()).all(same)
    };
    let Some(at) = text.as_bytes().windows(shape.len()).position(fits) else { return text.to_owned() };
    let rest = text[at + shape.len()..].trim_start_matches(|c: char| c.is_ascii_digit() || ":.".contains(c));
    let rest = rest.strip_prefix('Z').or_else(|| rest.strip_prefix(" UTC")).unwrap_or(rest);
    format!("{}TIME{}", &text[..at], scrub_times(rest))
}

fn copy_workspace(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(from.join("drctl.yaml"), to.join("drctl.yaml")).unwrap();
    for folder in ["runbooks", "templates", "templates/parts"] {
        fs::create_dir(to.join(folder)).unwrap();
        for file in fs::read_dir(from.join(folder)).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
            fs::copy(file.path(), to.join(folder).join(file.file_name())).unwrap();
        }
    }
}

/// Serves a folder; port 0 lets the system choose.
fn web_server(folder: &Path, port: u16) -> (Process, SocketAddr) {
    let mut command = Command::new("python3");
    command.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(folder).arg(port.to_string());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("python3 is needed");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // "Serving HTTP on 127.0.0.1 port 40001 (http://127.0.0.1:40001/) ..."
    let port = line.split(' ').nth(5).and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    (Process(Some(child)), SocketAddr::from(([127, 0, 0, 1], port)))
}

fn haproxy(folder: &Path, main: SocketAddr, backup: SocketAddr) -> (Process, SocketAddr) {
    // HAProxy cannot be given port 0; another process may take the one chosen before HAProxy does.
    until("HAProxy has a port", || {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = free.local_addr().unwrap();
        drop(free);
        let sockets = folder.display();
        let settings = format!(
            "global\n  noreuseport\n  stats socket {sockets}/admin.sock mode 600 level admin\n  \
             stats socket {sockets}/user.sock mode 600 level user\n\
             defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n  retries 0\n\
             frontend www\n  bind {at}\n  default_backend api\n\
             backend api\n  server main {main}\n  server backup {backup} backup\n"
        );
        fs::write(folder.join("haproxy.cfg"), settings).unwrap();
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f"]).arg(folder.join("haproxy.cfg")).stdout(Stdio::null()).stderr(Stdio::null());
        let path = std::env::join_paths([Path::new("/usr/sbin"), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let child = command.env("PATH", path).spawn().expect("haproxy is needed: apt-get install haproxy socat");
        let mut process = Process(Some(child));
        let serves = until("HAProxy listens or has ended", || {
            let ended = process.has_ended();
            (ended || TcpStream::connect(at).is_ok()).then_some(!ended)
        });
        serves.then_some((process, at))
    })
}

fn get(at: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {at}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
