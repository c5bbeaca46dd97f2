//! What the journal holds of a rerun by hand, and what a later life of the
//! page makes of it. A supervisor's reruns are records of its own journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Intent, SubmissionNote, Tries, WaitReason};
use crate::domain::{ProjectId, Timestamp};

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
    /// The server's words, if the last one was answered.
    pub said: Option<String>,
}

/// What the lines of a journal say.
#[derive(Debug)]
pub enum Found {
    /// Nothing is open.
    Nothing,
    /// This.
    Left(Box<Left>),
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

    /// Reads the lines of a journal.
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Found {
        let (mut left, mut of, mut unreadable) = (None::<Self>, None, false);
        for line in lines {
            match (serde_json::from_str(line), &mut left) {
                (Ok(Line::Of { project, name }), _) => of = Some((project, name)),
                (Ok(Line::Intent(intent)), _) => {
                    unreadable = false;
                    left = Some(Self {
                        of: of.take(),
                        intent: *intent,
                        tries: Tries::default(),
                        sent: None,
                        said: None,
                    });
                }
                (Ok(Line::Sent { post, at }), Some(left)) => {
                    left.tries.note(&SubmissionNote::Sending { post }, at);
                    left.sent = Some(at);
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
                // It may say that one more was sent: in doubt.
                (Err(_), Some(left)) => left.tries.held = None,
                (Ok(Line::Sent { .. } | Line::Held { .. }) | Err(_), None) => unreadable = true,
            }
        }
        match left {
            Some(left) => Found::Left(Box::new(left)),
            None if unreadable => Found::Unreadable,
            None => Found::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{RerunRequest, TestIds},
        domain::{Batch, BatchId, TestId},
        rerun::Fence,
    };

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn read(lines: &[String]) -> Found {
        Left::read(lines.iter().map(String::as_str))
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
        let batch = BatchId::from_u128(1);
        let ids = TestIds::new(vec![TestId::from_u128(7)]).expect("one test");
        Line::Intent(Box::new(Intent {
            batch,
            fence: Fence::at(&Batch::new(batch)),
            request: RerunRequest::tests(ids),
            attempt: 0,
            epoch: 0,
            at: at(0),
            tests: Vec::new(),
        }))
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
    fn an_intent_that_cannot_be_read_is_not_nothing() {
        for lines in [&["{}"][..], &["soon"], &["{\"IntentAnew\":{}}", "{}"]] {
            let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
            assert!(matches!(read(&lines), Found::Unreadable), "{lines:?}");
        }
        assert!(matches!(read(&json(&[sent(1)])), Found::Unreadable));
    }
}
