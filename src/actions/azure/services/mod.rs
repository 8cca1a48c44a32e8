//! The services: one file each.

mod aks;
mod app_service;
mod application_gateway;
mod backup;
mod batch;
mod compute;
mod data_factory;
mod databricks;
mod deployment;
mod dns;
mod front_door;
mod front_door_classic;
mod health;
mod messaging;
mod metrics;
mod postgres;
mod query;
mod site_recovery;
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
        data_factory::all,
        databricks::all,
        deployment::all,
        dns::all,
        front_door::all,
        front_door_classic::all,
        health::all,
        messaging::all,
        postgres::all,
        query::all,
        site_recovery::all,
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
