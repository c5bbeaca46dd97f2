//! A supervisor on a bench: the test is its API, its journal and its clock.

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, ExecutionError,
        RunCounter, Test, TestId, Timestamp,
    },
    rerun::Limits,
    supervise::{BatchRef, CallId, Input, NotPassed, Now, Output, Policy, Supervisor, Verdict},
};

/// What the API says when it is asked, and what was asked of it.
pub(crate) struct Bench {
    pub(crate) machine: Supervisor,
    /// The wall clock, in milliseconds since the start.
    pub(crate) wall: i64,
    /// The clock that stands still while the computer sleeps.
    pub(crate) mono: i64,
    /// How a read of the batch is answered.
    pub(crate) batch: Result<Batch, ApiError>,
    /// How a listing is answered, in turn; the last one stays.
    pub(crate) listings: Vec<Vec<Test>>,
    /// How many times all tests were listed, and those alone that did not pass.
    pub(crate) listed: (usize, usize),
    /// Listings of those alone that did not pass fail so.
    pub(crate) short_fails: Option<ErrorKind>,
    /// The batch that a rerun is answered with, if not the same.
    pub(crate) answer_batch: Option<BatchId>,
    /// How long an answer takes.
    pub(crate) answer_ms: i64,
    /// The counter in the answer to a rerun.
    pub(crate) answer_run: Option<i64>,
    /// How every rerun is answered while this is set.
    pub(crate) refused: Option<ApiError>,
    /// Every rerun is kept from leaving while this is set.
    pub(crate) held_back: bool,
    /// How many tests each rerun named, as the API would read its body.
    pub(crate) posts: Vec<usize>,
    /// Which tests each rerun named, in their order.
    pub(crate) named: Vec<Vec<TestId>>,
    /// Whether the next read shows the run that a rerun started, finished as before.
    pub(crate) reruns_finish: bool,
    /// When the timer fires, by `mono`.
    wake: Option<i64>,
}

pub(crate) fn origin() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

impl Bench {
    pub(crate) fn new(policy: Policy, batch: Batch, listing: Vec<Test>) -> Self {
        let start = Now {
            wall: origin(),
            mono: Duration::ZERO,
            dice: 0,
        };
        Self {
            machine: Supervisor::start(policy, Limits::default(), BatchRef::Id(batch.id), start),
            wall: 0,
            mono: 0,
            batch: Ok(batch),
            listings: vec![listing],
            listed: (0, 0),
            short_fails: None,
            answer_batch: None,
            answer_ms: 10,
            answer_run: Some(2),
            refused: None,
            held_back: false,
            posts: Vec::new(),
            named: Vec::new(),
            reruns_finish: false,
            wake: None,
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            wall: Timestamp::from_millis(origin().as_millis() + self.wall),
            mono: Duration::from_millis(self.mono.unsigned_abs()),
            dice: 0,
        }
    }

    /// The page is closed, and opened again from what is in the journal.
    pub(crate) fn reload(&mut self) {
        let records = self.machine.log().to_vec();
        self.machine = Supervisor::restore(records, self.now()).expect("it begins with a start");
        self.wake = None;
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.wall += ms;
        self.mono += ms;
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let now = self.now();
        self.machine.handle(input, now);
    }

    /// Answers everything that is asked until the machine waits for the clock.
    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            let input = match output {
                Output::ReadBatch(call, _) => {
                    Input::BatchRead(call, self.batch.clone().map(Box::new))
                }
                Output::ReadTests(call, _) => {
                    self.listed.0 += 1;
                    Input::TestsRead(call, Ok(self.listing()))
                }
                Output::ReadNotPassed(call, ..) => {
                    self.listed.1 += 1;
                    if let Some(kind) = self.short_fails.clone() {
                        self.feed(Input::NotPassedRead(call, Err(failed(kind))));
                        continue;
                    }
                    let mut tests = self.listing();
                    let all = tests.len();
                    tests.retain(|it| it.conflated != Some(ConflatedStatus::Passed));
                    let passed = Some((all - tests.len()) as u64);
                    Input::NotPassedRead(call, Ok(NotPassed { passed, tests }))
                }
                Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
                Output::SendRerun(call, ..) if self.held_back => {
                    Input::NotSent(call, "the page slept".into())
                }
                Output::SendRerun(call, intent, _) => {
                    let tests = intent.request.scope.tests();
                    self.posts.push(tests.len());
                    self.named.push(tests.to_vec());
                    if let Some(error) = self.refused.clone() {
                        self.pass(self.answer_ms);
                        self.feed(Input::RerunAnswered(call, Err(error)));
                        continue;
                    }
                    if let (Ok(batch), true) = (&mut self.batch, self.reruns_finish) {
                        let run = batch.run_counter.map_or(0, |run| run.0);
                        batch.run_counter = Some(RunCounter(run + 1));
                        self.answer_run = Some(run + 1);
                    }
                    let answer = RerunAnswer {
                        batch_id: self.answer_batch.or(Some(intent.batch)),
                        run_counter: self.answer_run.map(RunCounter),
                        test_ids: Vec::new(),
                    };
                    Input::RerunAnswered(call, Ok(answer))
                }
                Output::WakeAt(at) => {
                    // A browser's timer counts on the clock that never jumps.
                    let wait = at.as_millis() - origin().as_millis() - self.wall;
                    self.wake = Some(self.mono + wait.max(0));
                    continue;
                }
                _ => continue,
            };
            self.pass(self.answer_ms);
            self.feed(input);
        }
    }

    fn listing(&mut self) -> Vec<Test> {
        if self.listings.len() > 1 {
            self.listings.remove(0)
        } else {
            self.listings[0].clone()
        }
    }

    /// Answers what is asked until an intent is to be stored, which is left open.
    pub(crate) fn until_stored(&mut self) -> CallId {
        while let Some(output) = self.machine.poll_output() {
            let input = match output {
                Output::ReadBatch(call, _) => {
                    Input::BatchRead(call, self.batch.clone().map(Box::new))
                }
                Output::ReadTests(call, _) => Input::TestsRead(call, Ok(self.listings[0].clone())),
                Output::StoreIntent(call, _) => return call,
                _ => continue,
            };
            self.feed(input);
        }
        panic!("no rerun was decided");
    }

    /// Lets time pass to the next wake-up, again and again, for `ms` at the most
    /// or until there is a verdict.
    pub(crate) fn run(&mut self, ms: i64) {
        let end = self.mono + ms;
        self.settle();
        while self.verdict().is_none() {
            let Some(wake) = self.wake.filter(|at| *at <= end) else {
                return self.pass((end - self.mono).max(0));
            };
            self.wake = None;
            self.pass((wake - self.mono).max(0));
            self.feed(Input::Wake);
            self.settle();
        }
    }

    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        self.machine.state().verdict()
    }

    pub(crate) fn code(&self) -> Option<u8> {
        self.verdict().map(|it| it.exit_code.number())
    }
}

pub(crate) fn batch(status: &str, word: &str, run: Option<i64>) -> Batch {
    let mut batch = Batch::new(BatchId::from_u128(1));
    batch.status = Some(BatchStatus::from_word(status));
    batch.conflated = Some(ConflatedBatchStatus::from_word(word));
    batch.run_counter = run.map(RunCounter);
    batch.last_run = Some(origin());
    batch
}

pub(crate) fn running() -> Batch {
    batch("EXPERIENCES_RUNNING", "RUNNING", Some(1))
}

pub(crate) fn test(n: u128, word: &str) -> Test {
    let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
    test.conflated = Some(ConflatedStatus::from_word(word));
    test.last_run = Some(origin());
    test
}

/// As an API lists it that sends no start of a test.
pub(crate) fn untimed(mut test: Test) -> Test {
    test.last_run = None;
    test
}

pub(crate) fn with_error(mut test: Test, text: &str) -> Test {
    test.errors = vec![ExecutionError {
        code: "NONZERO_EXIT_CODE".into(),
        text: Some(text.into()),
        exit_code: Some(1),
        run_counter: None,
    }];
    test
}

pub(crate) fn failed(kind: ErrorKind) -> ApiError {
    ApiError::new("read the batch", kind, "")
}

/// Everything may be rerun, so often.
pub(crate) fn up_to(attempts: u32) -> Policy {
    Policy {
        max_rerun_attempts: attempts,
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    }
}
