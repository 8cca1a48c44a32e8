//! The binary on a terminal of its own: what it shows, what is typed, what it leaves behind.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expectrl::Expect as _;
use expectrl::process::Termios as _;
use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the key sends.
const CTRL_C: &str = "\u{3}";

/// A process that believes somebody sits before it.
pub(crate) struct Terminal {
    session: OsSession,
    /// Everything it wrote, raw.
    written: Vec<u8>,
    /// Up to where of the plain text the scenario has looked.
    seen: usize,
}

impl Terminal {
    /// Starts a command on a terminal of `columns`, with echo, as a shell would leave it.
    pub(crate) fn start(command: Command, columns: u16) -> Self {
        let mut command = with_default_signals(&command);
        let is_unset = |command: &Command, name| command.get_envs().all(|(other, _)| other != name);
        if is_unset(&command, "TERM") {
            command.env("TERM", "xterm");
        }
        // On a build server, too, somebody sits before this terminal.
        if is_unset(&command, "CI") {
            command.env_remove("CI");
        }
        command.stdin(Stdio::inherit());
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, 50).unwrap();
        // The library switches it off before it starts anything.
        assert!(session.set_echo(true).unwrap());
        Self { session, written: Vec::new(), seen: 0 }
    }

    /// Waits for a text further down than what was looked at last, and looks past it.
    pub(crate) fn sees(&mut self, text: &str) {
        self.sees_within(text, PATIENCE);
    }

    pub(crate) fn sees_within(&mut self, text: &str, patience: Duration) {
        let start = Instant::now();
        loop {
            let ended = self.read();
            let shown = self.text();
            if let Some(at) = shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            let news = &shown[self.seen..];
            assert!(!ended && start.elapsed() < patience, "`{text}` did not come (ended: {ended}); after: {news:?}");
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        self.session.send_line(line).unwrap();
    }

    /// Presses keys, without enter.
    pub(crate) fn presses(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
    }

    pub(crate) fn presses_ctrl_c(&mut self) {
        self.session.send(CTRL_C).unwrap();
    }

    /// What is on the terminal so far, without colours and moves of the cursor.
    pub(crate) fn text(&self) -> String {
        console::strip_ansi_codes(&String::from_utf8_lossy(&self.written)).replace('\r', "")
    }

    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.written).into_owned()
    }

    /// Waits for the end; its exit code. However it ends, the cursor is there and typing is visible.
    pub(crate) fn ends(&mut self) -> i32 {
        let start = Instant::now();
        let code = loop {
            self.read();
            match self.session.get_process().status().unwrap() {
                WaitStatus::Exited(_, code) => break code,
                WaitStatus::Signaled(_, signal, _) => break -(signal as i32),
                _ => assert!(start.elapsed() < PATIENCE, "it goes on: {:?}", self.text()),
            }
        };
        self.read();
        let raw = self.raw();
        assert!(raw.rfind("\u{1b}[?25l") <= raw.rfind("\u{1b}[?25h"), "the cursor stays hidden: {raw:?}");
        assert!(self.session.is_echo().unwrap(), "what is typed stays hidden");
        let text = self.text();
        // Who is killed in a question cannot end its line.
        assert!(
            code < 0 || text.is_empty() || text.ends_with('\n'),
            "the shell's prompt comes in the middle of a line: {text:?}"
        );
        code
    }

    /// Takes in what there is; whether that was all there will ever be.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.session.try_read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => self.written.extend(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(5));
                    return false;
                }
                Err(_) => return true,
            }
        }
    }
}

/// The command such that Ctrl-C ends it: who starts the tests in the background ignores that, and so does what they start.
fn with_default_signals(command: &Command) -> Command {
    let mut wrapped = Command::new("env");
    wrapped.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}
