//! What makes two machines alike: whatever decides what they do next.
//!
//! The model check (`model/`) tells states apart by it. The log is left out,
//! because the journal has it, and the outputs, because they are drained by
//! then. Of a picture and a listing only that counts which a decision reads.

use serde::{Serialize, Serializer};

use crate::{
    domain::{Batch, Test},
    rerun::Fence,
    supervise::reading::Listing,
};

#[expect(clippy::ref_option, reason = "serde passes the field")]
pub(super) fn of_picture<S: Serializer>(
    picture: &Option<Box<Batch>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |it: &Batch| {
        let counts = (it.total_tests, it.status_counts, it.metrics_counts);
        (Fence::at(it), it.conflated.clone(), counts)
    };
    picture.as_deref().map(facts).serialize(to)
}

#[expect(clippy::ref_option, reason = "serde passes the field")]
pub(super) fn of_listing<S: Serializer>(
    listing: &Option<Listing>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let facts = |test: &Test| (test.id, test.conflated.clone(), test.last_run);
    let all = |it: &Listing| (it.passed, it.tests.iter().map(facts).collect::<Vec<_>>());
    listing.as_ref().map(all).serialize(to)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use crate::{
        domain::{
            Batch, BatchId, BatchStatus, ConflatedStatus, RunCounter, Test, TestId, Timestamp,
        },
        rerun::Limits,
        supervise::{BatchRef, Input, Now, Output, Policy, Supervisor},
    };

    const NOW: Now = Now {
        wall: Timestamp::from_millis(1_000_000),
        mono: Duration::ZERO,
        dice: 0,
    };

    fn finished() -> Batch {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status = Some(BatchStatus::Error);
        batch.run_counter = Some(RunCounter(1));
        batch.last_run = Some(NOW.wall);
        batch
    }

    fn failed() -> Test {
        let mut test = Test::new(TestId::from_u128(1), "cut_in");
        test.conflated = Some(ConflatedStatus::Error);
        // That of the batch: the listing is of the run that is shown.
        test.last_run = Some(NOW.wall);
        test
    }

    fn passed() -> Test {
        let mut test = Test::new(TestId::from_u128(2), "follow");
        test.conflated = Some(ConflatedStatus::Passed);
        test
    }

    /// What decides, once this batch was read and these tests were listed.
    fn decides(batch: Batch, tests: Vec<Test>) -> Value {
        let name = BatchRef::Id(batch.id);
        let mut machine = Supervisor::start(Policy::default(), Limits::default(), name, NOW);
        let (mut batch, mut tests) = (Some(Box::new(batch)), Some(tests));
        while let Some(output) = machine.poll_output() {
            let input = match output {
                Output::ReadBatch(id, _) => {
                    let Some(batch) = batch.take() else { break };
                    Input::BatchRead(id, Ok(batch))
                }
                Output::ReadTests(id, _) => {
                    let tests = tests.take().expect("they are listed once");
                    Input::TestsRead(id, Ok(tests))
                }
                _ => continue,
            };
            machine.handle(input, NOW);
        }
        let machine = serde_json::to_value(&machine).expect("a machine is serialized");
        let reading = &machine["reading"];
        assert!(!reading["picture"].is_null() && !reading["listing"].is_null());
        machine
    }

    #[test]
    fn what_no_decision_reads_sets_no_two_machines_apart() {
        let alike = decides(finished(), vec![failed()]);
        let mut batch = finished();
        batch.account = Some("somebody".into());
        batch.suite_revision = Some(3);
        let mut test = failed();
        test.name = "another name".into();
        assert_eq!(decides(batch, vec![test]), alike);
    }

    #[test]
    fn what_a_decision_reads_of_picture_and_listing_sets_two_apart() {
        let alike = decides(finished(), vec![failed(), passed()]);
        let mut counted = finished();
        counted.total_tests = Some(2);
        let mut later = finished();
        later.run_counter = Some(RunCounter(2));
        let mut other = passed();
        other.id = Some(TestId::from_u128(3));
        let mut warned = passed();
        warned.conflated = Some(ConflatedStatus::Warning);
        let mut again = passed();
        again.last_run = Some(NOW.wall);
        for (batch, tests) in [
            (counted, vec![failed(), passed()]),
            (later, vec![failed(), passed()]),
            (finished(), vec![failed(), other]),
            (finished(), vec![failed(), warned]),
            (finished(), vec![failed(), again]),
            (finished(), vec![failed()]),
        ] {
            let shown = format!("{batch:?} {tests:?}");
            assert_ne!(decides(batch, tests), alike, "{shown}");
        }
    }
}
