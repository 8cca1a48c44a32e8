//! The services: one file each.

mod metrics;
mod postgres;
mod traffic_manager;

use std::sync::Arc;

use super::Operation;

/// All operations there are. A new service is one line here.
#[must_use]
pub fn all() -> Vec<Arc<dyn Operation>> {
    [traffic_manager::all(), postgres::all()].concat()
}

/// The operations of a service, as [`all`] takes them.
macro_rules! operations {
    ($($operation:expr),* $(,)?) => {
        vec![$(std::sync::Arc::new($operation) as std::sync::Arc<dyn $crate::actions::azure::Operation>),*]
    };
}
use operations;
