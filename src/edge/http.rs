//! One exchange of a request and an answer over HTTP.
//!
//! Knows what may have reached the other side and what cannot have; not what that means for a step.
//! Never sends anything twice: no retries, no reuse of connections that the other side may just be closing.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, Url};
use serde_json::{Map, Value};

use super::clock::Clock;
use crate::catalogue::Timestamp;

/// No more of an answer's body is read.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// How long finding a host, connecting and the TLS handshake may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// The client for all requests.
///
/// It keeps no idle connections, retries nothing and follows no redirects: each of these could send a request
/// twice without anybody knowing.
///
/// # Errors
/// The TLS setup or the proxy named in the environment cannot be used.
pub fn http_client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("drctl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method. Redirects are followed for `GET` and `HEAD` only.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers; those a body or a connection needs are added.
    pub headers: HeaderMap,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, or its first [`BODY_LIMIT`] bytes.
    pub body: Vec<u8>,
    /// Why `body` is not all of it.
    pub cut: Option<String>,
    /// From the start until the body was read.
    pub latency: Duration,
    /// `Retry-After`: how long to wait before anything else is asked.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Nothing was sent: the host was not found, refused, or did not prove who it is.
    #[error("{0}")]
    NeverSent(String),
    /// It may have been received, and what came of it is not known.
    #[error("{0}")]
    MaybeSent(String),
}

impl Lost {
    fn new(error: &reqwest::Error) -> Self {
        let why = cause(error);
        if error.is_connect() || error.is_builder() { Self::NeverSent(why) } else { Self::MaybeSent(why) }
    }
}

/// Whether an answer with this status says that the request was not carried out.
#[must_use]
pub fn refuses(status: u16) -> bool {
    matches!(status, 307 | 308 | 400..=499)
}

/// `given`, and of `ours` what is not among them.
///
/// # Errors
/// A name or value that cannot be sent, such as one with a line break. The value is not named: it may be secret.
pub fn merge_headers(given: &Map<String, Value>, ours: HeaderMap) -> Result<HeaderMap, String> {
    let mut headers = ours;
    for (name, value) in given {
        let problem = |what| format!("at `headers.{}`: {what}", name.escape_debug());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| problem("this is no name of a header"))?;
        let value = value.as_str().unwrap_or_default();
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| problem("the value holds a line break or another control character"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Sends `request` once and reads the answer. Whoever stops waiting drops the future, which closes the connection.
///
/// # Errors
/// There was no answer, or only its beginning. The reason never holds the URL.
pub async fn exchange(client: &Client, clock: &dyn Clock, mut request: Request) -> Result<Answer, Lost> {
    let begin = clock.now();
    for _ in 0..=MAX_REDIRECTS {
        let response = send(client, &request).await?;
        match redirected(&request, &response)? {
            Some(next) => request = next,
            None => {
                let retry_after = retry_after(&response, clock.now());
                let answer = read(response, || begin.until(clock.now())).await?;
                return Ok(Answer { retry_after, ..answer });
            }
        }
    }
    Err(Lost::MaybeSent(format!("more than {MAX_REDIRECTS} redirects")))
}

/// What the other side takes for the present, from the `Date` of its answer, whatever else that says; to the second.
///
/// # Errors
/// There was no answer, or it has no date.
pub async fn date(client: &Client, url: Url) -> Result<Timestamp, Lost> {
    let request = Request { method: Method::HEAD, url, headers: HeaderMap::new(), body: None };
    let response = send(client, &request).await?;
    let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
    let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let date = date.ok_or_else(|| Lost::MaybeSent("the answer has no date".to_owned()))?;
    Ok(Timestamp(date.timestamp().as_millisecond()))
}

async fn send(client: &Client, request: &Request) -> Result<Response, Lost> {
    let mut builder = client.request(request.method.clone(), request.url.clone());
    builder = builder.headers(request.headers.clone());
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    builder.send().await.map_err(|error| Lost::new(&error))
}

/// The request to make instead. Headers, which may hold credentials, stay with the place they were meant for.
fn redirected(request: &Request, response: &Response) -> Result<Option<Request>, Lost> {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let (true, true, Some(location)) = (is_read, response.status().is_redirection(), location) else {
        return Ok(None);
    };
    let url = request.url.join(location);
    let url = url.map_err(|_| Lost::MaybeSent("it redirects to something that is no URL".to_owned()))?;
    if request.url.scheme() == "https" && url.scheme() != "https" {
        return Err(Lost::MaybeSent("it redirects from https to http".to_owned()));
    }
    let stays = url.origin() == request.url.origin();
    Ok(Some(Request {
        method: request.method.clone(),
        headers: if stays { request.headers.clone() } else { HeaderMap::new() },
        url,
        body: None,
    }))
}

async fn read(mut response: Response, latency: impl Fn() -> Duration) -> Result<Answer, Lost> {
    let status = response.status().as_u16();
    let (mut body, mut cut) = (Vec::new(), None);
    while cut.is_none() {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // The status alone says that nothing was done.
            Err(error) if refuses(status) => cut = Some(cause(&error)),
            Err(error) => {
                let why = cause(&error);
                return Err(Lost::MaybeSent(format!("answered {status}, but the body was lost: {why}")));
            }
        }
        if body.len() > BODY_LIMIT {
            body.truncate(BODY_LIMIT);
            cut = Some("only its first 1 MiB was read".to_owned());
        }
    }
    Ok(Answer { status, body, cut, latency: latency(), retry_after: None })
}

/// Seconds, or a date.
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(now.until(Timestamp(date.timestamp().as_millisecond())))
}

/// The innermost reason: the outer ones only say that a request failed.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    let mut text = match error.source() {
        Some(_) => String::new(),
        None => "the request cannot be built".to_owned(),
    };
    while let Some(source) = inner.source() {
        inner = source;
        text = inner.to_string();
    }
    text
}
