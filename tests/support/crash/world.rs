//! The world outside drctl: counts what is done to it, and can kill who does it in the middle of that.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Kills whoever drives a run, once, in the middle of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Whether the effect is there by then.
    pub counted: bool,
    /// The effect.
    pub effect: &'static str,
}

/// What requests did: the name of each effect with its idempotency key.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A folder that processes write to, and a server that requests reach.
pub struct World {
    pub address: SocketAddr,
    folder: PathBuf,
    asked: Asked,
}

/// Counts an effect, and kills the driver before or after where the file `strike` says so; with a file
/// `strike_all`, also its supervisor and itself.
const EFFECT: &str = r#"
strike() {
    test "$(cat strike 2> /dev/null)" = "$1" || return 0
    mv strike struck
    driver=$(sed 's/.*"pid":\([0-9]*\).*/\1/' .drctl/runs/*/lock)
    if test -e strike_all; then kill -9 "$driver" $PPID $$; else kill -9 "$driver"; fi
}
strike "before $1"
echo "$1" >> effects
strike "after $1"
"#;

impl World {
    /// A world for the workspace in `folder`.
    pub fn around(folder: &Path) -> Self {
        fs::write(folder.join("effect.sh"), EFFECT).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Asked::default();
        let server = Server { folder: folder.to_owned(), asked: Arc::clone(&asked) };
        std::thread::spawn(move || server.serve(&listener));
        Self { address, folder: folder.to_owned(), asked }
    }

    /// From now on, the effect named kills.
    pub fn strike(&self, strike: Strike, all: bool) {
        fs::write(self.folder.join("strike"), strike.text()).unwrap();
        if all {
            fs::write(self.folder.join("strike_all"), "").unwrap();
        }
    }

    /// From now on, the effect named is not answered, once.
    pub fn lose_answer(&self, effect: &str) {
        fs::write(self.folder.join("strike"), format!("silent {effect}")).unwrap();
    }

    /// Whether it has struck.
    pub fn has_struck(&self) -> bool {
        self.folder.join("struck").exists()
    }

    /// How often an effect has happened. All requests sent before are counted.
    pub fn count(&self, effect: &str) -> usize {
        self.settle();
        let lines = fs::read_to_string(self.folder.join("effects")).unwrap_or_default();
        let written = lines.lines().filter(|line| *line == effect).count();
        written + self.asked.lock().unwrap().iter().filter(|(name, _)| name == effect).count()
    }

    /// How often anything has happened.
    pub fn total(&self) -> usize {
        self.settle();
        let lines = fs::read_to_string(self.folder.join("effects")).unwrap_or_default();
        lines.lines().count() + self.asked.lock().unwrap().len()
    }

    /// Effects that were asked for under more than one idempotency key, or under none.
    pub fn badly_keyed(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let differs = |name: &str, key: &str| asked.iter().any(|(other, its)| other == name && its != key);
        asked.iter().filter(|(name, key)| key.is_empty() || differs(name, key)).map(|(name, _)| name.clone()).collect()
    }

    /// The server answers one request after the other: once this one is answered, all before it are.
    fn settle(&self) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /settle HTTP/1.1\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            stream.write_all(b"GET /end HTTP/1.1\r\n\r\n").ok();
        }
    }
}

impl Strike {
    fn text(self) -> String {
        format!("{} {}", if self.counted { "after" } else { "before" }, self.effect)
    }
}

struct Server {
    folder: PathBuf,
    asked: Asked,
}

impl Server {
    fn serve(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.answer(stream.unwrap()) == Some("end") {
                return;
            }
        }
    }

    /// Answers one request; nothing where whoever asked is gone, or is killed here.
    fn answer(&self, mut stream: TcpStream) -> Option<&'static str> {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (method, path, key) = request(&stream)?;
        let name = path.trim_start_matches('/').to_owned();
        let status = match (method.as_str(), name.as_str()) {
            ("GET", "settle") => 200,
            ("GET", "end") => return Some("end"),
            ("GET", _) if self.asked.lock().unwrap().iter().any(|(asked, _)| *asked == name) => 200,
            ("GET", _) => 404,
            _ => {
                self.strike(&format!("before {name}"))?;
                self.asked.lock().unwrap().push((name.clone(), key));
                self.strike(&format!("after {name}"))?;
                self.strike(&format!("silent {name}"))?;
                200
            }
        };
        let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
        stream.write_all(answer.as_bytes()).ok();
        None
    }

    /// Nothing where the driver gets no answer, killed or not.
    fn strike(&self, now: &str) -> Option<()> {
        if fs::read_to_string(self.folder.join("strike")).unwrap_or_default() != now {
            return Some(());
        }
        fs::rename(self.folder.join("strike"), self.folder.join("struck")).unwrap();
        if now.starts_with("silent") {
            return None;
        }
        let run = fs::read_dir(self.folder.join(".drctl/runs")).unwrap().next().unwrap().unwrap();
        let holder: serde_json::Value = serde_json::from_slice(&fs::read(run.path().join("lock")).unwrap()).unwrap();
        let pid = Pid::from_raw(i32::try_from(holder["pid"].as_i64().unwrap()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        None
    }
}

/// Method, path and idempotency key of a request, once all of it has come.
fn request(stream: &TcpStream) -> Option<(String, String, String)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("idempotency-key") => key = value.to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some((method, path, key))
}
