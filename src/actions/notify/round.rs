//! One go through the deliveries of a notice: each once, and those that were not taken again after a while.
//!
//! Before anything is sent, a handle names the delivery. So it is known after a crash which were made, and which one of
//! them may have been.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, json};

use super::ledger::Ledger;
use super::limiter::First;
use super::{Notify, Params};
use crate::actions::limits::{Stopped, within};
use crate::actions::{Call, Context, Done, Failure, params};
use crate::catalogue::Timestamp;
use crate::engine::{CUT_SHORT, Deliveries};
use crate::notify::channels::{Channel, Letter, Notice, Outside, Undelivered};
use crate::plan::channel_secret;

/// How long is waited before what was not taken is sent again. Nobody who waits for the step waits long.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];
/// A receiver that wants to be left alone for longer than this is left alone: its notices are owed.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What receivers that keep one incident for a run called it, by run and channel. Who sends to one holds it meanwhile, so that
/// of notices side by side one opens the incident, and the others know of it.
pub(super) type Receipts = tokio::sync::Mutex<BTreeMap<(String, String), String>>;
type Turn<'a> = tokio::sync::MutexGuard<'a, BTreeMap<(String, String), String>>;

/// One delivery.
struct Delivery<'c> {
    channel: &'c Channel,
    to: Option<&'c str>,
    name: String,
}

/// What came of sending a delivery once.
enum Sent {
    Settled,
    /// It was not taken; when it may be sent again.
    Later(Timestamp),
    /// The receiver does not answer at all: nor would it for others.
    Unreachable(Timestamp),
}

/// One go through the deliveries.
pub(super) struct Round<'a> {
    shared: &'a Notify,
    context: &'a Context,
    notice: Notice,
    channels: Vec<Channel>,
    end: Timestamp,
    ledger: Ledger,
    tried: bool,
}

impl<'a> Round<'a> {
    pub(super) fn new(shared: &'a Notify, context: &'a Context, call: &Call) -> Result<Self, Failure> {
        let params: Params = params::read(&call.with)?;
        params.check().map_err(Failure::Failed)?;
        let message = params.message;
        let mut round = Self {
            shared,
            context,
            notice: Notice {
                subject: message.subject,
                body: message.body,
                short: message.short,
                severity: message.severity,
                is_all_clear: message.claims.as_deref() == Some("recovery"),
                audience: params.audience,
                template: params.template,
                run: call.run.clone(),
                step: call.step.clone(),
                key: call.idempotency_key.clone(),
            },
            channels: params.channels,
            end: context.clock.now().plus(call.timeout),
            ledger: Ledger::default(),
            tried: false,
        };
        if let Some(before) = call.previous.as_ref().and_then(Deliveries::read) {
            round.take_up(before);
        }
        Ok(round)
    }

    /// Goes on where an earlier process stopped.
    pub(super) fn take_up(&mut self, before: Deliveries) {
        let mut known = self.ledger.known().clone();
        for name in &before.delivered {
            if !known.is_settled(name) {
                known.taken(name);
            }
        }
        let repeatable = |name: &String| self.deliveries().any(|it| it.name == *name && it.channel.is_repeatable());
        let lost = before.sending.clone().filter(|name| !repeatable(name));
        known.receipts.extend(before.receipts);
        known.first_sent.extend(before.first_sent);
        // What is owed stays owed in every record, until it is delivered.
        let owed = before.why.iter().filter(|(name, _)| !before.in_doubt.contains(name));
        let owed = owed.filter(|(name, _)| !known.is_settled(name) && lost.as_ref() != Some(*name));
        let owed: Vec<(String, String)> = owed.map(|(name, why)| (name.clone(), why.clone())).collect();
        known.why.extend(owed);
        for name in before.in_doubt.into_iter().chain(lost) {
            if !known.is_settled(&name) {
                let why = before.why.get(&name).cloned().unwrap_or_else(|| CUT_SHORT.to_owned());
                known.doubt(&name, why);
            }
        }
        self.ledger = Ledger::of(known);
    }

    pub(super) fn doubts(&self) -> &[String] {
        &self.ledger.known().in_doubt
    }

    /// Every delivery, in the order of the channels.
    fn deliveries(&self) -> impl Iterator<Item = Delivery<'_>> {
        self.channels.iter().flat_map(deliveries_of)
    }

    /// Makes what is not made yet.
    pub(super) async fn run(mut self) -> Result<Done, Failure> {
        let channels = std::mem::take(&mut self.channels);
        let before = self.ledger.known().clone();
        let mut open: Vec<Delivery<'_>> = channels.iter().flat_map(deliveries_of).collect();
        open.retain(|delivery| !before.is_settled(&delivery.name));
        self.leave_out_unreadable(&channels, &mut open);
        let mut waits = WAITS.into_iter();
        loop {
            let later = self.pass(open).await?;
            let Some(until) = later.iter().map(|(_, until)| *until).min() else { break };
            let Some(wait) = waits.next().map(|wait| wait.max(self.context.clock.now().until(until))) else { break };
            if wait > LONGEST_WAIT || wait >= self.context.clock.now().until(self.end) {
                break;
            }
            if within(self.context, wait, std::future::pending::<()>()).await == Err(Stopped::Cancel) {
                break;
            }
            open = later.into_iter().map(|(delivery, _)| delivery).collect();
        }
        if self.tried || *self.ledger.known() != before {
            self.journal(None).await?;
        }
        self.finish(&channels)
    }

    /// A channel whose secrets cannot be read is not sent to; nor is one that has nobody to send to.
    fn leave_out_unreadable(&mut self, channels: &[Channel], open: &mut Vec<Delivery<'_>>) {
        for channel in channels {
            let own = channel_secret(channel.name(), "");
            let missing = self.context.secrets.missing().find(|(name, _)| name.starts_with(&own));
            let nobody = channel.recipients().is_some_and(<[String]>::is_empty);
            let why = match missing {
                Some((_, why)) => format!("not sent: {why}"),
                None if nobody => "not sent: nobody of the audience can be reached through it".to_owned(),
                None => continue,
            };
            let unsettled = |delivery: &Delivery<'_>| delivery.channel.name() == channel.name();
            let mut names: Vec<String> = open.extract_if(.., |it| unsettled(it)).map(|it| it.name).collect();
            if nobody {
                names.push(channel.name().to_owned());
            }
            names.iter().for_each(|name| self.ledger.refused(name, why.clone()));
        }
    }

    /// Sends each once; those that were not taken, and when they may be sent again.
    async fn pass<'c>(&mut self, open: Vec<Delivery<'c>>) -> Result<Vec<(Delivery<'c>, Timestamp)>, Failure> {
        let mut later = Vec::new();
        let mut unreachable: BTreeMap<&str, Timestamp> = BTreeMap::new();
        let count = open.len();
        for (delivery, waiting) in open.into_iter().zip((1..=count).rev()) {
            let channel = delivery.channel.name();
            if let Some(until) = unreachable.get(channel) {
                self.ledger.untried(&delivery.name, "not sent: the channel does not answer");
                later.push((delivery, *until));
                continue;
            }
            match self.serve(&delivery, waiting).await? {
                Sent::Settled => {}
                Sent::Later(until) => later.push((delivery, until)),
                Sent::Unreachable(until) => {
                    unreachable.insert(channel, until);
                    later.push((delivery, until));
                }
            }
        }
        Ok(later)
    }

    /// Makes one of the deliveries still waiting.
    async fn serve(&mut self, delivery: &Delivery<'_>, waiting: usize) -> Result<Sent, Failure> {
        let Delivery { channel, name, .. } = delivery;
        let turn = self.turn(channel).await;
        let first = match self.moment(channel, waiting).await {
            Ok(first) => first,
            Err(why) => {
                self.ledger.refused(name, format!("not sent: {why}"));
                return Ok(Sent::Settled);
            }
        };
        self.tried = true;
        let now = self.context.clock.now();
        let first_sent = if channel.wants_first_sent() { self.ledger.first_sent(name, now) } else { now };
        self.journal(Some(name)).await?;
        let now = self.context.clock.now();
        self.shared.limiter.leave_alone_until(channel.name(), now.plus(channel.pace()));
        drop(first);
        Ok(self.send(delivery, turn, first_sent, channel.patience().min(self.share(waiting))).await)
    }

    /// What one of the deliveries still waiting may take of the step's time.
    fn share(&self, waiting: usize) -> Duration {
        self.context.clock.now().until(self.end) / u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// Waits until the receiver may be sent to; else why it is not. Who is first in the line of a channel with a pace holds
    /// the others back until it is known when the next of them may send.
    async fn moment(&self, channel: &Channel, waiting: usize) -> Result<Option<First>, &'static str> {
        let in_line = self.shared.limiter.first(channel.name());
        let first = match channel.pace() {
            Duration::ZERO => None,
            _ => Some(within(self.context, self.share(waiting), in_line).await.map_err(|stopped| match stopped {
                Stopped::Timeout(_) => "its turn did not come in time",
                Stopped::Cancel => "cancelled",
            })?),
        };
        loop {
            let left = self.context.clock.now().until(self.end);
            if left.is_zero() {
                return Err("the time of the step was up");
            }
            if self.context.cancel.is_cancelled() {
                return Err("cancelled");
            }
            // It may have been put off meanwhile, by what the receiver answered to another notice.
            let free_in = self.context.clock.now().until(self.shared.limiter.free_at(channel.name()));
            if free_in.is_zero() {
                return Ok(first);
            }
            if free_in > LONGEST_WAIT.min(left) {
                return Err("the receiver wants to be left alone");
            }
            within(self.context, free_in, std::future::pending::<()>()).await.ok();
        }
    }

    /// Waits until no other notice is on its way to a receiver that keeps an incident for all of them.
    async fn turn(&self, channel: &Channel) -> Option<Turn<'a>> {
        if !channel.keeps_incident() {
            return None;
        }
        let left = self.context.clock.now().until(self.end);
        within(self.context, left, self.shared.receipts.lock()).await.ok()
    }

    async fn send(
        &mut self,
        delivery: &Delivery<'_>,
        mut turn: Option<Turn<'_>>,
        first_sent: Timestamp,
        patience: Duration,
    ) -> Sent {
        let Delivery { channel, to, name } = delivery;
        let begun = AtomicBool::new(false);
        let outside = Outside {
            http: &self.context.http,
            clock: &*self.context.clock,
            workspace: &self.context.workspace,
            begun: &begun,
        };
        let incident = (self.notice.run.clone(), channel.name().to_owned());
        let of_others = || turn.as_ref().and_then(|receipts| receipts.get(&incident));
        let receipt = self.ledger.known().receipts.get(channel.name()).or_else(of_others).cloned();
        let letter = Letter { notice: &self.notice, to: *to, receipt: receipt.as_deref(), first_sent };
        let sent = within(self.context, patience, self.shared.post.deliver(channel, outside, letter)).await;
        let sent = match sent {
            Ok(sent) => sent,
            Err(stopped) => Err(given_up(channel, stopped, patience, begun.load(Ordering::SeqCst))),
        };
        let now = self.context.clock.now();
        match sent {
            Ok(receipt) => {
                turn.iter_mut()
                    .for_each(|known| known.extend(receipt.clone().map(|receipt| (incident.clone(), receipt))));
                self.ledger.taken(name, channel.name(), receipt);
                Sent::Settled
            }
            Err(Undelivered::Refused(why)) => {
                self.refused(name, &why);
                Sent::Settled
            }
            Err(Undelivered::NotNow { why, after, is_unreachable }) => {
                self.refused(name, &why);
                let until = now.plus(after.unwrap_or_default());
                self.shared.limiter.leave_alone_until(channel.name(), until);
                if is_unreachable { Sent::Unreachable(until) } else { Sent::Later(until) }
            }
            Err(Undelivered::InDoubt(why)) if channel.is_repeatable() => {
                self.ledger.unheard(name, self.context.secrets.mask(&why));
                Sent::Later(now)
            }
            Err(Undelivered::InDoubt(why)) => {
                self.ledger.doubt(name, self.context.secrets.mask(&why));
                Sent::Settled
            }
        }
    }

    fn refused(&mut self, name: &str, why: &str) {
        self.ledger.refused(name, self.context.secrets.mask(why));
    }

    async fn journal(&mut self, sending: Option<&str>) -> Result<(), Failure> {
        (self.context.handle)(self.ledger.handle(sending)).await
    }

    fn finish(self, channels: &[Channel]) -> Result<Done, Failure> {
        let Deliveries { delivered, in_doubt, why, .. } = self.ledger.into_known();
        let mut text = match delivered.as_slice() {
            [] => "delivered to nobody".to_owned(),
            some => format!("delivered to `{}`", some.join("`, `")),
        };
        let mut problems: Vec<String> = Vec::new();
        for delivery in channels.iter().flat_map(deliveries_of) {
            let Some(why) = why.get(&delivery.name) else { continue };
            let doubtful = in_doubt.contains(&delivery.name);
            let may = if doubtful { "it may have been delivered: " } else { "" };
            let to = delivery.to.map(|to| format!(" to {to}")).unwrap_or_default();
            problems.push(format!("{}{to}: {may}{why}", delivery.channel.title()));
        }
        let nobody = channels.iter().filter(|channel| channel.recipients().is_some_and(<[String]>::is_empty));
        problems.extend(nobody.filter_map(|it| Some(format!("{}: {}", it.title(), why.get(it.name())?))));
        problems.iter().for_each(|problem| {
            text.push_str("; ");
            text.push_str(problem);
        });
        let text = self.context.secrets.mask(&text);
        if !in_doubt.is_empty() {
            return Err(Failure::Ambiguous(text));
        }
        if !problems.is_empty() {
            let stopped = self.context.cancel.is_cancelled() && !self.tried && delivered.is_empty();
            return Err(if stopped { Failure::Cancelled } else { Failure::Failed(text) });
        }
        Ok(Done { outputs: Map::from_iter([("delivered".to_owned(), json!(delivered))]), already: false, note: text })
    }
}

fn deliveries_of(channel: &Channel) -> Vec<Delivery<'_>> {
    let name = channel.name();
    match channel.recipients() {
        None => vec![Delivery { channel, to: None, name: name.to_owned() }],
        Some(all) => all.iter().map(|to| Delivery { channel, to: Some(to), name: format!("{name}/{to}") }).collect(),
    }
}

/// What it means that nobody waits for an answer any more.
fn given_up(channel: &Channel, stopped: Stopped, patience: Duration, begun: bool) -> Undelivered {
    let why = match stopped {
        Stopped::Timeout(_) if patience < channel.patience() => {
            "no answer within its share of the step's time".to_owned()
        }
        stopped => stopped.words(),
    };
    if begun || matches!(channel, Channel::File(_)) { Undelivered::InDoubt(why) } else { Undelivered::unreachable(why) }
}
