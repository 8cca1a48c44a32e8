//! The calls the file lacks, judged by hand: each with the reason why it stands here.

mod data_planes;
mod resource_manager;

use serde_json::Value;

use super::plane::{ARM, Plane};
use super::template::Template;
use super::{File, Sent, address::Address, query, shape};

/// A call the file lacks.
pub struct Row {
    pub method: &'static str,
    plane: &'static Plane,
    /// As `Template::read` takes it.
    pub path: &'static str,
    /// Empty where the service takes none.
    version: &'static str,
    /// What the query may hold; what ends in `*` it has to.
    query: &'static [&'static str],
    body: Body,
    why: &'static str,
}

/// What is sent with it. Texts are shapes (see `shape.rs`).
enum Body {
    None,
    May(&'static str),
    Must(&'static str),
    /// The body, and the answer, of an operation of the file.
    Like(&'static str),
    /// The answer of an operation of the file, with at least what is at these pointers.
    AnswerOf(&'static str, &'static [&'static str]),
}

const fn arm(method: &'static str, path: &'static str, version: &'static str, body: Body, why: &'static str) -> Row {
    Row { method, plane: &ARM, path, version, query: &[], body, why }
}

impl Row {
    const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    fn is_at(&self, address: &Address) -> bool {
        self.method == address.method
            && self.plane.has(&address.host)
            && Template::read(self.path).fit(&address.segments).is_some()
    }

    /// Judges a request that goes there, without the file as far as that is possible; says why it is listed.
    pub fn check(&self, sent: &Sent, address: &Address, file: Option<&File>) -> Result<&'static str, String> {
        self.plane.check(sent, address)?;
        let bare = |name: &'static str| (name.trim_end_matches('*'), name.ends_with('*'));
        query::check(self.path, address, &self.query.iter().copied().map(bare).collect::<Vec<_>>())?;
        query::check_conditions(sent, &[])?;
        match (&self.body, &sent.body) {
            (Body::None, None) | (Body::May(_), None) => Ok(self.why),
            (Body::None, Some(body)) => Err(format!("body: wanted none, found {body}")),
            (Body::May(text) | Body::Must(text), Some(body)) => {
                let shape: Value = serde_json::from_str(text).unwrap();
                super::schema::check_alone(&shape::schema(&shape), body).map(|()| self.why)
            }
            (Body::Must(_) | Body::AnswerOf(..), None) => Err("body: wanted one, found none".to_owned()),
            (Body::Like(id), body) => {
                let judged = file.map(|file| file.operations.named(id).check_body(body.as_ref(), &file.schemas));
                judged.unwrap_or(Ok(())).map(|()| self.why)
            }
            (Body::AnswerOf(id, needed), Some(body)) => {
                if let Some(missing) = needed.iter().find(|pointer| body.pointer(pointer).is_none()) {
                    return Err(format!("body: wanted `{missing}`, found nothing there"));
                }
                let judged = file.map(|file| file.schemas.check_request(file.operations.named(id).answer(), body));
                judged.unwrap_or(Ok(())).map(|()| self.why)
            }
        }
    }

    /// The operation of the file that answers like it.
    pub fn answers_like(&self) -> Option<&'static str> {
        match self.body {
            Body::Like(id) => Some(id),
            _ => None,
        }
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    resource_manager::ROWS.iter().chain(data_planes::ROWS)
}

/// The operations of the file that rows refer to.
pub fn likenesses() -> impl Iterator<Item = &'static str> {
    rows().filter_map(|row| match row.body {
        Body::Like(id) | Body::AnswerOf(id, _) => Some(id),
        _ => None,
    })
}

/// The row that is meant: it fits, the api-version too, and no other is more literal.
pub fn find(address: &Address) -> Option<&'static Row> {
    let meant = rows().filter(|row| row.is_at(address) && row.version == address.version);
    meant.max_by_key(|row| Template::read(row.path).literals())
}

/// What is wrong with a call that nothing fits: another api-version than a listed one, if there is one there.
pub fn or_nearly(address: &Address, otherwise: String) -> String {
    let Some(row) = rows().find(|row| row.is_at(address)) else { return otherwise };
    format!("{} {}: api-version: wanted `{}`, found `{}`", row.method, row.path, row.version, address.version)
}
