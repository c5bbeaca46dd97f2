//! The real supervisor before an API of which one kind of answer is the input.
//! Everything else is honest and ripe for a rerun: whatever asks for a POST
//! here was asked for by the input.

use std::time::Duration;

use retake_core::{
    api::{ApiError, ErrorKind, RerunAnswer},
    domain::{
        Batch, BatchId, BatchStatus, ConflatedBatchStatus, ConflatedStatus, ProjectId, RunCounter,
        Test, TestId, Timestamp,
    },
    rerun::{Intent, Limits},
    supervise::{BatchRef, Event, Input, NotPassed, Now, Output, Policy, Supervisor},
};

/// The project of every input.
pub const PROJECT: ProjectId = ProjectId::from_u128(0x0d9f_4c1e_3b7a_4c55_8e21_6a1b_2c3d_4e5f);
/// The batch that is supervised.
pub const BATCH: BatchId = BatchId::from_u128(0x5b0c_2e9a_7d1f_4a53_9c1e_2f6d_8a40_b7c1);
/// The batch by name.
pub const NAME: &str = "nightly";
/// The present, wherever an input is read.
pub const NOW: Timestamp = Timestamp::from_millis(1_776_700_000_000);

/// Answers kept from one look to the next are taken this often.
const STEPS: usize = 400;

/// The batch of a name, with that name.
pub type Found = Result<(BatchId, Option<String>), ApiError>;

/// The answers of the API; the honest ones unless an input replaces one.
pub struct Api<'a> {
    /// To a search by name.
    pub resolved: Box<dyn Fn() -> Found + 'a>,
    /// To a read of the batch.
    pub batch: Box<dyn Fn(BatchId) -> Result<Batch, ApiError> + 'a>,
    /// To a listing of its tests.
    pub tests: Box<dyn Fn() -> Result<Vec<Test>, ApiError> + 'a>,
    /// To a rerun.
    pub rerun: Box<dyn Fn() -> Result<RerunAnswer, ApiError> + 'a>,
    /// Whether reads fail after the first POST.
    pub blind_after_post: bool,
}

impl Default for Api<'_> {
    fn default() -> Self {
        Self {
            resolved: Box::new(|| Ok((BATCH, Some(NAME.into())))),
            batch: Box::new(|id| {
                if id == BATCH {
                    Ok(honest_batch())
                } else {
                    Err(ApiError::new("read the batch", ErrorKind::NotFound, ""))
                }
            }),
            tests: Box::new(|| Ok(honest_tests())),
            rerun: Box::new(|| {
                Ok(RerunAnswer {
                    batch_id: Some(BATCH),
                    run_counter: Some(RunCounter(2)),
                    test_ids: Vec::new(),
                })
            }),
            blind_after_post: false,
        }
    }
}

/// An API that cannot be reached.
pub fn silent<'a>() -> Api<'a> {
    Api {
        resolved: Box::new(|| Err(lost())),
        batch: Box::new(|_| Err(lost())),
        tests: Box::new(|| Err(lost())),
        rerun: Box::new(|| Err(lost())),
        blind_after_post: false,
    }
}

fn lost() -> ApiError {
    ApiError::new("read", ErrorKind::Unreachable, "gone")
}

fn honest_batch() -> Batch {
    let mut batch = Batch::new(BATCH);
    batch.name = Some(NAME.into());
    batch.status = Some(BatchStatus::Error);
    batch.conflated = Some(ConflatedBatchStatus::Error);
    batch.run_counter = Some(RunCounter(1));
    batch.total_tests = Some(3);
    batch
}

fn honest_tests() -> Vec<Test> {
    [
        ConflatedStatus::Error,
        ConflatedStatus::Passed,
        ConflatedStatus::Blocker,
    ]
    .into_iter()
    .zip(1..)
    .map(|(status, n)| {
        let mut test = Test::new(TestId::from_u128(n), format!("t{n}"));
        test.conflated = Some(status);
        test
    })
    .collect()
}

/// Rerun whatever fails, twice.
pub fn policy() -> Policy {
    Policy {
        max_rerun_attempts: 2,
        rerun_max_failure_percent: 100.0,
        ..Policy::default()
    }
}

/// A supervisor that starts now.
pub fn started(batch: BatchRef) -> Supervisor {
    Supervisor::start(policy(), Limits::default(), batch, at(Duration::ZERO))
}

/// The present after this much of it.
pub fn at(since: Duration) -> Now {
    Now {
        wall: NOW.after(since),
        mono: since,
        dice: 0,
    }
}

/// What a supervisor did.
#[derive(Debug, Default)]
pub struct Played {
    /// The reruns that it sent.
    pub posts: Vec<Intent>,
    /// Whether each was stored before.
    pub all_stored: bool,
}

/// Lets the supervisor go on for `span`, answering whatever it asks.
pub fn play(machine: &mut Supervisor, api: &Api<'_>, span: Duration) -> Played {
    let mut played = Played {
        all_stored: true,
        ..Played::default()
    };
    // What it was taken up from is in the journal.
    let open = machine.state().open.as_ref();
    let mut stored = open.map(|it| Event::Intent(Box::new(it.intent.clone())));
    let mut clock = Duration::ZERO;
    let mut wake = None;
    for _ in 0..STEPS {
        let Some(output) = machine.poll_output() else {
            // Nothing is under way: the timer is next.
            let Some(due) = wake.take() else { break };
            clock = clock.max(due);
            if clock > span {
                break;
            }
            machine.handle(Input::Wake, at(clock));
            continue;
        };
        let is_blind = api.blind_after_post && !played.posts.is_empty();
        let input = match output {
            Output::ResolveBatch(call, _) => Input::Resolved(call, (api.resolved)()),
            Output::ReadBatch(call, _) if is_blind => Input::BatchRead(call, Err(lost())),
            Output::ReadBatch(call, id) => Input::BatchRead(call, (api.batch)(id).map(Box::new)),
            Output::ReadTests(call, _) => Input::TestsRead(call, (api.tests)()),
            Output::ReadNotPassed(call, _, counted) => {
                let passed = Some(counted.passed);
                let answer = (api.tests)().map(|tests| NotPassed { passed, tests });
                Input::NotPassedRead(call, answer)
            }
            Output::StoreIntent(call, record) => {
                stored = Some(record.event);
                Input::Stored(call, Ok(()))
            }
            Output::SendRerun(call, intent, _) => {
                let is_stored = matches!(&stored,
                    Some(Event::Intent(it)) if *it == intent);
                played.all_stored &= is_stored;
                played.posts.push(*intent);
                Input::RerunAnswered(call, (api.rerun)())
            }
            Output::WakeAt(due) => {
                wake = Some(due.since(NOW));
                continue;
            }
            Output::Store(_) | Output::StoreAnew(_) | Output::NeedSignIn | Output::Announce(_) => {
                continue;
            }
        };
        clock += Duration::from_millis(10);
        machine.handle(input, at(clock));
    }
    played
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If the honest answers led to no rerun, no target here could fail.
    #[test]
    fn honest_answers_lead_to_a_rerun_and_silence_to_none() {
        for batch in [BatchRef::Id(BATCH), BatchRef::Name(NAME.into())] {
            let span = Duration::from_mins(5);
            let played = play(&mut started(batch.clone()), &Api::default(), span);
            assert!(!played.posts.is_empty() && played.all_stored);
            assert_eq!(played.posts[0].request.scope.tests().len(), 2);
            let played = play(&mut started(batch), &silent(), span);
            assert!(played.posts.is_empty());
        }
    }
}
