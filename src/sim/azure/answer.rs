//! What the simulated Azure answers.

use azure_core::http::AsyncRawResponse;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// It is answered.
    Response(Response),
    /// It never came through.
    NeverConnected,
    /// Its answer is lost.
    Lost,
    /// It is never answered.
    Silence,
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Answer {
    /// 200 with a body.
    pub(super) fn ok(body: Value) -> Self {
        Self::status(200, body)
    }

    /// A status with a body; none where it is null.
    pub(super) fn status(status: u16, body: Value) -> Self {
        Self::Response(Response { status, headers: Vec::new(), body })
    }

    /// A refusal, as Resource Manager words it.
    pub(super) fn error(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::status(status, json!({ "error": { "code": code, "message": message.into() } }))
    }

    /// Whether it says that all is well.
    pub(super) fn is_good(&self) -> bool {
        matches!(self, Self::Response(response) if response.status < 300)
    }

    /// There is no such thing.
    pub(super) fn missing(id: &str) -> Self {
        Self::error(404, "ResourceNotFound", format!("The Resource '{id}' was not found."))
    }

    /// With one more header.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Response(response) = &mut self {
            response.headers.push((name, value.into()));
        }
        self
    }
}

impl Response {
    pub(super) fn into_raw(self) -> AsyncRawResponse {
        let mut headers = Headers::new();
        for (name, value) in self.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
        let body = match self.body {
            Value::Null => Vec::new(),
            Value::String(page) => page.into_bytes(),
            body => body.to_string().into_bytes(),
        };
        AsyncRawResponse::from_bytes(self.status.into(), headers, body)
    }
}
