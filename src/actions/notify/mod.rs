//! `notify`: delivers a notice to an audience, through one channel after the other, to each recipient on its own.

mod ledger;
mod limiter;
mod round;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Call, Context, Done, Failure, Observation, params};
use crate::catalogue::{ActionSpec, Effect, Field, Outputs, Type};
use crate::edge::Act;
use crate::engine::Deliveries;
use crate::notify::channels::{Channel, Direct, Post};
use limiter::Limiter;
use round::{Receipts, Round};

static SPEC: ActionSpec = ActionSpec {
    name: "notify",
    summary: "tells an audience something",
    docs: "Renders a template of the workspace and delivers it through every channel of the audience, one after \
        the other, to each recipient on its own. What a receiver does not take for the time being is sent again, for \
        20 seconds or so. What is not delivered then, or may or may not have been, is owed: the step fails, the run goes \
        on, and `drctl notify send --owed` delivers it; only `on_failure: stop` makes the run wait. What was delivered \
        is not delivered again, whatever happens; what may have been is, when a person says so.",
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
        doc: "the channels that got the notice, with the recipient where a channel has several",
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
    #[serde(default)]
    short: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    claims: Option<String>,
}

/// The action `notify`.
pub struct Notify {
    post: Box<dyn Post>,
    limiter: Limiter,
    receipts: Receipts,
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
        Self { post, limiter: Limiter::default(), receipts: Receipts::default() }
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
        lines.extend(channels.into_iter().flatten().map(|channel| match channel.recipients() {
            Some(to) => format!("through {} to {}", channel.title(), to.join(", ")),
            None => format!("through {}", channel.title()),
        }));
        if let Some(message) = with.get("message").and_then(|message| Message::deserialize(message).ok()) {
            lines.push(format!("Subject: {}", message.subject));
            lines.extend(message.body.lines().map(|line| format!("  {line}")));
        }
        lines
    }

    fn observe<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Observation> {
        Box::pin(async move { self.seen(context, call) })
    }

    fn apply<'a>(&'a self, context: &'a Context, call: &'a Call) -> Act<'a, Result<Done, Failure>> {
        Box::pin(async move { self.round(context, call)?.run().await })
    }

    fn attach<'a>(
        &'a self,
        context: &'a Context,
        call: &'a Call,
        handle: &'a Value,
    ) -> Option<Act<'a, Result<Done, Failure>>> {
        let handle = Deliveries::read(handle)?;
        Some(Box::pin(async move {
            let mut round = self.round(context, call)?;
            round.take_up(handle);
            round.run().await
        }))
    }
}

impl Notify {
    fn round<'a>(&'a self, context: &'a Context, call: &Call) -> Result<Round<'a>, Failure> {
        Round::new(self, context, call)
    }

    /// What the handle tells of an attempt; the receivers cannot be asked.
    fn seen(&self, context: &Context, call: &Call) -> Observation {
        if call.previous.as_ref().and_then(Deliveries::read).is_none() {
            return Observation::NotApplied("no handle: nothing was sent".to_owned());
        }
        match self.round(context, call) {
            Err(failure) => Observation::Unknown(failure.to_string()),
            Ok(round) if round.doubts().is_empty() => {
                Observation::NotApplied("some channels have not got it".to_owned())
            }
            Ok(round) => {
                Observation::Unknown(format!("nothing tells whether `{}` got it", round.doubts().join("`, `")))
            }
        }
    }
}

impl Params {
    /// What would have to be refused by every channel.
    fn check(&self) -> Result<(), String> {
        if self.message.subject.contains(['\r', '\n']) {
            return Err("nothing was sent: the subject holds a line break".to_owned());
        }
        if self.channels.is_empty() {
            return Err(format!(
                "nothing was sent: the audience `{}` has no channels: give it some in `drctl.yaml`",
                self.audience
            ));
        }
        let names: Vec<&str> = self.channels.iter().map(Channel::name).collect();
        match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            Some((_, name)) => Err(format!("nothing was sent: the channel `{name}` is named twice")),
            None => Ok(()),
        }
    }
}
