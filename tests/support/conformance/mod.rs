//! Judges a request to Azure before any Azure sees it: by the description of the operations in the file that
//! `DRCTL_AZURE_OPENAPI` names, and by hand (`listed/`) where that file has no such call.
//!
//! The file is OpenAPI 3.1: paths with `x-api-version`, and schemas that are closed but for the bases of
//! discriminated types; what those bases leave open, `subtypes.rs` closes. Enums are closed as well, so this is
//! for tests only: a real answer may hold a word newer than the file.

#![allow(dead_code, reason = "each test that uses this module uses a part of it")]
#![expect(unreachable_pub, reason = "a test is a crate of its own: `pub` says what its modules offer")]

mod address;
mod answer;
mod listed;
mod operation;
mod plane;
mod query;
mod schema;
mod shape;
mod subtypes;
mod template;

use std::io::{Write as _, stderr};
use std::path::PathBuf;
use std::sync::Once;

use serde_json::Value;

use address::Address;
use operation::Operations;
use schema::Schemas;

/// The variable that names the file.
const VARIABLE: &str = "DRCTL_AZURE_OPENAPI";
const UNCHECKED: &str = "nothing is checked against the description of Azure's operations";

/// A request as it would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// In capitals.
    pub method: String,
    /// The whole address, with the real host.
    pub url: String,
    /// Without the token.
    pub headers: Vec<(String, String)>,
    /// None where nothing is sent; a string where it is not JSON.
    pub body: Option<Value>,
    /// What the token it carries is for; empty where it carries none.
    pub scope: String,
    /// The address was given by Azure (a poll URL, a `nextLink`): only where the token goes is judged.
    pub opaque: bool,
}

/// What a request was judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// The operation of the file with this id.
    Operation(String),
    /// The table `listed/`, and why the call stands there.
    Listed(&'static str),
    /// Azure's own address, sent to where its token may go.
    Opaque,
}

/// What requests are judged by.
pub struct Conformance {
    file: Option<File>,
}

/// What the file holds.
struct File {
    operations: Operations,
    schemas: Schemas,
}

impl Conformance {
    /// Reads the file named by `DRCTL_AZURE_OPENAPI`. `None` where the variable is not set: it says then, past the
    /// silence that a passing test keeps, that nothing is checked against the file.
    pub fn load() -> Option<Self> {
        static SAY: Once = Once::new();
        #[expect(clippy::explicit_write, reason = "what `eprintln!` says is not heard of a test that passes")]
        let say = || writeln!(stderr(), "{VARIABLE} is not set: {UNCHECKED}").unwrap();
        #[expect(clippy::disallowed_methods, reason = "the test is told by its environment where the file is")]
        let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
            SAY.call_once(say);
            return None;
        };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{VARIABLE}={}: {e}", path.display()));
        let mut document: Value = serde_json::from_str(&text).unwrap();
        let operations = Operations::read(document["paths"].take());
        let schemas = Schemas::read(document["components"]["schemas"].take());
        Some(Self { file: Some(File { operations, schemas }) })
    }

    /// Without the file: judges the calls of `listed/`, and refuses every other.
    pub fn by_hand() -> Self {
        Self { file: None }
    }

    /// Judges a request.
    ///
    /// # Errors
    /// The operation, the place in the request, what was wanted there, and what was found.
    pub fn check(&self, sent: &Sent) -> Result<Matched, String> {
        let address = Address::read(sent)?;
        if sent.opaque {
            return plane::check_opaque(sent, &address).map(|()| Matched::Opaque);
        }
        if let Some(row) = listed::find(&address) {
            let why = row.check(sent, &address, self.file.as_ref());
            return why.map(Matched::Listed).map_err(|e| format!("{} {}: {e}", row.method, row.path));
        }
        let file =
            self.file.as_ref().ok_or_else(|| format!("{address}: {VARIABLE} is not set, and it is not listed"))?;
        let operation = file.operations.find(&address).map_err(|e| listed::or_nearly(&address, e))?;
        let judged = operation.check(sent, &address, &file.schemas);
        judged.map(|()| Matched::Operation(operation.id.clone())).map_err(|e| format!("`{}`: {e}", operation.id))
    }

    /// Judges the body of an answer to a request, `null` where there is none. Errors (a status from 400) and
    /// calls for which nothing is known of the answer are not judged.
    ///
    /// # Errors
    /// The operation, the place in the body, what was wanted there, and what was found.
    pub fn check_answer(&self, sent: &Sent, status: u16, body: &Value) -> Result<(), String> {
        let address = Address::read(sent)?;
        let Some(file) = self.file.as_ref().filter(|_| !sent.opaque && status < 400) else { return Ok(()) };
        let operation = match listed::find(&address) {
            Some(row) => row.answers_like().map(|id| file.operations.named(id)),
            None => Some(file.operations.find(&address)?),
        };
        let Some(operation) = operation else { return Ok(()) };
        answer::check(operation, status, body, &file.schemas).map_err(|e| format!("`{}`: {e}", operation.id))
    }

    /// Compiles every schema of every operation, and finds what `listed/` says another call is like: so that a
    /// newer file that does not fit is noticed at once. How many operations there are.
    pub fn compile_all(&self) -> usize {
        let Some(file) = &self.file else { return 0 };
        listed::likenesses().for_each(|id| {
            file.operations.named(id);
        });
        file.operations.schemas().for_each(|schema| file.schemas.compile(schema));
        file.operations.len()
    }
}
