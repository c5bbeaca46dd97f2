//! A test that runs in a finished batch: an old picture, or of a run that somebody just
//! started and that a replica still hides. What the simulation found, and a reader.

use retake_core::{
    api::{ApiError, ErrorKind},
    domain::{Batch, BatchStatus, ConflatedStatus, Test},
    supervise::{CallId, Input, Output, Phase, Supervisor},
};

use crate::{
    answers::counted,
    batch, drain, now, question, read, reading,
    replicas::{one_failing, started_at},
    test,
};

fn one_running() -> Vec<Test> {
    vec![
        test(1, ConflatedStatus::Running),
        test(2, ConflatedStatus::Passed),
    ]
}

/// Lists these tests at every question for them, from the one that is open; gives the second at
/// which they are believed, and nothing else was wanted before. It asks again when it wants to.
fn believed_at(it: &mut Supervisor, list: CallId, asked_at: i64, tests: &[Test]) -> i64 {
    let (mut list, mut at) = (list, asked_at);
    loop {
        it.handle(Input::TestsRead(list, Ok(tests.to_vec())), now(at, at));
        if it.state().phase == Phase::Deciding {
            return at;
        }
        assert_eq!(it.state().phase, Phase::Reading, "at {at} s");
        assert!(at <= asked_at + 300, "not believed for five minutes");
        let mut asked = drain(it);
        let asks = |output: &Output| matches!(output, Output::ReadTests(..));
        if !asked.iter().any(asks) {
            let due = it.next_due().expect("it looks again").since(now(0, 0).wall);
            at = i64::try_from(due.as_secs()).expect("a few minutes");
            it.handle(Input::Wake, now(at, at));
            asked = drain(it);
        }
        list = question(&asked);
    }
}

#[test]
fn after_a_test_was_listed_as_running_the_next_listing_waits_until_no_replica_hides_that_run() {
    let (mut it, list) = reading(counted(batch(BatchStatus::Error, 1), 1));
    // Somebody reran it: the batch comes from a replica that lags, the tests do not.
    it.handle(Input::TestsRead(list, Ok(one_running())), now(2, 2));
    let list = question(&drain(&mut it));
    // It is over by the next listing, and ended alike.
    assert_eq!(believed_at(&mut it, list, 3, &one_failing()), 62);
}

#[test]
fn a_test_that_runs_in_a_finished_batch_is_believed_minutes_after_its_first_sight() {
    let (mut it, list) = reading(batch(BatchStatus::Error, 1));
    // The tests cannot be listed for a while; by then somebody reran it (seed 17222432).
    let dropped = ApiError::new("list the tests", ErrorKind::Unreachable, "dropped");
    it.handle(Input::TestsRead(list, Err(dropped)), now(2, 2));
    it.handle(Input::Wake, now(90, 90));
    let list = question(&drain(&mut it));
    let at = believed_at(&mut it, list, 90, &one_running());
    // A minute after the first sight, and one more for the same listing.
    assert!((210..=240).contains(&at), "{at}");
}

#[test]
fn a_test_that_ran_in_an_earlier_run_says_nothing_of_a_later_one() {
    let of_run = |run, start| {
        let mut picture = counted(batch(BatchStatus::Error, run), 1);
        picture.last_run = Some(now(start, 0).wall);
        picture
    };
    // Listed while somebody's run begins, which the batch does not show yet.
    let (mut it, list) = reading(of_run(1, -200));
    let begun = started_at(one_running(), [1, -200]);
    it.handle(Input::TestsRead(list, Ok(begun)), now(2, 2));
    assert_eq!(it.state().phase, Phase::Waiting);
    it.handle(Input::Wake, now(60, 60));
    let look = question(&drain(&mut it));
    let mut running = of_run(2, 1);
    running.status = Some(BatchStatus::ExperiencesRunning);
    read(&mut it, look, running, now(61, 61));
    // An hour later that run is over, and one page comes from a replica that lags.
    it.handle(Input::Wake, now(3_600, 3_600));
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, of_run(2, 1), now(3_601, 3_601)));
    let old_page = started_at(one_running(), [1, -200]);
    it.handle(Input::TestsRead(list, Ok(old_page)), now(3_602, 3_602));
    assert_eq!(it.state().phase, Phase::Reading, "not taken for whole");
}

#[test]
fn tests_that_start_later_than_their_batch_may_be_of_the_next_run_once_they_start_later_still() {
    let mut picture = counted(batch(BatchStatus::Error, 1), 1);
    picture.last_run = Some(now(-200, 0).wall);
    let listed = |seconds| started_at(one_failing(), [seconds, -200]);
    let (mut it, mut list) = reading(picture.clone());
    // So this deployment stamps: doubted for a minute, then believed.
    let mut at = 1;
    let mut look = |it: &mut Supervisor, list, seconds| {
        it.handle(Input::TestsRead(list, Ok(listed(seconds))), now(at, at));
        let phase = it.state().phase.clone();
        at += 70;
        it.handle(Input::Wake, now(at, at));
        let asked = question(&drain(it));
        (
            phase,
            question(&read(it, asked, picture.clone(), now(at, at))),
        )
    };
    let phase;
    (phase, list) = look(&mut it, list, -150);
    assert_eq!(phase, Phase::Waiting);
    // Somebody's run: one test starts later than any before, and the batch still lags.
    let (phase, _) = look(&mut it, list, 60);
    assert_eq!(phase, Phase::Waiting, "not taken for how they are stamped");
}

/// One run, one failing test of two, and no starts.
fn picture() -> Batch {
    counted(batch(BatchStatus::Error, 1), 1)
}

/// Both run or fail: nothing that was counted otherwise holds it up.
fn running_and_failing() -> Vec<Test> {
    vec![
        test(1, ConflatedStatus::Running),
        test(2, ConflatedStatus::Error),
    ]
}

#[test]
fn a_listing_that_took_long_may_show_a_run_that_began_near_its_end() {
    let mut old = picture();
    old.last_run = Some(now(-200, 0).wall);
    let (mut it, list) = reading(old.clone());
    // Asked for at 1 s, its last page came at 50 s.
    let newer = started_at(one_failing(), [45, -200]);
    it.handle(Input::TestsRead(list, Ok(newer.clone())), now(50, 50));
    assert_eq!(it.state().phase, Phase::Waiting);
    it.handle(Input::Wake, now(80, 80));
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, old, now(81, 81)));
    it.handle(Input::TestsRead(list, Ok(newer)), now(82, 82));
    assert_eq!(it.state().phase, Phase::Waiting, "36 s are not a minute");
}

#[test]
fn a_listing_with_a_running_test_counts_once_another_is_the_same_and_no_replica_hides_its_run() {
    let old = batch(BatchStatus::Error, 1);
    let (mut it, list) = reading(old.clone());
    // The end of the run before; then the listings fail until somebody's run has begun.
    it.handle(Input::TestsRead(list, Ok(running_and_failing())), now(2, 2));
    let list = question(&drain(&mut it));
    let dropped = ApiError::new("list the tests", ErrorKind::Unreachable, "dropped");
    it.handle(Input::TestsRead(list, Err(dropped)), now(3, 3));
    it.handle(Input::Wake, now(80, 80));
    let list = question(&drain(&mut it));
    it.handle(
        Input::TestsRead(list, Ok(running_and_failing())),
        now(81, 81),
    );
    assert_eq!(it.state().phase, Phase::Reading, "a look now may lag");
    assert_eq!(it.next_due(), Some(now(141, 0).wall));
    // By then another test runs: that may be one more run.
    it.handle(Input::Wake, now(141, 141));
    let list = question(&drain(&mut it));
    let other = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Running),
    ];
    it.handle(Input::TestsRead(list, Ok(other.clone())), now(142, 142));
    assert_eq!(it.next_due(), Some(now(202, 0).wall));
    it.handle(Input::Wake, now(202, 202));
    let list = question(&drain(&mut it));
    it.handle(Input::TestsRead(list, Ok(other)), now(202, 202));
    let look = question(&drain(&mut it));
    let outputs = read(&mut it, look, old, now(203, 203));
    let stores = |it: &Output| matches!(it, Output::StoreIntent(..));
    assert!(outputs.iter().any(stores), "decided on");
}

#[test]
fn where_only_some_tests_show_their_start_the_others_may_be_of_the_next_run() {
    let mut old = picture();
    old.last_run = Some(now(-200, 0).wall);
    let (mut it, list) = reading(old);
    let mut running = one_running();
    running[1].last_run = Some(now(-200, 0).wall);
    it.handle(Input::TestsRead(list, Ok(running)), now(2, 2));
    let list = question(&drain(&mut it));
    let mut over = one_failing();
    over[1].last_run = Some(now(-200, 0).wall);
    assert_eq!(believed_at(&mut it, list, 3, &over), 62);
}

#[test]
fn who_takes_over_while_it_is_read_waits_as_if_a_running_test_had_been_listed() {
    let (mut it, list) = reading(picture());
    it.handle(Input::TestsRead(list, Ok(one_running())), now(2, 2));
    let mut it = Supervisor::restore(it.log().to_vec(), now(4, 4)).expect("it has a start");
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, picture(), now(5, 5)));
    assert_eq!(believed_at(&mut it, list, 6, &one_failing()), 62);
}

#[test]
fn who_takes_over_after_listings_without_a_running_test_waits_for_nothing() {
    let (mut it, list) = reading(picture());
    it.handle(Input::TestsRead(list, Ok(one_failing())), now(2, 2));
    let mut it = Supervisor::restore(it.log().to_vec(), now(4, 4)).expect("it has a start");
    let look = question(&drain(&mut it));
    let list = question(&read(&mut it, look, picture(), now(5, 5)));
    assert_eq!(believed_at(&mut it, list, 6, &one_failing()), 6);
}

#[test]
fn a_running_test_after_a_long_outage_is_given_its_time() {
    let (mut it, mut list) = reading(batch(BatchStatus::Error, 1));
    let mut at = 2;
    while at < 3_700 {
        let down = ApiError::new("list the tests", ErrorKind::Server, "down");
        it.handle(Input::TestsRead(list, Err(down)), now(at, at));
        at += 60;
        it.handle(Input::Wake, now(at, at));
        list = question(&drain(&mut it));
    }
    // It is not given up meanwhile.
    believed_at(&mut it, list, at, &running_and_failing());
}
