//! What the journal holds of a rerun by hand, and what a later life of the
//! page makes of it. A supervisor's reruns are records of its own journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fence, Intent, SubmissionNote, Tries, WaitReason};
use crate::{
    domain::{ProjectId, RunCounter, Timestamp},
    supervise::STORED_FORM,
};

/// A rerun that ReSim held up and that was then left for longer than this is
/// not sent by itself any more: whoever pressed has long gone on.
pub(crate) const STILL_MEANT: Duration = Duration::from_mins(10);

/// A line: an intent, and what became of its POSTs.
#[derive(Debug, Serialize, Deserialize)]
pub enum Line {
    /// Where the batch is, for a page that has not opened it.
    Of {
        /// Its project.
        project: ProjectId,
        /// Its name.
        name: String,
    },
    /// What is to be rerun.
    Intent(Box<Intent>),
    /// A POST went out.
    Sent {
        /// Which one of this intent, counted from 1.
        post: u32,
        /// When.
        at: Timestamp,
    },
    /// It was answered, and not applied: the platform was busy, or the token
    /// was refused.
    Held {
        /// When.
        at: Timestamp,
        /// Why it waits and when the next try is due; `None`: for a sign-in.
        #[serde(default)]
        wait: Option<(WaitReason, Timestamp)>,
        /// The server's words.
        #[serde(default)]
        said: Option<String>,
    },
    /// Nobody knows whether it was applied.
    InDoubt {
        /// When that was clear.
        at: Timestamp,
        /// Why, with the server's words where it gave any.
        said: String,
        /// Until when it may still be applied, where that was noted.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// It was accepted in this batch, and no read shows the run yet.
    Accepted {
        /// When.
        at: Timestamp,
        /// The run to wait for, where runs are counted.
        run: Option<RunCounter>,
    },
    /// It is over, called off or refused: there is nothing left to do. Only read
    /// where the lines could not be removed.
    Over {
        /// When.
        at: Timestamp,
    },
}

/// What an earlier life left open.
#[derive(Debug)]
pub struct Left {
    /// Project and name of the batch, where they were noted.
    pub of: Option<(ProjectId, String)>,
    /// What was to be rerun.
    pub intent: Intent,
    /// Its POSTs so far.
    pub tries: Tries,
    /// When the last one went out, where that was noted.
    pub sent: Option<Timestamp>,
    /// Until when it may still be applied, where its outcome is unknown.
    pub lands_until: Option<Timestamp>,
    /// The server's words, if the last one was answered.
    pub said: Option<String>,
    /// A line about it cannot be read: one more POST may have gone out, nobody knows when.
    pub is_torn: bool,
}

/// A rerun that an earlier life saw accepted, and no life has seen running. Nothing
/// of it is to be sent; a page holds its buttons until it shows, or is put away.
#[derive(Debug)]
pub struct Accepted {
    /// What was to be rerun.
    pub intent: Intent,
    /// When it was last sent, where that was noted.
    pub sent: Option<Timestamp>,
    /// Its POSTs.
    pub posts: u32,
    /// When it was accepted.
    pub at: Timestamp,
    /// The run to wait for, where runs are counted.
    pub run: Option<RunCounter>,
}

impl Accepted {
    /// Whether a picture of the batch, as its fence, shows the accepted run already.
    pub fn is_shown_at(&self, picture: &Fence) -> bool {
        self.intent.fence.shows_run(self.run, picture)
    }
}

/// What the lines of a journal say.
#[derive(Debug)]
pub enum Found {
    /// Nothing is open.
    Nothing,
    /// This.
    Left(Box<Left>),
    /// Nothing is open, and this has not been seen running.
    Accepted(Box<Accepted>),
    /// Something that this build cannot read: it may be an intent, and its POST
    /// under way.
    Unreadable,
}

/// Whether the last POST of an earlier life may have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody knows.
    Open,
    /// It was not, and it is to be sent again.
    Unapplied,
    /// It was not, and that is too long ago to be sent by itself.
    Lapsed,
}

impl Left {
    /// What became of the last POST.
    pub fn doubt(&self, now: Timestamp) -> Doubt {
        match &self.tries.held {
            None => Doubt::Open,
            Some(held) if now.since(held.since()) > STILL_MEANT => Doubt::Lapsed,
            Some(_) => Doubt::Unapplied,
        }
    }

    /// Reads the lines of a journal. `form`: the one that its last writer writes in; what a
    /// newer build has written may mean something else than it seems to.
    pub fn read<'a>(form: u32, mut lines: impl Iterator<Item = &'a str>) -> Found {
        if form > STORED_FORM {
            let holds_any = lines.next().is_some();
            return if holds_any {
                Found::Unreadable
            } else {
                Found::Nothing
            };
        }
        let (mut left, mut of, mut unreadable) = (None::<Self>, None, false);
        let mut accepted = None;
        for line in lines {
            match (serde_json::from_str(line), &mut left) {
                (Ok(Line::Of { project, name }), _) => of = Some((project, name)),
                (Ok(Line::Intent(intent)), _) => {
                    unreadable = false;
                    accepted = None;
                    left = Some(Self {
                        of: of.take(),
                        intent: *intent,
                        tries: Tries::default(),
                        sent: None,
                        lands_until: None,
                        said: None,
                        is_torn: false,
                    });
                }
                (Ok(Line::Sent { post, at }), Some(left)) => {
                    left.tries.note(&SubmissionNote::Sending { post }, at);
                    left.sent = Some(at);
                    left.lands_until = None;
                    left.said = None;
                }
                (Ok(Line::Held { at, wait, said }), Some(left)) => {
                    let note = wait.map_or(SubmissionNote::SignedOut, |(why, next)| {
                        SubmissionNote::Waiting {
                            post: left.tries.posts,
                            why,
                            next,
                            message: None,
                        }
                    });
                    left.tries.note(&note, at);
                    left.said = said;
                }
                (Ok(Line::InDoubt { said, until, .. }), Some(left)) => {
                    left.tries.held = None;
                    left.lands_until = until;
                    left.said = Some(said);
                }
                (Ok(Line::Accepted { at, run }), it @ Some(_)) => {
                    accepted = it.take().map(|it| it.accepted(at, run));
                }
                (Ok(Line::Over { .. }), it) => {
                    (*it, accepted, unreadable) = (None, None, false);
                }
                // It may say that one more was sent: in doubt.
                (Err(_), Some(left)) => {
                    left.tries.held = None;
                    left.is_torn = true;
                }
                // About a rerun whose intent nobody can read.
                (Ok(_) | Err(_), None) => (accepted, unreadable) = (None, true),
            }
        }
        match (left, accepted) {
            (Some(left), _) => Found::Left(Box::new(left)),
            (None, Some(accepted)) => Found::Accepted(Box::new(accepted)),
            (None, None) if unreadable => Found::Unreadable,
            (None, None) => Found::Nothing,
        }
    }

    fn accepted(self, at: Timestamp, run: Option<RunCounter>) -> Accepted {
        Accepted {
            intent: self.intent,
            sent: self.sent,
            posts: self.tries.posts,
            at,
            run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Batch, BatchId};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn read(lines: &[String]) -> Found {
        Left::read(STORED_FORM, lines.iter().map(String::as_str))
    }

    fn json(lines: &[Line]) -> Vec<String> {
        let one = |line| serde_json::to_string(line).expect("plain data");
        lines.iter().map(one).collect()
    }

    fn left(lines: &[String]) -> Left {
        match read(lines) {
            Found::Left(left) => *left,
            other => panic!("an intent is open, not {other:?}"),
        }
    }

    fn facts(lines: &[Line], now: i64) -> (u32, Option<Timestamp>, Doubt) {
        let left = left(&json(lines));
        (left.tries.posts, left.sent, left.doubt(at(now)))
    }

    fn intent() -> Line {
        Line::Intent(Box::new(Intent::sample()))
    }

    fn sent(post: u32) -> Line {
        Line::Sent { post, at: at(1) }
    }

    fn held() -> Line {
        Line::Held {
            at: at(0),
            wait: Some((WaitReason::CleaningUp, at(1))),
            said: Some("not now".into()),
        }
    }

    #[test]
    fn without_an_answer_nobody_knows_whether_it_was_applied() {
        assert_eq!(facts(&[intent()], 1), (0, None, Doubt::Open));
        let lines = [intent(), held(), sent(2)];
        assert_eq!(facts(&lines, 1), (2, Some(at(1)), Doubt::Open));
    }

    #[test]
    fn an_answer_that_said_no_leaves_no_doubt_and_lapses_after_a_while() {
        let lines = [intent(), sent(1), held()];
        assert_eq!(facts(&lines, 10), (1, Some(at(1)), Doubt::Unapplied));
        assert_eq!(facts(&lines, 11), (1, Some(at(1)), Doubt::Lapsed));
        assert_eq!(left(&json(&lines)).said.as_deref(), Some("not now"));
        let signed_out = Line::Held {
            at: at(0),
            wait: None,
            said: None,
        };
        let lines = [intent(), sent(1), signed_out];
        assert_eq!(facts(&lines, 10).2, Doubt::Unapplied);
        assert_eq!(facts(&lines, 11).2, Doubt::Lapsed);
    }

    fn accepted() -> Line {
        Line::Accepted {
            at: at(2),
            run: Some(RunCounter(4)),
        }
    }

    #[test]
    fn what_was_accepted_is_kept_and_is_nothing_to_send() {
        let lines = json(&[intent(), held(), sent(2), accepted()]);
        let Found::Accepted(it) = read(&lines) else {
            panic!("it was accepted: {:?}", read(&lines));
        };
        assert_eq!((it.sent, it.posts), (Some(at(1)), 2));
        assert_eq!((it.at, it.run), (at(2), Some(RunCounter(4))));
        // The next one is a rerun of its own.
        let again = json(&[intent(), sent(1), accepted(), intent()]);
        assert_eq!(left(&again).tries.posts, 0);
        // Whatever follows and cannot be read may be one.
        let odd = [&lines[..], &["{\"IntentAnew\":{}}".to_owned()]].concat();
        assert!(matches!(read(&odd), Found::Unreadable));
    }

    #[test]
    fn what_was_accepted_comes_first_until_the_picture_shows_it() {
        let Found::Accepted(mut it) = read(&json(&[intent(), sent(1), accepted()])) else {
            panic!("it was accepted");
        };
        let picture = |run: Option<i64>, last_run: Option<i64>| {
            let mut batch = Batch::new(BatchId::from_u128(1));
            batch.run_counter = run.map(RunCounter);
            batch.last_run = last_run.map(at);
            Fence::at(&batch)
        };
        assert!(!it.is_shown_at(&picture(Some(3), Some(9))), "an older run");
        assert!(it.is_shown_at(&picture(Some(4), None)));
        assert!(it.is_shown_at(&picture(Some(5), None)));
        // Runs are not counted here.
        it.run = None;
        assert!(!it.is_shown_at(&picture(None, None)));
        assert!(
            !it.is_shown_at(&picture(None, Some(2))),
            "the start was only missing before: it may be the run that was over then"
        );
        it.intent.fence = picture(None, Some(2));
        assert!(!it.is_shown_at(&picture(None, Some(2))));
        assert!(it.is_shown_at(&picture(None, Some(3))));
    }

    fn over() -> Line {
        Line::Over { at: at(2) }
    }

    #[test]
    fn what_is_over_is_not_taken_up_whatever_stays_of_its_lines() {
        for lines in [
            &[intent(), sent(1), held(), over()][..],
            &[intent(), sent(1), accepted(), over()],
            &[sent(1), over()],
        ] {
            let lines = json(lines);
            assert!(matches!(read(&lines), Found::Nothing), "{lines:?}");
        }
        assert_eq!(facts(&[intent(), over(), intent()], 1).2, Doubt::Open);
    }

    #[test]
    fn why_nobody_knows_is_kept() {
        let doubt = Line::InDoubt {
            at: at(1),
            said: "bad gateway".into(),
            until: Some(at(3)),
        };
        let left = left(&json(&[intent(), held(), sent(2), doubt]));
        assert_eq!(left.said.as_deref(), Some("bad gateway"));
        assert_eq!(left.lands_until, Some(at(3)));
        assert_eq!(left.doubt(at(1)), Doubt::Open);
    }

    #[test]
    fn where_the_batch_is_comes_before_what_is_to_be_rerun() {
        let project = ProjectId::from_u128(3);
        let of = Line::Of {
            project,
            name: "nightly".into(),
        };
        let lines = json(&[of, intent()]);
        assert_eq!(left(&lines).of, Some((project, "nightly".to_owned())));
        assert!(matches!(read(&lines[..1]), Found::Nothing));
        assert!(matches!(read(&[]), Found::Nothing));
    }

    #[test]
    fn a_line_that_cannot_be_read_may_be_one_more_post() {
        let mut lines = json(&[intent(), sent(1), held()]);
        assert_eq!(left(&lines).doubt(at(1)), Doubt::Unapplied);
        lines.push("{\"SentAnew\":{}}".into());
        assert_eq!(left(&lines).doubt(at(1)), Doubt::Open);
    }

    #[test]
    fn what_a_newer_build_wrote_is_not_read_even_where_it_could_be() {
        let newer =
            |lines: &[String]| Left::read(STORED_FORM + 1, lines.iter().map(String::as_str));
        for lines in [
            &[intent(), sent(1), held()][..],
            &[intent(), over()],
            &[sent(1)],
        ] {
            let found = newer(&json(lines));
            assert!(matches!(found, Found::Unreadable), "{found:?}");
        }
        assert!(matches!(newer(&[]), Found::Nothing));
    }

    #[test]
    fn an_intent_that_cannot_be_read_is_not_nothing() {
        for lines in [&["{}"][..], &["soon"], &["{\"IntentAnew\":{}}", "{}"]] {
            let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
            assert!(matches!(read(&lines), Found::Unreadable), "{lines:?}");
        }
        assert!(matches!(read(&json(&[sent(1)])), Found::Unreadable));
    }
}
