//! Sleep, frozen pages and clocks that somebody sets: what of the time that
//! went by was waited, and when to look because something woke the page.

use std::time::Duration;

use super::{
    Event, Input, Now, PauseReason, Phase, Supervisor, WakeReason,
    machine::{Asked, CALL_GUARD, OpenCall},
    state::shifted,
};
use crate::{
    api::{ApiError, ErrorKind},
    planted::{self, Bug},
    rerun::SubmissionInput,
};

/// Two looks that were suggested from outside are at least this far apart.
const WOKEN_SPACING: Duration = Duration::from_secs(5);
/// A jump of the wall clock by less than this is not worth a line.
const JUMP_MS: i64 = 30_000;
/// Timers of a hidden tab may be this late without having slept (`reliability.md` §2.1).
const LATE: Duration = Duration::from_mins(1);

/// By how many milliseconds the wall clock moved beyond what was waited, if that is
/// worth a line: the computer slept, or somebody set the clock. `planned`: how long
/// the page meant to wait, at most.
pub(super) fn jump(before: Now, now: Now, planned: Duration) -> Option<i64> {
    let wall_ms = now.wall.as_millis() - before.wall.as_millis();
    let late = planned.saturating_add(LATE);
    let waited = now.mono.saturating_sub(before.mono).min(late);
    let shift_ms = wall_ms - i64::try_from(waited.as_millis()).unwrap_or(i64::MAX);
    (shift_ms.abs() >= JUMP_MS).then_some(shift_ms)
}

impl Supervisor {
    pub(super) fn woken(&mut self, now: Now) {
        let Some(due) = self.due else { return };
        if now.wall < due {
            return;
        }
        if let Some(open) = self.open_call {
            self.call_lost(open, now);
        } else if self.state.phase == Phase::Rerunning {
            self.due = None;
            self.submit(SubmissionInput::Wake, now);
        } else if matches!(
            self.state.phase,
            Phase::Paused(PauseReason::StorageRefused(_))
        ) {
            // It watches on: what is due is looked at and decided anew.
            self.due = None;
            self.resume(now);
        } else {
            self.due = None;
            self.go_on(now);
        }
    }

    pub(super) fn woken_from_outside(&mut self, why: WakeReason, now: Now) {
        if self.open_call.is_some() || matches!(self.state.phase, Phase::Paused(_)) {
            return;
        }
        let recent = self
            .reads
            .last_poll
            .is_some_and(|at| now.wall.since(at) < WOKEN_SPACING);
        // The first sign of a network after failed reads is worth a look at
        // once: what failed has cost the API nothing.
        let back = why == WakeReason::Online && self.reads.failures > 0;
        // A server that asked to be left alone is, unless a person insists.
        let asked_to_wait = self.reads.not_before.is_some_and(|at| now.wall < at);
        if ((recent && !back) || asked_to_wait) && why != WakeReason::Asked {
            return;
        }
        match self.state.phase {
            Phase::Rerunning => self.submit(SubmissionInput::Wake, now),
            _ => self.go_on(now),
        }
    }

    /// A question was never answered: the page was frozen while it was under way.
    fn call_lost(&mut self, open: OpenCall, now: Now) {
        let lost = |what: &str| {
            ApiError::new(
                what,
                ErrorKind::TimedOut,
                "the question was lost while the page slept",
            )
        };
        let id = open.id;
        match open.asked {
            Asked::Resolve => self.handle(Input::Resolved(id, Err(lost("find the batch"))), now),
            Asked::Poll | Asked::Confirm | Asked::Look => {
                self.handle(Input::BatchRead(id, Err(lost("read the batch"))), now);
            }
            Asked::Tests => self.handle(Input::TestsRead(id, Err(lost("list the tests"))), now),
            Asked::Store => {
                self.handle(
                    Input::Stored(id, Err("the browser never answered".into())),
                    now,
                );
            }
            Asked::Post => self.handle(Input::RerunAnswered(id, Err(lost("rerun"))), now),
        }
    }

    /// Compares the clocks: a wall clock that moved by more than was waited
    /// means sleep, or that somebody set it. Neither counts as waiting.
    pub(super) fn note_time(&mut self, now: Now) {
        let before = std::mem::replace(&mut self.last_now, now);
        if planted::is(Bug::WallClockOnly) {
            return;
        }
        // However long an open question may take: a nap during a listing is a nap.
        let longest = self.open_call.map_or(Duration::MAX, |_| CALL_GUARD);
        let planned = self
            .due
            .map_or(Duration::ZERO, |due| due.since(before.wall))
            .min(longest);
        let Some(shift_ms) = jump(before, now, planned) else {
            return;
        };
        // A pause counts its own time when it ends; what is in doubt is not paused.
        if !matches!(self.state.phase, Phase::Paused(_)) {
            if planted::is(Bug::Unrecorded) {
                self.state.clock_started = shifted(self.state.clock_started, shift_ms);
            } else {
                self.record(Event::ClockJumped { shift_ms }, now.wall);
            }
        }
        if let Some(submission) = &mut self.submission {
            submission.shift(|at| shifted(at, shift_ms));
        }
        self.reads.shift(|at| shifted(at, shift_ms));
        self.reading.shift(|at| shifted(at, shift_ms));
        if let Some(open) = &mut self.open_call {
            // The answer may still come; it is given the time that was left.
            open.sent_at = shifted(open.sent_at, shift_ms);
            self.due = self.due.map(|due| shifted(due, shift_ms));
        } else if self.due.is_some() {
            // Poll first, conclude later: whatever was due by the old clock is due now.
            self.due = Some(now.wall);
        }
        self.ask_anew(now);
    }

    /// After a sleep: what is being read was asked for before it, and may be as old as
    /// the sleep was long. It is asked for anew, the batch first. A clock that was set
    /// back may hide how long that was (seed 914781).
    fn ask_anew(&mut self, now: Now) {
        let asked = self.open_call.map(|open| open.asked);
        match asked {
            Some(Asked::Look) => self.ask_batch(Asked::Look, now),
            Some(Asked::Poll | Asked::Confirm | Asked::Tests) => {
                self.open_call = None;
                self.forget_reading();
                if matches!(self.state.phase, Phase::Reading | Phase::Deciding) {
                    self.record(Event::Reopened, now.wall);
                }
                self.go_on(now);
            }
            Some(Asked::Resolve | Asked::Store | Asked::Post) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn only_what_nobody_waited_for_is_a_jump() {
        let now = |wall_s: i64, mono_s: u64| Now {
            wall: Timestamp::from_millis(wall_s * 1_000),
            mono: Duration::from_secs(mono_s),
            dice: 0,
        };
        // Seconds: how long it meant to wait, what went by on either clock, and the jump.
        for (planned, wall, mono, jumped) in [
            (10, 10, 10, None),
            // A timer of a hidden tab is up to a minute late.
            (10, 70, 70, None),
            (10, 99, 99, None),
            // Somebody set the clock, by half a minute or more.
            (10, 39, 10, None),
            (10, 40, 10, Some(30)),
            (10, -19, 10, None),
            (10, -20, 10, Some(-30)),
            // It slept: where the other clock stops meanwhile, and where it goes on.
            (10, 3_600, 10, Some(3_590)),
            (10, 3_600, 3_600, Some(3_530)),
            (0, 3_600, 3_600, Some(3_540)),
            // What takes as long as it likes is no sleep.
            (u64::MAX, 3_600, 3_600, None),
        ] {
            let it = jump(
                now(1_000, 500),
                now(1_000 + wall, 500 + mono),
                Duration::from_secs(planned),
            );
            let what = format!("{planned} s planned, {wall} s and {mono} s went by");
            assert_eq!(it, jumped.map(|seconds: i64| seconds * 1_000), "{what}");
        }
    }
}
