//! What a night of twenty million runs found where a rerun, or a listing, was in doubt.

use crate::replicas::{one_failing, rerun_accepted, rerun_lost, started_at, with_history};

use super::*;

/// The rerun that is wanted, and since when.
fn wanted(outputs: &[Output]) -> Option<Now> {
    outputs.iter().find_map(|output| match output {
        Output::SendRerun(.., wanted) => Some(*wanted),
        _ => None,
    })
}

/// A decided rerun of test 1 whose intent is being stored; gives the question.
fn storing(picture: &Batch) -> (Supervisor, CallId) {
    let (mut it, asked) = reading(picture.clone());
    it.handle(Input::TestsRead(asked, Ok(one_failing())), now(2, 2));
    let asked = question(&drain(&mut it));
    let outputs = read(&mut it, asked, picture.clone(), now(3, 3));
    (it, question(&outputs))
}

#[test]
fn a_rerun_that_a_frozen_tab_comes_to_late_does_not_leave() {
    let (mut it, store) = storing(&batch(BatchStatus::Error, 1));
    it.handle(Input::Stored(store, Ok(())), now(4, 4));
    // The tab was frozen before it came to it (seed 16141323).
    let thawed = now(724, 724);
    let wanted = wanted(&drain(&mut it)).expect("it is to be sent");
    assert_eq!(wanted, now(4, 4));
    let mut seat = Seat::open(Opened::Fresh, true, now(0, 0));
    seat.handle(SeatInput::LockGranted, now(0, 0));
    assert!(seat.may_send(wanted, now(5, 5), now(6, 6)));
    assert!(!seat.may_send(wanted, thawed, thawed));
}

/// A rerun without an answer, after which the next run is read as finished; gives the
/// time at which it is looked at again.
fn taken_for_ours() -> (Supervisor, Timestamp) {
    let (mut it, look) = rerun_lost(&batch(BatchStatus::Error, 1));
    let next = batch(BatchStatus::Error, 2);
    let poll = question(&read(&mut it, look, next.clone(), now(6, 6)));
    assert_eq!(it.state().attempt, 1, "it is taken for ours");
    read(&mut it, poll, next, now(7, 7));
    let due = it.next_due().expect("it looks again");
    (it, due)
}

/// Whether it lists the tests when it is woken then, and the same is read again.
fn lists_at(it: &mut Supervisor, now: Now) -> bool {
    it.handle(Input::Wake, now);
    let poll = question(&drain(it));
    read(it, poll, batch(BatchStatus::Error, 2), now);
    it.state().phase == Phase::Reading
}

#[test]
fn nothing_is_concluded_while_a_late_rerun_may_still_land() {
    // Somebody else ran it meanwhile, and ours is late (seed 11584229).
    let (mut it, _) = taken_for_ours();
    assert_eq!(it.state().phase, Phase::Waiting);
    for seconds in [37, 67, 97] {
        assert!(!lists_at(&mut it, now(seconds, seconds)), "{seconds}");
    }
    let said = |record: &&Record| matches!(record.event, Event::StillUnderWay { .. });
    assert_eq!(it.log().iter().filter(said).count(), 1, "it is said once");
    // It was sent at 4 s, and 95 s are the settle window.
    assert_eq!(
        it.next_due(),
        Some(now(99, 0).wall.after(Duration::from_millis(1)))
    );
    assert!(lists_at(&mut it, now(100, 100)));
}

#[test]
fn a_late_rerun_may_still_land_after_a_reload_or_a_clock_that_was_set_back() {
    let (it, _) = taken_for_ours();
    let mut next = Supervisor::restore(it.log().to_vec(), now(50, 0)).expect("restores");
    let poll = question(&drain(&mut next));
    read(&mut next, poll, batch(BatchStatus::Error, 2), now(51, 1));
    assert_eq!(next.state().phase, Phase::Waiting);
    // It may have left 5 s after the reload at the latest, from a tab that was robbed.
    assert!(!lists_at(&mut next, now(149, 99)));
    assert!(lists_at(&mut next, now(151, 101)));

    // Seed 1446021.
    let (mut it, _) = taken_for_ours();
    assert!(!lists_at(&mut it, now(37 - HOUR, 37)));
    assert!(lists_at(&mut it, now(100 - HOUR, 100)));
}

#[test]
fn a_clock_that_was_set_back_makes_a_run_no_older() {
    let (mut it, poll) = rerun_accepted(batch(BatchStatus::Error, 1), one_failing(), Some(2));
    let finished = batch(BatchStatus::Succeeded, 2);
    read(&mut it, poll, finished.clone(), now(20, 20));
    // A day ago by the clock (seed 192287).
    it.handle(Input::Ticked, now(21 - 24 * HOUR, 21));
    let poll = question(&drain(&mut it));
    let yesterday = now(22 - 24 * HOUR, 22);
    let list = question(&read(&mut it, poll, finished, yesterday));
    // A replica shows the run before.
    it.handle(Input::TestsRead(list, Ok(one_failing())), yesterday);
    assert_eq!(it.state().phase, Phase::Reading);
}

#[test]
fn a_run_that_was_under_way_before_us_is_listed_by_every_test_or_after_a_minute() {
    let with_start = |status| {
        let mut batch = batch(status, 2);
        batch.last_run = Some(now(-5, 0).wall);
        batch
    };
    let listed = |starts, seconds| {
        let (mut it, asked) = started();
        let running = with_start(BatchStatus::ExperiencesRunning);
        read(&mut it, asked, running, now(1, 1));
        it.handle(Input::Wake, now(seconds, seconds));
        let poll = question(&drain(&mut it));
        let at = now(seconds + 1, seconds + 1);
        let list = question(&read(&mut it, poll, with_start(BatchStatus::Error), at));
        let tests = started_at(one_failing(), starts);
        it.handle(Input::TestsRead(list, Ok(tests)), at);
        it.state().phase.clone()
    };
    // One page is new, the other one of a replica that lags (seed 18467133).
    assert_eq!(listed([-500, -5], 31), Phase::Reading);
    assert_eq!(listed([-5, -5], 31), Phase::Deciding);
    assert_eq!(listed([-500, -5], 61), Phase::Deciding);
}

#[test]
fn a_test_without_its_id_may_be_another_one_listed_twice() {
    let (mut it, list) = reading(batch(BatchStatus::Error, 1));
    let mut tests = one_failing();
    tests[1].id = None;
    // The count fits, and yet a test may be missing (seed 15948919).
    it.handle(Input::TestsRead(list, Ok(tests.clone())), now(2, 2));
    assert_eq!(it.state().phase, Phase::Reading);
    // What is listed twice alike is how the API lists it.
    let list = question(&drain(&mut it));
    it.handle(Input::TestsRead(list, Ok(tests)), now(3, 3));
    assert_eq!(it.state().phase, Phase::Deciding);
}

#[test]
fn after_a_look_without_any_mark_an_old_picture_is_no_leave_to_send() {
    let old = with_history(BatchStatus::Error, -50);
    let (mut it, look) = before_the_next_try(&old);
    // Somebody runs it by now, but this answer has neither status nor history.
    let bare = Batch::new(BATCH);
    assert_eq!(wanted(&read(&mut it, look, bare, now(37, 37))), None);
    it.handle(Input::Wake, now(42, 42));
    let look = question(&drain(&mut it));
    // A replica that is half a minute behind (seed 13918331).
    assert_eq!(wanted(&read(&mut it, look, old.clone(), now(43, 43))), None);
    assert_eq!(it.next_due(), Some(now(97, 0).wall));
    it.handle(Input::Wake, now(97, 97));
    let look = question(&drain(&mut it));
    assert!(wanted(&read(&mut it, look, old, now(98, 98))).is_some());
}

/// A rerun that was answered with 409, at its look before the next try.
fn before_the_next_try(picture: &Batch) -> (Supervisor, CallId) {
    let (mut it, store) = storing(picture);
    it.handle(Input::Stored(store, Ok(())), now(4, 4));
    let post = question(&drain(&mut it));
    let busy = ApiError::new("rerun", ErrorKind::Busy, "cleaning up");
    it.handle(Input::RerunAnswered(post, Err(busy)), now(5, 5));
    let look = question(&drain(&mut it));
    read(&mut it, look, picture.clone(), now(6, 6));
    it.handle(Input::Wake, now(36, 36));
    let look = question(&drain(&mut it));
    (it, look)
}

#[test]
fn where_nothing_tells_runs_apart_a_busy_platform_is_decided_on_anew() {
    let mut unmarked = batch(BatchStatus::Error, 1);
    let (mut it, look) = before_the_next_try(&unmarked);
    let outputs = read(&mut it, look, unmarked.clone(), now(37, 37));
    assert!(
        wanted(&outputs).is_some(),
        "a counter tells that nothing ran"
    );

    unmarked.run_counter = None;
    let (mut it, look) = before_the_next_try(&unmarked);
    let outputs = read(&mut it, look, unmarked.clone(), now(37, 37));
    assert_eq!(wanted(&outputs), None);
    let list = question(&read(&mut it, question(&outputs), unmarked, now(38, 38)));
    // Somebody ran it between the looks: the other test fails now.
    let tests = vec![
        test(1, ConflatedStatus::Passed),
        test(2, ConflatedStatus::Error),
    ];
    it.handle(Input::TestsRead(list, Ok(tests)), now(39, 39));
    assert_eq!(it.state().phase, Phase::Deciding);
}

#[test]
fn a_decision_on_an_answer_that_took_long_is_looked_at_again_before_it_is_sent() {
    let picture = batch(BatchStatus::Error, 1);
    let (mut it, list) = reading(picture.clone());
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    let confirm = question(&drain(&mut it));
    let store = question(&read(&mut it, confirm, picture.clone(), now(32, 32)));
    it.handle(Input::Stored(store, Ok(())), now(33, 33));
    let outputs = drain(&mut it);
    assert_eq!(wanted(&outputs), None, "the picture is half a minute old");
    let outputs = read(&mut it, question(&outputs), picture, now(34, 34));
    assert!(wanted(&outputs).is_some());
}

#[test]
fn an_answer_without_any_mark_confirms_no_listing_from_before_an_outage() {
    let mut unmarked = batch(BatchStatus::Error, 1);
    unmarked.run_counter = None;
    // Whether a rerun is decided on when the answer comes that long after the listing.
    let decides = |picture: &Batch, seconds| {
        let (mut it, list) = reading(picture.clone());
        it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
        let confirm = question(&drain(&mut it));
        let down = ApiError::new("read the batch", ErrorKind::Server, "down");
        it.handle(Input::BatchRead(confirm, Err(down)), now(3, 3));
        it.handle(Input::Wake, now(seconds, seconds));
        let confirm = question(&drain(&mut it));
        read(&mut it, confirm, picture.clone(), now(seconds, seconds));
        it.state().phase == Phase::Rerunning
    };
    assert!(decides(&unmarked, 10));
    // Somebody may have run it meanwhile (seeds 14052714, 14564730).
    assert!(!decides(&unmarked, 40));
    assert!(
        decides(&batch(BatchStatus::Error, 1), 40),
        "the counter tells"
    );
}

#[test]
fn what_had_finished_before_us_is_listed_after_a_minute_where_nothing_tells_when_it_began() {
    let listed_at = |seconds| {
        let (mut it, poll) = started();
        let list = question(&read(
            &mut it,
            poll,
            batch(BatchStatus::Error, 2),
            now(1, 1),
        ));
        let down = ApiError::new("list the tests", ErrorKind::Server, "down");
        it.handle(Input::TestsRead(list, Err(down)), now(2, 2));
        it.handle(Input::Wake, now(seconds, seconds));
        let list = question(&drain(&mut it));
        it.handle(
            Input::TestsRead(list, Ok(one_failing())),
            now(seconds, seconds),
        );
        it.state().phase.clone()
    };
    // It may be somebody else's, quick and just over (seed 19866351).
    assert_eq!(listed_at(32), Phase::Reading);
    assert_eq!(listed_at(62), Phase::Deciding);
}

#[test]
fn a_fence_without_any_mark_is_made_only_where_none_is_ever_sent() {
    let marked = batch(BatchStatus::Error, 1);
    let mut unmarked = marked.clone();
    unmarked.run_counter = None;
    // Two answers in a row had lost their mark; the POST's answer was lost, too, and nothing
    // told that it was applied (seed 12834381).
    let (mut it, list) = taken_up(unmarked.clone());
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    let confirm = question(&drain(&mut it));
    let list = question(&read(&mut it, confirm, unmarked, now(2, 2)));
    assert_eq!(it.state().phase, Phase::Reading);
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(3, 3));
    let mut outputs = drain(&mut it);
    let mut seconds = 4;
    while it.state().open.is_none() {
        if it.next_due().is_some() {
            // The run that shows its mark now may have begun since (seed 16751407).
            seconds += 60;
            it.handle(Input::Wake, now(seconds, seconds));
            outputs = drain(&mut it);
        }
        let (asked, now) = (question(&outputs), now(seconds, seconds));
        let lists = outputs.iter().any(|it| matches!(it, Output::ReadTests(..)));
        outputs = if lists {
            it.handle(Input::TestsRead(asked, Ok(one_failing())), now);
            drain(&mut it)
        } else {
            read(&mut it, asked, marked.clone(), now)
        };
    }
    let open = it.state().open.as_ref().expect("a rerun is wanted");
    assert_eq!(open.intent.fence.run, marked.run_counter);
}

#[test]
fn after_a_sleep_an_unmarked_picture_is_decided_on_anew_before_anything_is_sent() {
    let mut unmarked = batch(BatchStatus::Error, 1);
    unmarked.run_counter = None;
    let (mut it, store) = storing(&unmarked);
    // Somebody ran it meanwhile, and it looks the same (seed 11593714).
    it.handle(Input::Stored(store, Ok(())), now(1_000, 1_000));
    let outputs = drain(&mut it);
    let outputs = read(&mut it, question(&outputs), unmarked, now(1_001, 1_001));
    assert_eq!(wanted(&outputs), None);
    assert_ne!(it.state().phase, Phase::Rerunning);
}

#[test]
fn a_run_that_shows_a_mark_first_may_have_begun_since_the_answers_without_any() {
    let mut unmarked = batch(BatchStatus::Error, 1);
    unmarked.run_counter = None;
    let (mut it, poll) = started();
    let list = question(&read(&mut it, poll, unmarked, now(1, 1)));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    it.handle(Input::Wake, now(62, 62));
    let list = question(&drain(&mut it));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(62, 62));
    let confirm = question(&drain(&mut it));
    // Another browser has run it twice meanwhile; a page of a replica does not know it yet.
    let marked = batch(BatchStatus::Succeeded, 3);
    let list = question(&read(&mut it, confirm, marked, now(63, 63)));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(64, 64));
    assert_eq!(it.state().phase, Phase::Reading, "seed 16751407");
    it.handle(Input::Wake, now(124, 124));
    let list = question(&drain(&mut it));
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(124, 124));
    assert_eq!(it.state().phase, Phase::Deciding);
}
