//! The services: one file each.

mod aks;
mod app_service;
mod application_gateway;
mod compute;
mod dns;
mod front_door;
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
        compute::all,
        dns::all,
        front_door::all,
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
