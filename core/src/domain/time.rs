//! Points in time, and the server's count of runs.

use std::{fmt, time::Duration};

use ::time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01 UTC.
///
/// Milliseconds because that is what browsers count in; the server's finer
/// digits are dropped, which no rule depends on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point this many milliseconds after 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with 0 to 9 fractional digits and any offset
    /// (`resim-api.md` §4). `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }

    /// RFC 3339 in UTC to the second, for logs and exports: `2026-04-20T14:03:22Z`.
    pub fn to_rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000))
            .ok()
            .and_then(|moment| moment.to_offset(UtcOffset::UTC).format(&Rfc3339).ok())
            .unwrap_or_else(|| format!("{} ms", self.0))
    }

    /// Time from `earlier` to here; zero if `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The point `duration` later, as late as can be said if that is too far.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// The server's count of runs, of a batch or of one test (`resim-api.md` §5).
///
/// Only ever compared: whether it starts at 0 or 1 is not established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunCounter(pub i64);

impl RunCounter {
    /// The count after one more run.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RunCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_the_api_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-04-20T14:03:22.123456Z", 1_776_693_802_123),
            ("2026-04-20T14:03:22.1Z", 1_776_693_802_100),
            ("2026-04-20T14:03:22.123456789Z", 1_776_693_802_123),
            ("2026-04-20T16:03:22+02:00", 1_776_693_802_000),
        ] {
            assert_eq!(
                Timestamp::parse(text).map(Timestamp::as_millis),
                Some(millis),
                "{text}"
            );
        }
        for text in ["", "yesterday", "2026-04-20", "2026-13-20T14:03:22Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_timestamp_prints_in_utc_to_the_second() {
        assert_eq!(
            Timestamp::from_millis(1_776_693_802_123).to_string(),
            "2026-04-20T14:03:22Z"
        );
    }

    #[test]
    fn since_never_goes_negative() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(12));
        assert_eq!(late.since(early), Duration::from_millis(7));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
