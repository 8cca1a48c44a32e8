//! What Azure says when it refuses, in all the shapes it says it.

use std::fmt;

use serde_json::Value;

/// A refusal: the service's own code and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceError {
    /// The status; 0 where it came inside of an operation's state.
    pub(super) status: u16,
    /// `FailoverGroupBusy`; empty where there is none.
    pub(super) code: String,
    /// The words.
    pub(super) message: String,
    /// What support asks for.
    pub(super) request_id: Option<String>,
}

/// Codes that mean: something else is being done there just now (operations seen in the services' SDKs and docs).
const BUSY: [&str; 14] = [
    "AnotherOperationInProgress",
    "RetryableErrorDueToAnotherOperation",
    "OperationNotAllowed",
    "FailoverGroupBusy",
    "ConflictingServerOperation",
    "UpdateSloInProgress",
    "Conflict",
    "ServerIsBusy",
    "OperationInProgress",
    "ConflictingOperation",
    "AccountIsBusy",
    "StorageAccountOperationInProgress",
    "ServiceBusy",
    "ResourceInTransition",
];

impl ServiceError {
    /// Reads the body of a refusal: `{error: {..}}`, `{code, message}` in any case, a page, or nothing. Batch has its
    /// message in a language, Databricks calls its code otherwise.
    #[must_use]
    pub(super) fn read(status: u16, body: &Value, request_id: Option<&str>) -> Self {
        let inner = field(body, "error").filter(|error| error.is_object()).unwrap_or(body);
        let mut code = text(inner, "code").or(text(inner, "error_code")).unwrap_or_default().to_owned();
        let in_a_language = || text(field(inner, "message")?, "value");
        let mut message = text(inner, "message").or_else(in_a_language).unwrap_or_default().to_owned();
        let details = field(inner, "details").and_then(Value::as_array).into_iter().flatten();
        for detail in details {
            let (of, words) = (text(detail, "code").unwrap_or_default(), text(detail, "message").unwrap_or_default());
            if !words.is_empty() && !message.contains(words) {
                message =
                    if of.is_empty() { format!("{message}; {words}") } else { format!("{message}; `{of}`: {words}") };
            }
            if code.is_empty() {
                of.clone_into(&mut code);
            }
        }
        if message.is_empty() {
            message = body.as_str().map(page_title).unwrap_or_default();
        }
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { status, code, message, request_id: request_id.map(str::to_owned) }
    }

    /// Whether it says that something else is being done there: it may be tried again later.
    #[must_use]
    pub(super) fn is_busy(&self) -> bool {
        self.status == 429
            || (matches!(self.status, 0 | 409) && BUSY.iter().any(|code| self.code.eq_ignore_ascii_case(code)))
    }

    /// Whether it says that there were too many requests. Some services say 429 of a lock, too.
    #[must_use]
    pub(super) fn is_throttled(&self) -> bool {
        self.status == 429 && !BUSY.iter().any(|code| self.code.eq_ignore_ascii_case(code))
    }

    /// Whether it says that the service is not well: nothing is known of what was asked.
    #[must_use]
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.status, 408 | 500 | 502 | 503 | 504)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.status != 0 {
            write!(f, "{}", self.status)?;
            f.write_str(if self.code.is_empty() { "" } else { " " })?;
        }
        if !self.code.is_empty() {
            write!(f, "`{}`", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// A field, in whatever case it is written: Web answers `Code` where others answer `code`.
fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    field(value, name)?.as_str()
}

/// What a page of HTML is called; other text is cut short.
fn page_title(text: &str) -> String {
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title);
    title.unwrap_or(text).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_of_a_refusal_is_read() {
        let read = |body: Value| ServiceError::read(409, &body, None).to_string();
        assert_eq!(
            read(json!({"error": {"code": "AnotherOperationInProgress", "message": "a \"quoted\"\r\nname"}})),
            "409 `AnotherOperationInProgress`: a \"quoted\" name"
        );
        assert_eq!(read(json!({"code": "Conflict", "message": "busy"})), "409 `Conflict`: busy");
        assert_eq!(read(json!({"Code": "Conflict", "Message": "busy", "Details": null})), "409 `Conflict`: busy");
        assert_eq!(
            read(json!({"error": {"code": "A", "message": "m", "details": [{"code": "B", "message": "inner"}]}})),
            "409 `A`: m; `B`: inner"
        );
        assert_eq!(read(json!("<html><title>502 Bad Gateway</title>..")), "409: 502 Bad Gateway");
        assert_eq!(read(Value::Null), "409");
        let batch = json!({"code": "ConditionNotMet", "message": {"lang": "en-US", "value": "no"}});
        assert_eq!(read(batch), "409 `ConditionNotMet`: no");
        assert_eq!(read(json!({"error_code": "INVALID_STATE", "message": "no"})), "409 `INVALID_STATE`: no");
    }
}
