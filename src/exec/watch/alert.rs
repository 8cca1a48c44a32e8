//! Alerts of others: what they say of health, since when, and in which words.
//!
//! Four kinds are read. What is none of them, or says nothing of health, is refused with what was found.

use serde_json::Value;

use super::health::Verdict;
use crate::catalogue::Timestamp;

/// The most that an alert may take.
pub const LARGEST: usize = 1 << 20;
/// The most lines of evidence that are kept of one.
const MOST_LINES: usize = 10;

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Whose it is.
    pub from: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// Since when, where it says so.
    pub since: Option<Timestamp>,
    /// Its words.
    pub evidence: Vec<String>,
}

impl Alert {
    /// Reads an alert: Azure Monitor's common schema, PagerDuty's webhook v3, Alertmanager's webhook of version 4.
    ///
    /// # Errors
    /// What was wanted and what was found.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LARGEST {
            return Err(format!("the alert is larger than {} MiB", LARGEST >> 20));
        }
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("the alert is no JSON: {error}; {}", kinds()))?;
        if value["schemaId"] == "azureMonitorCommonAlertSchema" {
            return azure(&value["data"]["essentials"]);
        }
        if value["event"]["event_type"].is_string() {
            return pagerduty(&value["event"]);
        }
        if value["version"] == "4" && value["alerts"].is_array() {
            return alertmanager(&value);
        }
        Err(format!("the alert is of no kind that is known; {}", kinds()))
    }

    /// What the exit code of a Nagios plugin says, with what the plugin printed.
    ///
    /// # Errors
    /// The code is not 0, 1 or 2.
    pub fn nagios(code: u8, printed: &str) -> Result<Self, String> {
        let verdict = match code {
            0 => Verdict::Healthy,
            1 => Verdict::Degraded,
            2 => Verdict::Down,
            3 => return Err("the plugin's exit code 3 is UNKNOWN: it could not tell".to_owned()),
            other => return Err(format!("wanted the exit code of a Nagios plugin, 0 to 3, found {other}")),
        };
        let word = ["OK", "WARNING", "CRITICAL"][usize::from(code)];
        let evidence = std::iter::once(format!("the plugin ended with {code} ({word})"));
        let printed = printed.lines().map(str::trim).filter(|line| !line.is_empty());
        let evidence = evidence.chain(printed.map(str::to_owned)).take(MOST_LINES).collect();
        Ok(Self { from: "Nagios", verdict, since: None, evidence })
    }
}

fn kinds() -> &'static str {
    "known are Azure Monitor's common alert schema, PagerDuty's webhook v3, Prometheus Alertmanager's webhook of version \
     4, and the exit code of a Nagios plugin (`--nagios-exit`)"
}

/// `Sev0` and `Sev1` are an outage, what is less severe is not.
fn azure(essentials: &Value) -> Result<Alert, String> {
    let wrong = |name: &str, wanted: &str| {
        let found = &essentials[name];
        format!("the alert of Azure Monitor: at `data.essentials.{name}`: wanted {wanted}, found {found}")
    };
    let condition = essentials["monitorCondition"].as_str().unwrap_or_default();
    let severity = essentials["severity"].as_str().unwrap_or_default();
    let verdict = match (condition, severity) {
        ("Resolved", _) => Verdict::Healthy,
        ("Fired", "Sev0" | "Sev1") => Verdict::Down,
        ("Fired", "Sev2" | "Sev3" | "Sev4") => Verdict::Degraded,
        ("Fired", _) => return Err(wrong("severity", "`Sev0` to `Sev4`")),
        _ => return Err(wrong("monitorCondition", "`Fired` or `Resolved`")),
    };
    let rule = essentials["alertRule"].as_str().unwrap_or("a rule without a name");
    let mut evidence = vec![format!("`{rule}` {} ({severity})", condition.to_lowercase())];
    let targets = essentials["configurationItems"].as_array().into_iter().flatten().filter_map(Value::as_str);
    evidence.extend(targets.map(|target| format!("of `{target}`")));
    evidence.extend(text(essentials, "description"));
    let since = moment(essentials, "firedDateTime").map_err(|why| format!("the alert of Azure Monitor: {why}"))?;
    Ok(Alert { from: "Azure Monitor", verdict, since, evidence: short(evidence) })
}

/// An incident that is open is an outage where it is urgent, acknowledged or not.
fn pagerduty(event: &Value) -> Result<Alert, String> {
    let kind = event["event_type"].as_str().unwrap_or_default();
    let incident = &event["data"];
    if incident["type"] != "incident" {
        return Err(format!(
            "the event `{kind}` of PagerDuty says nothing of health: subscribe to `incident.triggered` and `incident.resolved`"
        ));
    }
    let (status, urgency) = (&incident["status"], &incident["urgency"]);
    let verdict = match (status.as_str(), urgency.as_str()) {
        (Some("resolved"), _) => Verdict::Healthy,
        (Some("triggered" | "acknowledged"), Some("low")) => Verdict::Degraded,
        (Some("triggered" | "acknowledged"), _) => Verdict::Down,
        _ => {
            return Err(format!(
                "the event of PagerDuty: at `event.data.status`: wanted `triggered`, `acknowledged` or `resolved`, found {status}"
            ));
        }
    };
    let title = incident["title"].as_str().unwrap_or("an incident without a title");
    let mut evidence = vec![format!("{kind}: {title}")];
    evidence.extend(incident["service"]["summary"].as_str().map(|service| format!("of `{service}`")));
    evidence.extend(text(incident, "html_url"));
    let wrong = |why| format!("the event of PagerDuty: {why}");
    let since = moment(incident, "created_at").map_err(wrong)?.or(moment(event, "occurred_at").map_err(wrong)?);
    Ok(Alert { from: "PagerDuty", verdict, since, evidence: short(evidence) })
}

/// The alerts of a group that fire are an outage, unless all of them say that they are less.
fn alertmanager(group: &Value) -> Result<Alert, String> {
    let alerts: Vec<&Value> = group["alerts"].as_array().into_iter().flatten().collect();
    let firing: Vec<&Value> = match group["status"].as_str() {
        Some("firing") => alerts.iter().copied().filter(|alert| alert["status"] == "firing").collect(),
        Some("resolved") => Vec::new(),
        _ => {
            let found = &group["status"];
            return Err(format!(
                "the alert of Alertmanager: at `status`: wanted `firing` or `resolved`, found {found}"
            ));
        }
    };
    let is_less = |alert: &&Value| {
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        matches!(severity, "warning" | "info" | "informational" | "none" | "low" | "minor")
    };
    let verdict = match firing.as_slice() {
        [] => Verdict::Healthy,
        some if some.iter().all(is_less) => Verdict::Degraded,
        _ => Verdict::Down,
    };
    let mut since = None;
    for alert in &firing {
        let began = moment(alert, "startsAt").map_err(|why| format!("the alert of Alertmanager: {why}"))?;
        since = [since, began].into_iter().flatten().min();
    }
    let told = if firing.is_empty() { &alerts } else { &firing };
    let evidence = told.iter().map(|alert| {
        let label = |name: &str| alert["labels"][name].as_str().map(str::to_owned);
        let head =
            [label("alertname"), Some(alert["status"].as_str().unwrap_or_default().to_owned()), label("instance")];
        let why = text(&alert["annotations"], "summary").or_else(|| text(&alert["annotations"], "description"));
        let head: Vec<String> = head.into_iter().flatten().collect();
        format!("{}{}", head.join(" "), why.map(|why| format!(": {why}")).unwrap_or_default())
    });
    Ok(Alert { from: "Alertmanager", verdict, since, evidence: short(evidence.collect()) })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn moment(value: &Value, name: &str) -> Result<Option<Timestamp>, String> {
    match &value[name] {
        Value::Null => Ok(None),
        Value::String(text) => Timestamp::parse(text).map(Some).map_err(|why| format!("at `{name}`: {why}")),
        other => Err(format!("at `{name}`: wanted a time such as `2026-11-20T23:37:00Z`, found {other}")),
    }
}

fn short(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}
