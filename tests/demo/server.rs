//! The demo's servers: just enough HTTP for one request a connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _, stdin};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::Outcome;

/// No client keeps a server waiting longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any request of the demo has.
const LONGEST: u64 = 64 * 1024;

/// Answers every request with its name.
pub(super) fn serve(name: &str) -> Outcome<ExitCode> {
    let body = format!("{{\"server\":\"{name}\"}}");
    listen(move |_| ("200 OK", body.clone()))
}

/// Passes requests on to one of two servers; `GET /active` says to which, `PUT /active` changes it.
pub(super) fn balance(primary: SocketAddr, standby: SocketAddr) -> Outcome<ExitCode> {
    let active = Arc::new(Mutex::new("primary".to_owned()));
    listen(move |request| {
        let mut active = active.lock().unwrap_or_else(PoisonError::into_inner);
        if request.line.starts_with("PUT /active ") {
            let wanted = serde_json::from_str::<serde_json::Value>(&request.body).unwrap_or_default();
            match wanted["server"].as_str() {
                Some(name @ ("primary" | "standby")) => name.clone_into(&mut active),
                _ => return ("400 Bad Request", "wanted {\"server\": \"primary\"} or \"standby\"".to_owned()),
            }
        }
        let name = active.clone();
        drop(active);
        if request.line.split(' ').nth(1) == Some("/active") {
            return ("200 OK", format!("{{\"server\":\"{name}\"}}"));
        }
        let to = if name == "primary" { primary } else { standby };
        ask(to).map_or_else(|error| ("502 Bad Gateway", format!("{name}: {error}")), |body| ("200 OK", body))
    })
}

struct Request {
    line: String,
    body: String,
}

/// Says where it listens and serves until the program that started this one ends.
fn listen(answer: impl Fn(&Request) -> (&'static str, String) + Send + Sync + 'static) -> Outcome<ExitCode> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || converse(&stream, &*answer));
        }
    });
    // Its end of this pipe is closed with it, also if it is killed.
    io::copy(&mut stdin(), &mut io::sink())?;
    Ok(ExitCode::SUCCESS)
}

fn converse(mut stream: &TcpStream, answer: &dyn Fn(&Request) -> (&'static str, String)) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let (status, body) = answer(&read(stream)?);
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream.take(LONGEST));
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok(Request { line, body })
}

/// What a server answers to `GET /`.
fn ask(server: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET / HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.ok_or_else(|| io::Error::other("no answer"))
}
