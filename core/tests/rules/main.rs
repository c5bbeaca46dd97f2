//! The supervisor's rules that no single function holds: each one driven
//! through the whole machine, one test for a rule (`design.md` §3).

mod bench;
mod large;
mod outside;

use std::time::Duration;

use bench::{Bench, batch, failed, origin, running, test, untimed, up_to, with_error};
use retake_core::{
    api::ErrorKind,
    domain::{BatchId, MetricsCounts, RunCounter, StatusCounts, Timestamp},
    rerun::Stage,
    supervise::{Input, PauseReason, Phase, Policy, State, WakeReason},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

// A timeout (resim-api.md §6.3 S3; reliability.md §7.8).

#[test]
fn a_timeout_needs_a_read_that_was_sent_after_the_deadline() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    // Answers take so long that one is under way when the hour is over.
    bench.answer_ms = 20_000;
    bench.run(HOUR - 5_000);
    assert_eq!(bench.code(), None);
    // The batch finishes in the last seconds; the read that is sent after the
    // deadline sees it, and a finished batch beats an expired clock.
    bench.batch = Ok(batch("SUCCEEDED", "COMPLETE", Some(1)));
    bench.run(10 * MINUTE);
    assert_eq!(bench.code(), Some(0));
}

#[test]
fn an_answer_that_was_under_way_at_the_deadline_times_nothing_out() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(HOUR - 20_000);
    bench.pass(15_000);
    bench.feed(Input::Woken(WakeReason::Asked));
    // Asked before the deadline, answered after it: asked once more.
    bench.answer_ms = 10_000;
    bench.batch = Ok(running());
    let before = bench.wall;
    bench.settle();
    let verdict = bench.verdict().expect("the second read decides");
    assert_eq!(verdict.exit_code.number(), 6);
    assert_eq!(bench.wall - before, 20_000, "two reads were needed");
}

#[test]
fn while_reads_fail_nothing_times_out() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(30 * MINUTE);
    bench.batch = Err(failed(ErrorKind::Unreachable));
    bench.run(3 * HOUR);
    assert_eq!(bench.code(), None, "without a read nothing is known");
    bench.batch = Ok(running());
    bench.run(2 * MINUTE);
    assert_eq!(bench.code(), Some(6));
}

#[test]
fn sleep_does_not_count_as_waiting() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(30 * MINUTE);
    // The lid is closed for three hours: only the wall clock goes on.
    bench.wall += 3 * HOUR;
    bench.run(25 * MINUTE);
    assert_eq!(bench.code(), None, "55 minutes were waited");
    bench.run(10 * MINUTE);
    assert_eq!(bench.code(), Some(6));
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(30 * MINUTE);
    bench.wall -= HOUR;
    bench.run(35 * MINUTE);
    assert_eq!(bench.code(), Some(6), "an hour was waited");
}

#[test]
fn a_pause_does_not_count_as_waiting() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(30 * MINUTE);
    bench.feed(Input::Pause(PauseReason::ByPerson));
    bench.pass(3 * HOUR);
    bench.feed(Input::Resume);
    bench.run(25 * MINUTE);
    assert_eq!(bench.code(), None, "55 minutes were waited");
    bench.run(10 * MINUTE);
    assert_eq!(bench.code(), Some(6));
}

#[test]
fn how_long_was_waited_stands_still_in_a_pause() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    let waited = |bench: &Bench| bench.machine.state().waited(bench.now().wall);
    bench.run(20 * MINUTE);
    assert_eq!(waited(&bench), Duration::from_mins(20));
    bench.feed(Input::Pause(PauseReason::ByPerson));
    bench.run(HOUR);
    assert_eq!(waited(&bench), Duration::from_mins(20));
    bench.feed(Input::Resume);
    bench.run(MINUTE);
    assert_eq!(waited(&bench), Duration::from_mins(21));
}

#[test]
fn a_person_can_make_a_pause_of_the_storage_their_own() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing);
    let call = bench.until_stored();
    bench.feed(Input::Stored(call, Err("the disk is full".into())));
    let phase = &bench.machine.state().phase;
    assert!(matches!(
        phase,
        Phase::Paused(PauseReason::StorageRefused(_))
    ));
    bench.pass(30_000);
    bench.feed(Input::Pause(PauseReason::ByPerson));
    bench.run(HOUR);
    let phase = &bench.machine.state().phase;
    assert_eq!(*phase, Phase::Paused(PauseReason::ByPerson));
    assert_eq!(
        bench.posts,
        Vec::<usize>::new(),
        "it is not taken up by itself"
    );
    // All of it was a pause, from the storage's refusal on.
    bench.feed(Input::Resume);
    let waited = bench.machine.state().waited(bench.now().wall);
    assert!(waited.as_secs() < 5, "{waited:?}");
}

#[test]
fn the_clock_starts_anew_with_each_attempt() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), running(), listing);
    bench.run(50 * MINUTE);
    bench.batch = Ok(batch("ERROR", "ERROR", Some(1)));
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1]);
    bench.batch = Ok(batch("EXPERIENCES_RUNNING", "RUNNING", Some(2)));
    bench.run(50 * MINUTE);
    assert_eq!(bench.code(), None);
    bench.run(15 * MINUTE);
    assert_eq!(bench.code(), Some(6));
}

// A reload (design.md §3, rules 2 and 6).

#[test]
fn a_reload_while_the_platform_cleans_up_goes_on_waiting_and_posts_once() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::Busy));
    bench.settle();
    assert_eq!(bench.posts, [1]);
    bench.reload();
    let stage = bench.machine.submission().map(|it| it.stage().clone());
    assert!(
        matches!(stage, Some(Stage::Cooling { .. })),
        "nothing is in doubt: {stage:?}"
    );
    bench.refused = None;
    bench.run(20_000);
    assert_eq!(bench.posts, [1], "the platform asked for half a minute");
    bench.run(20_000);
    assert_eq!(bench.posts, [1, 1]);
    assert_eq!(bench.machine.state().attempt, 1);
}

#[test]
fn a_reload_after_a_post_without_an_answer_looks_and_posts_nothing() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::Busy));
    bench.settle();
    bench.refused = Some(failed(ErrorKind::TimedOut));
    bench.run(40_000);
    assert_eq!(bench.posts, [1, 1]);
    bench.reload();
    bench.refused = None;
    bench.run(60_000);
    assert_eq!(bench.posts, [1, 1], "the second one may have been applied");
}

#[test]
fn a_status_that_stays_unknown_times_out_with_its_word() {
    let mut bench = Bench::new(
        Policy::default(),
        batch("HIBERNATING", "SHINY", Some(1)),
        Vec::new(),
    );
    bench.run(2 * HOUR);
    let verdict = bench.verdict().expect("an hour has passed");
    assert_eq!(verdict.exit_code.number(), 6);
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.contains("HIBERNATING"))
    );
}

#[test]
fn a_run_that_never_shows_times_out_although_the_old_end_is_read_all_the_while() {
    let listing = vec![untimed(test(1, "ERROR")), untimed(test(2, "PASSED"))];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", None), listing);
    bench.run(10 * MINUTE);
    assert_eq!(bench.posts, [1]);
    assert_eq!(bench.code(), None);
    bench.run(2 * HOUR);
    let verdict = bench.verdict().expect("an hour has passed");
    assert_eq!(verdict.exit_code.number(), 6);
    assert!(
        verdict.notes.iter().any(|it| it.contains("never showed")),
        "{:?}",
        verdict.notes
    );
}

// What ends without a verdict (README, differences from the CLI).

#[test]
fn reads_that_are_refused_end_it_at_once_or_after_two_minutes() {
    for (kind, is_waited_out) in [
        (&ErrorKind::Forbidden, false),
        (&ErrorKind::NotFound, true),
        (&ErrorKind::Refused, true),
    ] {
        let mut bench = Bench::new(Policy::default(), running(), Vec::new());
        bench.run(MINUTE);
        bench.batch = Err(failed(kind.clone()));
        bench.run(100_000);
        assert_eq!(bench.code().is_none(), is_waited_out, "{kind:?}");
        bench.run(3 * MINUTE);
        assert_eq!(bench.code(), Some(1), "{kind:?}");
    }
}

#[test]
fn a_refusal_before_an_outage_and_one_after_it_do_not_end_it() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(MINUTE);
    bench.batch = Err(failed(ErrorKind::NotFound));
    bench.run(100_000);
    bench.batch = Err(failed(ErrorKind::Unreachable));
    bench.run(HOUR);
    bench.batch = Err(failed(ErrorKind::NotFound));
    bench.run(100_000);
    assert_eq!(bench.code(), None);
    bench.run(3 * MINUTE);
    assert_eq!(bench.code(), Some(1), "it stays refused");
}

#[test]
fn reruns_that_fail_for_an_hour_while_reads_work_end_it_and_a_shorter_trouble_does_not() {
    for (kind, minutes) in [(ErrorKind::Server, 50), (ErrorKind::Unreachable, 50)] {
        let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
        let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
        bench.refused = Some(failed(kind.clone()));
        bench.run(minutes * MINUTE);
        assert_eq!(bench.code(), None, "{kind:?}");
        let tried = bench.posts.len();
        assert!((5..12).contains(&tried), "more and more rarely: {tried}");
        bench.refused = None;
        bench.run(15 * MINUTE);
        assert_eq!(bench.machine.state().attempt, 1, "{kind:?}");
    }
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::TimedOut));
    bench.run(80 * MINUTE);
    assert_eq!(bench.code(), Some(1));
    let verdict = bench.verdict().expect("it ended");
    let said = format!("{verdict:?}");
    assert!(said.contains("were sent and none was applied"), "{said}");
}

#[test]
fn a_rerun_that_finds_no_such_batch_is_tried_again_before_it_ends_it() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::NotFound));
    bench.run(MINUTE);
    assert_eq!(bench.code(), None, "a gateway that is being renewed");
    bench.refused = None;
    bench.run(2 * MINUTE);
    assert_eq!(bench.machine.state().attempt, 1);

    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::NotFound));
    bench.run(10 * MINUTE);
    assert_eq!(bench.code(), Some(1));
    assert_eq!(bench.posts.len(), 4, "{:?}", bench.posts);
}

#[test]
fn a_rerun_that_finds_no_such_batch_once_in_an_outage_does_not_end_it() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::Server));
    while bench.posts.len() < 3 {
        bench.run(1_000);
    }
    bench.refused = Some(failed(ErrorKind::NotFound));
    while bench.posts.len() < 4 {
        bench.run(1_000);
    }
    assert_eq!(bench.code(), None);
    bench.refused = None;
    bench.run(10 * MINUTE);
    assert_eq!(bench.machine.state().attempt, 1);
}

#[test]
fn too_many_requests_for_nine_minutes_are_waited_out() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::Throttled));
    bench.run(9 * MINUTE);
    assert_eq!(bench.code(), None);
    bench.refused = None;
    bench.run(2 * MINUTE);
    assert_eq!(bench.machine.state().attempt, 1);
}

/// A rerun without an answer, somebody else's run, a pause in which the clock is set forward.
#[test]
fn a_clock_that_is_set_during_a_pause_ends_no_window() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(20), batch("ERROR", "ERROR", Some(1)), listing);
    bench.refused = Some(failed(ErrorKind::Unreachable));
    bench.run(5_000);
    assert_eq!(bench.posts.len(), 1);
    bench.batch = Ok(batch("ERROR", "ERROR", Some(2)));
    bench.run(6_000);
    assert_eq!(bench.machine.state().attempt, 1, "it counts as the attempt");
    bench.refused = None;
    bench.feed(Input::Pause(PauseReason::ByPerson));
    bench.pass(1_000);
    bench.wall += HOUR;
    bench.feed(Input::Resume);
    bench.run(80_000);
    assert_eq!(bench.posts.len(), 1, "the first may still land");
    bench.run(3 * MINUTE);
    assert_eq!(bench.posts.len(), 2);
}

// Which finished status is believed (design.md §3, rule 4).

#[test]
fn the_old_end_is_not_believed_when_only_the_answer_carries_a_counter() {
    let mut old = batch("ERROR", "ERROR", None);
    old.last_run = Some(Timestamp::from_millis(5));
    let mut bench = Bench::new(
        up_to(5),
        old.clone(),
        vec![untimed(test(1, "ERROR")), untimed(test(2, "PASSED"))],
    );
    bench.run(10 * MINUTE);
    assert_eq!(bench.posts, [1], "one attempt, not five");
    assert_eq!(bench.machine.state().attempt, 1);
    let mut new = old;
    new.last_run = Some(Timestamp::from_millis(6));
    bench.batch = Ok(new);
    bench.run(MINUTE);
    assert_eq!(
        bench.machine.state().attempt,
        2,
        "a later start is the new run"
    );
}

#[test]
fn an_answer_that_repeats_the_old_counter_proves_no_new_run() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(5), batch("ERROR", "ERROR", Some(1)), listing);
    bench.answer_run = Some(1);
    bench.run(10 * MINUTE);
    assert_eq!(bench.posts, [1]);
}

#[test]
fn without_counters_a_read_that_starts_earlier_is_old() {
    let at = |ms| Some(Timestamp::from_millis(ms));
    let mut newer = batch("EXPERIENCES_RUNNING", "RUNNING", None);
    newer.last_run = at(200);
    let mut bench = Bench::new(up_to(1), newer.clone(), vec![untimed(test(1, "ERROR"))]);
    bench.run(2 * MINUTE);
    // A lagging replica still shows how the run before ended.
    let mut older = batch("ERROR", "ERROR", None);
    older.last_run = at(100);
    bench.batch = Ok(older);
    bench.run(5 * MINUTE);
    assert_eq!(bench.posts, [0; 0]);
    newer.status = Some(retake_core::domain::BatchStatus::Error);
    bench.batch = Ok(newer);
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1]);
}

#[test]
fn a_rerun_that_got_a_batch_of_its_own_is_judged_by_the_marks_of_that_one() {
    let mut bench = Bench::new(
        up_to(1),
        batch("ERROR", "ERROR", None),
        vec![test(1, "ERROR")],
    );
    bench.answer_batch = Some(BatchId::from_u128(2));
    bench.answer_run = None;
    let stored = bench.until_stored();
    // Whoever stamps that one has a clock that is an hour behind.
    let mut own = batch("SUCCEEDED", "COMPLETE", None);
    own.id = BatchId::from_u128(2);
    own.last_run = Some(Timestamp::from_millis(origin().as_millis() - HOUR));
    bench.batch = Ok(own);
    bench.listings = vec![vec![untimed(test(1, "PASSED"))]];
    bench.feed(Input::Stored(stored, Ok(())));
    bench.run(5 * MINUTE);
    assert_eq!(bench.posts, [1]);
    assert_eq!(bench.code(), Some(0));
}

#[test]
fn a_rerun_of_somebody_else_is_adopted_and_costs_no_attempt() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), running(), listing);
    bench.run(MINUTE);
    bench.batch = Ok(batch("EXPERIENCES_RUNNING", "RUNNING", Some(2)));
    bench.run(MINUTE);
    assert_eq!(bench.machine.state().awaited, Some(RunCounter(2)));
    assert_eq!(bench.machine.state().attempt, 0);
}

// One consistent picture (design.md §3, rule 5).

#[test]
fn a_torn_listing_is_read_again_and_never_acted_on() {
    let mut finished = batch("ERROR", "ERROR", Some(1));
    finished.total_tests = Some(3);
    let whole = vec![test(1, "ERROR"), test(2, "PASSED"), test(3, "PASSED")];
    let mut bench = Bench::new(
        Policy {
            rerun_max_failure_percent: 40.0,
            ..up_to(1)
        },
        finished,
        whole.clone(),
    );
    // A test is missing: with it, one of two would be above the limit.
    bench.listings = vec![whole[..2].to_vec(), whole];
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1]);
    let log = format!("{:?}", bench.machine.log());
    assert!(log.contains("Torn"), "{log}");
    assert!(log.contains("listed: 3"), "{log}");
}

#[test]
fn a_cancelled_batch_ends_at_once_although_a_test_in_it_was_never_ended() {
    let listing = vec![test(1, "RUNNING"), test(2, "ERROR")];
    let mut bench = Bench::new(up_to(1), batch("CANCELLED", "CANCELLED", Some(1)), listing);
    bench.run(MINUTE / 2);
    assert_eq!(bench.code(), Some(5));
}

#[test]
fn tests_that_start_after_their_batch_are_doubted_for_as_long_as_a_replica_may_lag() {
    // ReSim gives the time of a test no meaning; it may be stamped when the test begins.
    let later = |n, word| {
        let mut it = test(n, word);
        it.last_run = Some(origin().after(Duration::from_millis(40)));
        it
    };
    let listing = vec![later(1, "ERROR"), later(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing);
    bench.run(50_000);
    assert_eq!(bench.posts, [0; 0], "it may be a run that has just begun");
    bench.run(2 * MINUTE);
    assert_eq!(bench.posts, [1]);
    // Of the next run as well, whose start is another one.
    let mut next = batch("ERROR", "ERROR", Some(2));
    next.last_run = Some(origin().after(Duration::from_mins(4)));
    bench.batch = Ok(next);
    for it in &mut bench.listings[0] {
        it.last_run = Some(origin().after(Duration::from_mins(5)));
    }
    bench.run(50_000);
    assert_eq!(bench.code(), None);
    bench.run(5 * MINUTE);
    assert_eq!(bench.code(), Some(2));
}

#[test]
fn counts_that_never_agree_with_the_listing_end_it_at_last() {
    let mut finished = batch("ERROR", "ERROR", Some(1));
    finished.last_run = None;
    finished.total_tests = Some(2);
    // By these both have passed.
    finished.status_counts = Some(StatusCounts {
        succeeded: 2,
        ..StatusCounts::default()
    });
    finished.metrics_counts = Some(MetricsCounts {
        passed: 2,
        ..MetricsCounts::default()
    });
    let mut bench = Bench::new(up_to(1), finished, Vec::new());
    let a = vec![untimed(test(1, "ERROR")), untimed(test(2, "PASSED"))];
    let b = vec![untimed(test(2, "PASSED")), untimed(test(1, "ERROR"))];
    // Never twice in the same order, so that nothing ever confirms it.
    bench.listings = (0..4_000)
        .map(|n| if n % 2 == 0 { a.clone() } else { b.clone() })
        .collect();
    bench.run(3 * HOUR);
    assert_eq!(bench.posts, [0; 0]);
    assert_eq!(bench.code(), Some(1));
}

#[test]
fn a_rerun_that_is_held_back_again_and_again_is_tried_more_and_more_rarely() {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing);
    bench.held_back = true;
    bench.run(6 * HOUR);
    assert_eq!(bench.posts, [0; 0]);
    let log = format!("{:?}", bench.machine.log());
    let tries = log.matches("NotSent").count();
    assert!((30..60).contains(&tries), "{tries}");
    bench.held_back = false;
    bench.run(11 * MINUTE);
    assert_eq!(bench.posts, [1]);
}

#[test]
fn a_test_that_is_always_listed_twice_counts_once() {
    let twice = vec![test(1, "ERROR"), test(1, "ERROR"), test(2, "PASSED")];
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), twice.clone());
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1]);

    let mut bench = Bench::new(up_to(0), batch("ERROR", "ERROR", Some(1)), twice);
    bench.run(MINUTE);
    assert_eq!(bench.code(), Some(2));
}

#[test]
fn pages_that_never_agree_cannot_hold_up_a_verdict_that_needs_no_tests() {
    let mut finished = batch("SUCCEEDED", "COMPLETE", Some(1));
    finished.total_tests = Some(2);
    let mut bench = Bench::new(up_to(0), finished, Vec::new());
    bench.listings = (1..1000)
        .map(|n| vec![test(n, "PASSED")])
        .collect::<Vec<_>>();
    bench.run(5 * MINUTE);
    assert_eq!(bench.code(), Some(0));
}

// What a rerun did (design.md §3, the verdict).

fn verdict_after_one_rerun(
    before: retake_core::domain::Test,
    after: retake_core::domain::Test,
) -> (usize, usize) {
    let mut bench = Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), vec![before]);
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1]);
    bench.batch = Ok(batch("ERROR", "ERROR", Some(2)));
    bench.listings = vec![vec![after]];
    bench.run(MINUTE);
    let verdict = bench.verdict().expect("every attempt is used");
    (
        verdict.reruns.consistent.len(),
        verdict.reruns.failed_again.len(),
    )
}

#[test]
fn only_the_same_error_twice_is_consistent() {
    let error = |text| with_error(test(1, "ERROR"), text);
    assert_eq!(
        verdict_after_one_rerun(error("lost pose"), error("lost pose")),
        (1, 0)
    );
    assert_eq!(
        verdict_after_one_rerun(error("lost pose"), error("out of memory")),
        (0, 1)
    );
    assert_eq!(
        verdict_after_one_rerun(test(1, "BLOCKER"), test(1, "BLOCKER")),
        (0, 1),
        "two failures without an error text cannot be compared"
    );
}

// A decision is fresh when it is sent.

#[test]
fn a_decision_that_slept_before_it_was_stored_is_looked_at_again() {
    let mut bench = Bench::new(
        up_to(1),
        batch("ERROR", "ERROR", Some(1)),
        vec![test(1, "ERROR")],
    );
    let call = bench.until_stored();
    // The page froze while the journal wrote; meanwhile somebody cancelled.
    bench.pass(15_000);
    bench.batch = Ok(batch("CANCELLED", "CANCELLED", Some(1)));
    bench.feed(Input::Stored(call, Ok(())));
    bench.run(MINUTE);
    assert_eq!(bench.posts, [0; 0]);
    assert_eq!(bench.code(), Some(5));
}

#[test]
fn a_persons_stop_is_an_end_without_a_verdict() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(MINUTE);
    bench.feed(Input::Stop);
    bench.batch = Ok(batch("SUCCEEDED", "COMPLETE", Some(1)));
    bench.run(MINUTE);
    assert_eq!(bench.machine.state().phase, Phase::Stopped);
    assert_eq!(bench.code(), None);
}

#[test]
fn whoever_stops_or_pauses_while_the_intent_is_written_stops_the_rerun() {
    for wish in [Input::Stop, Input::Pause(PauseReason::ByPerson)] {
        let mut bench = Bench::new(
            up_to(1),
            batch("ERROR", "ERROR", Some(1)),
            vec![test(1, "ERROR")],
        );
        let call = bench.until_stored();
        bench.feed(wish.clone());
        bench.feed(Input::Stored(call, Ok(())));
        bench.run(MINUTE);
        assert_eq!(bench.posts, [0; 0], "{wish:?}");
        if matches!(wish, Input::Pause(_)) {
            bench.feed(Input::Resume);
            bench.run(MINUTE);
            assert_eq!(bench.posts, [1], "it is decided anew");
        }
    }
}

#[test]
fn a_server_that_asks_to_be_left_alone_is_not_read_when_the_page_is_shown() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    let mut throttled = failed(ErrorKind::Throttled);
    throttled.retry_after = Some(std::time::Duration::from_mins(10));
    bench.batch = Err(throttled);
    bench.run(1_000);
    assert_eq!(bench.machine.failures(), 1);
    bench.pass(MINUTE);
    bench.feed(Input::Woken(WakeReason::Visible));
    bench.settle();
    assert_eq!(bench.machine.failures(), 1, "not asked again");
    bench.feed(Input::Woken(WakeReason::Asked));
    bench.settle();
    assert_eq!(bench.machine.failures(), 2, "a person insists");
}

#[test]
fn a_picture_that_lacks_the_counter_is_fenced_by_the_one_that_is_known() {
    use retake_core::supervise::Output;
    let mut bench = Bench::new(up_to(1), running(), vec![test(1, "ERROR")]);
    bench.run(10_000);
    // What is listed a minute after the batch was first seen is of no earlier run.
    bench.pass(60_000);
    bench.feed(Input::Wake);
    let mut sent = 0;
    while let Some(output) = bench.machine.poll_output() {
        let input = match output {
            Output::ReadBatch(call, _) => {
                // Every read that decides comes without the counter, however often it is
                // read again; the rerun has run by the next look.
                let run = (sent > 0).then_some(2);
                Input::BatchRead(call, Ok(Box::new(batch("ERROR", "ERROR", run))))
            }
            Output::ReadTests(call, _) => Input::TestsRead(call, Ok(bench.listings[0].clone())),
            Output::StoreIntent(call, _) => Input::Stored(call, Ok(())),
            Output::SendRerun(call, ..) => {
                sent += 1;
                Input::RerunAnswered(call, Err(failed(ErrorKind::Unreadable)))
            }
            _ => continue,
        };
        bench.feed(input);
        if bench.machine.state().attempt == 1 {
            break;
        }
    }
    assert_eq!((sent, bench.machine.state().attempt), (1, 1));
}

// The journal (reliability.md §8, #20).

#[test]
fn a_day_in_which_nothing_happens_adds_no_line_to_the_journal() {
    let policy = Policy {
        wait_timeout: Duration::from_hours(48),
        ..Policy::default()
    };
    let mut bench = Bench::new(policy, running(), Vec::new());
    bench.run(5 * MINUTE);
    let lines = bench.machine.log().len();
    bench.run(24 * HOUR);
    assert_eq!(bench.machine.log().len(), lines);
    // The last line is a sign of life of the last minute or so: a reload takes no more
    // than that for its absence.
    let last = bench.machine.log().last().map(|it| it.at);
    let age = bench.now().wall.since(last.expect("it has lines"));
    assert!(age <= Duration::from_secs(90), "{age:?}");
    let replayed = State::replay(bench.machine.log());
    assert_eq!(replayed.as_ref(), Some(bench.machine.state()));
    bench.reload();
    bench.settle();
    let clock = bench.machine.state().clock_started;
    assert!(clock.as_millis() - origin().as_millis() <= 90_000);
    // What happens then has lines of its own.
    let lines = bench.machine.log().len();
    bench.batch = Ok(batch("SUCCEEDED", "COMPLETE", Some(1)));
    bench.run(2 * MINUTE);
    assert_eq!(bench.code(), Some(0));
    assert!(bench.machine.log().len() > lines);
}
