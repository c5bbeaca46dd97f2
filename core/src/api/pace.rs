//! Spreads the reads of everything that a tab supervises, so that many batches
//! together ask no more than a few of them would (`reliability.md` §8, #18).
//!
//! A queue with a rate: each read takes the next place, and waits until that
//! place has come. A few at once pass at full speed; fifty batches that are
//! taken up together after a reload are asked one after the other, and stay
//! apart from then on, because each counts its interval from its own answer.

use std::time::Duration;

/// Time between two reads in the long run: two a second.
pub const EVERY: Duration = Duration::from_millis(500);
/// Reads that pass at once after a quiet while.
const AT_ONCE: u32 = 10;
/// However many pages were listed, the next poll waits no longer than this.
const LONGEST: Duration = Duration::from_secs(25);

/// The queue of one tab. Times are by the clock that never jumps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// When all places taken so far have passed, were each [`EVERY`] long.
    taken_until: Duration,
}

impl Pace {
    /// Takes the next place; the read may be sent after the pause that is returned.
    pub fn wait(&mut self, now: Duration) -> Duration {
        let free = self.taken_until.max(now);
        self.taken_until = free + EVERY;
        free.saturating_sub(now)
            .saturating_sub(EVERY * (AT_ONCE - 1))
    }

    /// A read that cannot wait was sent: a page of a listing. Polls make room.
    pub fn charge(&mut self, now: Duration) {
        let full = now + LONGEST + EVERY * (AT_ONCE - 1);
        if self.taken_until < full {
            self.taken_until = self.taken_until.max(now) + EVERY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls `batches` batches, each `every` after its last answer, all taken
    /// up at once. Gives the times of the requests.
    fn poll(batches: u32, every: Duration, pages: u32, span: Duration) -> Vec<Duration> {
        let mut pace = Pace::default();
        let mut due: Vec<Duration> = (0..batches).map(|_| Duration::ZERO).collect();
        let mut sent = Vec::new();
        while let Some(next) = due.iter_mut().min()
            && *next < span
        {
            let now = *next;
            let at = now + pace.wait(now);
            sent.push(at);
            *next = at + Duration::from_millis(80) + every;
            for _ in 0..pages {
                pace.charge(at);
                sent.push(at);
            }
        }
        sent.retain(|at| *at < span);
        sent
    }

    fn mean(sent: &[Duration], span: Duration) -> f64 {
        f64::from(u32::try_from(sent.len()).expect("few")) / span.as_secs_f64()
    }

    #[test]
    fn fifty_batches_stay_within_two_requests_a_second() {
        let hour = Duration::from_hours(1);
        for every in [30, 10, 1] {
            let sent = poll(50, Duration::from_secs(every), 0, hour);
            let mean = mean(&sent, hour);
            assert!(mean <= 2.01, "{every} s: {mean} a second");
            // Not only in the mean: after the start no minute has more.
            let minute = Duration::from_mins(1);
            let calm = sent.iter().filter(|at| **at > minute);
            let busiest = calm
                .map(|at| {
                    sent.iter()
                        .filter(|it| **it >= *at && **it < *at + minute)
                        .count()
                })
                .max();
            assert!(
                busiest <= Some(120 + 10),
                "{every} s: {busiest:?} in a minute"
            );
        }
        let sent = poll(50, Duration::from_secs(30), 0, hour);
        assert!(
            mean(&sent, hour) > 1.5,
            "every batch is polled at its interval"
        );
    }

    #[test]
    fn a_few_batches_do_not_wait() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert_eq!(pace.wait(Duration::from_secs(5)), Duration::ZERO);
        }
        assert_eq!(pace.wait(Duration::from_secs(5)), EVERY);
    }

    #[test]
    fn fifty_batches_taken_up_together_are_all_asked_within_twenty_seconds() {
        let mut pace = Pace::default();
        let waits: Vec<_> = (0..50).map(|_| pace.wait(Duration::ZERO)).collect();
        assert_eq!(waits[49], Duration::from_secs(20));
    }

    #[test]
    fn a_long_listing_delays_polls_but_not_for_long() {
        let mut pace = Pace::default();
        for _ in 0..1_000 {
            pace.charge(Duration::ZERO);
        }
        assert!(pace.wait(Duration::ZERO) <= LONGEST + EVERY);
    }
}
