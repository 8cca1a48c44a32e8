//! Values of time: points and spans, as people write and read them. Knows no clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time from this point until `later`; zero if `later` lies before it.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// This point moved by `span`, saturating at the far end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Reads RFC 3339, such as `2026-11-20T23:37:00Z`.
    ///
    /// # Errors
    /// A sentence that says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self(time.as_millisecond()))
            .map_err(|_| format!("wanted a time such as `2026-11-20T23:37:00Z`, found `{text}`"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A length of time as runbooks write it: `30s`, `5m`, `1h30m`, `250ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Span {
    /// Reads `1h30m`: whole numbers, each with a unit of `d`, `h`, `m`, `s` or `ms`, from large to small.
    ///
    /// # Errors
    /// A sentence that says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = || format!("wanted a duration such as `30s`, `5m` or `1h30m`, found `{text}`");
        let (mut rest, mut total, mut last) = (text, 0_u64, u64::MAX);
        if rest.is_empty() {
            return Err(wanted());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
            let (unit, tail) = tail.split_at(letters);
            let size = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size).ok_or_else(wanted)?;
            if size >= last {
                return Err(wanted());
            }
            let number: u64 = number.parse().map_err(|_| wanted())?;
            total = number.checked_mul(size).and_then(|part| total.checked_add(part)).ok_or_else(wanted)?;
            (rest, last) = (tail, size);
        }
        Ok(Self(Duration::from_millis(total)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            if left >= size {
                write!(f, "{}{unit}", left / size)?;
                left %= size;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A length of time as people read it at night, to the second: `4m10s`; less than one is `<1s`.
#[must_use]
pub fn to_the_second(span: Duration) -> String {
    match span.as_secs() {
        0 if !span.is_zero() => "<1s".to_owned(),
        seconds => Span(Duration::from_secs(seconds)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_as_written() {
        for text in ["30s", "5m", "1h30m", "250ms", "2d", "0s", "1d2h3m4s5ms"] {
            assert_eq!(Span::parse(text).map(|span| span.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn durations_that_mean_nothing_are_refused() {
        for text in
            ["", "5", "m", "5 m", "1m1h", "1m1m", "-5s", "1.5h", "5y", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
