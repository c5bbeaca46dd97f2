//! The clocks and their words.

use retake::browser::clock;
use retake_core::domain::Timestamp;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn the_clocks_run_and_dice_differ() {
    let (first, second) = (clock::now(), clock::now());
    assert!(second.wall >= first.wall && second.mono >= first.mono);
    assert_ne!(first.dice, second.dice);
    assert!(first.wall > Timestamp::from_millis(1_700_000_000_000));
}

#[wasm_bindgen_test]
fn times_are_local_and_twenty_four_hours_long() {
    let at = Timestamp::from_millis(1_776_693_802_000);
    let time = clock::local_time(at);
    assert_eq!(time.len(), 8, "{time}");
    assert!(time.ends_with(":22"), "{time}");
    assert!(clock::local_date(at).contains("2026"));
    assert!(clock::local_day_time(at).contains("Apr"));
}
