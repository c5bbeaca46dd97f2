//! The journal, in a real browser: order, fencing, lost connections.

use std::{cell::RefCell, rc::Rc};

use retake::{
    browser::{
        idb,
        journal::{Journal, Stored, WriteError, Writer},
    },
    driver::journal_writer::{JournalWriter, WriterNews},
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::IdbDatabase;

use crate::support::{Notes, fresh};

fn writer(epoch: u64) -> Writer {
    Writer {
        epoch,
        life: retake::browser::random::u64(),
        form: 1,
    }
}

async fn open() -> Journal {
    Journal::open().await.expect("the browser stores")
}

async fn stored(journal: &Journal, id: &str) -> Option<Stored> {
    journal.load(id).await.expect("the journal is read")
}

async fn lines(journal: &Journal, id: &str) -> Vec<String> {
    let stored = stored(journal, id).await.expect("it is there");
    stored.lines.into_iter().map(|(_, line)| line).collect()
}

#[wasm_bindgen_test]
async fn lines_come_back_in_order_and_a_journal_can_be_forgotten() {
    let (journal, id, me) = (open().await, fresh("order"), writer(0));
    for seq in 0..12 {
        let line = format!("line {seq}");
        journal
            .append(&id, &me, seq, &line)
            .await
            .expect("a line is stored");
    }
    let expected: Vec<_> = (0..12).map(|seq| format!("line {seq}")).collect();
    assert_eq!(lines(&journal, &id).await, expected);
    let all = journal.load_all().await.expect("the journal is read");
    let found = all.iter().find(|it| it.id == id).expect("it is there");
    assert_eq!(found.writer.as_ref(), Some(&me));
    journal.remove(&id).await.expect("it is removed");
    assert_eq!(stored(&journal, &id).await, None);
    assert_eq!(journal.writer(&id).await, Ok(None));
}

#[wasm_bindgen_test]
async fn a_newer_epoch_shuts_the_older_out_and_nothing_of_it_is_stored() {
    let (journal, id) = (open().await, fresh("epoch"));
    let (old, new) = (writer(1), writer(2));
    journal
        .append(&id, &old, 0, "old")
        .await
        .expect("a line is stored");
    journal
        .append(&id, &new, 1, "new")
        .await
        .expect("a newer epoch writes");
    // The place is free: only the epoch can refuse it.
    let refused = journal.append(&id, &old, 2, "late").await;
    assert_eq!(refused, Err(WriteError::Superseded { epoch: 2 }));
    assert_eq!(lines(&journal, &id).await, ["old", "new"]);
    assert_eq!(journal.writer(&id).await, Ok(Some(new)));
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn what_another_life_has_begun_since_is_not_forgotten_with_ones_own() {
    let (journal, id) = (open().await, fresh("own"));
    let (mine, other) = (writer(0), writer(0));
    journal
        .append(&id, &mine, 0, "mine")
        .await
        .expect("a line is stored");
    journal.remove(&id).await.expect("it is removed");
    journal
        .append(&id, &other, 0, "another's")
        .await
        .expect("a line is stored");
    journal
        .remove_of(&id, std::slice::from_ref(&mine))
        .await
        .expect("nothing is to do");
    assert_eq!(lines(&journal, &id).await, ["another's"]);
    // One's own, or those that were taken up from another life.
    journal
        .remove_of(&id, &[mine, other])
        .await
        .expect("it is removed");
    assert_eq!(stored(&journal, &id).await, None);
}

#[wasm_bindgen_test]
async fn of_two_lives_of_one_epoch_the_first_to_write_holds() {
    let (journal, id) = (open().await, fresh("tie"));
    let (first, second) = (writer(3), writer(3));
    let (a, b) = futures::join!(
        journal.append(&id, &first, 0, "same"),
        journal.append(&id, &second, 0, "same"),
    );
    assert_eq!(a, Ok(()));
    assert_eq!(b, Err(WriteError::Superseded { epoch: 3 }));
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn a_place_that_a_robbed_life_took_is_told_as_superseded() {
    let (journal, id) = (open().await, fresh("place"));
    let (old, new) = (writer(0), writer(1));
    journal
        .append(&id, &old, 0, "last words")
        .await
        .expect("a line is stored");
    let refused = journal.append(&id, &new, 0, "restored").await;
    assert_eq!(refused, Err(WriteError::Superseded { epoch: 1 }));
    assert_eq!(lines(&journal, &id).await, ["last words"]);
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn a_line_whose_answer_was_lost_is_not_written_twice() {
    let (journal, id, me) = (open().await, fresh("again"), writer(0));
    for _ in 0..2 {
        let written = journal.append(&id, &me, 0, "line").await;
        assert_eq!(written, Ok(()));
    }
    let other = journal.append(&id, &me, 0, "another line").await;
    assert_eq!(other, Err(WriteError::Superseded { epoch: 0 }));
    assert_eq!(lines(&journal, &id).await, ["line"]);
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn the_last_line_is_written_anew_by_the_life_that_wrote_it_alone() {
    let (journal, id) = (open().await, fresh("anew"));
    let (old, new) = (writer(0), writer(1));
    let early = journal.rewrite(&id, &old, 0, "nothing there").await;
    assert!(matches!(early, Err(WriteError::Trouble(_))), "{early:?}");
    for (seq, line) in [(0, "start"), (1, "a sign")] {
        let written = journal.append(&id, &old, seq, line).await;
        assert_eq!(written, Ok(()));
    }
    for sign in ["a later sign", "the latest"] {
        assert_eq!(journal.rewrite(&id, &old, 1, sign).await, Ok(()));
    }
    assert_eq!(lines(&journal, &id).await, ["start", "the latest"]);
    let not_the_last = journal.rewrite(&id, &old, 0, "history").await;
    assert_eq!(not_the_last, Err(WriteError::Superseded { epoch: 0 }));
    // Another life has taken over; neither writes over what the other wrote.
    let other = journal.rewrite(&id, &new, 1, "another's").await;
    assert_eq!(other, Err(WriteError::Superseded { epoch: 0 }));
    let restored = journal.append(&id, &new, 2, "restored").await;
    assert_eq!(restored, Ok(()));
    let late = journal.rewrite(&id, &old, 2, "late").await;
    assert_eq!(late, Err(WriteError::Superseded { epoch: 1 }));
    assert_eq!(
        lines(&journal, &id).await,
        ["start", "the latest", "restored"]
    );
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn a_journal_that_was_evicted_takes_no_later_line() {
    let (journal, id, me) = (open().await, fresh("evicted"), writer(0));
    journal
        .append(&id, &me, 0, "line")
        .await
        .expect("a line is stored");
    journal.remove(&id).await.expect("it is removed");
    let refused = journal.append(&id, &me, 1, "intent").await;
    assert!(
        matches!(refused, Err(WriteError::Trouble(_))),
        "{refused:?}"
    );
    assert_eq!(stored(&journal, &id).await, None);
}

/// What another tab with a newer build would do: it needs a newer schema.
async fn upgrade(version: u32) -> IdbDatabase {
    idb::open("retake", Some(version), |_| Ok(()))
        .await
        .expect("no tab holds the old version open")
}

async fn delete_database() {
    let factory = js_sys::Reflect::get(
        &web_sys::window().expect("a window"),
        &JsValue::from_str("indexedDB"),
    )
    .expect("there is IndexedDB");
    let factory: web_sys::IdbFactory = factory.into();
    let request = factory.delete_database("retake").expect("it can be asked");
    idb::done(Ok(request.into())).await.expect("it is deleted");
}

#[wasm_bindgen_test]
async fn a_lost_connection_is_opened_anew_and_a_newer_schema_is_only_read() {
    let (journal, id, me) = (open().await, fresh("lost"), writer(0));
    journal
        .append(&id, &me, 0, "before")
        .await
        .expect("a line is stored");
    // Deleting asks every open connection to close, as an upgrade does.
    delete_database().await;
    assert_eq!(stored(&journal, &id).await, None);
    journal
        .append(&id, &me, 0, "after")
        .await
        .expect("a fresh connection stores");
    assert_eq!(lines(&journal, &id).await, ["after"]);

    let newer = upgrade(99).await;
    let refused = journal.append(&id, &me, 1, "line").await;
    assert!(
        matches!(refused, Err(WriteError::Trouble(_))),
        "{refused:?}"
    );
    assert!(journal.is_newer());
    assert_eq!(lines(&journal, &id).await, ["after"]);
    newer.close();
    delete_database().await;
    let journal = open().await;
    assert!(!journal.is_newer());
}

#[wasm_bindgen_test]
async fn the_writer_keeps_the_order_and_ends_when_superseded() {
    let (journal, id) = (open().await, fresh("writer"));
    let notes = Notes::new();
    let mine = JournalWriter::start(id.clone(), writer(0), notes.writer());
    mine.write(0, "zero".into());
    mine.write(1, "one".into());
    assert_eq!(mine.write_durably(2, "two".into()).await, Ok(()));
    assert_eq!(mine.settled().await, Ok(()));
    assert_eq!(lines(&journal, &id).await, ["zero", "one", "two"]);

    journal
        .append(&id, &writer(1), 3, "theirs")
        .await
        .expect("a newer epoch writes");
    assert!(mine.write_durably(3, "intent".into()).await.is_err());
    assert!(mine.settled().await.is_err());
    assert_eq!(notes.all().last(), Some(&WriterNews::Superseded(1)));
    assert_eq!(lines(&journal, &id).await, ["zero", "one", "two", "theirs"]);
    journal.remove(&id).await.expect("it is removed");
}

#[wasm_bindgen_test]
async fn the_writer_says_when_the_browser_does_not_store_and_when_it_does_again() {
    let (journal, id) = (open().await, fresh("trouble"));
    let news: Rc<RefCell<Vec<WriterNews>>> = Rc::default();
    let hear = {
        let news = news.clone();
        move |it| news.borrow_mut().push(it)
    };
    let me = writer(0);
    let mine = JournalWriter::start(id.clone(), me.clone(), hear);
    // Earlier lines are missing, as after an eviction.
    assert!(mine.write_durably(1, "one".into()).await.is_err());
    assert!(matches!(
        news.borrow().last(),
        Some(WriterNews::Trouble(Some(_)))
    ));
    journal
        .append(&id, &me, 0, "zero")
        .await
        .expect("a line is stored");
    // What could not be written is written before anything later.
    assert_eq!(mine.write_durably(2, "two".into()).await, Ok(()));
    assert_eq!(news.borrow().last(), Some(&WriterNews::Trouble(None)));
    assert_eq!(lines(&journal, &id).await, ["zero", "one", "two"]);
    journal.remove(&id).await.expect("it is removed");
}
