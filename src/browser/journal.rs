//! The journal in IndexedDB: lines of text by journal and place, written with
//! strict durability.
//!
//! `indexed_db_futures` because it is the one wrapper that offers strict
//! durability; `idb` and `rexie` have no such option.

use std::fmt;

use indexed_db_futures::{
    KeyRange,
    database::Database,
    prelude::*,
    transaction::{TransactionDurability, TransactionMode, TransactionOptions},
};

const DATABASE: &str = "retake";
const VERSION: u32 = 1;
const LINES: &str = "journal";

/// An open journal.
pub struct Journal {
    database: Database,
}

/// Why the journal cannot be used, in the browser's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalError(String);

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Deletes every journal of this browser, of every account.
///
/// # Errors
/// The browser refuses. Another tab that has a journal open delays it until
/// that tab is gone, so nobody should wait for this without an end.
pub async fn erase() -> Result<(), JournalError> {
    let deletion = Database::delete_by_name(DATABASE).map_err(failed)?;
    let patience = super::timer::sleep(std::time::Duration::from_secs(1));
    futures::pin_mut!(patience);
    let deletion = std::future::IntoFuture::into_future(deletion);
    futures::pin_mut!(deletion);
    match futures::future::select(deletion, patience).await {
        futures::future::Either::Left((done, _)) => done.map_err(failed),
        futures::future::Either::Right(_) => Ok(()),
    }
}

fn failed(error: impl fmt::Display) -> JournalError {
    JournalError(error.to_string())
}

/// Sorts by journal, then by place.
fn key(id: &str, seq: u32) -> String {
    format!("{id}/{seq:08}")
}

impl Journal {
    /// Opens the journal, making it if there is none.
    ///
    /// # Errors
    /// The browser refuses storage.
    pub async fn open() -> Result<Self, JournalError> {
        let database = Database::open(DATABASE)
            .with_version(VERSION)
            .with_on_upgrade_needed(|_, database| {
                database.create_object_store(LINES).build()?;
                Ok(())
            })
            .await
            .map_err(failed)?;
        Ok(Self { database })
    }

    fn strict(&self) -> Result<indexed_db_futures::transaction::Transaction<'_>, JournalError> {
        let mut options = TransactionOptions::new();
        options.set_durability(TransactionDurability::Strict);
        self.database
            .transaction(LINES)
            .with_mode(TransactionMode::Readwrite)
            .with_options(options)
            .build()
            .map_err(failed)
    }

    /// Writes one line and waits until it is on disk. A line that is there
    /// already is not overwritten.
    ///
    /// # Errors
    /// It could not be written, or another life wrote at this place.
    pub async fn append(&self, id: &str, seq: u32, line: &str) -> Result<(), JournalError> {
        let transaction = self.strict()?;
        let store = transaction.object_store(LINES).map_err(failed)?;
        store
            .add(line.to_owned())
            .with_key(key(id, seq))
            .primitive()
            .map_err(failed)?
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Every journal with its lines in order.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn load_all(&self) -> Result<Vec<(String, Vec<String>)>, JournalError> {
        let transaction = self.database.transaction(LINES).build().map_err(failed)?;
        let store = transaction.object_store(LINES).map_err(failed)?;
        let keys = store.get_all_keys::<String>().primitive().map_err(failed)?;
        let lines = store.get_all::<String>().primitive().map_err(failed)?;
        let (keys, lines) = futures::join!(keys, lines);
        let mut journals: Vec<(String, Vec<String>)> = Vec::new();
        for (key, line) in keys.map_err(failed)?.zip(lines.map_err(failed)?) {
            let (key, line) = (key.map_err(failed)?, line.map_err(failed)?);
            let Some((id, _)) = key.rsplit_once('/') else {
                continue;
            };
            match journals.last_mut() {
                Some((last, lines)) if last == id => lines.push(line),
                _ => journals.push((id.to_owned(), vec![line])),
            }
        }
        Ok(journals)
    }

    /// Forgets a journal.
    ///
    /// # Errors
    /// It could not be removed.
    pub async fn remove(&self, id: &str) -> Result<(), JournalError> {
        let transaction = self.strict()?;
        let store = transaction.object_store(LINES).map_err(failed)?;
        let all = KeyRange::Bound(key(id, 0), false, key(id, 99_999_999), false);
        store
            .delete::<String, _>(all)
            .primitive()
            .map_err(failed)?
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}
