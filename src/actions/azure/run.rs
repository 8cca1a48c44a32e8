//! Carries out an [`Operation`]: reads what it asks for, sends what it decides, follows, and asks again.
//!
//! One rule for all of Azure. A read is repeated until it is answered. A change that sets a state is sent again
//! after the state was read anew. A change that starts something is sent once: after a lost answer only the state
//! tells, and where the state does not tell, the attempt is in doubt.

mod observe;

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Lost, Reply, Via};
use super::follow::{self, Ended, Poll};
use super::known::{Answer, Known};
use super::{Cloud, Next, Operation, Repeat, Request, With, Write};
use crate::actions::limits::{Stopped, within};
use crate::actions::{Call, Context, Done, Failure};
use crate::catalogue::{Effect, HumanDuration, Timestamp};

pub(super) use observe::{foresee, observe};

/// How long reading, or reaching Azure at all, is tried before the attempt fails; nothing was sent by then.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a change whose answer was lost is given to show.
pub const SETTLE: Duration = Duration::from_secs(60);
/// The waits between two looks begin here and grow to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// The wait after "something else is being done there", where Azure names none.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// No larger answer to a change is journaled.
const KEPT_ANSWER: usize = 4 * 1024;

/// One attempt.
struct Run<'a> {
    operation: &'a dyn Operation,
    context: &'a Context,
    call: &'a Call,
    with: With<'a>,
    cloud: Cloud,
    known: Known,
    /// Where the state of the change under way is read, until it is over.
    open: Option<Open>,
    /// A change whose answer was lost.
    lost: Option<LostWrite>,
    /// A change that was refused because what it wants holds already, as Azure says.
    refused: Option<LostWrite>,
    /// A change that may be sent again, and whose answers were all lost so far.
    unanswered: Option<String>,
    /// A change was sent by this attempt.
    has_sent: bool,
    wait: Duration,
    /// What it waits for, for people.
    waits_for: String,
    failing_since: Option<Timestamp>,
}

/// A change that may be under way.
#[derive(Clone)]
struct Open {
    request: Request,
    what: String,
    poll: Option<Poll>,
}

/// A change of which only the state tells what came of it.
struct LostWrite {
    key: String,
    at: Timestamp,
    why: String,
}

/// Does it; `handle` is what an earlier process knew of the same attempt.
pub(super) async fn apply(
    operation: &dyn Operation,
    context: &Context,
    call: &Call,
    handle: Option<&Value>,
) -> Result<Done, Failure> {
    if context.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let mut run = Run::new(operation, context, call, handle);
    let failure = match within(context, call.timeout, run.drive(handle)).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(failure)) => failure,
        Err(stopped) => run.stopped(stopped),
    };
    Err(run.with_unanswered(failure))
}

impl<'a> Run<'a> {
    fn new(operation: &'a dyn Operation, context: &'a Context, call: &'a Call, handle: Option<&Value>) -> Self {
        let sent = handle.and_then(|handle| handle.get("sent")).cloned().unwrap_or_default();
        Self {
            operation,
            context,
            call,
            with: With::new(&call.with),
            cloud: With::new(&call.with).cloud(),
            known: Known::restore(serde_json::from_value(sent).unwrap_or_default()),
            open: None,
            lost: None,
            refused: None,
            unanswered: None,
            has_sent: handle.is_some(),
            wait: FIRST_WAIT,
            waits_for: String::new(),
            failing_since: None,
        }
    }

    fn via(&self) -> Via<'_> {
        Via { cloud: &self.cloud, credential: self.with.credential(), step: &self.call.step }
    }

    fn now(&self) -> Timestamp {
        self.context.clock.now()
    }

    fn decide(&mut self) -> Next {
        self.known.now = self.now();
        self.known.is_rehearsed = self.context.azure.is_simulated();
        let (Ok(next) | Err(next)) = self.operation.decide(&self.with, &self.known);
        next
    }

    async fn drive(&mut self, handle: Option<&Value>) -> Result<Done, Failure> {
        if let Some(handle) = handle {
            self.take_up(handle).await?;
        } else if let (Some(previous), Some(_)) = (&self.call.previous, self.under_way().await) {
            // What an attempt before this one began goes on: it is followed, not begun again.
            self.has_sent = true;
            self.take_up(previous).await?;
        }
        loop {
            match self.decide() {
                Next::Read(requests) => self.read_all(&requests).await?,
                Next::Done(done) => return Ok(self.done(done)),
                // A state that has not settled may tell of what was before.
                Next::Fail(why) if self.lost.as_ref().is_some_and(|lost| lost.at.until(self.now()) < SETTLE) => {
                    self.pause(why).await;
                }
                Next::Fail(why) if self.lost.is_some() => return Err(Failure::Ambiguous(self.evidence(&why))),
                Next::Fail(why) => return Err(Failure::Failed(why)),
                Next::Wait(why) => self.pause(why).await,
                Next::Send(write) => self.send(*write).await?,
            }
        }
    }

    fn done(&self, done: Done) -> Done {
        let reads = (self.operation.spec().effect)(&self.call.with) == Effect::Reads;
        if reads || self.has_sent {
            return done;
        }
        let note = format!("nothing was sent: {}", if done.note.is_empty() { "it holds already" } else { &done.note });
        Done { already: true, note, ..done }
    }

    /// Goes on where an earlier process was killed: with the operation it had started.
    async fn take_up(&mut self, handle: &Value) -> Result<(), Failure> {
        let key = handle.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
        let poll: Option<Poll> = handle.get("poll").cloned().and_then(|poll| serde_json::from_value(poll).ok());
        let host = handle.get("host").and_then(Value::as_str);
        let request = self.handled(host);
        let what = handle.get("what").and_then(Value::as_str).unwrap_or_default().to_owned();
        let result = match &poll {
            Some(poll) => {
                self.open = Some(Open { request: request.clone(), what: what.clone(), poll: Some(poll.clone()) });
                match self.follow(&request, &what, poll, None).await? {
                    Some(result) => result,
                    None => return Ok(()),
                }
            }
            None => handle.get("answer").cloned().unwrap_or_default(),
        };
        self.known.note_sent(key, result);
        Ok(())
    }

    /// A request that stands for the one a handle tells of: for Resource Manager, or the host of its data plane.
    fn handled(&self, host: Option<&str>) -> Request {
        let own = self.operation.writes(&self.with).into_iter();
        let mut same = own.filter(
            |request| matches!((&request.api, host), (super::Api::Data { host, .. }, Some(known)) if host == known),
        );
        same.next().unwrap_or_else(|| Request::new(super::Api::Arm, super::Method::Get, ""))
    }

    async fn read_all(&mut self, requests: &[Request]) -> Result<(), Failure> {
        for request in requests {
            let answer = self.read(request).await?;
            self.known.learn(request, answer);
        }
        Ok(())
    }

    async fn read(&mut self, request: &Request) -> Result<Answer, Failure> {
        let reply = self.reply(request, None).await?;
        self.answer(request, reply).await
    }

    /// Asks until there is an answer: of the request, or of a further page of it. Gives up only while nothing of this
    /// attempt may be under way.
    async fn reply(&mut self, request: &Request, page: Option<&str>) -> Result<Reply, Failure> {
        let path = request.path.split('?').next().unwrap_or_default();
        loop {
            let azure = &self.context.azure;
            let asked = match page {
                Some(url) => azure.get(self.via(), &request.api, url).await,
                None => azure.exchange(self.via(), request).await,
            };
            let (why, after) = match asked {
                Ok(reply) if matches!(reply.status, 200..=299 | 404) => {
                    self.failing_since = None;
                    return Ok(reply);
                }
                Ok(reply) => {
                    let error = reply.refusal();
                    if error.is_throttled() {
                        // Azure is there and asks for time: only the step's timeout bounds that.
                        self.waits_for = format!("cannot read `{path}` yet: {error}");
                        self.sleep(reply.retry_after).await;
                        continue;
                    }
                    if !error.is_outage() && reply.status != 429 {
                        return Err(self.failed(format!("cannot read `{path}`: {error}")));
                    }
                    (error.to_string(), reply.retry_after)
                }
                Err(Lost::Refused(why)) => return Err(self.failed(why)),
                Err(lost) => (lost.words().to_owned(), None),
            };
            self.patience(&format!("cannot read `{path}`: {why}"))?;
            self.sleep(after).await;
        }
    }

    /// All of an answer: the end of a long read, every page of a list.
    async fn answer(&mut self, request: &Request, reply: Reply) -> Result<Answer, Failure> {
        let azure = &self.context.azure;
        if let (Some(poll), true) = (Poll::of(&reply), reply.status == 202 || reply.body.is_null()) {
            let clock = &*self.context.clock;
            let ended = follow::follow(azure, clock, self.via(), &request.api, &poll, reply.retry_after).await;
            return match ended.map_err(Failure::Failed)? {
                Ended::Well(body) => Ok(Answer { status: 200, body, etag: None }),
                Ended::Badly(error) => Err(self.failed(format!("cannot read: {error}"))),
                Ended::Forgotten => Err(self.failed("cannot read: Azure has forgotten the question".to_owned())),
            };
        }
        let mut answer = Answer { status: reply.status, body: reply.body, etag: reply.etag };
        while let Some(next) = answer.body.get("nextLink").and_then(Value::as_str).filter(|next| !next.is_empty()) {
            let page = self.reply(request, Some(next)).await?;
            if page.status != 200 {
                return Err(self.failed(format!("cannot read the next page: {}", page.refusal())));
            }
            append_page(&mut answer.body, page.body);
        }
        if answer.etag.is_none() {
            answer.etag = answer.body.get("etag").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(answer)
    }

    /// A failure; in doubt where something of this attempt may be under way.
    fn failed(&self, why: String) -> Failure {
        if self.is_open() { Failure::Ambiguous(self.evidence(&why)) } else { Failure::Failed(why) }
    }

    /// Whether the state of the resource tells that it happened.
    fn leaves_trace(&self) -> bool {
        (self.operation.spec().effect)(&self.call.with) != Effect::UnsafeToRepeat
    }

    fn is_open(&self) -> bool {
        self.open.is_some() || self.lost.is_some()
    }

    /// Whether to go on after a failure to reach Azure.
    fn patience(&mut self, why: &str) -> Result<(), Failure> {
        why.clone_into(&mut self.waits_for);
        let now = self.now();
        let since = *self.failing_since.get_or_insert(now);
        if !self.is_open() && since.until(now) >= PATIENCE {
            return Err(Failure::Failed(format!("{why} (tried for {})", HumanDuration(PATIENCE))));
        }
        Ok(())
    }

    async fn send(&mut self, write: Write) -> Result<(), Failure> {
        let key = write.request.key();
        if self.known.sent(&write.request).is_some() {
            self.pause(format!("{}: accepted, and not to be seen yet", write.what)).await;
            return Ok(());
        }
        if let Some(lost) = self.lost.as_ref().filter(|lost| lost.key == key) {
            if !self.leaves_trace() || lost.at.until(self.now()) >= SETTLE {
                return Err(Failure::Ambiguous(self.evidence("its effect is not to be seen")));
            }
            self.pause(format!("{}: its answer was lost", write.what)).await;
            return Ok(());
        }
        if let Some(refused) = self.refused.as_ref().filter(|refused| refused.key == key) {
            if refused.at.until(self.now()) >= SETTLE {
                return Err(Failure::Failed(format!(
                    "{}: refused, and its state does not show why: {}",
                    write.what, refused.why
                )));
            }
            self.pause(format!("{}: refused: {}", write.what, refused.why)).await;
            return Ok(());
        }
        self.open = Some(Open { request: write.request.clone(), what: write.what.clone(), poll: None });
        let sent = self.context.azure.exchange(self.via(), &write.request).await;
        match sent {
            Ok(reply) if matches!(reply.status, 200..=299) => {
                self.failing_since = None;
                self.accepted(write, reply).await
            }
            Ok(reply) => self.refused(write, &reply).await,
            Err(Lost::NeverSent(why)) => {
                self.open = None;
                self.patience(&format!("{}: {why}", write.what))?;
                self.sleep(None).await;
                self.known.forget();
                Ok(())
            }
            Err(Lost::Refused(why)) => {
                self.open = None;
                Err(self.failed(why))
            }
            Err(Lost::MaybeSent(why)) => self.lost(&write, why).await,
        }
    }

    async fn refused(&mut self, write: Write, reply: &Reply) -> Result<(), Failure> {
        let error = reply.refusal();
        if error.is_outage() {
            return self.lost(&write, error.to_string()).await;
        }
        self.open = None;
        if error.is_busy() || reply.status == 412 {
            self.known.forget();
            self.waits_for = format!("{}: {error}", write.what);
            let wait = if reply.status == 412 { FIRST_WAIT } else { BUSY_WAIT };
            self.context.clock.sleep(reply.retry_after.unwrap_or(wait)).await;
            return Ok(());
        }
        if self.operation.holds_by_refusal().contains(&error.code.as_str()) {
            self.refused = Some(LostWrite { key: write.request.key(), at: self.now(), why: error.to_string() });
            self.known.forget();
            return Ok(());
        }
        Err(Failure::Failed(self.advised(format!("{}: refused: {error}", write.what))))
    }

    /// An answer was lost: the state is read before anything is sent again.
    async fn lost(&mut self, write: &Write, why: String) -> Result<(), Failure> {
        self.has_sent = true;
        if write.repeat == Repeat::Once {
            self.lost = Some(LostWrite { key: write.request.key(), at: self.now(), why: why.clone() });
        } else {
            self.open = None;
            let request = format!("{} {}", write.request.method, write.request.url(&self.cloud));
            self.unanswered = Some(format!("{} was sent as {request}", write.what));
            self.patience(&format!("{}: {why}", write.what))?;
        }
        self.pause(format!("{}: {why}", write.what)).await;
        Ok(())
    }

    async fn accepted(&mut self, write: Write, reply: Reply) -> Result<(), Failure> {
        self.has_sent = true;
        self.lost = None;
        self.unanswered = None;
        let poll = Poll::of(&reply);
        if let Some(open) = &mut self.open {
            open.poll.clone_from(&poll);
        }
        self.journal(&write, &reply, poll.as_ref()).await?;
        let result = match &poll {
            Some(poll) => self.follow(&write.request, &write.what, poll, reply.retry_after).await?,
            None => Some(reply.body),
        };
        self.open = None;
        self.wait = FIRST_WAIT;
        if let Some(result) = result {
            // What a PUT gives back may hold secrets, and is read anew anyhow; only a POST's result is news.
            let is_news = write.request.method == super::Method::Post;
            self.known.note_sent(write.request.key(), if is_news { result } else { Value::Null });
        }
        Ok(())
    }

    /// How a process that takes the step up finds the operation again; durable before the first wait.
    async fn journal(&self, write: &Write, reply: &Reply, poll: Option<&Poll>) -> Result<(), Failure> {
        let is_post = write.request.method == super::Method::Post;
        let small = |value: &Value| value.to_string().len() <= KEPT_ANSWER;
        let sent: Vec<_> = self.known.kept().iter().filter(|(_, result)| small(result)).collect();
        let host = match &write.request.api {
            super::Api::Arm => None,
            super::Api::Data { host, .. } => Some(host),
        };
        let handle = json!({
            "request": format!("{} {}", write.request.method, write.request.url(&self.cloud)),
            "what": write.what,
            "key": write.request.key(),
            "host": host,
            "status": reply.status,
            "request_id": reply.request_id,
            "correlation_id": self.context.azure.correlation(),
            "poll": poll,
            "answer": if is_post && poll.is_none() && small(&reply.body) { reply.body.clone() } else { Value::Null },
            "sent": sent,
        });
        let kept = (self.context.handle)(handle).await;
        kept.map_err(|failure| Failure::Ambiguous(format!("{} was sent, but {failure}", write.what)))
    }

    /// Waits for the end of an operation; its result, or nothing where it has to be tried again.
    async fn follow(
        &mut self,
        request: &Request,
        what: &str,
        poll: &Poll,
        first: Option<Duration>,
    ) -> Result<Option<Value>, Failure> {
        self.waits_for = format!("{what}: under way");
        let azure = &self.context.azure;
        let api = follow::api(request);
        let ended = follow::follow(azure, &*self.context.clock, self.via(), &api, poll, first).await;
        let ended = ended.map_err(|why| Failure::Ambiguous(self.evidence(&why)))?;
        self.open = None;
        match ended {
            Ended::Well(result) => Ok(Some(result)),
            Ended::Forgotten if !self.leaves_trace() => {
                let why = format!("{what}: Azure has forgotten the operation, and nothing else tells of its end");
                Err(Failure::Ambiguous(why))
            }
            Ended::Forgotten => Ok(Some(Value::Null)),
            Ended::Badly(error) if error.is_busy() => {
                self.known.forget();
                self.waits_for = format!("{what}: {error}");
                self.context.clock.sleep(BUSY_WAIT).await;
                Ok(None)
            }
            Ended::Badly(error) => Err(Failure::Failed(self.advised(format!("{what}: failed: {error}")))),
        }
    }

    /// Waits before the next look; what was read is out of date then.
    async fn pause(&mut self, why: String) {
        self.waits_for = why;
        self.known.forget();
        self.sleep(None).await;
    }

    async fn sleep(&mut self, at_least: Option<Duration>) {
        self.context.clock.sleep(at_least.unwrap_or(self.wait)).await;
        self.wait = (self.wait * 3 / 2).min(LONGEST_WAIT);
    }

    fn evidence(&self, why: &str) -> String {
        let lost = self.lost.as_ref().map(|lost| format!("the answer was lost ({})", lost.why));
        let open = self.open.as_ref().map(|open| {
            let at = open.poll.as_ref().and_then(|poll| poll.operation.as_ref().or(poll.location.as_ref()));
            let at = at.map(|url| format!(", followed at {url}")).unwrap_or_default();
            format!("{} was sent as {} {}{at}", open.what, open.request.method, open.request.url(&self.cloud))
        });
        self.advised(open.into_iter().chain(lost).chain([why.to_owned()]).collect::<Vec<_>>().join("; "))
    }

    /// A failure that does not hide that something was sent.
    fn with_unanswered(&self, failure: Failure) -> Failure {
        match (failure, &self.unanswered) {
            (Failure::Failed(why), Some(sent)) => {
                Failure::Failed(format!("{why}; {sent}, no answer came, and it may have happened"))
            }
            (failure, _) => failure,
        }
    }

    /// With what to do instead.
    fn advised(&self, why: String) -> String {
        match self.operation.advice() {
            Some(advice) => format!("{why}; {advice}"),
            None => why,
        }
    }

    fn stopped(&self, stopped: Stopped) -> Failure {
        let why = match stopped {
            Stopped::Timeout(span) if self.waits_for.is_empty() => format!("not over within {}", HumanDuration(span)),
            Stopped::Timeout(span) => format!("not over within {}: {}", HumanDuration(span), self.waits_for),
            Stopped::Cancel => "cancelled".to_owned(),
        };
        if self.is_open() || (self.has_sent && self.known.has_sent()) {
            return Failure::Ambiguous(self.evidence(&why));
        }
        match stopped {
            Stopped::Timeout(_) => Failure::Failed(why),
            Stopped::Cancel => Failure::Cancelled,
        }
    }
}

fn append_page(all: &mut Value, page: Value) {
    let Value::Object(mut page) = page else { return };
    if let (Some(Value::Array(items)), Some(Value::Array(more))) = (all.get_mut("value"), page.remove("value")) {
        items.extend(more);
    }
    if let Some(all) = all.as_object_mut() {
        match page.remove("nextLink") {
            Some(next) => drop(all.insert("nextLink".to_owned(), next)),
            None => drop(all.remove("nextLink")),
        }
    }
}
