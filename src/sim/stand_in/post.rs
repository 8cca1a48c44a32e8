//! Notices in a rehearsal: rendered as in a real run, delivered to the ledger.

use std::sync::Arc;
use std::time::Duration;

use super::Sent;
use super::stage::Stage;
use crate::edge::Act;
use crate::notify::channels::{Channel, Letter, Outside, Post, Receipt, Undelivered};

/// How long a delivery takes.
const DELIVERY: Duration = Duration::from_secs(1);

/// Keeps what would be sent.
pub(super) struct Outbox(pub(super) Arc<Stage>);

impl Post for Outbox {
    fn deliver<'a>(
        &'a self,
        channel: &'a Channel,
        outside: Outside<'a>,
        letter: Letter<'a>,
    ) -> Act<'a, Result<Receipt, Undelivered>> {
        Box::pin(async move {
            let notice = letter.notice;
            let sent = Sent {
                at: self.0.now(),
                step: notice.step.clone(),
                template: notice.template.clone(),
                audience: notice.audience.clone(),
                channel: channel.name().to_owned(),
                to: letter.to.map(str::to_owned),
                repeatable: channel.is_repeatable(),
                subject: notice.subject.clone(),
                body: notice.body.clone(),
                key: notice.key.clone(),
            };
            self.0.ledger().sent.push(sent);
            outside.clock.sleep(DELIVERY).await;
            Ok(None)
        })
    }
}
