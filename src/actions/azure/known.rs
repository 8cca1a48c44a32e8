//! What an operation knows: the answers read since the last change, and the results of what it sent.

use serde_json::Value;

use super::{Next, Request};
use crate::catalogue::Timestamp;

/// An answer to a read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, as JSON; null where there is none. All pages of a list are one.
    pub body: Value,
    /// For `If-Match`.
    pub etag: Option<String>,
}

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    answers: Vec<(String, Answer)>,
    sent: Vec<(String, Value)>,
    /// The present.
    pub now: Timestamp,
    /// The present is that of a rehearsal: moments of the real world may lie ahead of it.
    pub is_rehearsed: bool,
}

impl Known {
    /// The answer to a read, whatever it is: 200 or 404.
    ///
    /// # Errors
    /// It has to be read first.
    pub fn answer(&self, request: &Request) -> Result<&Answer, Next> {
        let key = request.key();
        let found = self.answers.iter().find(|(known, _)| *known == key).map(|(_, answer)| answer);
        found.ok_or_else(|| Next::Read(vec![request.clone()]))
    }

    /// What is there; none where there is nothing.
    ///
    /// # Errors
    /// It has to be read first.
    pub fn find(&self, request: &Request) -> Result<Option<&Value>, Next> {
        self.answer(request).map(|answer| (answer.status != 404).then_some(&answer.body))
    }

    /// What must be there.
    ///
    /// # Errors
    /// It has to be read first, or does not exist.
    pub fn body(&self, request: &Request) -> Result<&Value, Next> {
        let path = request.path.split('?').next().unwrap_or_default();
        let missing = || Next::Fail(format!("`{path}` does not exist, or the credential may not see it"));
        self.find(request)?.ok_or_else(missing)
    }

    /// Asks for several answers at once.
    ///
    /// # Errors
    /// The ones that have to be read first.
    pub fn all(&self, requests: &[Request]) -> Result<(), Next> {
        let unread: Vec<Request> = requests.iter().filter(|request| self.answer(request).is_err()).cloned().collect();
        if unread.is_empty() { Ok(()) } else { Err(Next::Read(unread)) }
    }

    /// What came of a change that this step has sent: its last answer. Nothing where it was not sent.
    #[must_use]
    pub fn sent(&self, request: &Request) -> Option<&Value> {
        let key = request.key();
        self.sent.iter().find(|(known, _)| *known == key).map(|(_, result)| result)
    }

    /// Whether anything was read since the last change.
    #[must_use]
    pub(super) fn has_read(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Whether anything was sent.
    #[must_use]
    pub fn has_sent(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Takes in an answer.
    pub fn learn(&mut self, request: &Request, answer: Answer) {
        self.answers.push((request.key(), answer));
    }

    /// Takes in what came of a change; what was read before it is out of date.
    pub fn note_sent(&mut self, key: String, result: Value) {
        self.sent.push((key, result));
        self.answers.clear();
    }

    /// Forgets what was read: it may have changed.
    pub(super) fn forget(&mut self) {
        self.answers.clear();
    }

    /// What was sent, for a process that takes the step up.
    pub(super) fn kept(&self) -> &[(String, Value)] {
        &self.sent
    }

    /// With what an earlier process had sent.
    pub(super) fn restore(sent: Vec<(String, Value)>) -> Self {
        Self { sent, ..Self::default() }
    }
}
