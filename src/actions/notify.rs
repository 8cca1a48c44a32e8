//! `notify`: delivers a notice to an audience, through one channel after the other.
//!
//! Each delivery is an intent of its own: a handle names the channel before anything is sent to it. So it is
//! known after a crash which channels were served, and which one of them is in doubt.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::limits::{Stopped, within};
use super::{Action, Call, Context, Done, Failure, Observation, params};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Timestamp, Type};
use crate::edge::Act;
use crate::notify::channels::{Channel, Direct, Notice, Outside, Post, Undelivered};

/// One channel that hangs must not take the time of the others.
const PATIENCE: Duration = Duration::from_secs(30);

static SPEC: ActionSpec = ActionSpec {
    name: "notify",
    summary: "tells an audience something",
    docs: "Renders a template of the workspace and delivers it through every channel of the audience, one after \
        the other. A channel that fails does not keep the others from being served; what was delivered is not \
        delivered again when the step is retried. If nothing tells whether a webhook got the notice, the step is \
        in doubt, unless the channel says `deduplicates`.",
    parameters: &[
        Field {
            name: "template",
            kind: || Type::String,
            required: true,
            doc: "the name of a template in the workspace's `templates/`",
        },
        Field {
            name: "audience",
            kind: || Type::String,
            required: false,
            doc: "who is told: an audience of the workspace; the template's, if absent",
        },
        Field {
            name: "vars",
            kind: || Type::Map(Box::new(Type::Any)),
            required: false,
            doc: "further values for the template",
        },
    ],
    outputs: Outputs::Fixed(&[Field {
        name: "delivered",
        kind: Type::strings,
        required: true,
        doc: "the names of the channels that got the notice",
    }]),
    effect,
    code: &[],
    is_check: false,
    rule: None,
    takes: |_| None,
    loss: None,
    permissions: &[],
};

/// Safe to repeat if all channels are known to be.
fn effect(with: &Map<String, Value>) -> Effect {
    let channels = with.get("channels").map(Vec::<Channel>::deserialize);
    match channels {
        Some(Ok(channels)) if channels.iter().all(Channel::is_repeatable) => Effect::Idempotent,
        _ => Effect::UnsafeToRepeat,
    }
}

/// The parameters, with what the engine adds to them: the rendered message and the channels.
#[derive(Deserialize)]
struct Params {
    template: String,
    audience: String,
    message: Message,
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct Message {
    subject: String,
    body: String,
}

/// What is journaled.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Handle {
    /// The channels that got the notice, in earlier attempts too.
    delivered: Vec<String>,
    /// The channel that something is just being sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sending: Option<String>,
    /// The channels of which nothing tells whether they got it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    in_doubt: Vec<String>,
}

/// The action `notify`.
pub struct Notify {
    post: Box<dyn Post>,
}

impl Default for Notify {
    fn default() -> Self {
        Self::through(Box::new(Direct))
    }
}

impl Notify {
    /// The action, with what delivers its notices.
    #[must_use]
    pub fn through(post: Box<dyn Post>) -> Self {
        Self { post }
    }
}

impl Action for Notify {
    fn spec(&self) -> &'static ActionSpec {
        &SPEC
    }

    fn preview(&self, with: &Map<String, Value>) -> Vec<String> {
        let text = |name: &str| with.get(name).map_or_else(String::new, params::plain);
        let whom = if with.contains_key("audience") { text("audience") } else { "its audience".to_owned() };
        let mut lines = vec![format!("tell {whom} what the template {} says", text("template"))];
        lines
            .extend(params::entries(with, "vars").map(|(name, value)| format!("with {name}={}", params::plain(value))));
        let channels = with.get("channels").and_then(|channels| Vec::<Channel>::deserialize(channels).ok());
        lines.extend(channels.into_iter().flatten().map(|channel| format!("through {}", channel.title())));
        if let Some(message) = with.get("message").and_then(|message| Message::deserialize(message).ok()) {
            lines.push(format!("Subject: {}", message.subject));
            lines.extend(message.body.lines().map(|line| format!("  {line}")));
        }
        lines
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async move { seen(&*self.post, context, call) })
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move { Round::new(&*self.post, context, call)?.run().await })
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        let handle = Handle::deserialize(handle).ok()?;
        Some(Box::pin(async move {
            let mut round = Round::new(&*self.post, context, call)?;
            round.take_up(handle);
            round.run().await
        }))
    }
}

/// One go through the channels.
struct Round<'a> {
    post: &'a dyn Post,
    context: &'a Context,
    notice: Notice,
    channels: Vec<Channel>,
    end: Timestamp,
    progress: Handle,
    /// What went wrong, in the order of the channels.
    problems: Vec<String>,
    tried: bool,
}

impl<'a> Round<'a> {
    fn new(post: &'a dyn Post, context: &'a Context, call: &'a Call) -> Result<Self, Failure> {
        let params: Params = params::read(&call.with)?;
        check(&params).map_err(Failure::Failed)?;
        let before = call.previous.as_ref().and_then(|previous| Handle::deserialize(previous).ok());
        Ok(Self {
            post,
            context,
            notice: Notice {
                subject: params.message.subject,
                body: params.message.body,
                audience: params.audience,
                template: params.template,
                step: call.step.clone(),
                key: call.idempotency_key.clone(),
            },
            channels: params.channels,
            end: context.clock.now().plus(call.timeout),
            // Running the step again settled what was in doubt before.
            progress: Handle { delivered: before.unwrap_or_default().delivered, ..Handle::default() },
            problems: Vec::new(),
            tried: false,
        })
    }

    /// Goes on where an earlier process stopped.
    fn take_up(&mut self, handle: Handle) {
        for name in handle.delivered {
            if !self.is_settled(&name) {
                self.progress.delivered.push(name);
            }
        }
        let repeatable = |name: &String| self.channels.iter().any(|it| it.name() == name && it.is_repeatable());
        let lost = handle.sending.filter(|name| !repeatable(name));
        for name in handle.in_doubt.into_iter().chain(lost) {
            self.doubt(&name, "drctl ended before it saw an answer");
        }
    }

    async fn run(mut self) -> Result<Done, Failure> {
        let mut open = std::mem::take(&mut self.channels);
        open.retain(|channel| !self.is_settled(channel.name()));
        for (channel, waiting) in open.iter().zip((1..=open.len()).rev()) {
            self.serve(channel, waiting).await?;
        }
        if self.tried {
            self.journal(None).await?;
        }
        self.finish()
    }

    fn is_settled(&self, name: &str) -> bool {
        let Handle { delivered, in_doubt, .. } = &self.progress;
        delivered.iter().chain(in_doubt).any(|settled| settled == name)
    }

    /// Serves one of the channels still waiting.
    async fn serve(&mut self, channel: &Channel, waiting: usize) -> Result<(), Failure> {
        let left = self.context.clock.now().until(self.end);
        if self.context.cancel.is_cancelled() || left.is_zero() {
            let why = if left.is_zero() { "the time of the step was up" } else { "cancelled" };
            self.problems.push(format!("{}: not sent: {why}", channel.title()));
            return Ok(());
        }
        let share = left / u32::try_from(waiting).unwrap_or(u32::MAX);
        self.tried = true;
        self.journal(Some(channel.name())).await?;
        let outside =
            Outside { http: &self.context.http, clock: &*self.context.clock, workspace: &self.context.workspace };
        let deliver = self.post.deliver(channel, outside, &self.notice);
        match within(self.context, PATIENCE.min(share), deliver).await {
            Ok(Ok(())) => self.progress.delivered.push(channel.name().to_owned()),
            Ok(Err(Undelivered::Refused(why))) => self.problems.push(format!("{}: {why}", channel.title())),
            Ok(Err(Undelivered::InDoubt(why))) => self.maybe(channel, &why),
            Err(Stopped::Timeout(span)) if span < PATIENCE => {
                self.maybe(channel, "no answer within its share of the step's time");
            }
            Err(stopped) => self.maybe(channel, &stopped.words()),
        }
        Ok(())
    }

    async fn journal(&self, sending: Option<&str>) -> Result<(), Failure> {
        let handle = Handle { sending: sending.map(str::to_owned), ..self.progress.clone() };
        (self.context.handle)(json!(handle)).await
    }

    /// The notice may have got through.
    fn maybe(&mut self, channel: &Channel, why: &str) {
        if channel.is_repeatable() {
            self.problems.push(format!("{}: {why}", channel.title()));
        } else {
            self.doubt(channel.name(), why);
        }
    }

    fn doubt(&mut self, name: &str, why: &str) {
        self.progress.in_doubt.push(name.to_owned());
        self.problems.push(format!("webhook `{name}`: the request may have been sent: {why}"));
    }

    fn finish(self) -> Result<Done, Failure> {
        let Handle { delivered, in_doubt, .. } = self.progress;
        let names = match delivered.as_slice() {
            [] => "delivered to nobody".to_owned(),
            some => format!("delivered to `{}`", some.join("`, `")),
        };
        let troubled = !self.problems.is_empty();
        let text = self.problems.into_iter().fold(names, |text, problem| format!("{text}; {problem}"));
        let text = self.context.secrets.mask(&text);
        if !in_doubt.is_empty() {
            return Err(Failure::Ambiguous(text));
        }
        if troubled {
            let stopped = self.context.cancel.is_cancelled() && !self.tried && delivered.is_empty();
            return Err(if stopped { Failure::Cancelled } else { Failure::Failed(text) });
        }
        Ok(Done { outputs: Map::from_iter([("delivered".to_owned(), json!(delivered))]), already: false, note: text })
    }
}

/// What the handle tells of an attempt; the channels themselves cannot be asked.
fn seen(post: &dyn Post, context: &Context, call: &Call) -> Observation {
    let Some(handle) = call.previous.as_ref().and_then(|handle| Handle::deserialize(handle).ok()) else {
        return Observation::NotApplied("no handle: nothing was sent".to_owned());
    };
    let mut round = match Round::new(post, context, call) {
        Ok(round) => round,
        Err(failure) => return Observation::Unknown(failure.to_string()),
    };
    round.take_up(handle);
    if round.progress.in_doubt.is_empty() {
        return Observation::NotApplied("some channels have not got it".to_owned());
    }
    Observation::Unknown(format!("nothing tells whether `{}` got it", round.progress.in_doubt.join("`, `")))
}

/// What would have to be refused by every channel.
fn check(params: &Params) -> Result<(), String> {
    if params.message.subject.contains(['\r', '\n']) {
        return Err("nothing was sent: the subject holds a line break".to_owned());
    }
    if params.channels.is_empty() {
        return Err(format!(
            "nothing was sent: the audience `{}` has no channels: give it some in `drctl.yaml`",
            params.audience
        ));
    }
    let names: Vec<&str> = params.channels.iter().map(Channel::name).collect();
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, name)) => Err(format!("nothing was sent: the channel `{name}` is named twice")),
        None => Ok(()),
    }
}
