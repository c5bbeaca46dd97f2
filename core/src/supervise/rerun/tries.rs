//! The POSTs of an intent so far, as they were written down. From it a reload
//! knows whether the last one may have been applied, or was answered and is to
//! be sent again when its time comes.

use serde::{Deserialize, Serialize};

use super::{SubmissionNote, WaitReason};
use crate::{
    domain::Timestamp,
    planted::{self, Bug},
};

/// The POSTs of an intent so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tries {
    /// POSTs noted as sent.
    pub posts: u32,
    /// How many of them were answered with 409, for the bound on them.
    pub busy: u32,
    /// How many were answered with 429.
    pub throttled: u32,
    /// Set while the last one was answered and not applied.
    pub held: Option<Held>,
}

/// What an intent waits for whose last POST was answered and not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// 409 or 429: the next try, after a look.
    Until {
        /// When it was answered.
        since: Timestamp,
        /// When the next try is due.
        next: Timestamp,
        /// Why.
        why: WaitReason,
    },
    /// 401: a sign-in, then a look.
    SignedOut {
        /// When it was answered.
        since: Timestamp,
    },
}

impl Held {
    /// When it was answered.
    pub fn since(&self) -> Timestamp {
        match self {
            Self::Until { since, .. } | Self::SignedOut { since } => *since,
        }
    }
}

impl Tries {
    /// Takes in the next note of the intent, and when it was written. A POST is
    /// noted before it leaves, so one that nobody answered is never taken for held.
    pub fn note(&mut self, note: &SubmissionNote, at: Timestamp) {
        match note {
            SubmissionNote::Sending { post } => {
                self.posts = *post;
                if !planted::is(Bug::HeldOutlivesPost) {
                    self.held = None;
                }
            }
            SubmissionNote::Waiting { why, next, .. } => {
                let count = match why {
                    WaitReason::CleaningUp => &mut self.busy,
                    WaitReason::Throttled => &mut self.throttled,
                };
                *count = count.saturating_add(1);
                self.held = Some(Held::Until {
                    since: at,
                    next: *next,
                    why: why.clone(),
                });
            }
            SubmissionNote::SignedOut => self.held = Some(Held::SignedOut { since: at }),
            SubmissionNote::Unknown { .. }
            | SubmissionNote::AsksPerson
            | SubmissionNote::Ended(_) => self.held = None,
        }
    }

    /// Moves what is waited for, after the clock was found to have jumped.
    pub(crate) fn shift(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        match &mut self.held {
            Some(Held::Until { since, next, .. }) => {
                *since = shift(*since);
                *next = shift(*next);
            }
            Some(Held::SignedOut { since }) => *since = shift(*since),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ApiError, ErrorKind};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn after(notes: &[SubmissionNote]) -> Tries {
        let mut tries = Tries::default();
        for note in notes {
            tries.note(note, at(1));
        }
        tries
    }

    fn waiting(why: WaitReason) -> SubmissionNote {
        SubmissionNote::Waiting {
            post: 1,
            why,
            next: at(31),
            message: None,
        }
    }

    #[test]
    fn an_answer_that_said_no_is_held_until_the_next_post_leaves() {
        let sent = SubmissionNote::Sending { post: 1 };
        let busy = waiting(WaitReason::CleaningUp);
        assert_eq!(after(std::slice::from_ref(&sent)).held, None);
        let held = after(&[sent.clone(), busy.clone()]).held;
        let until = Held::Until {
            since: at(1),
            next: at(31),
            why: WaitReason::CleaningUp,
        };
        assert_eq!(held, Some(until));
        let again = SubmissionNote::Sending { post: 2 };
        let tries = after(&[sent.clone(), busy.clone(), again.clone()]);
        assert_eq!((tries.posts, tries.busy, tries.held), (2, 1, None));
        let unknown = SubmissionNote::Unknown {
            error: ApiError::new("rerun", ErrorKind::TimedOut, "no answer"),
            settle_until: at(96),
        };
        assert_eq!(after(&[sent, busy, again, unknown]).held, None);
    }

    #[test]
    fn answers_are_counted_by_kind_across_posts() {
        let notes = [
            SubmissionNote::Sending { post: 1 },
            waiting(WaitReason::CleaningUp),
            SubmissionNote::Sending { post: 2 },
            waiting(WaitReason::Throttled),
            SubmissionNote::Sending { post: 3 },
            SubmissionNote::SignedOut,
        ];
        let tries = after(&notes);
        assert_eq!((tries.busy, tries.throttled), (1, 1));
        assert_eq!(tries.held, Some(Held::SignedOut { since: at(1) }));
    }

    #[test]
    fn a_jump_of_the_clock_moves_what_is_waited_for() {
        let mut tries = after(&[waiting(WaitReason::Throttled)]);
        tries.shift(|it| it.after(std::time::Duration::from_secs(100)));
        let until = Held::Until {
            since: at(101),
            next: at(131),
            why: WaitReason::Throttled,
        };
        assert_eq!(tries.held, Some(until));
    }
}
