//! Waiting with an end: by time, or because the step is to stop.

use std::time::Duration;

use super::{Context, Failure};
use crate::catalogue::HumanDuration;

/// Why something did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Timeout(Duration),
    Cancel,
}

impl Stopped {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Timeout(span) => format!("no answer within {}", HumanDuration(span)),
            Self::Cancel => "cancelled while waiting for the answer".to_owned(),
        }
    }
}

/// The result of `work`, unless the step is cancelled or `span` passes first.
pub(crate) async fn within<T>(context: &Context, span: Duration, work: impl Future<Output = T>) -> Result<T, Stopped> {
    tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(Stopped::Cancel),
        done = work => Ok(done),
        () = context.clock.sleep(span) => Err(Stopped::Timeout(span)),
    }
}

/// [`within`] for work that changes nothing, so that stopping it leaves no doubt.
pub(crate) async fn read_within<T>(
    context: &Context,
    span: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match within(context, span, work).await {
        Ok(result) => result,
        Err(Stopped::Cancel) => Err(Failure::Cancelled),
        Err(Stopped::Timeout(span)) => Err(Failure::Failed(format!("timed out after {}", HumanDuration(span)))),
    }
}
