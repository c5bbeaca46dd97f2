//! What a tab remembers.

use retake::browser::storage;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::fresh;

#[wasm_bindgen_test]
fn what_a_tab_remembers_comes_back() {
    let key = fresh("tab");
    assert_eq!(storage::tab_get(&key), None);
    storage::tab_set(&key, "value");
    assert_eq!(storage::tab_get(&key).as_deref(), Some("value"));
    storage::tab_remove(&key);
    assert_eq!(storage::tab_get(&key), None);
}

#[wasm_bindgen_test]
fn a_link_that_was_opened_is_told_once_and_is_no_other() {
    let link = format!("?max-rerun-attempts=3&q={}", fresh("link"));
    assert!(!storage::take_opened_link(&link));
    storage::note_opened_link(&link);
    assert!(!storage::take_opened_link("?max-rerun-attempts=5"));
    assert!(storage::take_opened_link(&link));
    assert!(!storage::take_opened_link(&link));
}
