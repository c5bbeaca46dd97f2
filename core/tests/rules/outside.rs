//! What comes from outside: a name to look up, a sign-in that is lost, a page that is
//! shown or frozen, and an answer that never comes.

use retake_core::{
    api::ErrorKind,
    domain::BatchId,
    rerun::{Limits, PersonSays, Stage},
    supervise::{
        BatchRef, CallId, Event, Input, Output, PauseReason, Phase, Policy, Supervisor, WakeReason,
    },
};

use crate::{
    MINUTE,
    bench::{Bench, batch, failed, running, test, untimed, up_to},
};

/// What the machine asks for, without an answer.
fn asked(bench: &mut Bench) -> Vec<Output> {
    std::iter::from_fn(|| bench.machine.poll_output()).collect()
}

/// The question among these, by its number.
fn question(outputs: &[Output]) -> Option<CallId> {
    outputs.iter().find_map(|output| match output {
        Output::ResolveBatch(id, _)
        | Output::ReadBatch(id, _)
        | Output::ReadTests(id, _)
        | Output::ReadNotPassed(id, ..)
        | Output::StoreIntent(id, _)
        | Output::SendRerun(id, ..) => Some(*id),
        _ => None,
    })
}

fn looks(outputs: &[Output]) -> usize {
    let is_look = |output: &&Output| matches!(output, Output::ReadBatch(..));
    outputs.iter().filter(is_look).count()
}

/// One that was started by the batch's name.
fn by_name() -> Bench {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    let name = BatchRef::Name("nightly".into());
    bench.machine = Supervisor::start(Policy::default(), Limits::default(), name, bench.now());
    bench
}

/// One whose batch has failed, so that it reruns a test.
fn failing() -> Bench {
    let listing = vec![test(1, "ERROR"), test(2, "PASSED")];
    Bench::new(up_to(1), batch("ERROR", "ERROR", Some(1)), listing)
}

/// Answers what is asked until the POST is on its way, which is left open.
fn until_sent(bench: &mut Bench) -> CallId {
    let stored = bench.until_stored();
    bench.feed(Input::Stored(stored, Ok(())));
    question(&asked(bench)).expect("it is sent")
}

#[test]
fn a_name_is_looked_up_once_and_stays_the_batch_that_it_was_then() {
    let mut bench = by_name();
    assert_eq!(bench.machine.state().phase, Phase::Resolving);
    let outputs = asked(&mut bench);
    let id = question(&outputs).expect("it is looked up");
    assert!(outputs.contains(&Output::ResolveBatch(id, "nightly".into())));
    let pinned = BatchId::from_u128(1);
    bench.feed(Input::Resolved(id, Ok((pinned, Some("nightly".into())))));
    assert_eq!(bench.machine.state().batch, Some(pinned));
    assert_eq!(bench.machine.state().name.as_deref(), Some("nightly"));
    bench.run(MINUTE);
    bench.reload();
    let outputs = asked(&mut bench);
    assert!(
        outputs
            .iter()
            .any(|it| matches!(it, Output::ReadBatch(_, id) if *id == pinned))
    );
    assert!(
        !outputs
            .iter()
            .any(|it| matches!(it, Output::ResolveBatch(..)))
    );
}

#[test]
fn a_name_that_nobody_has_ends_it_and_one_that_cannot_be_looked_up_now_does_not() {
    let mut bench = by_name();
    let id = question(&asked(&mut bench)).expect("it is looked up");
    bench.feed(Input::Resolved(id, Err(failed(ErrorKind::NotFound))));
    assert_eq!(bench.code(), Some(1));

    let mut bench = by_name();
    let id = question(&asked(&mut bench)).expect("it is looked up");
    bench.feed(Input::Resolved(id, Err(failed(ErrorKind::Unreachable))));
    assert_eq!((bench.code(), bench.machine.failures()), (None, 1));
    bench.pass(MINUTE);
    bench.feed(Input::Wake);
    assert!(
        question(&asked(&mut bench)).is_some(),
        "it is looked up again"
    );
}

#[test]
fn a_batch_tells_its_name_with_its_first_read() {
    let mut named = running();
    named.name = Some("nightly".into());
    let mut bench = Bench::new(Policy::default(), named, Vec::new());
    assert_eq!(bench.machine.state().name, None);
    bench.settle();
    assert_eq!(bench.machine.state().name.as_deref(), Some("nightly"));
}

#[test]
fn a_lost_sign_in_pauses_and_the_next_one_goes_on_at_once() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    let id = question(&asked(&mut bench)).expect("it reads");
    bench.feed(Input::BatchRead(id, Err(failed(ErrorKind::SignedOut))));
    assert!(asked(&mut bench).contains(&Output::NeedSignIn));
    let phase = |bench: &Bench| bench.machine.state().phase.clone();
    assert_eq!(phase(&bench), Phase::Paused(PauseReason::SignedOut));
    bench.pass(MINUTE);
    bench.feed(Input::SignedIn);
    assert_eq!(looks(&asked(&mut bench)), 1);
    assert_eq!(phase(&bench), Phase::Waiting);
}

#[test]
fn a_sign_in_takes_up_nothing_that_a_person_paused() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.settle();
    bench.feed(Input::Pause(PauseReason::ByPerson));
    bench.feed(Input::SignedIn);
    for why in [WakeReason::Visible, WakeReason::Online, WakeReason::Asked] {
        bench.pass(MINUTE);
        bench.feed(Input::Woken(why));
    }
    assert_eq!(looks(&asked(&mut bench)), 0);
    assert_eq!(
        bench.machine.state().phase,
        Phase::Paused(PauseReason::ByPerson)
    );
}

#[test]
fn a_page_that_is_shown_looks_at_once_but_not_again_within_seconds() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.settle();
    let mut shown = |after_ms: i64, why: WakeReason| {
        bench.pass(after_ms);
        bench.feed(Input::Woken(why));
        let outputs = asked(&mut bench);
        if let Some(id) = question(&outputs) {
            bench.feed(Input::BatchRead(id, Ok(Box::new(running()))));
        }
        looks(&outputs)
    };
    assert_eq!(shown(10_000, WakeReason::Visible), 1);
    assert_eq!(shown(1_000, WakeReason::Visible), 0);
    assert_eq!(shown(1_000, WakeReason::Online), 0, "nothing had failed");
    assert_eq!(shown(1_000, WakeReason::Asked), 1, "a person insists");
    assert_eq!(shown(10_000, WakeReason::Online), 1);
}

#[test]
fn a_network_that_is_back_is_tried_at_once_after_reads_that_failed() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    let id = question(&asked(&mut bench)).expect("it reads");
    bench.feed(Input::BatchRead(id, Err(failed(ErrorKind::Unreachable))));
    asked(&mut bench);
    bench.pass(200);
    bench.feed(Input::Woken(WakeReason::Online));
    let outputs = asked(&mut bench);
    assert_eq!(looks(&outputs), 1);
    bench.feed(Input::Woken(WakeReason::Asked));
    assert_eq!(looks(&asked(&mut bench)), 0, "one is under way");
}

#[test]
fn a_page_that_is_shown_while_a_rerun_settles_looks_for_it_and_sends_nothing() {
    let mut bench = failing();
    let id = until_sent(&mut bench);
    bench.feed(Input::RerunAnswered(id, Err(failed(ErrorKind::TimedOut))));
    let id = question(&asked(&mut bench)).expect("it looks");
    let unmoved = Box::new(batch("ERROR", "ERROR", Some(1)));
    bench.feed(Input::BatchRead(id, Ok(unmoved)));
    asked(&mut bench);
    bench.pass(6_000);
    bench.feed(Input::Woken(WakeReason::Visible));
    let outputs = asked(&mut bench);
    assert_eq!(looks(&outputs), 1);
    assert!(!outputs.iter().any(|it| matches!(it, Output::SendRerun(..))));
}

#[test]
fn a_question_that_is_never_answered_is_a_read_that_failed() {
    // A page that goes on is told of the time meanwhile, so that it takes nothing for a sleep.
    let poll = || Bench::new(Policy::default(), running(), Vec::new());
    let listing = || {
        let mut bench = failing();
        let id = question(&asked(&mut bench)).expect("it polls");
        let finished = Box::new(batch("ERROR", "ERROR", Some(1)));
        bench.feed(Input::BatchRead(id, Ok(finished)));
        bench
    };
    for (mut bench, phase, guard) in [
        (by_name(), Phase::Resolving, 90_000),
        (poll(), Phase::Waiting, 90_000),
        (listing(), Phase::Reading, 15 * MINUTE),
    ] {
        let lost = question(&asked(&mut bench)).expect("it asks");
        assert_eq!(bench.machine.state().phase, phase);
        assert!(bench.machine.awaits(lost));
        let end = bench.wall + guard;
        while bench.wall < end - 1 {
            bench.pass(MINUTE.min(end - 1 - bench.wall));
            bench.feed(Input::Ticked);
        }
        bench.feed(Input::Wake);
        assert!(
            bench.machine.awaits(lost),
            "it may still be answered: {phase:?}"
        );
        bench.pass(1);
        bench.feed(Input::Wake);
        assert!(!bench.machine.awaits(lost), "{phase:?}");
        assert_eq!(bench.machine.state().phase, phase);
        assert_eq!(bench.machine.failures(), 1, "{phase:?}");
        bench.pass(MINUTE);
        bench.feed(Input::Wake);
        assert!(
            question(&asked(&mut bench)).is_some(),
            "asked anew: {phase:?}"
        );
    }
}

#[test]
fn a_post_that_a_frozen_page_lost_is_in_doubt_and_looked_for() {
    let mut bench = failing();
    let lost = until_sent(&mut bench);
    bench.pass(2 * MINUTE);
    bench.feed(Input::Wake);
    let outputs = asked(&mut bench);
    assert!(!bench.machine.awaits(lost));
    assert_eq!(looks(&outputs), 1);
    assert!(!outputs.iter().any(|it| matches!(it, Output::SendRerun(..))));
    let stage = bench.machine.submission().map(|it| it.stage().clone());
    assert!(matches!(stage, Some(Stage::Settling { .. })), "{stage:?}");
}

#[test]
fn an_intent_whose_storing_a_frozen_page_lost_is_not_sent() {
    let mut bench = failing();
    let lost = bench.until_stored();
    bench.pass(2 * MINUTE);
    bench.feed(Input::Wake);
    let outputs = asked(&mut bench);
    assert!(!outputs.iter().any(|it| matches!(it, Output::SendRerun(..))));
    let phase = bench.machine.state().phase.clone();
    assert!(matches!(
        phase,
        Phase::Paused(PauseReason::StorageRefused(_))
    ));
    // The word comes after all: nobody waits for it any more.
    bench.feed(Input::Stored(lost, Ok(())));
    assert_eq!(question(&asked(&mut bench)), None);
    assert_eq!(bench.machine.state().phase, phase);
}

#[test]
fn an_answer_to_another_question_counts_for_nothing() {
    let mut bench = failing();
    let id = question(&asked(&mut bench)).expect("it polls");
    let next = CallId(id.0 + 1);
    let finished = || Box::new(batch("ERROR", "ERROR", Some(1)));
    for input in [
        Input::BatchRead(next, Ok(finished())),
        Input::TestsRead(id, Ok(Vec::new())),
        Input::Stored(id, Ok(())),
        Input::RerunAnswered(id, Err(failed(ErrorKind::Busy))),
        Input::NotSent(id, "late".into()),
        Input::Resolved(id, Err(failed(ErrorKind::NotFound))),
    ] {
        let shown = format!("{input:?}");
        bench.feed(input);
        assert!(bench.machine.awaits(id), "{shown}");
        assert_eq!(bench.machine.state().phase, Phase::Waiting, "{shown}");
    }
    // What answers a listing is no picture of the batch.
    bench.feed(Input::BatchRead(id, Ok(finished())));
    let id = question(&asked(&mut bench)).expect("it lists");
    bench.feed(Input::BatchRead(id, Ok(finished())));
    assert!(bench.machine.awaits(id));
}

#[test]
fn a_rerun_that_was_held_back_is_decided_on_anew_and_costs_no_attempt() {
    let mut bench = failing();
    let id = until_sent(&mut bench);
    bench.feed(Input::NotSent(id, "the page slept".into()));
    assert_eq!(bench.machine.state().attempt, 0);
    assert!(bench.machine.submission().is_none());
    bench.reruns_finish = true;
    bench.run(5 * MINUTE);
    assert_eq!(bench.posts, [1]);
}

#[test]
fn a_person_who_is_asked_ends_the_doubt_and_one_who_is_not_is_not_heard() {
    let mut bench = failing();
    let strict = Limits {
        ask_person: true,
        ..Limits::default()
    };
    let batch_id = BatchRef::Id(BatchId::from_u128(1));
    bench.machine = Supervisor::start(up_to(1), strict, batch_id, bench.now());
    bench.feed(Input::PersonSays(PersonSays::Applied));
    assert_eq!(bench.machine.state().phase, Phase::Waiting);
    bench.refused = Some(failed(ErrorKind::TimedOut));
    bench.run(10 * MINUTE);
    let stage = bench.machine.submission().map(|it| it.stage().clone());
    assert_eq!(stage, Some(Stage::Asking));
    bench.feed(Input::PersonSays(PersonSays::Applied));
    assert!(bench.machine.submission().is_none());
    assert_eq!(bench.machine.state().attempt, 1);
    assert_eq!(bench.posts, [1]);
}

#[test]
fn who_wants_to_stop_while_a_post_is_under_way_is_known_to_hold_it_back() {
    let mut bench = failing();
    until_sent(&mut bench);
    assert!(!bench.machine.holds_back());
    bench.feed(Input::Pause(PauseReason::ByPerson));
    assert!(bench.machine.holds_back());
    bench.feed(Input::Resume);
    assert!(!bench.machine.holds_back(), "it was taken back");
}

#[test]
fn a_post_that_nobody_waits_for_any_more_is_known_until_it_has_surely_landed() {
    let mut bench = failing();
    bench.refused = Some(failed(ErrorKind::Unreachable));
    bench.settle();
    assert_eq!(bench.posts, [1]);
    let state = bench.machine.state();
    assert!(state.open.is_some());
    assert_eq!(state.may_still_land_until(), None, "it is waited for");
    bench.feed(Input::Stop);
    let state = bench.machine.state();
    assert_eq!(state.phase, Phase::Stopped);
    let until = state.may_still_land_until().expect("its answer was lost");
    let settle = state.limits.settle;
    assert!(until > bench.now().wall && until <= bench.now().wall.after(settle));

    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    bench.run(MINUTE);
    bench.feed(Input::Stop);
    assert_eq!(
        bench.machine.state().may_still_land_until(),
        None,
        "nothing was sent"
    );
}

#[test]
fn what_was_read_is_as_old_as_the_question() {
    let mut bench = Bench::new(Policy::default(), running(), Vec::new());
    assert_eq!(bench.machine.read_at(), None);
    let asked_at = bench.now().wall;
    bench.answer_ms = 7_000;
    bench.settle();
    assert_eq!(bench.machine.read_at(), Some(asked_at));
    // Sleep does not age it.
    bench.wall += 3_600_000;
    bench.feed(Input::Ticked);
    let age = bench.machine.read_at().map(|at| bench.now().wall.since(at));
    assert_eq!(age.map(|age| age.as_secs()), Some(7));
}

#[test]
fn a_journal_that_does_not_begin_with_a_start_is_no_supervision() {
    let bench = failing();
    assert!(Supervisor::restore(Vec::new(), bench.now()).is_none());
    let mut records = bench.machine.log().to_vec();
    let mut bench = bench;
    bench.settle();
    records.splice(.., bench.machine.log()[1..].to_vec());
    assert!(Supervisor::restore(records, bench.now()).is_none());
}

#[test]
fn what_was_over_stays_over_after_a_reload_and_hears_nothing() {
    let passed = batch("SUCCEEDED", "COMPLETE", Some(1));
    let mut bench = Bench::new(Policy::default(), passed, vec![test(1, "PASSED")]);
    bench.run(5 * MINUTE);
    assert_eq!(bench.code(), Some(0));
    let records = bench.machine.log().len();
    bench.reload();
    for input in [Input::Wake, Input::Woken(WakeReason::Asked), Input::Stop] {
        bench.feed(input);
    }
    assert_eq!((asked(&mut bench), bench.code()), (Vec::new(), Some(0)));
    assert_eq!(bench.machine.log().len(), records);
}

#[test]
fn a_rerun_that_is_refused_for_good_ends_it_and_says_why() {
    let mut bench = failing();
    bench.refused = Some(failed(ErrorKind::Forbidden));
    bench.run(5 * MINUTE);
    assert_eq!((bench.posts.len(), bench.code()), (1, Some(1)));
    let rule = bench.verdict().map(|it| it.rule.to_string());
    assert!(
        rule.as_deref().is_some_and(|it| it.contains("not allowed")),
        "{rule:?}"
    );
}

#[test]
fn a_platform_that_stays_busy_ends_it_and_is_named_as_the_reason() {
    let mut bench = failing();
    bench.refused = Some(failed(ErrorKind::Busy));
    bench.run(30 * MINUTE);
    assert_eq!((bench.posts.len(), bench.code()), (21, Some(1)));
    let rule = bench.verdict().map(|it| it.rule.to_string());
    assert!(
        rule.as_deref().is_some_and(|it| it.contains("stayed busy")),
        "{rule:?}"
    );
}

#[test]
fn a_rerun_that_met_a_lost_sign_in_is_sent_after_the_next_one() {
    let mut bench = failing();
    bench.refused = Some(failed(ErrorKind::SignedOut));
    bench.run(5 * MINUTE);
    assert_eq!(bench.posts, [1]);
    let phase = bench.machine.state().phase.clone();
    assert_eq!(phase, Phase::Paused(PauseReason::SignedOut));
    bench.refused = None;
    bench.reruns_finish = true;
    bench.feed(Input::SignedIn);
    bench.run(MINUTE);
    assert_eq!(bench.posts, [1, 1]);
    assert_eq!(
        bench.machine.state().attempt,
        1,
        "one rerun, however often sent"
    );
}

#[test]
fn a_pause_of_the_platform_that_was_slept_over_lasts_as_long_after_a_reload() {
    let mut bench = failing();
    bench.refused = Some(failed(ErrorKind::Busy));
    bench.settle();
    bench.pass(10_000);
    bench.feed(Input::Ticked);
    // The lid is closed for an hour, then the page is loaded anew.
    bench.wall += 60 * MINUTE;
    bench.feed(Input::Ticked);
    bench.reload();
    let stage = bench.machine.submission().map(|it| it.stage().clone());
    let Some(Stage::Cooling { until, .. }) = stage else {
        panic!("{stage:?}")
    };
    let left = until.since(bench.now().wall).as_secs();
    assert!((15..=20).contains(&left), "{left} s");
}

#[test]
fn where_nothing_could_ever_prove_the_new_run_the_third_read_of_an_end_is_believed() {
    let mut blind = batch("ERROR", "ERROR", None);
    blind.last_run = None;
    let listing = vec![untimed(test(1, "ERROR")), untimed(test(2, "PASSED"))];
    let mut bench = Bench::new(up_to(1), blind, listing);
    bench.answer_run = None;
    bench.run(10 * MINUTE);
    assert_eq!(bench.posts, [1]);
    assert_eq!(bench.code(), Some(2));
    let log = bench.machine.log();
    let proofs: Vec<bool> = log
        .iter()
        .filter_map(|record| match &record.event {
            Event::Finished { unproven, .. } => Some(*unproven),
            _ => None,
        })
        .collect();
    assert_eq!(
        proofs.last(),
        Some(&true),
        "it is said that it rests on nothing"
    );
    let stale = |event: &Event| matches!(event, Event::StaleRead { .. });
    assert!(
        log.iter().any(|it| stale(&it.event)),
        "the first reads were set aside"
    );
}
