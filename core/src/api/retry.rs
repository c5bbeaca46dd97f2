//! When a failed read is tried again: growing pauses with full jitter, inside
//! one budget for the whole tab (`reliability.md` §6: at most three tries a
//! request, retries at most a tenth of the traffic).

use std::time::Duration;

use super::{ApiError, ErrorKind};

/// Tries of one read, the first included.
pub const TRIES: u32 = 3;

/// Upper bound of the first pause; each further one is twice as long.
const BASE: Duration = Duration::from_secs(1);
/// Upper bound of every pause.
const CAP: Duration = Duration::from_secs(30);
/// What `Retry-After` may cost a person who is looking; longer waits are shown instead.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before the next try of a read, or `None` if there is none.
///
/// `tries` counts the tries made, `dice` are random bits. Full jitter: any
/// length up to the bound is equally likely, so that many clients spread out.
pub fn pause_before_retry(error: &ApiError, tries: u32, dice: u64) -> Option<Duration> {
    if tries >= TRIES || !error.is_retryable() || error.kind == ErrorKind::Unreadable {
        return None;
    }
    if let Some(asked) = error.retry_after {
        return (asked <= PATIENCE).then_some(asked);
    }
    Some(jitter(tries, dice))
}

/// A pause with full jitter after `tries` failures in a row (from 1).
pub fn jitter(tries: u32, dice: u64) -> Duration {
    let bound = doubled(BASE, tries.saturating_sub(1), CAP);
    let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(dice % millis.saturating_add(1))
}

/// A pause that was doubled so many times, and is no longer than `longest`.
pub(crate) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    let by = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
    first.saturating_mul(by).min(longest)
}

/// How many retries the tab may still make. Every answered request earns a
/// tenth of a retry; a full purse is [`RetryBudget::FULL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryBudget {
    tenths: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            tenths: Self::FULL * 10,
        }
    }
}

impl RetryBudget {
    /// Retries in a full purse.
    pub const FULL: u32 = 20;

    /// A request was answered without trouble.
    pub fn earn(&mut self) {
        self.tenths = (self.tenths + 1).min(Self::FULL * 10);
    }

    /// Takes one retry out of the purse; `false`: it is empty, do not retry.
    pub fn spend(&mut self) -> bool {
        match self.tenths.checked_sub(10) {
            Some(left) => {
                self.tenths = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: ErrorKind) -> ApiError {
        ApiError::new("read the batch", kind, "")
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_forever() {
        for kind in [
            ErrorKind::Unreachable,
            ErrorKind::TimedOut,
            ErrorKind::NoToken,
            ErrorKind::Server,
            ErrorKind::Throttled,
        ] {
            assert!(
                pause_before_retry(&failed(kind.clone()), 1, 7).is_some(),
                "{kind:?}"
            );
            assert!(pause_before_retry(&failed(kind), TRIES, 7).is_none());
        }
        for kind in [
            ErrorKind::SignedOut,
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Busy,
            ErrorKind::Refused,
            ErrorKind::Unreadable,
            ErrorKind::Aborted,
        ] {
            assert!(
                pause_before_retry(&failed(kind.clone()), 1, 7).is_none(),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_pause_doubles_up_to_the_longest_however_often() {
        let seconds = Duration::from_secs;
        for (first, times, longest, pause) in [
            (3, 0, 60, 3),
            (3, 1, 60, 6),
            (3, 4, 60, 48),
            (3, 5, 60, 60),
            (3, 31, 60, 60),
            (3, 32, 60, 60),
            (3, u32::MAX, 60, 60),
            (90, 0, 60, 60),
            (0, 9, 60, 0),
        ] {
            let it = doubled(seconds(first), times, seconds(longest));
            assert_eq!(it, seconds(pause), "{first} s, {times} times");
        }
        assert_eq!(doubled(Duration::MAX, 1, Duration::MAX), Duration::MAX);
    }

    #[test]
    fn pauses_stay_within_bounds_that_double() {
        for tries in 1..20 {
            let bound = Duration::from_secs(1 << (tries - 1).min(5)).min(CAP);
            for dice in [0, 1, 12_345, u64::MAX, 0x5DEE_CE66_D123] {
                assert!(jitter(tries, dice) <= bound, "{tries}");
            }
        }
        assert_eq!(jitter(2, 2000), Duration::from_secs(2));
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_or_shown() {
        let mut error = failed(ErrorKind::Throttled);
        error.retry_after = Some(Duration::from_secs(4));
        assert_eq!(pause_before_retry(&error, 1, 7), error.retry_after);
        error.retry_after = Some(Duration::from_mins(2));
        assert_eq!(pause_before_retry(&error, 1, 7), None);
    }

    #[test]
    fn an_empty_budget_stops_retries_until_answers_refill_it() {
        let mut budget = RetryBudget::default();
        let spent = (0..100).filter(|_| budget.spend()).count();
        assert_eq!(spent, 20);
        for _ in 0..9 {
            budget.earn();
        }
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
    }
}
