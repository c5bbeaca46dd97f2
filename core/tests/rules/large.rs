//! A batch of many tests is decided on without listing those that passed, by the same
//! arithmetic; where the counts do not agree, all are listed.

use retake_core::{
    api::ErrorKind,
    domain::{
        Batch, BatchId, BatchStatus, ConflatedStatus, MetricsCounts, RunCounter, StatusCounts,
        Test, TestId, Timestamp,
    },
    supervise::{Event, Policy, explain},
};

use crate::bench::{Bench, batch, test, up_to, with_error};

/// Tests of the batch.
const SIZE: u64 = 1_000;
/// The same as a step between IDs.
const SIZE_IDS: u128 = SIZE as u128;
/// When the rerun began, by the API.
const RERUN: i64 = 60_000;

/// A finished batch, so many of its tests in ERROR.
fn large(errors: u64, run: i64) -> Batch {
    let (status, word) = match errors {
        0 => ("SUCCEEDED", "COMPLETE"),
        _ => ("ERROR", "ERROR"),
    };
    let mut batch = batch(status, word, Some(run));
    batch.total_tests = Some(SIZE);
    batch.status_counts = Some(StatusCounts {
        error: errors,
        succeeded: SIZE - errors,
        ..StatusCounts::default()
    });
    batch.metrics_counts = Some(MetricsCounts {
        passed: SIZE - errors,
        ..MetricsCounts::default()
    });
    batch
}

/// All its tests: those of `failing` in ERROR.
fn tests(failing: &[u128]) -> Vec<Test> {
    let word = |n| {
        if failing.contains(&n) {
            "ERROR"
        } else {
            "PASSED"
        }
    };
    (1..=u128::from(SIZE)).map(|n| test(n, word(n))).collect()
}

fn said(bench: &Bench, words: &str) -> bool {
    let log = bench.machine.log();
    log.iter()
        .any(|record| explain(record).text.contains(words))
}

/// The API from the rerun on: another run, begun later.
fn finish_rerun(bench: &mut Bench, errors: u64, listing: Vec<Test>) {
    let mut batch = large(errors, 2);
    batch.last_run = batch.last_run.map(began_later);
    bench.batch = Ok(batch);
    bench.listings = vec![listing];
}

fn began_later(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + RERUN)
}

/// These tests ran again.
fn rerun(mut tests: Vec<Test>, again: &[u128]) -> Vec<Test> {
    for test in &mut tests {
        if test.id.is_some_and(|id| again.contains(&id.as_u128())) {
            test.last_run = test.last_run.map(began_later);
        }
    }
    tests
}

#[test]
fn the_failing_tests_of_a_large_batch_are_rerun_without_listing_the_others() {
    let mut bench = Bench::new(up_to(1), large(2, 1), tests(&[7, 300]));
    bench.run(1_000);
    assert_eq!(bench.listed, (0, 1));
    let named: Vec<Vec<u128>> = bench
        .named
        .iter()
        .map(|ids| ids.iter().map(|id| id.as_u128()).collect())
        .collect();
    assert_eq!(named, [[7, 300]]);
    assert!(said(
        &bench,
        "listed the 2 tests that did not pass; the API counts 998 that passed: together the batch's 1,000"
    ));
    assert!(
        said(&bench, "2 of 1,000 = 0.2 %"),
        "the share is of all tests"
    );
}

#[test]
fn the_guard_counts_the_tests_that_were_not_listed() {
    let failing: Vec<u128> = (1..=20).collect();
    let at_the_limit = Policy {
        rerun_max_failure_percent: 2.0,
        ..up_to(1)
    };
    let mut bench = Bench::new(at_the_limit, large(20, 1), tests(&failing));
    bench.run(1_000);
    assert_eq!(bench.posts, [20], "20 of 1,000 is the limit, not above it");
    let one_more: Vec<u128> = (1..=21).collect();
    let mut bench = Bench::new(at_the_limit, large(21, 1), tests(&one_more));
    bench.run(1_000);
    assert!(bench.posts.is_empty());
    assert_eq!(bench.code(), Some(2));
}

#[test]
fn what_passed_after_its_rerun_is_named_although_nobody_listed_it() {
    let mut listing = tests(&[7, 300]);
    listing[299] = with_error(listing[299].clone(), "lost pose");
    let mut bench = Bench::new(up_to(1), large(2, 1), listing);
    bench.run(1_000);
    assert_eq!(bench.posts, [2]);
    let mut listing = rerun(tests(&[300]), &[7, 300]);
    listing[299] = with_error(listing[299].clone(), "lost pose");
    finish_rerun(&mut bench, 1, listing);
    bench.run(120_000);
    assert_eq!(bench.listed, (0, 2));
    let verdict = bench.verdict().expect("no attempt is left");
    let names = |tests: &[retake_core::supervise::NamedTest]| -> Vec<String> {
        tests.iter().map(|it| it.name.clone()).collect()
    };
    assert_eq!(names(&verdict.reruns.passed_after_rerun), ["t7"]);
    assert_eq!(names(&verdict.reruns.consistent), ["t300"]);
    assert_eq!(verdict.figures.map(|it| it.total), Some(SIZE));
}

#[test]
fn a_pass_of_everything_after_the_rerun_lists_nothing_more() {
    let mut bench = Bench::new(up_to(2), large(1, 1), tests(&[7]));
    bench.run(1_000);
    finish_rerun(&mut bench, 0, rerun(tests(&[]), &[7]));
    bench.run(120_000);
    assert_eq!(bench.code(), Some(0));
    assert_eq!(bench.listed, (0, 2));
}

/// The next number of a row that looks like chance, the same in each run.
fn next(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    *dice >> 33
}

#[test]
fn the_short_way_decides_as_the_long_way() {
    let words = ["ERROR", "BLOCKER", "WARNING", "CANCELLED"];
    let (mut reruns, mut verdicts) = (0, 0);
    for seed in 0..300 {
        let mut dice = seed;
        let mut all = tests(&[]);
        let mut counts = [0; 4];
        for test in &mut all {
            if next(&mut dice).is_multiple_of(40) {
                let at = usize::try_from(next(&mut dice) % 4).expect("small");
                counts[at] += 1;
                test.conflated = Some(ConflatedStatus::from_word(words[at]));
            }
        }
        let [error, fail_block, fail_warn, cancelled] = counts;
        let mut finished = large(error, 1);
        finished.status_counts = Some(StatusCounts {
            error,
            cancelled,
            succeeded: SIZE - error - cancelled,
            ..StatusCounts::default()
        });
        finished.metrics_counts = Some(MetricsCounts {
            passed: SIZE - counts.iter().sum::<u64>(),
            fail_block,
            fail_warn,
            ..MetricsCounts::default()
        });
        let policy = Policy {
            rerun_max_failure_percent: [1.0, 1.8, 2.0, 50.0][(seed % 4) as usize],
            ..up_to(u32::from(seed % 3 > 0))
        };
        let ends = |batch: Batch, way| {
            let mut bench = Bench::new(policy, batch, all.clone());
            bench.run(1_000);
            assert_eq!(bench.listed, way, "seed {seed}");
            let verdict = bench.verdict().cloned();
            (bench.named, verdict)
        };
        let short = ends(finished.clone(), (0, 1));
        finished.status_counts = None;
        let long = ends(finished, (1, 0));
        assert_eq!(short, long, "seed {seed}");
        reruns += usize::from(!short.0.is_empty());
        verdicts += usize::from(short.1.is_some());
    }
    assert!(
        reruns > 50 && verdicts > 50,
        "{reruns} reruns, {verdicts} verdicts"
    );
}

#[test]
fn counts_that_do_not_agree_are_looked_into_by_listing_every_test() {
    // A test that went through, and is in ERROR for its metrics: counted as succeeded.
    let mut bench = Bench::new(up_to(1), large(1, 1), tests(&[7, 300]));
    bench.run(1_000);
    assert_eq!(bench.listed, (1, 1));
    assert_eq!(
        bench.posts,
        [2],
        "the CLI's arithmetic: what is listed counts"
    );
    assert!(said(
        &bench,
        "listing every test, as the API's answer for the failing ones alone is no whole picture"
    ));
    assert!(said(
        &bench,
        "998 tests passed by its listing, 999 by the batch's counts"
    ));
}

#[test]
fn a_listing_from_before_the_rerun_is_waited_out_although_its_numbers_fit() {
    let mut bench = Bench::new(up_to(2), large(1, 1), tests(&[7]));
    bench.run(1_000);
    assert_eq!(bench.posts, [1]);
    // It failed again, and a replica that lags lists how it had failed before.
    finish_rerun(&mut bench, 1, tests(&[7]));
    bench.run(40_000);
    assert_eq!(bench.posts, [1]);
    assert!(said(&bench, "may still be those of the run before"));
    bench.listings = vec![rerun(tests(&[7]), &[7])];
    bench.run(60_000);
    assert_eq!(bench.posts, [1, 1]);
    assert_eq!(bench.listed.0, 0);
}

#[test]
fn of_a_run_that_was_over_before_a_test_that_passed_is_proof_too() {
    // The latest run, of somebody else, ran a test that then passed.
    let mut finished = large(1, 2);
    finished.last_run = finished.last_run.map(began_later);
    let mut bench = Bench::new(up_to(1), finished, rerun(tests(&[300]), &[7]));
    bench.run(1_000);
    assert!(said(&bench, "none of them is of the latest run"));
    assert_eq!(bench.listed, (1, 1));
    assert_eq!(bench.posts, [1], "nothing has to be waited for");
}

#[test]
fn an_api_that_fails_to_list_the_failing_ones_alone_is_asked_for_all() {
    for kind in [
        ErrorKind::Refused,
        ErrorKind::NotFound,
        ErrorKind::Unreadable,
        ErrorKind::Server,
        ErrorKind::Throttled,
    ] {
        let mut bench = Bench::new(up_to(1), large(1, 1), tests(&[7]));
        bench.short_fails = Some(kind.clone());
        bench.run(120_000);
        assert_eq!(bench.posts, [1], "{kind:?}");
        assert_eq!(bench.listed.0, 1, "{kind:?}");
    }
    for kind in [ErrorKind::Unreachable, ErrorKind::NoToken] {
        let mut bench = Bench::new(up_to(1), large(1, 1), tests(&[7]));
        bench.short_fails = Some(kind);
        bench.run(120_000);
        assert_eq!(bench.listed.0, 0, "an outage says nothing of the API");
        bench.short_fails = None;
        bench.run(60_000);
        assert_eq!(bench.posts, [1]);
    }
}

#[test]
fn in_another_batch_nothing_is_said_of_tests_that_nobody_listed() {
    let mut bench = Bench::new(up_to(1), large(1, 1), tests(&[7]));
    bench.answer_batch = Some(BatchId::from_u128(2));
    bench.run(1_000);
    assert_eq!(bench.posts, [1]);
    // The same tests under other IDs: the seventh has failed again.
    let mut listing = rerun(tests(&[7]), &[7]);
    for test in &mut listing {
        test.id = test.id.map(|id| TestId::from_u128(id.as_u128() + SIZE_IDS));
    }
    finish_rerun(&mut bench, 1, listing);
    if let Ok(batch) = &mut bench.batch {
        batch.id = BatchId::from_u128(2);
    }
    bench.run(120_000);
    let verdict = bench.verdict().expect("no attempt is left");
    assert_eq!(verdict.exit_code.number(), 2);
    assert!(verdict.reruns.passed_after_rerun.is_empty());
    assert_eq!(bench.listed, (1, 1));
}

#[test]
fn where_somebody_else_ran_it_an_empty_listing_is_believed_after_a_minute() {
    let mut running = large(0, 1);
    running.status = Some(BatchStatus::ExperiencesRunning);
    let mut bench = Bench::new(up_to(1), running, tests(&[]));
    bench.run(1_000);
    // It has ended, and what the API counts is not final yet.
    bench.batch = Ok(large(0, 1));
    bench.run(35_000);
    assert!(said(&bench, "may still be those of the run before"));
    assert_eq!(bench.code(), None);
    bench.batch = Ok(large(1, 1));
    bench.listings = vec![tests(&[7])];
    bench.run(60_000);
    assert_eq!(bench.posts, [1], "what failed was seen in the end");
}

#[test]
fn each_decision_tries_the_short_way_again() {
    let mut bench = Bench::new(up_to(2), large(1, 1), tests(&[7, 300]));
    bench.run(1_000);
    assert_eq!(bench.listed, (1, 1));
    finish_rerun(&mut bench, 1, rerun(tests(&[300]), &[7, 300]));
    bench.run(120_000);
    assert_eq!(bench.listed, (1, 2));
}

#[test]
fn a_reload_while_the_rerun_runs_knows_the_names_of_its_tests() {
    let mut bench = Bench::new(up_to(1), large(1, 1), tests(&[7]));
    bench.run(1_000);
    bench.reload();
    finish_rerun(&mut bench, 0, rerun(tests(&[]), &[7]));
    bench.run(120_000);
    let verdict = bench.verdict().expect("it is over");
    assert_eq!(verdict.reruns.passed_after_rerun[0].name, "t7");
    let kept = |record: &retake_core::supervise::Record| {
        matches!(
            record.event,
            Event::ListedNotPassed {
                listed: 0,
                passed: SIZE
            }
        )
    };
    assert!(bench.machine.log().iter().any(kept));
    assert_eq!(bench.machine.state().awaited, Some(RunCounter(2)));
}

#[test]
fn where_the_short_way_failed_twice_it_is_not_tried_again() {
    // Each time one more is listed than is counted.
    let mut bench = Bench::new(up_to(3), large(1, 1), tests(&[7, 300]));
    bench.run(1_000);
    finish_rerun(&mut bench, 1, rerun(tests(&[7, 300]), &[7, 300]));
    bench.run(120_000);
    assert_eq!(bench.listed, (2, 2));
    if let Ok(batch) = &mut bench.batch {
        batch.run_counter = Some(RunCounter(3));
        batch.last_run = batch.last_run.map(began_later);
    }
    let listing = rerun(tests(&[7, 300]), &[7, 300]);
    bench.listings = vec![rerun(listing, &[7, 300])];
    bench.run(120_000);
    let (all, short) = bench.listed;
    assert!(
        all > 2 && short == 2,
        "{all} whole listings, {short} short ones"
    );
}

#[test]
fn tests_of_a_later_run_than_the_batch_decide_nothing() {
    let mut bench = Bench::new(up_to(1), large(1, 1), rerun(tests(&[7]), &[7]));
    bench.run(1_000);
    assert!(bench.posts.is_empty());
    assert!(said(&bench, "may have moved on"));
    assert_eq!(bench.listed, (0, 1));
}

#[test]
fn what_passed_after_its_rerun_and_has_no_name_is_called_by_its_id() {
    let mut listing = tests(&[7]);
    listing[6].name = String::new();
    let mut bench = Bench::new(up_to(1), large(1, 1), listing);
    bench.run(1_000);
    finish_rerun(&mut bench, 0, rerun(tests(&[]), &[7]));
    bench.run(120_000);
    let verdict = bench.verdict().expect("everything passed");
    let id = TestId::from_u128(7);
    assert_eq!(verdict.reruns.passed_after_rerun[0].name, id.to_string());
}
