//! What the flexible servers of MySQL and PostgreSQL have in common: a backup is restored into a new server.

use serde_json::json;

use crate::actions::azure::fields::{OBSERVABLE, boolean, may, moment, must, parameters, string};
use crate::actions::azure::made;
use crate::actions::azure::read::{is, snake, text};
use crate::actions::azure::{Known, Next, Operation, Request, With};
use crate::catalogue::{ActionSpec, Outputs, Takes};

/// The base of the specs.
pub(super) const RESTORE: ActionSpec = ActionSpec {
    parameters: parameters![
        must("server", string, "the new server"),
        must("source_server", string, "the server whose backup is restored"),
        may("source_resource_group", string, "where the source is; the step's own `resource_group` if absent"),
        may("point_in_time", moment, "the moment to go back to; it may not lie ahead"),
        may("geo", boolean, "whether the paired region's copy is used; `false` if absent"),
        must("location", string, "the region of the new server"),
    ],
    outputs: Outputs::Fixed(&[must("restored_to", string, "the id of the new server")]),
    takes: |_| Takes::guess(1_500, 7_200),
    ..OBSERVABLE
};

/// A restore, in the words of one of the services.
pub(super) struct Restore {
    pub(super) spec: &'static ActionSpec,
    /// The type of its servers.
    pub(super) servers: &'static str,
    pub(super) api: &'static str,
    /// What it calls the moment to go back to.
    pub(super) moment: &'static str,
}

impl Restore {
    fn write(&self, with: &With<'_>) -> Request {
        let group = with.option("source_resource_group").unwrap_or(with.text("resource_group"));
        let source = with.resource_in(group, self.servers, with.text("source_server"), self.api);
        let mode = if with.flag("geo") == Some(true) { "GeoRestore" } else { "PointInTimeRestore" };
        let mut properties = json!({ "createMode": mode, "sourceServerResourceId": source.id });
        if let Some(moment) = with.option("point_in_time") {
            properties[self.moment] = json!(moment);
        }
        let server = with.resource(self.servers, "server", self.api);
        made::marked(server.put(json!({ "location": with.text("location"), "properties": properties })))
    }
}

impl Operation for Restore {
    fn spec(&self) -> &'static ActionSpec {
        self.spec
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let (name, server) = (with.text("server"), with.resource(self.servers, "server", self.api));
        let write = self.write(with);
        let Some(now) = known.find(&server.get())? else {
            made::past(with, known)?;
            return Ok(Next::send(write, format!("restore `{}` to `{name}`", with.text("source_server"))));
        };
        if let Some(why) = made::other(now, &write, name) {
            return Ok(Next::Fail(why));
        }
        if !is(now, "/properties/state", "Ready") {
            return Ok(Next::Wait(format!("`{name}` is `{}`", snake(text(now, "/properties/state")))));
        }
        Ok(Next::done(json!({ "restored_to": server.id }), format!("`{name}` is there")))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![self.write(with)]
    }
}
