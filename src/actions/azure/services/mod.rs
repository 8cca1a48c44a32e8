//! The services: one file each.

mod aks;
mod app_service;
mod application_gateway;
mod backup;
mod batch;
mod compute;
mod cosmos;
mod data_factory;
mod databricks;
mod deployment;
mod dns;
mod flexible_server;
mod front_door;
mod front_door_classic;
mod health;
pub(super) mod key_vault;
mod messaging;
mod metrics;
mod mysql;
mod postgres;
mod query;
mod redis;
mod site_recovery;
mod sql;
mod storage;
mod traffic_manager;

use std::sync::Arc;

use super::Operation;

/// All operations there are. A new service is one line here.
#[must_use]
pub fn all() -> Vec<Arc<dyn Operation>> {
    let services = [
        aks::all,
        app_service::all,
        application_gateway::all,
        backup::all,
        batch::all,
        compute::all,
        cosmos::all,
        data_factory::all,
        databricks::all,
        deployment::all,
        dns::all,
        front_door::all,
        front_door_classic::all,
        health::all,
        key_vault::all,
        messaging::all,
        mysql::all,
        postgres::all,
        query::all,
        redis::all,
        site_recovery::all,
        sql::all,
        storage::all,
        traffic_manager::all,
    ];
    services.into_iter().flat_map(|all| all()).collect()
}

/// The operations of a service, as [`all`] takes them.
macro_rules! operations {
    ($($operation:expr),* $(,)?) => {
        vec![$(std::sync::Arc::new($operation) as std::sync::Arc<dyn $crate::actions::azure::Operation>),*]
    };
}
use operations;
