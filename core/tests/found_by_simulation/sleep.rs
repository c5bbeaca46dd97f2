//! What twenty million runs found about sleep, and about time that nobody saw.

use super::*;

#[test]
fn a_listing_that_a_sleep_has_split_is_not_decided_on() {
    let (mut it, listing) = reading(batch(BatchStatus::Error, 1));
    // The lid is closed for four hours while the pages come (seed 3641377).
    let tests = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Passed),
    ];
    it.handle(Input::TestsRead(listing, Ok(tests)), now(4 * HOUR, 3));
    assert_eq!(it.state().phase, Phase::Waiting);
    let outputs = drain(&mut it);
    let asks_batch = outputs
        .iter()
        .any(|output| matches!(output, Output::ReadBatch(..)));
    assert!(asks_batch, "the batch is read first: {outputs:?}");
}

#[test]
fn an_answer_that_was_asked_for_before_a_sleep_ends_nothing() {
    let (mut it, listing) = reading(batch(BatchStatus::Cancelled, 1));
    let tests = vec![test(1, ConflatedStatus::Passed); 1]
        .into_iter()
        .chain([test(2, ConflatedStatus::Passed)])
        .collect();
    it.handle(Input::TestsRead(listing, Ok(tests)), now(2, 2));
    let confirm = question(&drain(&mut it));
    // Answered after a sleep of twenty minutes, as of before it (seed 4216266).
    let outputs = read(
        &mut it,
        confirm,
        batch(BatchStatus::Cancelled, 1),
        now(1200, 3),
    );
    assert_eq!(it.state().verdict(), None);
    let again = question(&outputs);
    assert_ne!(again, confirm, "it is asked anew");
}

#[test]
fn a_clock_that_was_set_back_hides_no_sleep() {
    let (mut it, listing) = reading(batch(BatchStatus::Error, 1));
    let tests = vec![
        test(1, ConflatedStatus::Error),
        test(2, ConflatedStatus::Passed),
    ];
    it.handle(Input::TestsRead(listing, Ok(tests)), now(2, 2));
    let confirm = question(&drain(&mut it));
    // Asleep for twenty minutes, and somebody set the clock back by a day (seed 914781).
    let later = now(1200 - 24 * HOUR, 3);
    let outputs = read(&mut it, confirm, batch(BatchStatus::Error, 1), later);
    assert_eq!(it.state().phase, Phase::Waiting);
    assert_ne!(question(&outputs), confirm, "it is asked anew");
}

#[test]
fn a_question_that_only_takes_long_is_no_sleep() {
    let (mut it, listing) = reading(batch(BatchStatus::Error, 1));
    // A thousand pages; the page says now and then that time goes by.
    for seconds in (20..600).step_by(20) {
        it.handle(Input::Ticked, now(seconds, seconds));
    }
    assert!(it.awaits(listing), "it is still waited for");
    assert_eq!(it.state().phase, Phase::Reading);
}

#[test]
fn time_between_two_lives_is_not_waited() {
    let (it, _) = started();
    // Paused by a person; the journal refused to say so (seed 1256591).
    let restored = Supervisor::restore(it.log().to_vec(), now(60, 0)).expect("restores");
    assert_eq!(restored.state().deadline(), now(60 + HOUR, 0).wall);
}

#[test]
fn a_tab_that_slept_while_it_loaded_hears_first_whether_it_was_robbed() {
    let loaded = SeatInput::JournalLoaded {
        epoch: 7,
        over: false,
    };
    let says = |seat: &mut Seat, input, seconds| {
        seat.handle(input, now(seconds, seconds));
        let outputs = std::iter::from_fn(|| seat.poll_output());
        outputs.collect::<Vec<_>>()
    };
    let thawed = |naps: bool| {
        let mut seat = Seat::open(Opened::Found, true, now(0, 0));
        says(&mut seat, SeatInput::LockGranted, 1);
        let at = if naps { 206 } else { 2 };
        (says(&mut seat, loaded, at), seat, at)
    };
    let acts = SeatOutput::Act { epoch: 8 };
    assert!(thawed(false).0.contains(&acts));
    // Another tab stole the lock meanwhile (seed 11578946).
    let (outputs, mut seat, at) = thawed(true);
    assert!(outputs.contains(&SeatOutput::LoadJournal) && !outputs.contains(&acts));
    assert!(
        says(&mut seat.clone(), loaded, at).contains(&acts),
        "nobody did"
    );
    says(&mut seat, SeatInput::LockLost, at);
    assert!(!says(&mut seat, loaded, at).contains(&acts));
}
