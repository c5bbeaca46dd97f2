//! What a read of the batch leads to, and when the wait is over
//! (`resim-api.md` §6.3, S3).
//!
//! Differences from the CLI, all deliberate (`design.md` §3): a failed read is
//! tried again; a finished status of an earlier run is stale and changes
//! nothing; an unknown or missing status is not an end; a timeout needs a read
//! that was *sent* after the deadline.

use std::time::Duration;

use serde::Serialize;

use super::{
    Event, Now, Streak, Supervisor, Verdict,
    belief::Belief,
    journal::{Seen, is_written_over},
    machine::Asked,
    streak::REFUSED_OVER,
};
use crate::{
    api::{ApiError, ErrorKind, retry::doubled},
    domain::{Batch, BatchStatus, Timestamp},
    planted::{self, Bug},
    rerun::REPLICA_LAG,
};

/// While nothing changes, a sign of life is written this often.
const SIGN_OF_LIFE: Duration = Duration::from_mins(1);
/// Half of what the pause after the first failed read is at the most: it doubles with each
/// failure, that one included, with full jitter.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// How reading goes.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Reads {
    /// Failed ones in a row.
    pub(super) failures: u32,
    /// Refused ones.
    refused: Streak,
    /// Until when the server asked not to be read, by `Retry-After`.
    pub(super) not_before: Option<Timestamp>,
    /// When the batch was last asked for.
    pub(super) last_poll: Option<Timestamp>,
    /// When a look was last written down.
    last_written: Option<Timestamp>,
    /// When the batch read was sent that last succeeded.
    pub(super) read_at: Option<Timestamp>,
    /// Reads of the batch in a row that carried no mark of its run.
    pub(super) unmarked: u8,
    /// When the read was sent that last showed the batch finished.
    pub(super) finished_at: Option<Timestamp>,
}

impl Reads {
    /// Moves its times, after the clock was found to have jumped.
    pub(super) fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        if !planted::is(Bug::AgeUnmoved) {
            self.read_at = self.read_at.map(&shift);
        }
        for time in [
            &mut self.last_poll,
            &mut self.last_written,
            &mut self.finished_at,
            &mut self.not_before,
        ] {
            *time = time.map(&shift);
        }
        self.refused.shift(shift);
    }
}

/// What is remembered of the run that is waited for, until the next one.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Awaiting {
    /// An old picture was said to be set aside.
    pub(super) stale_noted: bool,
    /// It was said that a POST may still land.
    landing_noted: bool,
    /// Reads of a finished batch that nothing proves to be of this run.
    pub(super) blind_reads: u8,
}

impl Supervisor {
    /// A poll was answered.
    pub(super) fn polled(&mut self, batch: Box<Batch>, sent_at: Timestamp, now: Now) {
        if self.state.is_old(&batch) {
            return self.set_aside(&batch, sent_at, now);
        }
        if self.is_ahead(&batch) && planted::is(Bug::ForeignNotAdopted) {
            return self.set_aside(&batch, sent_at, now);
        }
        if !batch.is_terminal() {
            // Whatever is listed next is another picture, with a time of its own.
            self.forget_reading();
            self.note_poll(&batch, now);
            return self.keep_waiting(batch.status.as_ref(), sent_at, now, None);
        }
        self.adopt(&batch, now);
        match self.belief(&batch) {
            Belief::Believed { .. } if self.may_still_land(sent_at) => self.let_land(now),
            Belief::Believed { unproven } => {
                self.record(
                    Event::Finished {
                        seen: Seen::of(&batch),
                        unproven,
                    },
                    now.wall,
                );
                self.awaiting.stale_noted = false;
                self.reading.since.get_or_insert(now.wall);
                self.reading.picture = Some(batch);
                self.ask_tests(now);
            }
            Belief::Stale => self.set_aside(&batch, sent_at, now),
        }
    }

    /// Whether a POST whose answer was lost may have landed after this read was sent:
    /// the run that was taken for its own may be somebody else's (seed 11584229).
    fn may_still_land(&self, sent_at: Timestamp) -> bool {
        self.state
            .under_way_until
            .is_some_and(|until| sent_at <= until)
    }

    /// Waits until whatever is under way has landed: said once, then looked again.
    fn let_land(&mut self, now: Now) {
        let Some(until) = self.state.under_way_until else {
            return;
        };
        if !std::mem::replace(&mut self.awaiting.landing_noted, true) {
            self.record(Event::StillUnderWay { until }, now.wall);
        }
        let next = now.wall.after(self.state.policy.poll_every);
        self.due = Some(next.min(until.after(Duration::from_millis(1))));
    }

    /// An old picture: said once, and waited on.
    fn set_aside(&mut self, batch: &Batch, sent_at: Timestamp, now: Now) {
        if !self.awaiting.stale_noted {
            self.awaiting.stale_noted = true;
            let awaited = self.state.awaited;
            self.record(
                Event::StaleRead {
                    run: batch.run_counter,
                    awaited,
                },
                now.wall,
            );
        }
        // Without a rerun of ours that is waited for it is a replica that lags.
        let reran = self.state.must_pass.is_some();
        let note = reran.then(|| match self.state.awaited {
            Some(run) => format!("Run {run} was accepted but never showed."),
            None => "The rerun was accepted but its run never showed.".to_owned(),
        });
        self.keep_waiting(batch.status.as_ref(), sent_at, now, note);
    }

    /// Whether it shows a later run than the one that is waited for.
    fn is_ahead(&self, batch: &Batch) -> bool {
        batch.run_counter > self.state.awaited && self.state.awaited.is_some()
    }

    /// A later run is followed, whoever started it.
    fn adopt(&mut self, batch: &Batch, now: Now) {
        if let Some(run) = batch.run_counter.filter(|_| self.is_ahead(batch)) {
            self.record(Event::Adopted { run }, now.wall);
            self.awaiting.stale_noted = false;
            self.forget_reading();
        }
    }

    pub(super) fn note_poll(&mut self, batch: &Batch, now: Now) {
        self.adopt(batch, now);
        let seen = Seen::of(batch);
        let due = self
            .reads
            .last_written
            .is_none_or(|at| now.wall.since(at) >= SIGN_OF_LIFE);
        let moved = self.state.seen.as_ref().is_none_or(|before| {
            (&before.status, &before.word, before.run) != (&seen.status, &seen.word, seen.run)
        });
        if due || moved {
            self.reads.last_written = Some(now.wall);
            if !moved && is_written_over(&self.log, now.wall) {
                self.record_anew(Event::Polled(seen), now.wall);
            } else {
                self.record(Event::Polled(seen), now.wall);
            }
        }
    }

    /// Waits for the next poll, unless the attempt's time is over by a read
    /// that was sent after the deadline.
    fn keep_waiting(
        &mut self,
        last: Option<&BatchStatus>,
        sent_at: Timestamp,
        now: Now,
        note: Option<String>,
    ) {
        let deadline = self.state.deadline();
        // A read that may be older than one that showed the end times out nothing, nor
        // does one while a POST without an answer may still land.
        let in_doubt = self.may_still_land(sent_at)
            || self
                .reads
                .finished_at
                .is_some_and(|at| sent_at.since(at) < REPLICA_LAG);
        let late = sent_at >= deadline && !in_doubt && !planted::is(Bug::NeverTimesOut);
        if late || (planted::is(Bug::TimesOutWithoutRead) && now.wall >= deadline) {
            let mut notes: Vec<String> = note.into_iter().collect();
            match last {
                Some(BatchStatus::Unknown(word)) => notes.push(format!(
                    "{word} is a status that this program does not know, so it was waited on."
                )),
                None => notes.push("The answers carried no status, so it was waited on.".into()),
                Some(_) => {}
            }
            let verdict = Verdict::timed_out(
                &self.state.policy,
                last.cloned(),
                self.state.awaited,
                self.state.attempt,
                notes,
            );
            return self.conclude(verdict, now);
        }
        if now.wall >= deadline && !in_doubt && !planted::is(Bug::NeverTimesOut) {
            // This read was under way when the time ran out: one more decides.
            return self.ask_batch(Asked::Poll, now);
        }
        let pause = if planted::is(Bug::NoSpacing) {
            Duration::ZERO
        } else {
            self.state.policy.poll_every
        };
        self.due = Some(now.wall.after(pause));
    }

    /// A read failed: ride it out, unless it is refused for good.
    pub(super) fn read_failed(&mut self, error: ApiError, now: Now) {
        match error.kind {
            ErrorKind::SignedOut => {
                return self.pause(super::PauseReason::SignedOut, now);
            }
            ErrorKind::Forbidden => {
                return self.give_up(error.to_string(), now);
            }
            ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Busy => {
                self.reads.refused.note(now.wall);
                if self.reads.refused.is_for_good(now.wall) {
                    return self.give_up(error.to_string(), now);
                }
            }
            // Refused before an outage and after it is not refused for as long as that.
            _ => self.reads.refused = Streak::default(),
        }
        self.reads.failures += 1;
        self.reads.not_before = error.retry_after.map(|pause| now.wall.after(pause));
        let pause = if self.reads.refused.count > 0 {
            REFUSED_OVER / 2
        } else {
            backoff(
                self.reads.failures,
                self.state.policy.poll_every,
                error.retry_after,
                now.dice,
            )
        };
        let retry_at = now.wall.after(pause);
        if self.reads.failures == 1 {
            self.record(Event::ReadFailed { error, retry_at }, now.wall);
        }
        self.due = Some(retry_at).filter(|_| !planted::is(Bug::ForgetsWhen));
    }

    pub(super) fn reads_work(&mut self, now: Now) {
        self.reads.refused = Streak::default();
        self.reads.not_before = None;
        let failures = std::mem::take(&mut self.reads.failures);
        if failures > 0 {
            self.record(Event::ReadRecovered { failures }, now.wall);
        }
    }
}

/// Pause before the next read after `failures` failed ones, counted from 1: full jitter
/// below a bound of 2 s that doubles and never exceeds the poll interval, so that a failing
/// API is found working again no later than by a poll. At least half a second;
/// at least what the server asked for.
fn backoff(
    failures: u32,
    poll_every: Duration,
    retry_after: Option<Duration>,
    dice: u64,
) -> Duration {
    let cap = poll_every.max(FIRST_BACKOFF);
    let bound = doubled(FIRST_BACKOFF, failures.min(16), cap);
    let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX).max(1);
    let jittered = Duration::from_millis(dice % millis).max(Duration::from_millis(500));
    jittered.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_read_is_tried_again_within_a_bound_that_doubles_up_to_the_poll() {
        // Failures, poll interval and Retry-After in milliseconds, dice, and the pause.
        for (failures, poll, asked, dice, pause) in [
            (1, 30_000, None, 1_999, 1_999),
            (1, 30_000, None, 2_000, 500),
            (2, 30_000, None, 3_999, 3_999),
            (4, 30_000, None, 15_999, 15_999),
            (5, 30_000, None, 29_999, 29_999),
            (5, 30_000, None, 30_000, 500),
            (u32::MAX, 30_000, None, 29_999, 29_999),
            // A poll that is more often than once a second bounds nothing.
            (1, 200, None, 999, 999),
            (9, 200, None, 1_000, 500),
            // The server asked for more, or for less.
            (1, 30_000, Some(90_000), 1_999, 90_000),
            (1, 30_000, Some(100), 1_999, 1_999),
        ] {
            let ms = Duration::from_millis;
            let it = backoff(failures, ms(poll), asked.map(ms), dice);
            assert_eq!(
                it,
                ms(pause),
                "{failures} failures, poll {poll} ms, dice {dice}"
            );
        }
    }
}
