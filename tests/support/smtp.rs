//! A mail server: STARTTLS, TLS from the beginning or none, AUTH; it rejects `reject@`, puts `greylist@` off once, loses
//! the reply to mails for `lost@`, takes its time with `slow@`. It counts what it has taken, and may kill its client
//! after any of its replies.

#![allow(dead_code, reason = "what tests share serves several of them")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// How connections are protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    Starttls,
    Implicit,
    None,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub data: String,
    pub encrypted: bool,
    pub user: Option<String>,
}

impl Mail {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.data.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// When the client is killed: with the reply of that number, just before it is sent or just after, or just after it
/// heard that the mail of that number was taken.
#[derive(Clone, Copy, Debug)]
pub enum Strike {
    Before(usize),
    After(usize),
    Taken(usize),
}

pub struct MailServer {
    pub port: u16,
    /// The certificate that clients have to trust, as PEM.
    pub certificate: String,
    state: Arc<State>,
}

struct State {
    protection: Protection,
    acceptor: TlsAcceptor,
    login: Option<(String, String)>,
    mails: Mutex<Vec<Mail>>,
    put_off: Mutex<BTreeSet<String>>,
    replies: AtomicUsize,
    connections: AtomicUsize,
    strike: Mutex<Option<(Strike, Option<u32>)>>,
}

impl MailServer {
    pub async fn start(protection: Protection, login: Option<(&str, &str)>) -> Self {
        Self::start_at(0, protection, login).await
    }

    pub async fn start_at(port: u16, protection: Protection, login: Option<(&str, &str)>) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.into()], key).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            protection,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            mails: Mutex::default(),
            put_off: Mutex::default(),
            replies: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            strike: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, certificate, state }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// How many mails each of these got.
    pub fn counts(&self, recipients: &[&str]) -> Vec<usize> {
        let mails = self.mails();
        recipients.iter().map(|to| mails.iter().filter(|mail| mail.to == *to).count()).collect()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub fn replies(&self) -> usize {
        self.state.replies.load(Ordering::SeqCst)
    }

    /// The next client that is named by [`Self::victim`] is killed there.
    pub fn strike(&self, strike: Strike) {
        *self.state.strike.lock().unwrap() = Some((strike, None));
    }

    /// Names who is to be killed.
    pub fn victim(&self, pid: u32) {
        if let Some((_, victim)) = self.state.strike.lock().unwrap().as_mut() {
            *victim = Some(pid);
        }
    }

    /// Whether the strike is still to come.
    pub fn is_armed(&self) -> bool {
        self.state.strike.lock().unwrap().is_some()
    }
}

impl State {
    /// Kills the client, where this is the moment. It is dead when this returns.
    fn strike(&self, is_now: impl Fn(Strike) -> bool) -> bool {
        let mut strike = self.strike.lock().unwrap();
        let Some((_, Some(victim))) = *strike else { return false };
        if !strike.as_ref().is_some_and(|(strike, _)| is_now(*strike)) {
            return false;
        }
        let pid = Pid::from_raw(i32::try_from(victim).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        *strike = None;
        true
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) -> Option<()> {
    if state.protection == Protection::Implicit {
        let stream = state.acceptor.accept(stream).await.ok()?;
        return Talk::new(stream, &state, true).run(true).await.map(drop);
    }
    let talk = Talk::new(stream, &state, false).run(true).await?;
    // It asked for TLS.
    let stream = state.acceptor.accept(talk.into_inner()).await.ok()?;
    Talk::new(stream, &state, true).run(false).await.map(drop)
}

/// One connection.
struct Talk<'s, S> {
    stream: BufReader<S>,
    state: &'s State,
    encrypted: bool,
    user: Option<String>,
    from: String,
    to: String,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Talk<'s, S> {
    fn new(stream: S, state: &'s State, encrypted: bool) -> Self {
        Self { stream: BufReader::new(stream), state, encrypted, user: None, from: String::new(), to: String::new() }
    }

    /// The stream, once it is to be encrypted; nothing when the client is gone.
    async fn run(mut self, greets: bool) -> Option<BufReader<S>> {
        if greets {
            self.reply("220 mail.test ESMTP").await?;
        }
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_at(line.find([' ', ':']).unwrap_or(line.len()));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello().await?,
                "STARTTLS" => {
                    self.reply("220 go ahead").await?;
                    return Some(self.stream);
                }
                "AUTH" => self.auth(rest.trim()).await?,
                "MAIL" => {
                    self.from = address(rest);
                    let allowed = self.state.login.is_none() || self.user.is_some();
                    self.reply(if allowed { "250 ok" } else { "530 log in first" }).await?;
                }
                "RCPT" => self.recipient(address(rest)).await?,
                "DATA" => self.data().await?,
                "QUIT" => {
                    self.reply("221 bye").await?;
                    return None;
                }
                _ => self.reply("500 what?").await?,
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Sends a reply; the client may be dead before or after it.
    async fn reply(&mut self, text: &str) -> Option<()> {
        let number = self.state.replies.fetch_add(1, Ordering::SeqCst) + 1;
        if self.state.strike(|strike| matches!(strike, Strike::Before(at) if at == number)) {
            return None;
        }
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()?;
        if self.state.strike(|strike| matches!(strike, Strike::After(at) if at == number)) {
            return None;
        }
        Some(())
    }

    async fn hello(&mut self) -> Option<()> {
        let mut lines = vec!["mail.test", "8BITMIME", "SMTPUTF8"];
        if self.state.protection == Protection::Starttls && !self.encrypted {
            lines.push("STARTTLS");
        }
        if self.state.login.is_some() && (self.encrypted || self.state.protection == Protection::None) {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.len() - 1;
        let text: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }))
            .collect();
        self.reply(&text.join("\r\n")).await
    }

    async fn auth(&mut self, rest: &str) -> Option<()> {
        let given = rest.split_whitespace().nth(1).unwrap_or_default();
        let decoded = String::from_utf8(STANDARD.decode(given).unwrap_or_default()).unwrap_or_default();
        let mut parts = decoded.split('\0').skip(1);
        let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if self.state.login.as_ref().is_some_and(|(name, word)| name == user && word == password) {
            self.user = Some(user.to_owned());
            return self.reply("235 welcome").await;
        }
        self.reply("535 5.7.8 these credentials are not known here").await
    }

    async fn recipient(&mut self, to: String) -> Option<()> {
        let name = to.split('@').next().unwrap_or_default().to_owned();
        self.to.clone_from(&to);
        let first = self.state.put_off.lock().unwrap().insert(to);
        match name.as_str() {
            "reject" => self.reply("550 5.1.1 no such mailbox").await,
            "greylist" if first => self.reply("451 4.7.1 come again later").await,
            _ => self.reply("250 ok").await,
        }
    }

    async fn data(&mut self) -> Option<()> {
        self.reply("354 go on").await?;
        let mut data = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if line == ".\r\n" {
                break;
            }
            data.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..]));
        }
        let (from, to) = (self.from.clone(), self.to.clone());
        let name = to.split('@').next().unwrap_or_default().to_owned();
        let mail = Mail { from, to, data, encrypted: self.encrypted, user: self.user.clone() };
        self.state.mails.lock().unwrap().push(mail);
        match name.as_str() {
            "lost" => None,
            "slow" => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                self.reply("250 taken at last").await
            }
            _ => {
                self.reply("250 taken").await?;
                let taken = self.state.mails.lock().unwrap().len();
                let struck = self.state.strike(|strike| matches!(strike, Strike::Taken(at) if at <= taken));
                (!struck).then_some(())
            }
        }
    }
}

/// What stands between the angle brackets.
fn address(rest: &str) -> String {
    rest.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

/// Writes the certificate where a channel's `ca_file` finds it.
pub fn trust(server: &MailServer, folder: &Path) {
    std::fs::write(folder.join("ca.pem"), &server.certificate).unwrap();
}
