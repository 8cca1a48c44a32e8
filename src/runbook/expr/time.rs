//! `{{ run.since | time }}`: a moment as its readers' clocks show it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tera::{Kwargs, State, Tera, Value};

/// The name in the context that holds the zone.
pub(super) const ZONE: &str = "drctl_zone__";
/// The name that is there where values stand for themselves.
pub(super) const STANDS_IN: &str = "drctl_stands_in__";

/// Adds the filter.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("time", |value: Value, _: Kwargs, state: &State<'_>| -> tera::TeraResult<String> {
        let text = value.to_string();
        let zone: Option<String> = state.get(ZONE)?;
        let stands_in: Option<bool> = state.get(STANDS_IN)?;
        if stands_in == Some(true) && text.starts_with('[') {
            return Ok(text);
        }
        told(&text, zone.as_deref()).map_err(tera::Error::message)
    });
}

/// `2026-11-21 04:12 CET (UTC+01:00)`: abbreviations alone mean different zones to different people.
fn told(text: &str, zone: Option<&str>) -> Result<String, String> {
    let moment: Timestamp = text
        .trim()
        .parse()
        .map_err(|_| format!("`time` wants a time such as `2026-11-21T03:12:00Z`, found `{text}`"))?;
    let zone = zone.map_or(Ok(TimeZone::UTC), TimeZone::get).map_err(|error| error.to_string())?;
    let there = moment.to_zoned(zone);
    if there.offset().is_zero() {
        // Winter in London is UTC by another name; nobody needs both.
        return Ok(there.strftime("%Y-%m-%d %H:%M %Z").to_string());
    }
    let name = there.strftime("%Z").to_string();
    let shown = if name.starts_with(['+', '-']) { String::new() } else { format!("{name} ") };
    Ok(format!("{} {shown}(UTC{})", there.strftime("%Y-%m-%d %H:%M"), there.strftime("%:z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_as_the_clocks_of_a_zone_show_it() {
        let at = |text: &str, zone: Option<&str>| told(text, zone).unwrap_or_else(|why| why);
        assert_eq!(at("2026-11-21T03:12:45.123Z", None), "2026-11-21 03:12 UTC");
        assert_eq!(at("2026-11-21T03:12:00Z", Some("Europe/Berlin")), "2026-11-21 04:12 CET (UTC+01:00)");
        assert_eq!(at("2026-07-21T03:12:00Z", Some("Europe/Berlin")), "2026-07-21 05:12 CEST (UTC+02:00)");
        assert_eq!(at("2026-11-21T03:12:00+01:00", Some("America/Chicago")), "2026-11-20 20:12 CST (UTC-06:00)");
        assert_eq!(at("2026-11-21T03:12:00Z", Some("America/Sao_Paulo")), "2026-11-21 00:12 (UTC-03:00)");
        assert_eq!(at("2026-11-21T03:12:00Z", Some("Europe/London")), "2026-11-21 03:12 GMT");
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        let refused = |text: &str| told(text, None).err();
        let wanted = |text: &str| Some(format!("`time` wants a time such as `2026-11-21T03:12:00Z`, found `{text}`"));
        for text in ["soon", "", "2026-11-21", "2026-11-21 03:12", "2026-13-41T03:12:00Z"] {
            assert_eq!(refused(text), wanted(text));
        }
    }
}
