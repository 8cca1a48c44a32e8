//! An HTTP server that does what a script says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the server does with one request.
#[derive(Clone)]
pub enum Reply {
    /// Answers.
    Answer(u16, String),
    /// Sends this as it is.
    Raw(String),
    /// Answers 200 after a while.
    Late(Duration),
    /// Reads the request and never answers.
    Silence,
    /// Reads the request and closes the connection.
    Drop,
    /// Closes the connection without reading anything.
    Hangup,
}

pub fn answer(status: u16, body: impl Into<String>) -> Reply {
    Reply::Answer(status, body.into())
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    script: Mutex<Vec<Reply>>,
    asked: Mutex<Vec<Asked>>,
    connections: Mutex<usize>,
    news: Notify,
}

impl Server {
    /// Serves the script; the last reply is for all further requests.
    pub async fn start(mut script: Vec<Reply>) -> Self {
        script.reverse();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { script: Mutex::new(script), ..State::default() });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().unwrap() += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// The request lines, without the version.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// Returns once it has been asked `count` times.
    pub async fn was_asked(&self, count: usize) {
        loop {
            let news = self.state.news.notified();
            if self.asked().len() >= count {
                return;
            }
            news.await;
        }
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) -> Option<()> {
    let mut rest = Vec::new();
    loop {
        if matches!(state.script.lock().unwrap().last(), Some(Reply::Hangup)) {
            next(&state);
            return None;
        }
        let asked = read(&mut stream, &mut rest).await?;
        if asked.line.starts_with("GET ") && asked.line.ends_with("/incidents") {
            send(&mut stream, 200, &incidents(&state)).await?;
            continue;
        }
        state.asked.lock().unwrap().push(asked);
        let reply = next(&state);
        state.news.notify_waiters();
        let (status, body) = match reply {
            Reply::Answer(status, body) => (status, body),
            Reply::Raw(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return None;
            }
            Reply::Late(span) => {
                tokio::time::sleep(span).await;
                (200, String::new())
            }
            Reply::Silence => std::future::pending().await,
            Reply::Drop | Reply::Hangup => return None,
        };
        send(&mut stream, status, &body).await?;
    }
}

async fn send(stream: &mut TcpStream, status: u16, body: &str) -> Option<()> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.ok()
}

/// What a status page answers who asks for its incidents: those that were opened there, whether or not anybody was told.
/// That somebody asked is not remembered.
fn incidents(state: &State) -> String {
    let asked = state.asked.lock().unwrap();
    let opened = asked.iter().filter(|asked| asked.line.starts_with("POST ") && asked.line.ends_with("/incidents"));
    let metadata =
        opened.map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap()["incident"]["metadata"].clone());
    Value::from_iter(metadata.map(|metadata| json!({ "id": "p31z", "metadata": metadata }))).to_string()
}

fn next(state: &State) -> Reply {
    let mut script = state.script.lock().unwrap();
    match script.len() {
        1 => script[0].clone(),
        _ => script.pop().unwrap(),
    }
}

/// One request; `None` if the connection ends before.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, rest).await?;
    };
    let head = String::from_utf8(rest[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    rest.drain(..end + 4);
    while rest.len() < length {
        more(stream, rest).await?;
    }
    let body = String::from_utf8(rest.drain(..length).collect()).unwrap();
    Some(Asked { line, headers, body })
}

async fn more(stream: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(rest).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(()),
    }
}
