//! Timers, and what wakes the page.

use std::time::Duration;

use retake::browser::{clock, timer, wake};
use retake_core::supervise::WakeReason;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::Notes;

const SHORT: Duration = Duration::from_millis(40);

#[wasm_bindgen_test]
async fn a_timer_fires_once_and_not_early() {
    let notes = Notes::new();
    let write = notes.writer();
    let began = clock::now().mono;
    let _timer = timer::Timer::after(SHORT, move || write(clock::now().mono));
    let fired = notes.wait_for(1).await[0];
    // Browsers round both clocks, to a tenth of a millisecond or worse.
    assert!(fired.saturating_sub(began) + Duration::from_millis(2) >= SHORT);
    timer::sleep(SHORT * 3).await;
    assert_eq!(notes.all().len(), 1);
}

#[wasm_bindgen_test]
async fn a_timer_that_is_dropped_never_fires() {
    let notes = Notes::new();
    let write = notes.writer();
    drop(timer::Timer::after(SHORT, move || write(())));
    timer::sleep(SHORT * 3).await;
    assert!(notes.all().is_empty());
}

#[wasm_bindgen_test]
async fn a_delay_too_long_for_the_browser_does_not_fire_at_once() {
    let notes = Notes::new();
    let write = notes.writer();
    // Sixty days; what does not fit in 31 bits would come back as nothing.
    let _timer = timer::Timer::after(Duration::from_hours(60 * 24), move || write(()));
    timer::sleep(SHORT * 2).await;
    assert!(notes.all().is_empty());
}

#[wasm_bindgen_test]
fn the_network_and_the_focus_wake_the_page() {
    let notes = Notes::new();
    let _listening = wake::on_wake(notes.writer());
    let window = web_sys::window().expect("a window");
    for name in ["online", "focus", "pageshow"] {
        let event = web_sys::Event::new(name).expect("an event");
        window.dispatch_event(&event).expect("it is heard");
    }
    let shown = if wake::is_hidden() {
        vec![WakeReason::Online]
    } else {
        vec![WakeReason::Online, WakeReason::Visible, WakeReason::Visible]
    };
    assert_eq!(notes.all(), shown);
}
