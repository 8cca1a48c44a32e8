//! What is sent to Azure, as a value. Knows how URLs are put together, and nothing of sending.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::Cloud;
use crate::plan::digest;

/// The verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Does what the path says.
    Post,
    /// Removes.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        })
    }
}

/// Whom a request is for, and so which token goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Api {
    /// Resource Manager.
    Arm,
    /// A service's own endpoint.
    Data {
        /// The host.
        host: String,
        /// The scope of its tokens.
        scope: String,
    },
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Whom it is for.
    pub api: Api,
    /// The verb.
    pub method: Method,
    /// Path and query, encoded.
    pub path: String,
    /// The body, as JSON.
    pub body: Option<Value>,
    /// Further headers: `If-Match`, a content type that is not plain JSON.
    pub headers: Vec<(&'static str, String)>,
    /// The body holds values that nobody may see.
    pub is_private: bool,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(api: Api, method: Method, path: impl Into<String>) -> Self {
        Self { api, method, path: path.into(), body: None, headers: Vec::new(), is_private: false }
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With a body that holds values nobody may see.
    #[must_use]
    pub fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Only if the resource still is what was read.
    #[must_use]
    pub fn if_match(self, etag: Option<&str>) -> Self {
        match etag {
            Some(etag) => self.header("if-match", etag),
            None => self,
        }
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self, cloud: &Cloud) -> String {
        match &self.api {
            Api::Arm => format!("https://{}{}", cloud.arm_host(), self.path),
            Api::Data { host, .. } => format!("https://{host}{}", self.path),
        }
    }

    /// What tells it apart from other requests of a step. Conditions are left out: the same change under
    /// another etag is the same change.
    #[must_use]
    pub fn key(&self) -> String {
        let host = match &self.api {
            Api::Arm => "",
            Api::Data { host, .. } => host,
        };
        let body = self.body.as_ref().map(digest::of_value).unwrap_or_default();
        format!("{} {host}{} {}", self.method, self.path, digest::short(&body))
    }

    /// The request as people read it: the line, then its body.
    #[must_use]
    pub fn lines(&self, cloud: &Cloud) -> Vec<String> {
        let conditions = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let body = self.body.as_ref().map(|body| match self.is_private {
            true => "body: not shown, it holds values that were read".to_owned(),
            false => format!("body: {body}"),
        });
        [format!("{} {}", self.method, self.url(cloud))].into_iter().chain(conditions).chain(body).collect()
    }
}

/// Whether a change may be sent again after its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It sets a state: sending it twice is sending it once.
    Safe,
    /// It starts something: the state is read first.
    Once,
}

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What is sent.
    pub request: Request,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// What it does, for people: "promote `orders-pg`".
    pub what: String,
}

/// A resource of Resource Manager, with the api-version it is spoken to in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its path, from `/subscriptions` on.
    pub id: String,
    /// The api-version.
    pub api: &'static str,
}

impl Resource {
    /// A resource inside it.
    #[must_use]
    pub fn child(&self, kind: &str, name: &str) -> Self {
        Self { id: format!("{}/{kind}/{}", self.id, segment(name)), api: self.api }
    }

    /// Its last name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }

    /// The same resource in another api-version.
    #[must_use]
    pub fn version(&self, api: &'static str) -> Self {
        Self { id: self.id.clone(), api }
    }

    /// Reads it.
    #[must_use]
    pub fn get(&self) -> Request {
        self.request(Method::Get, "", "")
    }

    /// Reads it with a further query, such as `$expand=..`.
    #[must_use]
    pub fn get_with(&self, query: &str) -> Request {
        self.request(Method::Get, "", query)
    }

    /// Lists what is below it.
    #[must_use]
    pub fn list(&self, kind: &str) -> Request {
        self.request(Method::Get, kind, "")
    }

    /// Replaces it.
    #[must_use]
    pub fn put(&self, body: Value) -> Request {
        self.request(Method::Put, "", "").body(body)
    }

    /// Changes a part of it.
    #[must_use]
    pub fn patch(&self, body: Value) -> Request {
        self.request(Method::Patch, "", "").body(body)
    }

    /// Changes some of its `properties`.
    #[must_use]
    pub fn patch_properties(&self, properties: Value) -> Request {
        self.patch(json!({ "properties": properties }))
    }

    /// Removes it.
    #[must_use]
    pub fn delete(&self) -> Request {
        self.request(Method::Delete, "", "")
    }

    /// Does something to it, without a body.
    #[must_use]
    pub fn post(&self, action: &str) -> Request {
        self.request(Method::Post, action, "")
    }

    /// Any request to it: below it (`/start`), with a further query.
    #[must_use]
    pub fn request(&self, method: Method, below: &str, query: &str) -> Request {
        let slash = if below.is_empty() { "" } else { "/" };
        let and = if query.is_empty() { "" } else { "&" };
        Request::new(Api::Arm, method, format!("{}{slash}{below}?api-version={}{and}{query}", self.id, self.api))
    }
}

/// Text as one segment of a path or one value of a query.
#[must_use]
pub(super) fn segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~()@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").ok();
        }
        out
    })
}
