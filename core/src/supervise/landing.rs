//! Until when a POST may still land, as one journal of this browser says.
//!
//! Why: a rerun by hand and a supervision, of whichever account, each wait for their own
//! POST. Together they must not rerun a batch twice, so every journal of the browser is
//! asked before a batch is supervised, and again before any POST leaves.
//!
//! A journal that cannot be read to its end may hold one more POST. Each is written down
//! before it leaves, so none has left since the journal was last seen to grow.

use std::time::Duration;

use super::{
    SEND_WITHIN, State,
    rerun::{Found, MOST_SETTLE},
};
use crate::domain::Timestamp;

/// A POST that may still land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// Until then.
    Until(Timestamp),
    /// Nobody can say: for as long as one may take ([`Landing::takes`]) since the journal
    /// was last seen to grow.
    Unclear,
}

impl Landing {
    /// Of a supervision. `is_whole`: its journal could be read to the end.
    pub fn of_supervision(state: Option<&State>, is_whole: bool, now: Timestamp) -> Option<Self> {
        match state {
            // Nothing follows its end, whatever cannot be read there.
            Some(state) if is_whole || state.phase.is_over() => {
                Self::by(state.may_land_until()?, now)
            }
            _ => Some(Self::Unclear),
        }
    }

    /// Of reruns by hand.
    pub fn of_reruns(found: &Found, settle: Duration, now: Timestamp) -> Option<Self> {
        match found {
            Found::Unreadable => Some(Self::Unclear),
            Found::Left(left) if left.is_torn => Some(Self::Unclear),
            // It was answered, and not applied.
            Found::Left(left) if left.tries.held.is_some() => None,
            Found::Left(left) => {
                let sent = left.sent.map(|at| at.after(settle));
                Self::by(left.lands_until.or(sent)?, now)
            }
            Found::Accepted(_) | Found::Nothing => None,
        }
    }

    /// How long a POST may take to land since it was written down.
    pub fn takes(settle: Duration) -> Duration {
        SEND_WITHIN.saturating_add(settle)
    }

    fn by(until: Timestamp, now: Timestamp) -> Option<Self> {
        // Whoever wrote it may have been configured to wait longer than whoever asks.
        if until > now.after(Self::takes(MOST_SETTLE)) {
            // Written down before the clock was set back, nobody knows how long ago.
            return Some(Self::Unclear);
        }
        (until > now).then_some(Self::Until(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{BatchId, RunCounter},
        rerun::{Intent, Left, Limits, Line, WaitReason},
        supervise::{BatchRef, Event, Policy, Record, STORED_FORM},
    };

    const SETTLE: Duration = Duration::from_secs(95);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn by_hand(lines: &[Line], more: &[&str], now: i64) -> Option<Landing> {
        let json = lines
            .iter()
            .map(|line| serde_json::to_string(line).expect("plain data"));
        let lines: Vec<String> = json.chain(more.iter().map(|&it| it.to_owned())).collect();
        let found = Left::read(STORED_FORM, lines.iter().map(String::as_str));
        Landing::of_reruns(&found, SETTLE, at(now))
    }

    #[test]
    fn a_post_by_hand_may_land_until_its_window_is_over() {
        let until = Some(Landing::Until(at(96)));
        let intent = || Line::Intent(Box::new(Intent::sample()));
        let sent = Line::Sent { post: 1, at: at(1) };
        let lines = [intent(), sent];
        assert_eq!(by_hand(&lines[..1], &[], 1), None, "nothing has left");
        assert_eq!(by_hand(&lines, &[], 95), until);
        assert_eq!(by_hand(&lines, &[], 96), None);
        // The page had slept, and the request may have left at its end.
        let doubt = Line::InDoubt {
            at: at(140),
            said: "timeout".into(),
            until: Some(at(200)),
        };
        let [intent, sent] = lines;
        let until = Some(Landing::Until(at(200)));
        assert_eq!(by_hand(&[intent, sent, doubt], &[], 140), until);
    }

    #[test]
    fn what_was_answered_or_is_over_has_landed_or_never_will() {
        let wait = Some((WaitReason::CleaningUp, at(32)));
        let no = Line::Held {
            at: at(2),
            wait,
            said: None,
        };
        let yes = Line::Accepted {
            at: at(2),
            run: Some(RunCounter(2)),
        };
        for last in [no, yes, Line::Over { at: at(2) }] {
            let sent = Line::Sent { post: 1, at: at(1) };
            let lines = [Line::Intent(Box::new(Intent::sample())), sent, last];
            assert_eq!(by_hand(&lines, &[], 3), None, "{:?}", lines[2]);
        }
        assert_eq!(by_hand(&[], &[], 3), None);
    }

    #[test]
    fn a_line_that_cannot_be_read_may_be_a_post() {
        let unclear = Some(Landing::Unclear);
        assert_eq!(by_hand(&[], &["{"], 500), unclear);
        let lines = [Line::Intent(Box::new(Intent::sample()))];
        assert_eq!(by_hand(&lines, &["{\"SentAnew\":{}}"], 500), unclear);
    }

    #[test]
    fn a_time_ahead_of_the_clock_says_nothing() {
        let sent = Line::Sent {
            post: 1,
            at: at(3_600),
        };
        let lines = [Line::Intent(Box::new(Intent::sample())), sent];
        assert_eq!(by_hand(&lines, &[], 10), Some(Landing::Unclear));
    }

    fn supervision(events: &[(i64, Event)]) -> State {
        let started = Event::Started {
            policy: Policy::default(),
            limits: Limits::default(),
            batch: BatchRef::Id(BatchId::from_u128(1)),
        };
        let all = [(0, started)].into_iter().chain(events.iter().cloned());
        let records: Vec<Record> = (0..)
            .zip(all)
            .map(|(seq, (seconds, event))| Record {
                seq,
                at: at(seconds),
                event,
            })
            .collect();
        State::replay(&records).expect("it begins with a start")
    }

    fn sending() -> [(i64, Event); 2] {
        let sending = crate::rerun::SubmissionNote::Sending { post: 1 };
        [
            (1, Event::Intent(Box::new(Intent::sample()))),
            (1, Event::Rerun(sending)),
        ]
    }

    #[test]
    fn a_post_of_a_supervision_may_land_whether_that_goes_on_or_not() {
        let [intent, sent] = sending();
        let quiet = supervision(std::slice::from_ref(&intent));
        assert_eq!(Landing::of_supervision(Some(&quiet), true, at(2)), None);
        let stopped = (1, Event::Stopped);
        for events in [
            &[intent.clone(), sent.clone()][..],
            &[intent, sent, stopped],
        ] {
            let state = supervision(events);
            let until = Some(Landing::Until(at(101)));
            assert_eq!(Landing::of_supervision(Some(&state), true, at(100)), until);
            assert_eq!(Landing::of_supervision(Some(&state), true, at(101)), None);
        }
    }

    #[test]
    fn a_supervision_that_cannot_be_read_whole_is_unclear_unless_it_was_over() {
        let unclear = Some(Landing::Unclear);
        assert_eq!(Landing::of_supervision(None, false, at(900)), unclear);
        let open = supervision(&[]);
        assert_eq!(Landing::of_supervision(Some(&open), true, at(900)), None);
        let torn = Landing::of_supervision(Some(&open), false, at(900));
        assert_eq!(torn, unclear);
        let over = supervision(&[(1, Event::Stopped)]);
        assert_eq!(Landing::of_supervision(Some(&over), false, at(900)), None);
    }
}
