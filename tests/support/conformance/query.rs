//! Queries and conditions on ETags: only what is listed, and with the words they may hold.

use super::{Sent, address::Address};

/// What some may hold, by the operation (any, where empty) and the name. The file has no values; these are of
/// the REST reference of the services.
const VALUES: [(&str, &str, &[&str]); 13] = [
    ("Storage_StorageAccounts_Failover", "failoverType", &["Planned"]),
    ("Storage_StorageAccounts_GetProperties", "$expand", &["geoReplicationStats", "blobRestoreStatus"]),
    ("Compute_VirtualMachines_Get", "$expand", &["instanceView", "userData"]),
    ("Sql_Databases_Failover", "replicaType", &["Primary", "ReadableSecondary"]),
    ("", "softRestart", &BOOLEAN),
    ("", "synchronous", &BOOLEAN),
    ("", "hibernate", &BOOLEAN),
    ("", "skipShutdown", &BOOLEAN),
    ("", "isRecursive", &BOOLEAN),
    ("", "isRecovery", &BOOLEAN),
    ("", "startFromFailure", &BOOLEAN),
    ("", "AutoAdjustTimegrain", &BOOLEAN),
    ("", "ValidateDimensions", &BOOLEAN),
];

const BOOLEAN: [&str; 2] = ["true", "false"];

/// That the query has what it needs, nothing else, and nothing twice.
pub fn check(id: &str, address: &Address, allowed: &[(&str, bool)]) -> Result<(), String> {
    for (at, (name, value)) in address.query.iter().enumerate() {
        if !allowed.iter().any(|(allowed, _)| allowed == name) {
            let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
            return Err(format!("query: wanted only {names:?}, found `{name}`"));
        }
        if address.query[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(format!("query: wanted `{name}` once, found it twice"));
        }
        let words = VALUES.iter().find(|(of, named, _)| (of.is_empty() || *of == id) && named == name);
        if let Some((_, _, words)) = words.filter(|(_, _, words)| !words.contains(&value.as_str())) {
            return Err(format!("query `{name}`: wanted one of {words:?}, found `{value}`"));
        }
        if value.is_empty() {
            return Err(format!("query `{name}`: wanted a value, found none"));
        }
    }
    let missing =
        allowed.iter().find(|(name, needed)| *needed && !address.query.iter().any(|(found, _)| found == name));
    missing.map_or(Ok(()), |(name, _)| Err(format!("query: wanted `{name}`, found nothing")))
}

/// That no condition is sent where it would go unheard.
pub fn check_conditions(sent: &Sent, allowed: &[String]) -> Result<(), String> {
    let heard = |name: &str| allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name));
    let is_condition = |name: &str| ["if-match", "if-none-match"].iter().any(|known| known.eq_ignore_ascii_case(name));
    let unheard = sent.headers.iter().find(|(name, _)| is_condition(name) && !heard(name));
    unheard.map_or(Ok(()), |(name, _)| Err(format!("header: wanted no `{name}`, which this call does not know")))
}
