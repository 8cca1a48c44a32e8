//! `http`: sends a request, once.
//!
//! Tells apart what was never sent, what was refused, and what may have been carried out though no answer
//! says so. It never repeats a request: whether one may be repeated is the engine's question.

mod spec;

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::expect::{self, Expect};
use super::limits::{Stopped, within};
use super::{Action, Call, Context, Done, Failure, Observation, extract, params, request};
use crate::catalogue::{ActionSpec, Effect, HumanDuration, Timestamp};
use crate::edge::Act;
use crate::edge::http::{Answer, Lost, Request, exchange, merge_headers, refuses};

/// As much of a body becomes an output.
const BODY_OUTPUT: usize = 64 * 1024;
/// As much of a body becomes evidence in a message.
const BODY_SHOWN: usize = 200;
/// How long until a state is looked at again that a request may still bring about.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// The action `http`.
pub struct Http;

#[derive(Deserialize)]
struct Params {
    #[serde(default = "get")]
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    query: Map<String, Value>,
    json: Option<Value>,
    body: Option<String>,
    #[serde(default)]
    expect: Expect,
    #[serde(default)]
    extract: Map<String, Value>,
    #[serde(default = "half_a_minute")]
    timeout: HumanDuration,
    observe: Option<Observe>,
}

#[derive(Deserialize)]
struct Observe {
    url: Option<String>,
    #[serde(default = "a_minute")]
    within: HumanDuration,
    #[serde(flatten)]
    expect: Expect,
}

impl Observe {
    /// Only "there is no such thing" and a readable success are a clear no: a server that fails, redirects or asks
    /// who we are has not looked; half a body, or a page instead of JSON, is no look either.
    fn tells_nothing(&self, answer: &Answer) -> bool {
        if !self.expect.accepts(answer.status) {
            return !matches!(answer.status, 200..=299 | 404 | 410);
        }
        answer.cut.is_some() || (!self.expect.json.is_empty() && expect::json(answer).is_err())
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn half_a_minute() -> HumanDuration {
    HumanDuration(Duration::from_secs(30))
}

fn a_minute() -> HumanDuration {
    HumanDuration(Duration::from_secs(60))
}

/// One use of the action, with its end in time.
struct Task<'a> {
    context: &'a Context,
    call: &'a Call,
    params: Params,
    end: Timestamp,
}

impl Action for Http {
    fn spec(&self) -> &'static ActionSpec {
        &spec::SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let mut lines = request::preview(with);
        let named = |name: &str, words: &str| with.get(name).map(|value| format!("{words}{}", params::plain(value)));
        lines.extend(named("json", "body: "));
        lines.extend(named("body", "body: "));
        lines.extend(named("expect", "wanted: "));
        lines.extend(named("observe", "sent only if this does not hold: "));
        lines
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async move {
            match Task::new(context, call) {
                Ok(mut task) => task.observe().await,
                Err(failure) => Observation::Unknown(failure.to_string()),
            }
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move { Task::new(context, call)?.apply().await })
    }
}

impl<'a> Task<'a> {
    fn new(context: &'a Context, call: &'a Call) -> Result<Self, Failure> {
        Ok(Self { context, call, params: params::read(&call.with)?, end: context.clock.now().plus(call.timeout) })
    }

    async fn apply(&self) -> Result<Done, Failure> {
        if self.context.cancel.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        extract::check(&self.params.extract, &self.call.declared, spec::is_fixed).map_err(Failure::Failed)?;
        let request = self.request().map_err(|why| self.not_sent(&why))?;
        if self.params.observe.is_some()
            && let Some(done) = self.already().await?
        {
            return Ok(done);
        }
        if self.left().is_zero() {
            return Err(self.not_sent("the time of the step was up"));
        }
        match self.exchange(request).await {
            Ok(Ok(answer)) => self.judge(&answer),
            Ok(Err(Lost::NeverSent(why))) => Err(self.not_sent(&why)),
            Ok(Err(Lost::MaybeSent(why))) => Err(self.in_doubt(&why)),
            Err(Stopped::Cancel) if spec::effect(&self.call.with) == Effect::Reads => Err(Failure::Cancelled),
            Err(stopped) => Err(self.in_doubt(&stopped.words())),
        }
    }

    /// What to say, without sending anything, if the wanted state holds.
    async fn already(&self) -> Result<Option<Done>, Failure> {
        let outputs = match self.look().await {
            Look::Holds(outputs) => outputs,
            Look::Differs(_) | Look::Unknown(_) if self.context.cancel.is_cancelled() => {
                return Err(Failure::Cancelled);
            }
            Look::Differs(_) | Look::Unknown(_) => return Ok(None),
        };
        let outputs = outputs.map_err(|why| {
            let name = self.name();
            self.failed(&format!("the wanted state of {name} holds already, nothing was sent, but {why}"))
        })?;
        Ok(Some(Done {
            outputs,
            already: true,
            note: format!("{} was not sent: the wanted state holds already", self.name()),
        }))
    }

    /// What the state tells of a request whose answer nobody saw. While the server may still carry it out, a state that is not
    /// the wanted one tells nothing.
    async fn observe(&mut self) -> Observation {
        let Some(observe) = &self.params.observe else {
            return Observation::Unknown("the step has no `observe` that would tell".to_owned());
        };
        let waits = !self.call.settle.is_zero() && self.is_sent_once();
        let patience = if waits { observe.within.0 } else { Duration::ZERO };
        let settled = self.context.clock.now().plus(patience);
        self.end = self.end.plus(patience);
        let masked = |text: String| self.context.secrets.mask(&text);
        loop {
            let left = self.context.clock.now().until(settled);
            match self.look().await {
                Look::Holds(Ok(outputs)) => return Observation::Applied(outputs),
                Look::Holds(Err(why)) => {
                    return Observation::Unknown(masked(format!("the wanted state holds, but {why}")));
                }
                Look::Unknown(why) => return Observation::Unknown(masked(why)),
                Look::Differs(why) if left.is_zero() => return self.not_seen(masked(why)),
                Look::Differs(_) => {
                    let pause = within(self.context, left.min(BETWEEN_LOOKS), std::future::pending::<()>());
                    if pause.await == Err(Stopped::Cancel) {
                        return Observation::Unknown("stopped while the server may still carry it out".to_owned());
                    }
                }
            }
        }
    }

    /// What may not be sent twice is sent once more at the most: then a person has to look.
    fn not_seen(&self, why: String) -> Observation {
        match self.call.attempt {
            attempt if attempt > 1 && self.is_sent_once() => {
                Observation::Unknown(format!("after attempt {attempt} the wanted state still does not hold: {why}"))
            }
            _ => Observation::NotApplied(why),
        }
    }

    /// Whether only the state tells if it may be sent again.
    fn is_sent_once(&self) -> bool {
        spec::effect(&self.call.with) == Effect::Observable
    }

    /// Asks whether the wanted state holds.
    async fn look(&self) -> Look {
        let Some(observe) = &self.params.observe else {
            return Look::Unknown("there is no `observe`".to_owned());
        };
        let request = match self.observing(observe) {
            Ok(request) => request,
            Err(why) => return Look::Unknown(why),
        };
        let answer = match self.exchange(request).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(lost)) => return Look::Unknown(lost.to_string()),
            Err(stopped) => return Look::Unknown(stopped.words()),
        };
        match observe.expect.judge(&answer, &self.context.secrets) {
            Ok(()) => Look::Holds(self.outputs(&answer)),
            Err(why) if observe.tells_nothing(&answer) => Look::Unknown(format!("{why}, which tells nothing")),
            Err(why) => Look::Differs(why),
        }
    }

    fn left(&self) -> Duration {
        self.context.clock.now().until(self.end)
    }

    async fn exchange(&self, request: Request) -> Result<Result<Answer, Lost>, Stopped> {
        let span = self.params.timeout.0.min(self.left());
        within(self.context, span, exchange(&self.context.http, &*self.context.clock, request)).await
    }

    fn request(&self) -> Result<Request, String> {
        let mut ours = HeaderMap::new();
        let method = Method::from_bytes(self.params.method.as_bytes()).map_err(|error| error.to_string())?;
        if !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let key = HeaderValue::from_bytes(self.call.idempotency_key.as_bytes());
            ours.insert("idempotency-key", key.map_err(|_| "the idempotency key is no header".to_owned())?);
        }
        if self.params.json.is_some() {
            ours.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut url = parse(&self.params.url)?;
        if !self.params.query.is_empty() {
            let pairs = self.params.query.iter().map(|(name, value)| (name, params::plain(value)));
            url.query_pairs_mut().extend_pairs(pairs);
        }
        let json = self.params.json.as_ref().map(Value::to_string);
        Ok(Request {
            method,
            url,
            headers: merge_headers(&self.params.headers, ours)?,
            body: json.or_else(|| self.params.body.clone()).map(String::into_bytes),
        })
    }

    fn observing(&self, observe: &Observe) -> Result<Request, String> {
        let sent_to = parse(&self.params.url)?;
        let url = observe.url.as_deref().map_or(Ok(sent_to.clone()), parse)?;
        let mut headers = HeaderMap::new();
        if url.origin() == sent_to.origin() {
            headers = merge_headers(&self.params.headers, headers)?;
            headers.remove(CONTENT_TYPE);
            headers.remove("idempotency-key");
        }
        Ok(Request { method: Method::GET, url, headers, body: None })
    }

    fn judge(&self, answer: &Answer) -> Result<Done, Failure> {
        let name = self.name();
        let wanted = self.params.expect.judge(answer, &self.context.secrets);
        if let Err(why) = &wanted
            && !self.params.expect.accepts(answer.status)
        {
            let why = format!("{why}{}", self.excerpt(answer));
            let definite = refuses(answer.status);
            return Err(if definite { self.failed(&format!("{name} {why}")) } else { self.in_doubt(&why) });
        }
        let outputs = wanted.and_then(|()| self.outputs(answer)).map_err(|why| {
            let why = format!("{name} was answered with {}, but {why}{}", answer.status, self.excerpt(answer));
            // It was carried out: to send it again is to do it twice, so no `retry` may take it for a failed attempt.
            let harmless = self.repeatable() || refuses(answer.status);
            if harmless { self.failed(&why) } else { Failure::Ambiguous(self.context.secrets.mask(&why)) }
        })?;
        let took = HumanDuration(Duration::from_millis(millis(answer)));
        Ok(Done { outputs, already: false, note: format!("{name} was answered with {} in {took}", answer.status) })
    }

    fn outputs(&self, answer: &Answer) -> Result<Map<String, Value>, String> {
        let secrets = &self.context.secrets;
        let mut body = self.body(answer);
        body.truncate(body.floor_char_boundary(BODY_OUTPUT));
        let json = expect::json(answer).unwrap_or_default();
        let mut outputs = Map::from_iter([
            ("status".to_owned(), json!(answer.status)),
            ("latency_ms".to_owned(), json!(millis(answer))),
            ("body".to_owned(), json!(body)),
            ("json".to_owned(), params::masked(secrets, json)),
        ]);
        let extract = &self.params.extract;
        outputs.extend(extract::outputs(extract, &self.call.declared, (answer, secrets))?);
        Ok(outputs)
    }

    /// The body as text, masked before anything cuts a secret in two.
    fn body(&self, answer: &Answer) -> String {
        self.context.secrets.mask(&String::from_utf8_lossy(&answer.body))
    }

    /// The beginning of the body on one line.
    fn excerpt(&self, answer: &Answer) -> String {
        let body = self.body(answer);
        let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = line.chars().take(BODY_SHOWN).collect();
        if short.is_empty() { String::new() } else { format!("; the answer begins `{short}`") }
    }

    fn name(&self) -> String {
        format!("`{} {}`", self.params.method, params::shown_url(&self.context.secrets, &self.params.url))
    }

    fn repeatable(&self) -> bool {
        spec::effect(&self.call.with).is_repeatable()
    }

    fn failed(&self, text: &str) -> Failure {
        Failure::Failed(self.context.secrets.mask(text))
    }

    fn not_sent(&self, why: &str) -> Failure {
        self.failed(&format!("{} was not sent: {why}", self.name()))
    }

    /// What has to be said if the request may have been received.
    fn in_doubt(&self, why: &str) -> Failure {
        if self.repeatable() {
            return self.failed(&format!("{} failed: {why}", self.name()));
        }
        let text = format!("{} may have been carried out: {why}", self.name());
        Failure::Ambiguous(self.context.secrets.mask(&text))
    }
}

/// What a look at the wanted state says.
enum Look {
    /// It holds; the outputs, or why they cannot be read.
    Holds(Result<Map<String, Value>, String>),
    Differs(String),
    Unknown(String),
}

fn parse(url: &str) -> Result<Url, String> {
    // The text may hold secrets: what is wrong with it is all that is said.
    Url::parse(url).map_err(|error| format!("the URL cannot be read: {error}"))
}

fn millis(answer: &Answer) -> u64 {
    u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX)
}
