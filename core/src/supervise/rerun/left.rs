//! What the journal holds of a rerun by hand, and what a later life of the
//! page makes of it. A supervisor's reruns are records of its own journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Intent, SubmissionNote, Tries, WaitReason};
use crate::domain::{ProjectId, Timestamp};

/// A rerun that ReSim held up and that was then left for longer than this is
/// not sent by itself any more: whoever pressed has long gone on.
const STILL_MEANT: Duration = Duration::from_mins(10);

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
    /// What became of it.
    pub doubt: Doubt,
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
    /// Reads the lines of a journal; `None`: nothing is open.
    pub fn read<'a>(lines: impl Iterator<Item = &'a str>, now: Timestamp) -> Option<Self> {
        let mut left: Option<Self> = None;
        let mut of = None;
        for line in lines {
            // A line of another build says nothing: the outcome stays in doubt.
            match (serde_json::from_str(line), &mut left) {
                (Ok(Line::Of { project, name }), _) => of = Some((project, name)),
                (Ok(Line::Intent(intent)), _) => {
                    left = Some(Self {
                        of: of.take(),
                        intent: *intent,
                        tries: Tries::default(),
                        sent: None,
                        doubt: Doubt::Open,
                    });
                }
                (Ok(Line::Sent { post, at }), Some(left)) => {
                    left.tries.note(&SubmissionNote::Sending { post }, at);
                    left.sent = Some(at);
                    left.doubt = Doubt::Open;
                }
                (Ok(Line::Held { at, wait }), Some(left)) => {
                    let note = wait.map_or(SubmissionNote::SignedOut, |(why, next)| {
                        SubmissionNote::Waiting {
                            post: left.tries.posts,
                            why,
                            next,
                            message: None,
                        }
                    });
                    left.tries.note(&note, at);
                    left.doubt = if now.since(at) > STILL_MEANT {
                        Doubt::Lapsed
                    } else {
                        Doubt::Unapplied
                    };
                }
                _ => {}
            }
        }
        left
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

    fn left(lines: &[Line], now: i64) -> Option<(u32, Option<Timestamp>, Doubt)> {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| serde_json::to_string(line).expect("plain data"))
            .collect();
        let left = Left::read(lines.iter().map(String::as_str), at(now))?;
        Some((left.tries.posts, left.sent, left.doubt))
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

    fn held() -> Line {
        Line::Held {
            at: at(0),
            wait: Some((WaitReason::CleaningUp, at(1))),
        }
    }

    #[test]
    fn without_an_answer_nobody_knows_whether_it_was_applied() {
        assert_eq!(left(&[intent()], 1), Some((0, None, Doubt::Open)));
        let sent = Line::Sent { post: 2, at: at(1) };
        assert_eq!(
            left(&[intent(), held(), sent], 1),
            Some((2, Some(at(1)), Doubt::Open))
        );
    }

    #[test]
    fn an_answer_that_said_no_leaves_no_doubt_and_lapses_after_a_while() {
        let lines = || [intent(), Line::Sent { post: 1, at: at(0) }, held()];
        assert_eq!(left(&lines(), 10), Some((1, Some(at(0)), Doubt::Unapplied)));
        assert_eq!(left(&lines(), 11), Some((1, Some(at(0)), Doubt::Lapsed)));
    }

    #[test]
    fn where_the_batch_is_comes_before_what_is_to_be_rerun() {
        let project = ProjectId::from_u128(3);
        let of = Line::Of {
            project,
            name: "nightly".into(),
        };
        let lines = [of, intent()].map(|line| serde_json::to_string(&line).expect("plain data"));
        let read = |lines: &[String]| Left::read(lines.iter().map(String::as_str), at(1));
        let left = read(&lines).expect("an intent is open");
        assert_eq!(left.of, Some((project, "nightly".to_owned())));
        assert!(read(&lines[..1]).is_none(), "nothing is open yet");
    }

    #[test]
    fn lines_of_another_build_are_passed_over() {
        assert!(Left::read(["{}", "soon"].into_iter(), at(0)).is_none());
    }
}
