//! The journal and the tab's memory, in a real browser.

use retake::browser::{journal::Journal, locks, random, storage};
use wasm_bindgen_test::wasm_bindgen_test;

fn fresh(name: &str) -> String {
    format!("{name}-{:016x}", random::u64())
}

#[wasm_bindgen_test]
async fn lines_come_back_in_order_and_a_journal_can_be_forgotten() {
    let journal = Journal::open().await.expect("the browser stores");
    let id = fresh("order");
    for seq in [0, 1, 2, 10, 11] {
        journal
            .append(&id, seq, &format!("line {seq}"))
            .await
            .expect("a line is stored");
    }
    let all = journal.load_all().await.expect("the journal is read");
    let (_, lines) = all.iter().find(|(key, _)| *key == id).expect("it is there");
    assert_eq!(lines, &["line 0", "line 1", "line 2", "line 10", "line 11"]);
    journal.remove(&id).await.expect("it is removed");
    let all = journal.load_all().await.expect("the journal is read");
    assert!(all.iter().all(|(key, _)| *key != id));
}

#[wasm_bindgen_test]
async fn a_line_is_never_overwritten() {
    let journal = Journal::open().await.expect("the browser stores");
    let id = fresh("once");
    journal
        .append(&id, 0, "first")
        .await
        .expect("a line is stored");
    assert!(journal.append(&id, 0, "second").await.is_err());
    let all = journal.load_all().await.expect("the journal is read");
    let (_, lines) = all.iter().find(|(key, _)| *key == id).expect("it is there");
    assert_eq!(lines, &["first"]);
    journal.remove(&id).await.expect("it is removed");
}

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
fn what_a_tab_remembers_comes_back() {
    let key = fresh("tab");
    assert_eq!(storage::tab_get(&key), None);
    storage::tab_set(&key, "value");
    assert_eq!(storage::tab_get(&key).as_deref(), Some("value"));
    storage::tab_remove(&key);
    assert_eq!(storage::tab_get(&key), None);
}
