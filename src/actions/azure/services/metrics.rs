//! Azure Monitor metrics: the last value of one, or that there is none.
//!
//! Call: `GET {resource}/providers/Microsoft.Insights/metrics`, api-version 2024-02-01; without a time span it
//! answers the last hour.

use serde_json::{Value, json};

use crate::actions::azure::read::{items, text};
use crate::actions::azure::request::segment;
use crate::actions::azure::{Known, Method, Next, Request, Resource};

const API: &str = "2024-02-01";

/// Asks for a metric of a resource, a value for each minute.
pub(super) fn request(resource: &Resource, metric: &str, aggregation: &str) -> Request {
    let query = format!("metricnames={}&interval=PT1M&aggregation={aggregation}", segment(metric));
    resource.version(API).request(Method::Get, "providers/Microsoft.Insights/metrics", &query)
}

/// The values of an answer, the oldest first: moment and value. A minute without one is not among them.
pub(super) fn values<'v>(answer: &'v Value, aggregation: &str) -> Vec<(&'v str, f64)> {
    let field = aggregation.to_ascii_lowercase();
    let series = items(answer, "/value").iter().flat_map(|metric| items(metric, "/timeseries"));
    let points = series.flat_map(|series| items(series, "/data"));
    points.filter_map(|point| Some((text(point, "/timeStamp"), point.get(&field)?.as_f64()?))).collect()
}

/// The replication lag that a metric tells, in seconds: outputs `seconds` and `measured_at`.
pub(super) fn lag(known: &Known, resource: &Resource, metric: &str) -> Result<Next, Next> {
    let answer = known.body(&request(resource, metric, "Maximum"))?;
    let Some((moment, seconds)) = values(answer, "Maximum").last().copied() else {
        let name = resource.name();
        return Ok(Next::Fail(format!(
            "the metric `{metric}` of `{name}` has no value: the lag is not known, not zero"
        )));
    };
    let note = format!("`{}` is {seconds} s behind", resource.name());
    Ok(Next::done(json!({ "seconds": seconds, "measured_at": moment }), note))
}
