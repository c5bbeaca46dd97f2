//! How a supervision is getting on, in words: for its panel, the list of all
//! supervisions and the bar at the top.
//!
//! What was decided stands in the log (`supervise::explain`); this says what
//! goes on between two records, with its countdown.

use super::{freshness::upper_first, words};
use crate::{
    domain::{BatchStatus, Timestamp, words::count},
    rerun::{Stage, WaitReason},
    supervise::{PauseReason, Phase, Policy, State},
};

pub use super::{
    census::Census,
    title::{in_title, last_look},
};

/// What a supervision is at, between two records.
#[derive(Debug, Clone, Copy)]
pub struct Doing<'a> {
    /// Its state.
    pub state: &'a State,
    /// The rerun that is on its way.
    pub submission: Option<&'a Stage>,
    /// When it acts next by itself.
    pub next_due: Option<Timestamp>,
    /// Failed reads in a row.
    pub failures: u32,
}

impl Doing<'_> {
    /// One sentence: what happens now and what comes next.
    pub fn sentence(&self, now: Timestamp) -> String {
        let next = self.next_due.map(|at| countdown(at, now));
        match (&self.state.phase, self.submission) {
            (Phase::Rerunning, Some(stage)) => rerunning(stage, now),
            (Phase::Paused(why), _) => paused(why, next),
            (_, _) if self.failures > 0 => format!(
                "{} failed in a row; trying again {}.",
                count(self.failures.into(), "read"),
                next.unwrap_or_else(|| "now".to_owned())
            ),
            (Phase::Resolving, _) => "Looking up the batch by its name.".to_owned(),
            (Phase::Waiting, _) if self.lets_land(now) => {
                let next = next.unwrap_or_else(|| "now".to_owned());
                format!(
                    "The batch is done, but the answer to a rerun was lost: nothing is concluded \
                     while that may still be applied; next look {next}."
                )
            }
            (Phase::Waiting, _) => match next {
                Some(next) if next != "now" => {
                    format!("Waiting until the batch is done; next look {next}.")
                }
                _ => "Waiting until the batch is done; looking now.".to_owned(),
            },
            (Phase::Reading, _) => "The batch is done; reading its tests.".to_owned(),
            (Phase::Deciding, _) => "Reading the batch once more, then deciding.".to_owned(),
            (phase, _) => format!("{}.", phase.words()),
        }
    }

    /// Whether a finished batch waits only for a rerun whose answer was lost.
    fn lets_land(&self, now: Timestamp) -> bool {
        let status = self.state.seen.as_ref().and_then(|it| it.status.as_ref());
        status.is_some_and(BatchStatus::is_terminal)
            && self.state.under_way_until.is_some_and(|until| until > now)
    }
}

/// Which run it is at, how far that is, and how many reruns were made of how
/// many allowed: `Run 2, 10 of 12 tests done · 1 of 2 reruns made`.
pub fn progress(state: &State) -> String {
    let reruns = match state.policy.max_rerun_attempts {
        0 => "no reruns allowed".to_owned(),
        allowed => format!("{} of {allowed} reruns made", state.attempt),
    };
    let Some(seen) = &state.seen else {
        return upper_first(&reruns);
    };
    let done = seen.total.saturating_sub(seen.unfinished);
    let tests = format!(
        "{} of {} tests done",
        words::number(done),
        words::number(seen.total)
    );
    match seen.run {
        Some(run) => format!("Run {run}, {tests} · {reruns}"),
        None => format!("{} · {reruns}", upper_first(&tests)),
    }
}

/// The parameters in a sentence: `Rerun Error up to 1 time unless …`.
pub fn policy(policy: &Policy) -> String {
    format!("{}.", upper_first(&policy.in_words()))
}

fn rerunning(stage: &Stage, now: Timestamp) -> String {
    match stage {
        Stage::Storing => "Writing down what will be rerun.".to_owned(),
        Stage::Posting => "Sent; waiting for ReSim's answer.".to_owned(),
        Stage::Cooling { until, why } => {
            let next = countdown(*until, now);
            match why {
                WaitReason::CleaningUp => {
                    format!("The platform is cleaning up; next try {next}.")
                }
                WaitReason::Throttled => format!("Too many requests; next try {next}."),
            }
        }
        Stage::Settling { .. } => {
            "Sent, but nobody knows yet whether it was applied: looking, sending nothing."
                .to_owned()
        }
        Stage::Checking { .. } => "Looking whether anything moved.".to_owned(),
        Stage::Asking => {
            "Nothing shows whether the rerun was applied. Look it up at ReSim, then say so."
                .to_owned()
        }
        Stage::Parked => "Waiting for sign-in.".to_owned(),
        // Never while a supervision reruns: the one is by hand alone, and what has ended is
        // no longer on its way.
        Stage::SeenEarly { .. } | Stage::Ended(_) => "Rerunning.".to_owned(),
    }
}

fn paused(why: &PauseReason, next: Option<String>) -> String {
    match why {
        PauseReason::StorageRefused(why) => {
            let why = words::clean(why);
            let next = next.map_or(String::new(), |next| {
                format!(" It looks and tries again {next}.")
            });
            format!("No rerun was sent, because it could not be written down first: {why}.{next}")
        }
        PauseReason::SignedOut => "Goes on by itself after you sign in.".to_owned(),
        PauseReason::OtherTab => "Another tab acts on this batch.".to_owned(),
        PauseReason::ByPerson => "Paused. Nothing happens until you resume.".to_owned(),
    }
}

/// `in 8 s`, or `now`.
fn countdown(at: Timestamp, now: Timestamp) -> String {
    match at.since(now).as_secs() {
        0 => "now".to_owned(),
        left => format!("in {left} s"),
    }
}

/// When it was started, in tests.
#[cfg(test)]
const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// One that was just started, with two reruns allowed.
#[cfg(test)]
pub(super) fn started() -> State {
    use crate::{
        domain::BatchId,
        rerun::Limits,
        supervise::{BatchRef, Event, Record},
    };

    let batch: BatchId = "b2cad0c7-6a0e-4b6d-9a44-0a1f3a9d1f11"
        .parse()
        .expect("an ID");
    State::replay(&[Record {
        seq: 0,
        at: NOW,
        event: Event::Started {
            policy: Policy {
                max_rerun_attempts: 2,
                ..Policy::default()
            },
            limits: Limits::default(),
            batch: BatchRef::Id(batch),
        },
    }])
    .expect("a journal that starts")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{domain::RunCounter, supervise::Seen};

    fn doing(state: &State) -> Doing<'_> {
        Doing {
            state,
            submission: None,
            next_due: None,
            failures: 0,
        }
    }

    #[test]
    fn a_finished_batch_that_is_not_concluded_says_why() {
        let mut it = started();
        it.phase = Phase::Waiting;
        it.seen = Some(Seen {
            run: Some(RunCounter(1)),
            total: 12,
            unfinished: 0,
            status: Some(BatchStatus::Succeeded),
            word: None,
            last_run: None,
            last_change: None,
        });
        assert!(
            doing(&it)
                .sentence(NOW)
                .starts_with("Waiting until the batch is done")
        );
        it.under_way_until = Some(NOW.after(Duration::from_secs(9)));
        let words = doing(&it).sentence(NOW);
        assert!(words.contains("the answer to a rerun was lost"), "{words}");
        let later = NOW.after(Duration::from_secs(9));
        assert!(doing(&it).sentence(later).starts_with("Waiting until"));
    }

    #[test]
    fn waiting_counts_down_to_the_next_look() {
        let state = started();
        let mut doing = doing(&state);
        doing.next_due = Some(NOW.after(Duration::from_secs(8)));
        assert_eq!(
            doing.sentence(NOW),
            "Waiting until the batch is done; next look in 8 s."
        );
        assert_eq!(
            doing.sentence(NOW.after(Duration::from_secs(8))),
            "Waiting until the batch is done; looking now."
        );
    }

    #[test]
    fn failed_reads_are_counted() {
        let state = started();
        let mut doing = doing(&state);
        doing.next_due = Some(NOW.after(Duration::from_secs(4)));
        doing.failures = 1;
        assert_eq!(
            doing.sentence(NOW),
            "1 read failed in a row; trying again in 4 s."
        );
        doing.failures = 3;
        assert_eq!(
            doing.sentence(NOW),
            "3 reads failed in a row; trying again in 4 s."
        );
    }

    #[test]
    fn a_rerun_says_its_stage_and_a_pause_its_reason() {
        let mut state = started();
        state.phase = Phase::Rerunning;
        let stage = Stage::Cooling {
            until: NOW.after(Duration::from_secs(28)),
            why: WaitReason::CleaningUp,
        };
        let sentence = Doing {
            submission: Some(&stage),
            ..doing(&state)
        }
        .sentence(NOW);
        assert_eq!(sentence, "The platform is cleaning up; next try in 28 s.");

        state.phase = Phase::Paused(PauseReason::SignedOut);
        // Also while a rerun is parked and reads have failed.
        let sentence = Doing {
            submission: Some(&Stage::Parked),
            failures: 2,
            ..doing(&state)
        }
        .sentence(NOW);
        assert_eq!(sentence, "Goes on by itself after you sign in.");
    }

    #[test]
    fn the_parameters_are_a_sentence() {
        let waits = Policy {
            max_rerun_attempts: 0,
            ..Policy::default()
        };
        assert_eq!(policy(&waits), "Wait and judge, rerun nothing.");
    }

    #[test]
    fn progress_names_run_tests_and_reruns() {
        let mut state = started();
        assert_eq!(progress(&state), "0 of 2 reruns made");
        let seen = Seen {
            run: Some(RunCounter(2)),
            total: 1200,
            unfinished: 2,
            status: None,
            word: None,
            last_run: None,
            last_change: None,
        };
        state.policy.max_rerun_attempts = 0;
        assert_eq!(progress(&state), "No reruns allowed");
        state.policy.max_rerun_attempts = 2;
        state.attempt = 1;
        state.seen = Some(seen.clone());
        assert_eq!(
            progress(&state),
            "Run 2, 1,198 of 1,200 tests done · 1 of 2 reruns made"
        );
        state.seen = Some(Seen { run: None, ..seen });
        assert_eq!(
            progress(&state),
            "1,198 of 1,200 tests done · 1 of 2 reruns made"
        );
    }

    #[test]
    fn each_phase_says_what_it_does() {
        let mut state = started();
        for (phase, sentence) in [
            (Phase::Resolving, "Looking up the batch by its name."),
            (
                Phase::Waiting,
                "Waiting until the batch is done; looking now.",
            ),
            (Phase::Reading, "The batch is done; reading its tests."),
            (
                Phase::Deciding,
                "Reading the batch once more, then deciding.",
            ),
            (Phase::Rerunning, "Rerunning."),
            (Phase::Stopped, "Stopped."),
        ] {
            state.phase = phase;
            assert_eq!(doing(&state).sentence(NOW), sentence);
        }
        state.phase = Phase::Reading;
        let failed = Doing {
            failures: 1,
            ..doing(&state)
        };
        assert_eq!(
            failed.sentence(NOW),
            "1 read failed in a row; trying again now."
        );
    }

    #[test]
    fn each_stage_of_a_rerun_says_whether_anything_was_sent() {
        let mut state = started();
        state.phase = Phase::Rerunning;
        let until = NOW.after(Duration::from_secs(30));
        for (stage, sentence) in [
            (Stage::Storing, "Writing down what will be rerun."),
            (Stage::Posting, "Sent; waiting for ReSim's answer."),
            (
                Stage::Cooling {
                    until,
                    why: WaitReason::Throttled,
                },
                "Too many requests; next try in 30 s.",
            ),
            (
                Stage::Settling { until, agreeing: 0 },
                "Sent, but nobody knows yet whether it was applied: looking, sending nothing.",
            ),
            (
                Stage::Checking {
                    then: crate::rerun::Then::Post,
                },
                "Looking whether anything moved.",
            ),
            (
                Stage::Asking,
                "Nothing shows whether the rerun was applied. Look it up at ReSim, then say so.",
            ),
            (Stage::Parked, "Waiting for sign-in."),
            (Stage::Ended(crate::rerun::Ended::NotApplied), "Rerunning."),
        ] {
            let doing = Doing {
                submission: Some(&stage),
                ..doing(&state)
            };
            assert_eq!(doing.sentence(NOW), sentence);
        }
    }

    #[test]
    fn each_pause_says_what_ends_it() {
        let mut state = started();
        let full = || PauseReason::StorageRefused("the disk is\u{202e} full".into());
        let due = Some(NOW.after(Duration::from_secs(9)));
        for (why, next_due, sentence) in [
            (
                PauseReason::ByPerson,
                None,
                "Paused. Nothing happens until you resume.",
            ),
            (
                PauseReason::OtherTab,
                None,
                "Another tab acts on this batch.",
            ),
            (
                PauseReason::SignedOut,
                due,
                "Goes on by itself after you sign in.",
            ),
        ] {
            state.phase = Phase::Paused(why);
            let doing = Doing {
                next_due,
                ..doing(&state)
            };
            assert_eq!(doing.sentence(NOW), sentence);
        }
        state.phase = Phase::Paused(full());
        let refused = doing(&state).sentence(NOW);
        assert!(refused.starts_with("No rerun was sent"), "{refused}");
        assert!(!refused.contains('\u{202e}'), "{refused:?}");
        assert!(!refused.contains("tries again"), "{refused}");
        let again = Doing {
            next_due: due,
            ..doing(&state)
        };
        let again = again.sentence(NOW);
        assert!(
            again.ends_with(" It looks and tries again in 9 s."),
            "{again}"
        );
    }
}
