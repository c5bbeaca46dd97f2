//! What fails in a row: how often, and for how long.

use std::time::Duration;

use serde::Serialize;

use crate::domain::Timestamp;

/// A refusal (400, 404, 409) is one for good only after this many in a row …
const REFUSED_TIMES: u32 = 3;
/// … spread over at least this long (`reliability.md` §3).
pub(crate) const REFUSED_OVER: Duration = Duration::from_mins(2);

/// Failures in a row, of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Streak {
    /// How many.
    pub count: u32,
    /// When the first was known.
    pub since: Option<Timestamp>,
}

impl Streak {
    /// One more.
    pub(crate) fn note(&mut self, at: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.since.get_or_insert(at);
    }

    /// Moves its time, after the clock was found to have jumped.
    pub(crate) fn shift(&mut self, shift: impl FnOnce(Timestamp) -> Timestamp) {
        self.since = self.since.map(shift);
    }

    /// Whether it is so many, over so long.
    pub(crate) fn lasted(&self, many: u32, over: Duration, now: Timestamp) -> bool {
        self.count >= many && self.since.is_some_and(|since| now.since(since) >= over)
    }

    /// Whether these refusals are for good: a route that flaps for some seconds ends nothing.
    pub(crate) fn is_for_good(&self, now: Timestamp) -> bool {
        self.lasted(REFUSED_TIMES, REFUSED_OVER, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn refused_at(times: &[i64]) -> Streak {
        let mut it = Streak::default();
        for time in times {
            it.note(at(*time));
        }
        it
    }

    #[test]
    fn it_takes_both_so_many_and_so_long() {
        for (times, now, expected) in [
            (&[][..], 500, false),
            (&[0, 60], 500, false),
            (&[0, 1, 2], 119, false),
            (&[0, 1, 2], 120, true),
            (&[0, 60, 120], 120, true),
        ] {
            assert_eq!(
                refused_at(times).is_for_good(at(now)),
                expected,
                "{times:?}"
            );
        }
    }

    #[test]
    fn a_sleep_does_not_make_it_longer() {
        let mut it = refused_at(&[0, 1, 2]);
        it.shift(|time| time.after(Duration::from_hours(1)));
        assert!(!it.is_for_good(at(3_719)));
        assert!(it.is_for_good(at(3_720)));
    }
}
