//! The client: sends one request through azure_core's pipeline, with the right token and nothing twice.
//!
//! azure_core's own retries are off: it would repeat every method, and a failover must not be started twice.
//! What may be repeated is [`run`](super::run)'s question.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{
    ClientOptions, Context, HttpClient, Method as Verb, Pipeline, PipelineSendOptions, Request as Wire, RetryOptions,
    Transport, Url,
};
use serde_json::Value;

use super::credential::Credentials;
use super::error::ServiceError;
use super::limiter::{Counted, Limiter};
use super::{Api, Cloud, Method, Request};
use crate::edge::clock::Clock;
use crate::plan::digest;

/// Azure's word on when to come back is taken up to here.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);
/// The code of a refusal that counts all requests of a subscription, whatever the service.
const SUBSCRIPTION_IS_FULL: &str = "SubscriptionRequestsThrottled";
/// Where a rehearsal's requests say which step they are of.
const STEP_HEADER: &str = "x-drctl-step";

/// How long one answer may take to come, body included. A read is asked again: it gets less time.
const fn answer_within(method: Method) -> Duration {
    match method {
        Method::Get => Duration::from_secs(30),
        _ => Duration::from_secs(90),
    }
}

/// The way to Azure: shared by all steps of a run.
pub struct Azure {
    transport: Arc<dyn HttpClient>,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    limiter: Limiter,
    /// One for all requests of a run, so that Azure's activity log can be searched by it.
    correlation: String,
    is_simulated: bool,
    pipelines: Mutex<BTreeMap<(Cloud, String, String), Pipeline>>,
}

/// As whom, and for which step, something is sent.
#[derive(Clone, Copy, Debug)]
pub struct Via<'v> {
    /// The cloud.
    pub cloud: &'v Cloud,
    /// The credential's name.
    pub credential: &'v str,
    /// The step's path.
    pub step: &'v str,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    /// JSON, or the text where it is none, or null.
    pub body: Value,
    pub etag: Option<String>,
    pub retry_after: Option<Duration>,
    pub async_operation: Option<String>,
    pub location: Option<String>,
    pub request_id: Option<String>,
}

impl Reply {
    /// What it says where it refuses.
    pub(super) fn refusal(&self) -> ServiceError {
        ServiceError::read(self.status, &self.body, self.request_id.as_deref())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It never reached Azure.
    NeverSent(String),
    /// It may have been carried out.
    MaybeSent(String),
    /// It was not sent, and trying again will not help: no token, a URL of somebody else.
    Refused(String),
}

impl Lost {
    pub(super) fn words(&self) -> &str {
        match self {
            Self::NeverSent(why) | Self::MaybeSent(why) | Self::Refused(why) => why,
        }
    }
}

impl Azure {
    /// The real Azure, or whatever `transport` leads to.
    #[must_use]
    pub fn new(transport: Arc<dyn HttpClient>, credentials: Credentials, clock: Arc<dyn Clock>, run: &str) -> Self {
        Self {
            transport,
            credentials,
            clock,
            limiter: Limiter::default(),
            correlation: uuid_of(run),
            is_simulated: false,
            pipelines: Mutex::default(),
        }
    }

    /// A simulated Azure: anybody may do anything, and requests say which step they are of.
    #[must_use]
    pub fn simulated(transport: Arc<dyn HttpClient>, clock: Arc<dyn Clock>, run: &str) -> Self {
        Self { is_simulated: true, ..Self::new(transport, Credentials::simulated(), clock, run) }
    }

    /// Whether what it leads to is simulated.
    pub(super) fn is_simulated(&self) -> bool {
        self.is_simulated
    }

    /// What all requests of the run carry as `x-ms-correlation-request-id`.
    #[must_use]
    pub fn correlation(&self) -> &str {
        &self.correlation
    }

    /// The kind of credential that gives a token for Resource Manager: asks for one, and sends it to nobody.
    ///
    /// # Errors
    /// None does: which were tried, and why each failed.
    pub async fn token_giver(&self, cloud: &Cloud, credential: &str) -> Result<&'static str, String> {
        self.credentials.giver(credential, cloud, &self.transport).await
    }

    /// Sends a request, once, and reads its answer. A token that is refused is renewed, once.
    pub(super) async fn exchange(&self, via: Via<'_>, request: &Request) -> Result<Reply, Lost> {
        self.exchange_at(via, request, &request.url(via.cloud)).await
    }

    /// Asks a URL that Azure gave: of an operation, or of the next page.
    pub(super) async fn get(&self, via: Via<'_>, api: &Api, url: &str) -> Result<Reply, Lost> {
        let request = Request::new(api.clone(), Method::Get, "");
        self.exchange_at(via, &request, url).await
    }

    async fn exchange_at(&self, via: Via<'_>, request: &Request, url: &str) -> Result<Reply, Lost> {
        let url = Url::parse(url).map_err(|_| Lost::Refused(format!("`{url}` is no URL")))?;
        let scope = scope(via.cloud, &request.api, &url)?;
        let (subscription, service) = (bucket(&url), service(&url));
        let counted = Counted { subscription: &subscription, service: &service, method: request.method };
        let mut reply = self.send(via, &scope, counted, request, &url).await?;
        if reply.status == 401 {
            // Credentials keep their tokens, too: only new ones ask for another.
            self.forget_token(via, &scope);
            reply = self.send(via, &scope, counted, request, &url).await?;
        }
        if reply.status == 429
            && let refusal = reply.refusal()
            && refusal.is_throttled()
        {
            let after = reply.retry_after.unwrap_or(Duration::from_secs(5));
            let service = if refusal.code == SUBSCRIPTION_IS_FULL { "" } else { counted.service };
            self.limiter.close(Counted { service, ..counted }, self.clock.now().plus(after));
        }
        Ok(reply)
    }

    /// Waits until a request may be sent. While its service is closed it takes no place; and where the service is
    /// closed before its turn, it takes another one afterwards, so that not all of them come at once.
    async fn admitted(&self, counted: Counted<'_>) {
        loop {
            let closed = self.limiter.closed(counted, self.clock.now());
            if !closed.is_zero() {
                self.clock.sleep(closed).await;
                continue;
            }
            let place = self.limiter.place(counted, self.clock.now());
            if place.is_zero() {
                return;
            }
            self.clock.sleep(place).await;
            if self.limiter.closed(counted, self.clock.now()).is_zero() {
                return;
            }
        }
    }

    /// Waits for its place, and sends it.
    async fn send(
        &self,
        via: Via<'_>,
        scope: &str,
        counted: Counted<'_>,
        request: &Request,
        url: &Url,
    ) -> Result<Reply, Lost> {
        self.admitted(counted).await;
        let pipeline = self.pipeline(via, scope)?;
        self.send_now(&pipeline, via, request, url).await
    }

    async fn send_now(&self, pipeline: &Pipeline, via: Via<'_>, request: &Request, url: &Url) -> Result<Reply, Lost> {
        let mut wire = Wire::new(url.clone(), verb(request.method));
        wire.insert_header("accept", "application/json");
        wire.insert_header("x-ms-correlation-request-id", self.correlation.clone());
        if self.is_simulated {
            wire.insert_header(STEP_HEADER, via.step.to_owned());
        }
        if let Some(body) = &request.body {
            wire.insert_header("content-type", "application/json");
            wire.set_body(body.to_string());
        }
        for (name, value) in &request.headers {
            wire.insert_header(*name, value.clone());
        }
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let (context, within) = (Context::default(), answer_within(request.method));
        let answer = tokio::select! {
            biased;
            answer = pipeline.send(&context, &mut wire, Some(options)) => answer.map_err(|error| lost(&error))?,
            () = self.clock.sleep(within) => {
                return Err(Lost::MaybeSent(format!("no answer within {} s", within.as_secs())));
            }
        };
        let (status, headers, body) = answer.deconstruct();
        let bytes: &[u8] = body.as_ref();
        Ok(read(u16::from(status), &headers, bytes))
    }

    /// Azure does not take the token any more: the next request gets a new one.
    fn forget_token(&self, via: Via<'_>, scope: &str) {
        let key = (via.cloud.clone(), via.credential.to_owned(), scope.to_owned());
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// The pipeline of a credential and scope: made once, as it keeps the token.
    fn pipeline(&self, via: Via<'_>, scope: &str) -> Result<Pipeline, Lost> {
        let key = (via.cloud.clone(), via.credential.to_owned(), scope.to_owned());
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = pipelines.get(&key) {
            return Ok(pipeline.clone());
        }
        let credential = self.credentials.get(via.credential, via.cloud, &self.transport).map_err(Lost::Refused)?;
        let bearer: Arc<dyn Policy> = Arc::new(BearerTokenAuthorizationPolicy::new(credential, [key.2.clone()]));
        let options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::clone(&self.transport))),
            ..ClientOptions::default()
        };
        let (name, version) = (Some("drctl"), option_env!("CARGO_PKG_VERSION"));
        let pipeline = Pipeline::new(name, version, options, Vec::new(), vec![bearer], None);
        pipelines.insert(key, pipeline.clone());
        Ok(pipeline)
    }
}

/// The scope of the token a URL gets. Tokens go to Resource Manager, its subdomains (regional poll URLs), and to
/// the very host a data plane's request names; to nobody else, whatever an answer says.
fn scope(cloud: &Cloud, api: &Api, url: &Url) -> Result<String, Lost> {
    let name = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    let (wanted, scope) = match api {
        Api::Arm => (cloud.arm_host(), cloud.arm_scope()),
        Api::Data { host, scope } => (host.as_str(), scope.clone()),
    };
    let below = host.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if url.scheme() == "https" && below {
        return Ok(scope);
    }
    Err(Lost::Refused(format!("a token for `{wanted}` is not sent to `{host}`")))
}

/// What throttling is counted by: the subscription, else the host.
fn bucket(url: &Url) -> String {
    let mut parts = url.path().split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some(first), Some(id)) if first.eq_ignore_ascii_case("subscriptions") => id.to_ascii_lowercase(),
        _ => url.host_str().unwrap_or_default().to_owned(),
    }
}

/// The service that a path names first, in lower case: of `/subscriptions/S/providers/Microsoft.Sql/..` `microsoft.sql`.
fn service(url: &Url) -> String {
    let mut parts = url.path().split('/').skip_while(|part| !part.eq_ignore_ascii_case("providers"));
    parts.nth(1).unwrap_or_default().to_ascii_lowercase()
}

fn verb(method: Method) -> Verb {
    match method {
        Method::Get => Verb::Get,
        Method::Put => Verb::Put,
        Method::Patch => Verb::Patch,
        Method::Post => Verb::Post,
        Method::Delete => Verb::Delete,
    }
}

fn read(status: u16, headers: &Headers, body: &[u8]) -> Reply {
    // The library's own look-up makes an error, with its words, for each header that is not there.
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str().to_owned())
    };
    let number = |name| header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let millis = number("x-ms-retry-after-ms").or_else(|| number("retry-after-ms")).map(Duration::from_millis);
    let retry_after = millis.or_else(|| number("retry-after").map(Duration::from_secs));
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap_or_else(|_| text()) };
    Reply {
        status,
        body,
        etag: header("etag"),
        retry_after: retry_after.map(|span| span.min(LONGEST_RETRY_AFTER)),
        async_operation: header("azure-asyncoperation").or_else(|| header("operation-location")),
        location: header("location"),
        request_id: header("x-ms-request-id"),
    }
}

/// The innermost reason: azure_core's outer words only say that a request failed.
fn lost(error: &azure_core::Error) -> Lost {
    let mut words = vec![error.to_string()];
    let mut inner = error.source();
    while let Some(source) = inner {
        words.push(source.to_string());
        inner = source.source();
    }
    words.dedup();
    match error.kind() {
        ErrorKind::Connection => Lost::NeverSent(words.pop().unwrap_or_default()),
        ErrorKind::Credential => Lost::Refused(words.join(": ")),
        _ => Lost::MaybeSent(words.pop().unwrap_or_default()),
    }
}

/// A UUID that belongs to a run: always the same for the same run.
fn uuid_of(run: &str) -> String {
    let hex = digest::of_bytes(run.as_bytes());
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
