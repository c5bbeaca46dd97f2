//! The rerun that is on its way: fed here, and what it wants performed; what
//! becomes of the supervision when it has ended (`crate::rerun` has its rules).

use std::time::Duration;

use super::{Event, Now, Output, PauseReason, Supervisor, machine::Asked, waiting::Awaiting};
use crate::{
    api::{ErrorKind, retry::doubled},
    domain::Timestamp,
    rerun::{Effect, Ended, Intent, Submission, SubmissionInput},
};

/// First pause after the browser refused to store an intent; doubles …
const STORAGE_PAUSE: Duration = Duration::from_mins(1);
/// … up to this.
const LONGEST_STORAGE_PAUSE: Duration = Duration::from_mins(10);
/// Longest pause after reruns in a row that did not leave, or were not applied …
const LONGEST_REDECIDE_PAUSE: Duration = Duration::from_mins(10);
/// … and how often it doubles at the most.
const MOST_DOUBLINGS: u8 = 8;
/// Reruns in a row that were not applied end it only after this many, and only once that has
/// lasted for the wait timeout: while reruns alone fail, that is an outage too.
const UNAPPLIED_LIMIT: u32 = 5;

impl Supervisor {
    /// Feeds the rerun that is on its way, and performs what it wants.
    pub(super) fn submit(&mut self, input: SubmissionInput, now: Now) {
        if let Some(submission) = &mut self.submission {
            let effects = submission.handle(input, now.wall);
            self.perform(effects, now);
        }
    }

    /// Begins a rerun that rests on a picture which was asked for then.
    pub(super) fn begin_rerun(&mut self, intent: Intent, asked_at: Timestamp, now: Now) {
        let (submission, effects) = Submission::new(intent, self.state.limits);
        self.submission = Some(submission.resting_on(asked_at));
        self.perform(effects, now);
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>, now: Now) {
        for effect in effects {
            match effect {
                Effect::Store => {
                    let Some(intent) = self.submission.as_ref().map(|it| it.intent().clone())
                    else {
                        continue;
                    };
                    let record = self.next_record(Event::Intent(Box::new(intent)), now.wall);
                    let id = self.open(Asked::Store, now);
                    self.outputs.push_back(Output::StoreIntent(id, record));
                }
                Effect::Post => {
                    let Some(intent) = self.submission.as_ref().map(|it| it.intent().clone())
                    else {
                        continue;
                    };
                    let id = self.open(Asked::Post, now);
                    self.outputs
                        .push_back(Output::SendRerun(id, Box::new(intent), now));
                }
                Effect::Look => self.ask_batch(Asked::Look, now),
                Effect::WakeAt(at) => self.due = Some(at),
                Effect::SignIn => self.pause(PauseReason::SignedOut, now),
                Effect::Note(note) => self.record(Event::Rerun(note), now.wall),
                Effect::Ended(ended) => self.rerun_ended(ended, now),
            }
        }
    }

    fn rerun_ended(&mut self, ended: Ended, now: Now) {
        self.submission = None;
        self.awaiting = Awaiting::default();
        self.forget_reading();
        self.reading.torn_tries = 0;
        let kept_back = std::mem::take(&mut self.kept_back);
        match ended {
            Ended::Applied { .. } => self.go_on(now),
            Ended::NotApplied => {
                let over = self.state.policy.wait_timeout;
                let unapplied = self.state.unapplied;
                if unapplied.lasted(UNAPPLIED_LIMIT, over, now.wall) {
                    let sent = unapplied.count;
                    let why = format!("{sent} reruns in a row were sent and none was applied");
                    return self.give_up(why, now);
                }
                match unapplied.count {
                    // Its window was pause enough.
                    0 | 1 => self.go_on(now),
                    more => self.decide_later(more - 2, now),
                }
            }
            Ended::Refused(error) if error.kind == ErrorKind::NotFound => {
                let not_found = self.state.not_found;
                if not_found.is_for_good(now.wall) {
                    return self.give_up(error.to_string(), now);
                }
                self.decide_later(not_found.count.saturating_sub(1), now);
            }
            Ended::Refused(error) => self.give_up(error.to_string(), now),
            Ended::StillBusy(error) => self.give_up(
                format!("the platform stayed busy through every try ({error})"),
                now,
            ),
            Ended::NotStored(why) => {
                self.pause(PauseReason::StorageRefused(why), now);
                let times = self.storage_refusals;
                let pause = doubled(STORAGE_PAUSE, times, LONGEST_STORAGE_PAUSE);
                self.storage_refusals += 1;
                self.due = Some(now.wall.after(pause));
            }
            // Whatever held it back is given a while, and longer each time.
            Ended::NotSent(_) => {
                self.kept_back = (kept_back + 1).min(MOST_DOUBLINGS);
                self.decide_later(u32::from(kept_back), now);
            }
            Ended::CalledOff => {}
        }
    }

    /// Looks and decides again after a poll's time, doubled so often.
    fn decide_later(&mut self, times: u32, now: Now) {
        let every = self.state.policy.poll_every;
        let longest = LONGEST_REDECIDE_PAUSE.max(every);
        let pause = doubled(every, times.min(MOST_DOUBLINGS.into()), longest);
        // A person may have said that nothing was applied while a look was open: its answer
        // belongs to the rerun that has just ended, and is not waited for.
        self.open_call = None;
        self.due = Some(now.wall.after(pause));
    }
}
