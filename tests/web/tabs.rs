//! What tabs share: locks and messages; and the tick that a hidden one lives on.

use std::time::Duration;

use retake::browser::{
    channel::Channel,
    locks::{self, How, News},
    tick::Tick,
    timer,
};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Notes, fresh};

#[wasm_bindgen_test]
async fn a_lock_is_held_by_one_and_let_go_when_dropped() {
    assert!(locks::available());
    let name = fresh("lock");
    let held = locks::try_hold(&name).await.expect("nobody has it");
    assert!(locks::try_hold(&name).await.is_none());
    drop(held);
    assert!(locks::hold(&name).await.is_some());
}

#[wasm_bindgen_test]
async fn a_lock_that_is_stolen_is_told_to_its_holder() {
    let name = fresh("steal");
    let (mine, theirs) = (Notes::new(), Notes::new());
    let held = locks::ask(&name, How::IfFree, mine.writer());
    assert_eq!(mine.wait_for(1).await, [News::Granted]);
    let thief = locks::ask(&name, How::Steal, theirs.writer());
    assert_eq!(theirs.wait_for(1).await, [News::Granted]);
    assert_eq!(mine.wait_for(2).await, [News::Granted, News::Lost]);
    // What is left of the stolen one lets nothing go.
    drop(held);
    assert!(locks::try_hold(&name).await.is_none());
    drop(thief);
    assert!(locks::hold(&name).await.is_some());
}

#[wasm_bindgen_test]
async fn the_queue_is_served_when_the_holder_goes_and_can_be_left() {
    let name = fresh("queue");
    let held = locks::try_hold(&name).await.expect("nobody has it");
    let (first, second) = (Notes::new(), Notes::new());
    let left = locks::ask(&name, How::Queue, first.writer());
    let waits = locks::ask(&name, How::Queue, second.writer());
    timer::sleep(Duration::from_millis(50)).await;
    drop(left);
    drop(held);
    assert_eq!(second.wait_for(1).await, [News::Granted]);
    assert!(first.all().is_empty());
    drop(waits);
}

#[wasm_bindgen_test]
async fn a_lock_that_is_taken_is_said_to_be() {
    let name = fresh("taken");
    let _held = locks::try_hold(&name).await.expect("nobody has it");
    let notes = Notes::new();
    let _asked = locks::ask(&name, How::IfFree, notes.writer());
    assert_eq!(notes.wait_for(1).await, [News::Taken]);
}

#[wasm_bindgen_test]
async fn a_message_reaches_the_others_and_not_oneself() {
    let name = fresh("channel");
    let (mine, theirs) = (Notes::new(), Notes::new());
    let one = Channel::open(&name, mine.writer());
    let other = Channel::open(&name, theirs.writer());
    one.say("hello");
    assert_eq!(theirs.wait_for(1).await, ["hello"]);
    other.say("and you");
    assert_eq!(mine.wait_for(1).await, ["and you"]);
    drop(other);
    one.say("gone");
    timer::sleep(Duration::from_millis(50)).await;
    assert_eq!(theirs.all(), ["hello"]);
}

#[wasm_bindgen_test]
async fn the_worker_ticks_each_second_until_it_is_dropped() {
    let ticks = Notes::new();
    let note = ticks.writer();
    // The tests are served from the project's own folder.
    let tick = Tick::start_from(
        "/public/tick.js",
        move || note(()),
        || panic!("it is there"),
    )
    .expect("workers start");
    ticks.wait_for(3).await;
    drop(tick);
    let at_the_end = ticks.all().len();
    timer::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(ticks.all().len(), at_the_end);
}

#[wasm_bindgen_test]
async fn a_worker_whose_script_is_missing_says_so() {
    let failures = Notes::new();
    let note = failures.writer();
    let missing = "/public/no-such-tick.js";
    let _tick = Tick::start_from(missing, || panic!("no script"), move || note(()));
    failures.wait_for(1).await;
}
