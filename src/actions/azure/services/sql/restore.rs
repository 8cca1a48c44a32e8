//! Databases made from backups and copies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{API, SERVER, operations, server};
use crate::actions::azure::fields::{OBSERVABLE, int, may, moment, must, parameters, string};
use crate::actions::azure::made;
use crate::actions::azure::read::{is, text};
use crate::actions::azure::{Known, Next, Operation, Request, Resource, With};
use crate::catalogue::{ActionSpec, Field, Outputs, Takes, Timestamp};

const LOCATION: Field = must("location", string, "the region of the server");
const RESTORE: &str = "Azure SQL Database: overview of business continuity (less than 12 h)";

pub(super) fn all() -> Vec<Arc<dyn Operation>> {
    operations![Restore, GeoRestore, Copy]
}

fn database(with: &With<'_>, name: &str) -> Resource {
    server(with).child("databases", name)
}

/// Sends `write` unless the database is there; done when it is online.
fn made(with: &With<'_>, known: &Known, name: &str, write: Request, outputs: Value) -> Result<Next, Next> {
    let Some(now) = known.find(&database(with, name).get())? else {
        return Ok(Next::send(write, format!("make the database `{name}`")));
    };
    if let Some(why) = made::other(now, &write, name) {
        return Ok(Next::Fail(why));
    }
    if is(now, "/properties/status", "Online") {
        return Ok(Next::done(outputs, format!("`{name}` is there")));
    }
    Ok(Next::Wait(format!("`{name}` is `{}`", text(now, "/properties/status"))))
}

struct Restore;

static RESTORE_SPEC: ActionSpec = ActionSpec {
    name: "azure.sql.restore",
    summary: "restores an Azure SQL database to what it was at a moment, beside itself",
    docs: "Makes a new database from the backups of one on the same server, as it was at `point_in_time`. The old one goes on as it is: \
        point the application at the new one when it was checked. What was written after that moment is not in it.",
    parameters: parameters![
        SERVER,
        must("database", string, "the database whose backups are used"),
        must("to", string, "the name of the new database"),
        must("point_in_time", moment, "the moment; it may not lie ahead"),
        LOCATION,
    ],
    outputs: Outputs::Fixed(&[
        must("restored_to", string, "the id of the new database"),
        must("age_seconds", int, "how long ago that moment is: what is lost"),
    ]),
    loss: Some("age_seconds"),
    takes: |_| Takes::published(1_800, 43_200, RESTORE),
    permissions: &["Microsoft.Sql/servers/databases/write"],
    ..OBSERVABLE
};

impl Restore {
    fn write(with: &With<'_>) -> Request {
        made::marked(database(with, with.text("to")).put(json!({
            "location": with.text("location"),
            "properties": {
                "createMode": "PointInTimeRestore",
                "sourceDatabaseId": database(with, with.text("database")).id,
                "restorePointInTime": with.text("point_in_time"),
            },
        })))
    }
}

fn age(moment: &str, now: Timestamp) -> u64 {
    Timestamp::parse(moment).map(|moment| moment.until(now).as_secs()).unwrap_or(0)
}

impl Operation for Restore {
    fn spec(&self) -> &'static ActionSpec {
        &RESTORE_SPEC
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let name = with.text("to");
        let outputs = json!({
            "restored_to": database(with, name).id,
            "age_seconds": age(with.text("point_in_time"), known.now),
        });
        if known.find(&database(with, name).get())?.is_none() {
            made::past(with, known)?;
        }
        made(with, known, name, Self::write(with), outputs)
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct GeoRestore;

static GEO_RESTORE: ActionSpec = ActionSpec {
    name: "azure.sql.geo_restore",
    summary: "restores an Azure SQL database from the copy of its backups in another region",
    docs: "Makes a database on a server in any region from the last backup that was copied out of the lost one: up to an hour of data is \
        lost. The age of that backup is an output, to be compared with the RPO.",
    parameters: parameters![
        must("server", string, "the server the database is made on"),
        must("database", string, "the lost database, whose backups are used"),
        must("to", string, "the name of the new database"),
        must("source_server", string, "the server of the lost database"),
        may("source_resource_group", string, "where that server is; the step's own `resource_group` if absent"),
        LOCATION,
    ],
    outputs: Outputs::Fixed(&[
        must("recovery_point", string, "when the backup was made"),
        must("age_seconds", int, "how long ago that is: what is lost"),
    ]),
    loss: Some("age_seconds"),
    takes: |_| Takes::published(7_200, 43_200, RESTORE),
    permissions: &["Microsoft.Sql/servers/databases/write"],
    ..OBSERVABLE
};

impl GeoRestore {
    fn source(with: &With<'_>) -> Resource {
        let group = with.option("source_resource_group").unwrap_or(with.text("resource_group"));
        let server = with.resource_in(group, "Microsoft.Sql/servers", with.text("source_server"), API);
        server.child("recoverableDatabases", with.text("database"))
    }

    fn write(with: &With<'_>) -> Request {
        let properties = json!({ "createMode": "Recovery", "recoverableDatabaseId": Self::source(with).id });
        let body = json!({ "location": with.text("location"), "properties": properties });
        made::marked(database(with, with.text("to")).put(body))
    }
}

impl Operation for GeoRestore {
    fn spec(&self) -> &'static ActionSpec {
        &GEO_RESTORE
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let backup = known.body(&Self::source(with).get())?;
        let moment = text(backup, "/properties/lastAvailableBackupDate");
        let outputs = json!({ "recovery_point": moment, "age_seconds": age(moment, known.now) });
        made(with, known, with.text("to"), Self::write(with), outputs)
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}

struct Copy;

static COPY: ActionSpec = ActionSpec {
    name: "azure.sql.copy",
    summary: "copies an Azure SQL database on its server",
    docs: "Makes a copy of a database as it is when the copying ends: before something risky, or to look at damage without touching it.",
    parameters: parameters![
        SERVER,
        must("database", string, "the database that is copied"),
        must("to", string, "the name of the copy"),
        LOCATION,
    ],
    outputs: Outputs::Fixed(&[must("copied_to", string, "the id of the copy")]),
    takes: |_| Takes::guess(600, 7_200),
    permissions: &["Microsoft.Sql/servers/databases/write"],
    ..OBSERVABLE
};

impl Copy {
    fn write(with: &With<'_>) -> Request {
        let source = database(with, with.text("database")).id;
        let properties = json!({ "createMode": "Copy", "sourceDatabaseId": source });
        let body = json!({ "location": with.text("location"), "properties": properties });
        made::marked(database(with, with.text("to")).put(body))
    }
}

impl Operation for Copy {
    fn spec(&self) -> &'static ActionSpec {
        &COPY
    }

    fn decide(&self, with: &With<'_>, known: &Known) -> Result<Next, Next> {
        let name = with.text("to");
        made(with, known, name, Self::write(with), json!({ "copied_to": database(with, name).id }))
    }

    fn writes(&self, with: &With<'_>) -> Vec<Request> {
        vec![Self::write(with)]
    }
}
