//! How a person's own rerun is getting on, in words: pressed → sent → accepted
//! → seen running.
//!
//! "Accepted" is not "running": a batch that stays as it was after an accepted
//! rerun is unaccounted for, so another rerun waits until it is seen or put
//! away by the person. A rerun that ReSim put into another batch is accounted
//! for at once: that batch is to be opened.
//!
//! "A run began" is not "ours began": while the POST may still be applied, nothing
//! more is sent, whatever is seen.

use std::time::Duration;

use super::{freshness::upper_first, words};
use crate::{
    api::{ApiError, RerunRequest, RerunScope},
    domain::{Batch, BatchId, RunCounter, Timestamp},
    rerun::{Accepted, Ended, Evidence, Fence, Stage, WaitReason},
};

/// A rerun that is accepted and not seen running for this long is remarked upon.
const SOON: Duration = Duration::from_secs(4);
/// A page looks more often for this long after a rerun was accepted.
const WATCHED: Duration = Duration::from_mins(5);

/// What a screen shows of a rerun.
#[derive(Debug, Clone, PartialEq)]
pub struct RerunView {
    /// The batch that was asked to run again.
    pub batch: BatchId,
    /// What was asked for.
    pub request: RerunRequest,
    /// The batch before it.
    pub fence: Fence,
    /// When it was pressed.
    pub pressed: Timestamp,
    /// When it was last sent, if it was.
    pub sent: Option<Timestamp>,
    /// POSTs so far.
    pub posts: u32,
    /// Where it stands.
    pub stage: Stage,
    /// The last POST was answered with a no; a run that shows afterwards may be
    /// somebody else's.
    pub said_no: bool,
    /// The platform's words while it makes us wait.
    pub said: Option<String>,
    /// When it was accepted, once it was.
    pub accepted_at: Option<Timestamp>,
    /// The run was seen running, or already finished.
    pub seen_running: bool,
    /// The run was seen finished.
    pub seen_finished: bool,
    /// What was pressed meanwhile, and gave way to this one.
    pub gave_way: Option<RerunScope>,
}

/// One step: its words, and how styles show it.
pub type Step = (String, Option<&'static str>);

impl RerunView {
    /// A rerun that was just pressed.
    pub fn pressed(
        batch: BatchId,
        request: RerunRequest,
        fence: Fence,
        now: Timestamp,
        stage: Stage,
    ) -> Self {
        Self {
            batch,
            request,
            fence,
            pressed: now,
            sent: None,
            posts: 0,
            stage,
            said_no: false,
            said: None,
            accepted_at: None,
            seen_running: false,
            seen_finished: false,
            gave_way: None,
        }
    }

    /// One that an earlier life of the page saw accepted, and nothing shows yet.
    pub fn of_accepted(accepted: Accepted) -> Self {
        let Accepted { intent, .. } = accepted;
        let stage = Stage::Ended(Ended::Applied {
            batch: intent.batch,
            run: accepted.run,
            evidence: Evidence::Answer,
        });
        Self {
            sent: accepted.sent,
            posts: accepted.posts,
            accepted_at: Some(accepted.at),
            ..Self::pressed(intent.batch, intent.request, intent.fence, intent.at, stage)
        }
    }

    /// When and as which run it was accepted, while it is held until a read shows it.
    /// What was only found by a read has been shown by that.
    pub fn to_be_kept(&self) -> Option<(Timestamp, Option<RunCounter>)> {
        let by_answer = matches!(
            &self.stage,
            Stage::Ended(Ended::Applied {
                evidence: Evidence::Answer | Evidence::Person,
                ..
            })
        );
        (by_answer && self.is_unaccounted()).then_some((self.accepted_at?, self.run()))
    }

    /// That something was pressed meanwhile and gave way, while this one holds.
    pub fn gave_way(&self) -> Option<String> {
        let pressed = self.gave_way.as_ref().filter(|_| self.holds().is_some())?;
        let why = if self.is_open() {
            "is still open and is looked into first"
        } else {
            "was accepted and has not been seen running yet"
        };
        Some(format!(
            "Not sent: {}. An earlier rerun of this batch {why}.",
            verb(pressed)
        ))
    }

    /// Whether it was accepted in this batch.
    fn is_accepted(&self) -> bool {
        matches!(&self.stage, Stage::Ended(Ended::Applied { batch, .. }) if *batch == self.batch)
    }

    /// Whether a run was seen after a no: nobody knows whose it is. (The browser
    /// may have repeated a POST that was applied; `reliability.md` §2.6.)
    pub fn is_of_somebody(&self) -> bool {
        let by_reading = match &self.stage {
            Stage::Ended(Ended::Applied { evidence, .. }) => {
                !matches!(evidence, Evidence::Answer | Evidence::Person)
            }
            _ => false,
        };
        self.said_no && by_reading
    }

    /// Whether it waits and nothing of it is under way, so that calling it off makes sense.
    pub fn can_be_called_off(&self) -> bool {
        self.stage != Stage::Storing && self.stage.can_be_called_off()
    }

    /// The run that was accepted, or seen, where runs are counted.
    fn run(&self) -> Option<RunCounter> {
        match &self.stage {
            Stage::Ended(Ended::Applied { run, .. })
            | Stage::SeenEarly {
                ended: Ended::Applied { run, .. },
                ..
            } => *run,
            _ => None,
        }
    }

    /// The other batch that ReSim put the rerun into, if it did.
    pub fn elsewhere(&self) -> Option<BatchId> {
        match &self.stage {
            Stage::Ended(Ended::Applied { batch, .. }) if *batch != self.batch => Some(*batch),
            _ => None,
        }
    }

    /// Whether it is still on its way to an answer.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Ended(_))
    }

    /// Whether it was accepted here and nothing shows it yet.
    pub fn is_unaccounted(&self) -> bool {
        self.is_accepted() && !self.seen_running && !self.is_of_somebody()
    }

    /// Until when the batch is to be read as often as while it runs.
    pub fn watch_until(&self) -> Option<Timestamp> {
        self.accepted_at
            .filter(|_| self.is_unaccounted())
            .map(|at| at.after(WATCHED))
    }

    /// Why no other rerun may start now.
    pub fn holds(&self) -> Option<&'static str> {
        if self.is_open() && self.can_be_called_off() {
            Some("The last rerun still waits for its next try.")
        } else if matches!(self.stage, Stage::SeenEarly { .. }) {
            Some("A run began, and the last rerun may still be applied.")
        } else if self.is_open() {
            Some("A rerun is on its way.")
        } else if self.is_unaccounted() {
            Some("The last rerun was accepted and has not been seen running yet.")
        } else {
            None
        }
    }

    /// Whether a picture of the batch shows the accepted run.
    pub fn is_shown_by(&self, batch: &Batch) -> bool {
        self.is_accepted() && self.fence.shows_run(self.run(), &Fence::at(batch))
    }

    /// The steps that were taken, and those to come while any is.
    pub fn steps(&self, time: impl Fn(Timestamp) -> String) -> Vec<Step> {
        let done = Some("done");
        let mut steps = vec![(format!("Pressed {}", time(self.pressed)), done)];
        let failed = |text: &str| (text.to_owned(), Some("failed"));
        let held_back = matches!(self.stage, Stage::Ended(Ended::NotSent(_)));
        if let Some(at) = self.sent.filter(|_| !held_back) {
            let tries = if self.posts > 1 {
                format!(", try {}", self.posts)
            } else {
                String::new()
            };
            steps.push((format!("Sent {}{tries}", time(at)), done));
        }
        match &self.stage {
            Stage::Ended(Ended::NotStored(_) | Ended::NotSent(_)) => steps.push(failed("Not sent")),
            Stage::Ended(Ended::CalledOff) => steps.push(failed("Called off")),
            Stage::Ended(Ended::Refused(_)) => steps.push(failed("Refused")),
            Stage::Ended(Ended::StillBusy(_)) => steps.push(failed("Not accepted")),
            Stage::Ended(Ended::NotApplied) => steps.push(failed("Did not arrive")),
            Stage::Ended(Ended::Applied { batch, .. }) if *batch != self.batch => {
                steps.push(("Accepted in another batch".to_owned(), done));
            }
            Stage::Ended(Ended::Applied { run, .. }) if self.is_of_somebody() => {
                steps.push((began("Another run", *run), Some("doubt")));
            }
            Stage::SeenEarly { .. } => steps.push((began("A run", self.run()), Some("doubt"))),
            Stage::Ended(Ended::Applied { run, .. }) => {
                let accepted = run.map_or("Accepted".to_owned(), |run| {
                    format!("Accepted as run {run}")
                });
                steps.push((accepted, done));
                let seen = self.seen_running.then_some("done");
                steps.push(("Seen running".to_owned(), seen));
                if self.seen_finished {
                    steps.push(("Finished".to_owned(), done));
                }
            }
            stage => {
                if self.sent.is_none() {
                    steps.push(("Sent".to_owned(), None));
                }
                steps.push(match stage {
                    Stage::Cooling { .. } | Stage::Checking { .. } => {
                        ("Not accepted yet".to_owned(), Some("doubt"))
                    }
                    Stage::Settling { .. } | Stage::Asking => {
                        ("Not known yet".to_owned(), Some("doubt"))
                    }
                    _ => ("Accepted".to_owned(), None),
                });
                steps.push(("Seen running".to_owned(), None));
            }
        }
        steps
    }

    /// What it waits for, in a sentence. `batch_runs`: the batch on screen has
    /// not finished; `next_look`: when the page reads it next.
    pub fn waiting(
        &self,
        now: Timestamp,
        batch_runs: bool,
        next_look: Option<Timestamp>,
    ) -> Option<String> {
        let said = self.said.as_deref().map_or(String::new(), |said| {
            format!(" ReSim said then: {}", words::clean(said))
        });
        let left = |until: Timestamp| until.since(now).as_secs();
        Some(match &self.stage {
            Stage::Storing => "Writing it down first.".to_owned(),
            Stage::Posting => "Waiting for ReSim's answer.".to_owned(),
            Stage::Checking { .. } => "Looking whether anything moved.".to_owned(),
            Stage::Cooling { until, why } => {
                let why = match why {
                    WaitReason::CleaningUp if batch_runs => "The batch still runs",
                    WaitReason::CleaningUp => "The platform is cleaning up",
                    WaitReason::Throttled => "Too many requests",
                };
                format!("{why}, next try in {} s.{said}", left(*until))
            }
            Stage::Settling { until, .. } => match left(*until) {
                0 => "Looking once more whether it was applied.".to_owned(),
                left => {
                    let why = self.said.as_deref().map_or("no answer came".into(), words::clean);
                    format!(
                        "Nobody knows yet whether it was applied. Looking, sending nothing; not \
                         called lost for {left} s yet. Why: {why}."
                    )
                }
            },
            Stage::SeenEarly { until, .. } => format!(
                "A run began. Whether it is yours is not known for {} s yet: until then ReSim may \
                 still apply this rerun, which got no answer, so nothing more is sent.",
                left(*until)
            ),
            Stage::Asking => {
                "Nothing shows whether it was applied. Look it up at ReSim, then say so.".to_owned()
            }
            Stage::Parked => "Goes on after you sign in.".to_owned(),
            Stage::Ended(_) if self.is_of_somebody() => {
                "ReSim had said no, so this run may be somebody else's: look whether your tests run, \
                 and press again if not."
                    .to_owned()
            }
            Stage::Ended(_) if self.elsewhere().is_some() => {
                "ReSim put this rerun into another batch; this one stays as it is.".to_owned()
            }
            Stage::Ended(_) => return self.unseen(now, next_look),
        })
    }

    fn unseen(&self, now: Timestamp, next_look: Option<Timestamp>) -> Option<String> {
        let waited = now.since(self.accepted_at?);
        if !self.is_unaccounted() || waited < SOON {
            return None;
        }
        let run = self
            .run()
            .map_or(String::new(), |run| format!(" as run {run}"));
        let again = match next_look.map_or(0, |at| at.since(now).as_secs()) {
            0 => "looking again now".to_owned(),
            left => format!("looking again in {left} s"),
        };
        Some(format!(
            "Accepted{run}, not seen running for {}; {again}.",
            words::duration(waited)
        ))
    }

    /// What went wrong in the end, and the words that were given for it.
    pub fn trouble(&self) -> Option<(String, Option<String>)> {
        let Stage::Ended(ended) = &self.stage else {
            return None;
        };
        let what = verb(&self.request.scope);
        let said = |error: &ApiError| {
            let text = upper_first(&error.to_string());
            Some(words::clean(&text).into_owned())
        };
        Some(match ended {
            Ended::Applied { .. } | Ended::CalledOff => return None,
            Ended::Refused(error) => (
                format!("ReSim refused: {what}. Nothing was started; your selection is kept."),
                said(error),
            ),
            Ended::StillBusy(error) => (
                format!(
                    "The platform stayed busy, so nothing was started: {what}. Try again in a \
                     minute; your selection is kept."
                ),
                said(error),
            ),
            Ended::NotApplied => (
                format!(
                    "The request was not applied, so nothing was started: {what}. Press again if \
                     you still want it."
                ),
                self.said.clone(),
            ),
            Ended::NotSent(why) => (
                format!("Nothing was sent: {what}. Press again if you still want it."),
                Some(upper_first(why)),
            ),
            Ended::NotStored(why) => (
                format!(
                    "Nothing was sent: {what}. A rerun is written down before it is sent, and \
                     that failed."
                ),
                Some(why.clone()),
            ),
        })
    }
}

/// A run that began, by its number where runs are counted.
fn began(otherwise: &str, run: Option<RunCounter>) -> String {
    run.map_or(format!("{otherwise} began"), |run| {
        format!("Run {run} began")
    })
}

/// Why nothing is sent for a batch before `until`. `unclear`: a journal that cannot be read
/// may hold a rerun of it.
pub fn may_still_land(unclear: bool, until: &str) -> String {
    let what = if unclear {
        "the journal of this browser has a rerun of this batch that this page cannot read"
    } else {
        "a rerun of this batch that was sent from this browser has no answer yet"
    };
    format!("{what}; ReSim may still apply it, until {until}")
}

/// How a scope is called: the verb, and what it does to how many.
pub fn verb(scope: &RerunScope) -> String {
    match scope {
        RerunScope::Tests(ids) => format!("Rerun {}", words::tests(ids.len())),
        RerunScope::TestMetrics(ids) => {
            format!("Recompute metrics of {}", words::tests(ids.len()))
        }
        RerunScope::BatchMetrics => "Rerun batch metrics only".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchStatus;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn finished() -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Succeeded);
        batch.run_counter = Some(RunCounter(1));
        batch
    }

    fn view(stage: Stage) -> RerunView {
        let batch = finished();
        let request = RerunRequest {
            scope: RerunScope::BatchMetrics,
            sync_with_suite: false,
        };
        let mut it = RerunView::pressed(batch.id, request, Fence::at(&batch), at(0), stage);
        it.sent = Some(at(1));
        it.posts = 1;
        it.accepted_at = Some(at(2));
        it
    }

    fn applied(batch: u128, run: i64) -> Stage {
        Stage::Ended(Ended::Applied {
            batch: BatchId::from_u128(batch),
            run: Some(RunCounter(run)),
            evidence: Evidence::Answer,
        })
    }

    /// A run was seen, and the POST may be applied until 30.
    fn landing(run: Option<i64>) -> Stage {
        let ended = Ended::Applied {
            batch: BatchId::from_u128(1),
            run: run.map(RunCounter),
            evidence: Evidence::RunCounter(RunCounter(2)),
        };
        Stage::SeenEarly {
            until: at(30),
            ended,
        }
    }

    fn words_of(view: &RerunView) -> Vec<String> {
        let time = |at: Timestamp| (at.as_millis() / 1000).to_string();
        view.steps(time).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_rerun_in_another_batch_is_not_waited_for_here() {
        let it = view(applied(2, 1));
        assert_eq!(it.elsewhere(), Some(BatchId::from_u128(2)));
        assert_eq!(it.holds(), None);
        assert!(!it.is_shown_by(&finished()));
        assert_eq!(
            words_of(&it),
            ["Pressed 0", "Sent 1", "Accepted in another batch"]
        );
        let waiting = it.waiting(at(60), false, None).expect("it is said");
        assert!(waiting.contains("another batch"), "{waiting}");
    }

    #[test]
    fn an_accepted_rerun_that_nobody_sees_is_unaccounted_for() {
        let mut it = view(applied(1, 2));
        assert!(!it.is_shown_by(&finished()));
        assert!(it.holds().is_some());
        assert_eq!(it.waiting(at(3), false, None), None);
        assert_eq!(
            it.waiting(at(42), false, Some(at(44))).as_deref(),
            Some("Accepted as run 2, not seen running for 40 s; looking again in 2 s.")
        );
        assert_eq!(it.watch_until(), Some(at(302)));
        let mut moved = finished();
        moved.run_counter = Some(RunCounter(2));
        assert!(it.is_shown_by(&moved));
        it.seen_running = true;
        assert_eq!((it.holds(), it.watch_until()), (None, None));
    }

    #[test]
    fn a_reload_shows_the_same_of_what_was_accepted_and_holds_as_long() {
        let before = view(applied(1, 2));
        assert_eq!(before.to_be_kept(), Some((at(2), Some(RunCounter(2)))));
        let intent = crate::rerun::Intent {
            batch: before.batch,
            fence: before.fence.clone(),
            request: before.request.clone(),
            attempt: 0,
            epoch: 0,
            at: before.pressed,
            tests: Vec::new(),
        };
        let after = RerunView::of_accepted(Accepted {
            intent,
            sent: before.sent,
            posts: before.posts,
            at: at(2),
            run: Some(RunCounter(2)),
        });
        assert_eq!(after, before);
        assert!(!after.is_open(), "nothing of it is on its way");
        let mut seen = after;
        seen.seen_running = true;
        assert_eq!((seen.holds(), seen.to_be_kept()), (None, None));
        assert_eq!(view(applied(2, 1)).to_be_kept(), None, "it is elsewhere");
    }

    #[test]
    fn what_gave_way_is_said_as_long_as_the_earlier_one_is_open() {
        let mut it = view(Stage::Asking);
        assert_eq!(it.gave_way(), None);
        it.gave_way = Some(RerunScope::BatchMetrics);
        let said = it.gave_way().expect("it is said");
        assert!(
            said.starts_with("Not sent: Rerun batch metrics only."),
            "{said}"
        );
        assert!(said.contains("is still open"), "{said}");
        it.stage = Stage::Ended(Ended::Applied {
            batch: it.batch,
            run: Some(RunCounter(2)),
            evidence: Evidence::Answer,
        });
        let said = it.gave_way().expect("it still holds");
        assert!(said.contains("has not been seen running yet"), "{said}");
        it.seen_running = true;
        assert_eq!(it.gave_way(), None);
        it.stage = Stage::Ended(Ended::NotApplied);
        assert_eq!(it.gave_way(), None);
    }

    #[test]
    fn a_run_that_shows_after_a_no_is_not_called_ones_own() {
        let seen = |evidence| {
            let mut it = view(Stage::Ended(Ended::Applied {
                batch: BatchId::from_u128(1),
                run: Some(RunCounter(2)),
                evidence,
            }));
            it.said_no = true;
            it
        };
        let it = seen(Evidence::RunCounter(RunCounter(2)));
        assert_eq!(words_of(&it), ["Pressed 0", "Sent 1", "Run 2 began"]);
        let waiting = it.waiting(at(3), false, None).expect("it is said");
        assert!(waiting.contains("may be somebody else's"), "{waiting}");
        assert_eq!(it.holds(), None, "another one may be pressed");
        let mut unanswered = seen(Evidence::RunCounter(RunCounter(2)));
        unanswered.said_no = false;
        assert!(words_of(&unanswered).contains(&"Accepted as run 2".to_owned()));
    }

    #[test]
    fn without_counters_what_moved_is_the_sign() {
        let mut it = view(applied(1, 2));
        let mut uncounted = finished();
        uncounted.run_counter = None;
        let mut running = uncounted.clone();
        running.status = Some(BatchStatus::ExperiencesRunning);
        for later in [&uncounted, &running] {
            assert!(!it.is_shown_by(later), "its counter is only missing");
        }
        it.fence = Fence::at(&uncounted);
        assert!(!it.is_shown_by(&uncounted));
        assert!(it.is_shown_by(&running));
        let started = |seconds| {
            let mut batch = uncounted.clone();
            batch.last_run = Some(at(seconds));
            batch
        };
        assert!(
            !it.is_shown_by(&started(1)),
            "its start was only missing before"
        );
        it.fence = Fence::at(&started(1));
        assert!(!it.is_shown_by(&started(1)));
        assert!(it.is_shown_by(&started(2)));
    }

    #[test]
    fn a_busy_batch_that_runs_is_not_called_cleaning_up() {
        let it = view(Stage::Cooling {
            until: at(30),
            why: WaitReason::CleaningUp,
        });
        let words = |runs| it.waiting(at(2), runs, None).expect("it waits");
        assert!(words(true).starts_with("The batch still runs"));
        assert!(words(false).starts_with("The platform is cleaning up, next try in 28 s"));
        assert_eq!(
            words_of(&it),
            ["Pressed 0", "Sent 1", "Not accepted yet", "Seen running"]
        );
    }

    #[test]
    fn after_an_end_nothing_is_to_come() {
        assert_eq!(
            words_of(&view(Stage::Ended(Ended::CalledOff))),
            ["Pressed 0", "Sent 1", "Called off"]
        );
        let refused = ApiError::new("rerun", crate::api::ErrorKind::Forbidden, "no");
        assert_eq!(
            words_of(&view(Stage::Ended(Ended::Refused(refused)))),
            ["Pressed 0", "Sent 1", "Refused"]
        );
    }

    #[test]
    fn each_end_without_a_run_says_what_was_started_and_what_to_do() {
        let busy = || {
            ApiError::new(
                "rerun the batch",
                crate::api::ErrorKind::Busy,
                "still cleaning\u{202e}",
            )
        };
        for (ended, step, trouble, why) in [
            (
                Ended::Refused(busy()),
                "Refused",
                "ReSim refused: Rerun batch metrics only. Nothing was started; your selection is kept.",
                Some("Could not rerun the batch"),
            ),
            (
                Ended::StillBusy(busy()),
                "Not accepted",
                "The platform stayed busy, so nothing was started: Rerun batch metrics only. Try again in \
                 a minute; your selection is kept.",
                Some("Could not rerun the batch"),
            ),
            (
                Ended::NotApplied,
                "Did not arrive",
                "The request was not applied, so nothing was started: Rerun batch metrics only. Press \
                 again if you still want it.",
                None,
            ),
            (
                Ended::NotSent("the batch moved".into()),
                "Not sent",
                "Nothing was sent: Rerun batch metrics only. Press again if you still want it.",
                Some("The batch moved"),
            ),
            (
                Ended::NotStored("the disk is full".into()),
                "Not sent",
                "Nothing was sent: Rerun batch metrics only. A rerun is written down before it is sent, \
                 and that failed.",
                Some("the disk is full"),
            ),
        ] {
            let it = view(Stage::Ended(ended));
            assert_eq!(words_of(&it).last().map(String::as_str), Some(step));
            assert_eq!(it.holds(), None, "another may be pressed after: {step}");
            let (said, details) = it.trouble().expect("it is said");
            assert_eq!(said, trouble);
            match (why, &details) {
                (Some(why), Some(details)) => assert!(details.starts_with(why), "{details}"),
                (why, details) => assert_eq!((why, details.as_deref()), (None, None)),
            }
            assert!(!details.unwrap_or_default().contains('\u{202e}'), "{step}");
        }
        let mut unanswered = view(Stage::Ended(Ended::NotApplied));
        unanswered.said = Some("no answer within 60 s".into());
        let (_, why) = unanswered.trouble().expect("it is said");
        assert_eq!(why.as_deref(), Some("no answer within 60 s"));
    }

    #[test]
    fn what_is_open_accepted_or_called_off_is_no_trouble() {
        for stage in [
            Stage::Posting,
            applied(1, 2),
            Stage::Ended(Ended::CalledOff),
        ] {
            assert_eq!(view(stage).trouble(), None);
        }
    }

    #[test]
    fn nothing_that_was_held_back_is_shown_as_sent() {
        let it = view(Stage::Ended(Ended::NotSent("the batch moved".into())));
        assert_eq!(words_of(&it), ["Pressed 0", "Not sent"]);
    }

    #[test]
    fn the_steps_to_come_say_what_is_known_of_the_post() {
        let until = at(30);
        for (stage, sent, steps) in [
            (
                Stage::Storing,
                None,
                vec!["Pressed 0", "Sent", "Accepted", "Seen running"],
            ),
            (
                Stage::Posting,
                Some(1),
                vec!["Pressed 0", "Sent 1", "Accepted", "Seen running"],
            ),
            (
                Stage::Settling { until, agreeing: 0 },
                Some(1),
                vec!["Pressed 0", "Sent 1", "Not known yet", "Seen running"],
            ),
            (
                Stage::Asking,
                Some(1),
                vec!["Pressed 0", "Sent 1", "Not known yet", "Seen running"],
            ),
            (
                landing(Some(2)),
                Some(1),
                vec!["Pressed 0", "Sent 1", "Run 2 began"],
            ),
            (
                landing(None),
                Some(1),
                vec!["Pressed 0", "Sent 1", "A run began"],
            ),
            (
                Stage::Checking {
                    then: crate::rerun::Then::Cool,
                },
                Some(1),
                vec!["Pressed 0", "Sent 1", "Not accepted yet", "Seen running"],
            ),
        ] {
            let mut it = view(stage);
            it.sent = sent.map(at);
            assert_eq!(words_of(&it), steps);
        }
        let mut third = view(Stage::Posting);
        third.posts = 3;
        assert_eq!(words_of(&third)[1], "Sent 1, try 3");
        let mut done = view(applied(1, 2));
        (done.seen_running, done.seen_finished) = (true, true);
        assert_eq!(
            words_of(&done),
            [
                "Pressed 0",
                "Sent 1",
                "Accepted as run 2",
                "Seen running",
                "Finished"
            ]
        );
    }

    #[test]
    fn each_wait_says_what_for_and_how_long() {
        let until = at(30);
        let settling = || Stage::Settling { until, agreeing: 0 };
        for (stage, now, sentence) in [
            (Stage::Storing, 2, "Writing it down first."),
            (Stage::Posting, 2, "Waiting for ReSim's answer."),
            (
                Stage::Checking {
                    then: crate::rerun::Then::Post,
                },
                2,
                "Looking whether anything moved.",
            ),
            (
                Stage::Cooling {
                    until,
                    why: WaitReason::Throttled,
                },
                20,
                "Too many requests, next try in 10 s.",
            ),
            (
                settling(),
                2,
                "Nobody knows yet whether it was applied. Looking, sending nothing; not called lost \
                 for 28 s yet. Why: no answer came.",
            ),
            (settling(), 30, "Looking once more whether it was applied."),
            (
                landing(Some(2)),
                2,
                "A run began. Whether it is yours is not known for 28 s yet: until then ReSim may \
                 still apply this rerun, which got no answer, so nothing more is sent.",
            ),
            (
                Stage::Asking,
                2,
                "Nothing shows whether it was applied. Look it up at ReSim, then say so.",
            ),
            (Stage::Parked, 2, "Goes on after you sign in."),
        ] {
            let it = view(stage);
            assert_eq!(it.waiting(at(now), false, None).as_deref(), Some(sentence));
        }
        let mut told = view(Stage::Cooling {
            until,
            why: WaitReason::CleaningUp,
        });
        told.said = Some("batch is busy".into());
        let words = told.waiting(at(20), false, None).expect("it waits");
        assert!(
            words.ends_with(" ReSim said then: batch is busy"),
            "{words}"
        );
    }

    #[test]
    fn an_accepted_run_that_is_not_counted_and_is_looked_for_now_says_both() {
        let mut it = view(applied(1, 2));
        it.stage = Stage::Ended(Ended::Applied {
            batch: it.batch,
            run: None,
            evidence: Evidence::Answer,
        });
        assert_eq!(words_of(&it)[2], "Accepted");
        assert_eq!(
            it.waiting(at(7), false, None).as_deref(),
            Some("Accepted, not seen running for 5 s; looking again now.")
        );
        it.accepted_at = None;
        assert_eq!(
            it.waiting(at(7), false, None),
            None,
            "nobody knows since when"
        );
    }

    #[test]
    fn only_what_waits_with_nothing_under_way_may_be_called_off() {
        let until = at(30);
        let cooling = Stage::Cooling {
            until,
            why: WaitReason::CleaningUp,
        };
        for (stage, may) in [
            (Stage::Storing, false),
            (Stage::Posting, false),
            (cooling, true),
            (Stage::Settling { until, agreeing: 0 }, false),
            (Stage::Asking, false),
            (landing(Some(2)), false),
            (Stage::Parked, true),
            (Stage::Ended(Ended::NotApplied), false),
        ] {
            let it = view(stage);
            assert_eq!(it.can_be_called_off(), may, "{:?}", it.stage);
            let held = match (it.is_open(), may) {
                (false, _) => None,
                _ if matches!(it.stage, Stage::SeenEarly { .. }) => {
                    Some("A run began, and the last rerun may still be applied.")
                }
                (true, true) => Some("The last rerun still waits for its next try."),
                (true, false) => Some("A rerun is on its way."),
            };
            assert_eq!(it.holds(), held);
            assert!(
                !it.is_shown_by(&finished()),
                "nothing of it can be seen yet"
            );
            assert!(!it.is_of_somebody());
        }
    }

    #[test]
    fn what_may_still_land_says_what_it_is_and_until_when() {
        assert_eq!(
            may_still_land(false, "10:32:05"),
            "a rerun of this batch that was sent from this browser has no answer yet; ReSim may \
             still apply it, until 10:32:05"
        );
        assert_eq!(
            may_still_land(true, "10:32:05"),
            "the journal of this browser has a rerun of this batch that this page cannot read; \
             ReSim may still apply it, until 10:32:05"
        );
    }

    #[test]
    fn a_scope_says_what_it_does_to_how_many() {
        let tests = |count: u128| {
            crate::api::TestIds::new((1..=count).map(crate::domain::TestId::from_u128).collect())
                .expect("at least one")
        };
        for (scope, words) in [
            (RerunScope::Tests(tests(1)), "Rerun 1 test"),
            (
                RerunScope::TestMetrics(tests(2)),
                "Recompute metrics of 2 tests",
            ),
            (RerunScope::BatchMetrics, "Rerun batch metrics only"),
        ] {
            assert_eq!(verb(&scope), words);
        }
    }
}
