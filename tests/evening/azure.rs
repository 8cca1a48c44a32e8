//! The simulated Azure behind a real address, so that it outlives whoever talks to it: tokens and Resource Manager over
//! TLS on loopback, with a clock that is the machine's.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{AsyncRawResponse, HttpClient as _, Method, Request, Url};
use drctl::catalogue::Timestamp;
use drctl::edge::clock::SystemClock;
use drctl::sim::azure::{Azure, Logged};
use drctl::sim::scenario::Fault;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::http::{Asked, read};

/// Where the simulated Azure believes to be.
const HOME: &str = "https://management.azure.com";
/// How long whatever is begun takes.
const OPERATION: Duration = Duration::from_secs(4);

pub struct AzureServer {
    pub azure: Azure,
    port: u16,
    certificate: String,
    count: watch::Receiver<usize>,
}

struct Gateway {
    azure: Azure,
    port: u16,
    tokens: Mutex<usize>,
    count: watch::Sender<usize>,
}

impl AzureServer {
    /// An Azure in which a region is down.
    pub async fn without(region: &str) -> Self {
        let clock = Arc::new(SystemClock::start(Timestamp(0)));
        let down = Fault::RegionDown { region: region.to_owned(), at: Duration::ZERO, lasts: None };
        let azure = Azure::new(clock, 1, Arc::new(|_| OPERATION), vec![down]);
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.into()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (count, counted) = watch::channel(0);
        let gateway = Arc::new(Gateway { azure: azure.clone(), port, tokens: Mutex::default(), count });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, gateway) = (acceptor.clone(), Arc::clone(&gateway));
                tokio::spawn(async move { gateway.serve(acceptor.accept(stream).await.ok()?).await });
            }
        });
        Self { azure, port, certificate, count: counted }
    }

    pub fn url(&self) -> String {
        address(self.port)
    }

    /// Writes the certificate that clients have to trust.
    pub fn trust(&self, file: &Path) {
        std::fs::write(file, &self.certificate).unwrap();
    }

    /// Puts there what a step takes for granted.
    pub fn has(&self, action: &str, with: Value) {
        let mut all = Map::from_iter([
            ("subscription".to_owned(), json!("00000000-0000-0000-0000-000000000001")),
            ("resource_group".to_owned(), json!("rg-shop")),
        ]);
        all.extend(with.as_object().cloned().unwrap());
        self.azure.derive(action, &all);
    }

    /// What was asked for to change something, and was carried out.
    pub fn changes(&self) -> Vec<String> {
        let changes = self.azure.requests().into_iter().filter(|logged| logged.was_done);
        changes.map(|logged| format!("{} {}", logged.method, last_of(&logged.url))).collect()
    }

    /// Returns once a request has come that is meant.
    pub async fn was_asked(&self, is_meant: impl Fn(&Logged) -> bool) {
        let mut count = self.count.clone();
        while !self.azure.requests().iter().any(&is_meant) {
            count.changed().await.unwrap();
        }
    }
}

/// A URL's end, which says what is asked of which resource.
fn last_of(url: &str) -> String {
    let path = url.split('?').next().unwrap();
    let parts: Vec<&str> = path.rsplitn(3, '/').collect();
    format!("{}/{}", parts[1], parts[0])
}

fn address(port: u16) -> String {
    format!("https://localhost:{port}")
}

impl Gateway {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> Option<()> {
        let mut rest = Vec::new();
        loop {
            let asked = read(&mut stream, &mut rest).await?;
            let answer = if asked.line.contains("/oauth2/v2.0/token") {
                self.token(&asked)
            } else {
                let answered = self.azure.execute_request(&self.forwarded(&asked)).await;
                self.count.send_modify(|count| *count += 1);
                // A connection that breaks.
                self.told(answered.ok()?).await
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }

    /// A token for what was asked, as Entra gives it to who has a secret.
    fn token(&self, asked: &Asked) -> String {
        let form = Url::parse(&format!("http://form/?{}", asked.body)).unwrap();
        let field = |name: &str| form.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(field("client_secret").as_deref(), Some("sesame"), "{}", asked.body);
        let mut tokens = self.tokens.lock().unwrap();
        *tokens += 1;
        let token = format!("simulated for {}, {tokens}", field("scope").unwrap());
        let body = json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token }).to_string();
        response(200, "content-type: application/json\r\n", &body)
    }

    fn forwarded(&self, asked: &Asked) -> Request {
        let (method, path) = asked.line.split_once(' ').unwrap();
        let mut request = Request::new(Url::parse(&format!("{HOME}{path}")).unwrap(), verb(method));
        for (name, value) in &asked.headers {
            request.insert_header(HeaderName::from(name.clone()), HeaderValue::from(value.clone()));
        }
        request.set_body(asked.body.replace(&address(self.port), HOME));
        request
    }

    /// The answer; it is in a hurry, so that nobody waits long for the evening.
    async fn told(&self, answered: AsyncRawResponse) -> String {
        let (status, headers, body) = answered.deconstruct();
        let body = String::from_utf8(body.collect().await.unwrap().to_vec()).unwrap();
        let lines = headers.iter().map(|(name, value)| {
            let value = if name.as_str() == "retry-after" { "1" } else { value.as_str() };
            format!("{}: {}\r\n", name.as_str(), self.here(value))
        });
        let head: String = lines.collect();
        response(status.into(), &head, &self.here(&body))
    }

    /// The same text with the address where Azure is here, in whatever region.
    fn here(&self, text: &str) -> String {
        let regional = text.replace("https://eastus2.management.azure.com", HOME);
        regional.replace(HOME, &address(self.port))
    }
}

fn response(status: u16, head: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{head}content-length: {}\r\n\r\n{body}", body.len())
}

fn verb(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => Method::Post,
    }
}
