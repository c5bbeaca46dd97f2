//! The journal in IndexedDB: lines of text by journal and place, written with
//! strict durability, and for each journal who may write.
//!
//! A write is one transaction: it looks up the epoch of the journal, is refused
//! as [`WriteError::Superseded`] if another life of the same or a newer epoch
//! has written, and else stores epoch and line together. A line is never
//! overwritten, but the last one by the life that wrote it ([`Journal::rewrite`]). What
//! "same life" means is decided in `retake_core::supervise`.
//!
//! Connections die: the browser closes them, or another tab needs a newer
//! schema. The handle is then dropped and opened anew, once for each call
//! (`reliability.md` §2.4). A database of a newer build is only read.

mod errors;

use std::{cell::RefCell, fmt, rc::Rc, time::Duration};

use futures::{channel::oneshot, future::LocalBoxFuture};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, IdbDatabase, IdbKeyRange};

pub use self::errors::{JournalError, WriteError};
use super::idb::{self, IdbError, Transaction};

const DATABASE: &str = "retake";
/// 1: lines alone. 2: who writes.
const VERSION: u32 = 2;
const LINES: &str = "journal";
const WRITERS: &str = "writers";

/// Who writes a journal: an epoch, and a name for this life of the page, which
/// tells two lives of the same epoch apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Which life; a newer one is obeyed.
    pub epoch: u64,
    /// Random.
    pub life: u64,
    /// The form that this life writes in; an older build does not read on.
    #[serde(default)]
    pub form: u32,
}

/// From now on this page opens the journal no more: what still runs in it
/// while it goes cannot bring names back that are being deleted.
pub fn shut() {
    CONNECTION.with(|connection| {
        let mut connection = connection.borrow_mut();
        connection.shut = true;
        if let Some(database) = connection.database.take() {
            database.close();
        }
    });
}

/// Deletes every journal of this browser, of every account.
///
/// # Errors
/// The browser refuses, or another tab that has a journal open delays it for
/// longer than a second.
pub async fn erase() -> Result<(), JournalError> {
    let deletion = idb::delete(DATABASE);
    futures::pin_mut!(deletion);
    let patience = super::timer::sleep(Duration::from_secs(1));
    futures::pin_mut!(patience);
    match futures::future::select(deletion, patience).await {
        futures::future::Either::Left((done, _)) => Ok(done?),
        futures::future::Either::Right(_) => Err(JournalError(
            "another tab has held it open for a second".into(),
        )),
    }
}

/// How long a read of the journal may take. It is a matter of milliseconds, unless
/// another tab was stopped in the middle of a write.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// A journal that cannot be read is read again after this.
pub const READ_AGAIN: Duration = Duration::from_secs(5);

/// What `read` gives, if the browser's storage answers in time. It goes on until it is
/// answered, as what a late answer opens has to be taken in.
///
/// # Errors
/// Those of `read`, or that it does not answer.
pub async fn in_time<T: 'static>(
    read: impl Future<Output = Result<T, JournalError>> + 'static,
) -> Result<T, JournalError> {
    let (tell, told) = oneshot::channel();
    spawn_local(async move {
        // Nobody may wait any more.
        let _ = tell.send(read.await);
    });
    match super::timer::within(READ_LIMIT, told).await {
        Some(Ok(answer)) => answer,
        _ => Err(JournalError("the browser's storage does not answer".into())),
    }
}

/// One journal as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub id: String,
    /// Who wrote last, where that is known.
    pub writer: Option<Writer>,
    /// Its lines with their places, in order. A place may be missing.
    pub lines: Vec<(u32, String)>,
}

impl Stored {
    /// The form that its last writer writes in; 0 from before forms were counted.
    pub fn form(&self) -> u32 {
        self.writer.as_ref().map_or(0, |writer| writer.form)
    }
}

/// The connection of this page, while there is one.
#[derive(Default)]
struct Connection {
    database: Option<IdbDatabase>,
    /// The page goes: nothing is opened any more.
    shut: bool,
    /// The stored schema is newer than this build: it only reads.
    newer: bool,
}

thread_local! {
    static CONNECTION: Rc<RefCell<Connection>> = Rc::default();
}

/// The journal of this browser.
#[derive(Clone)]
pub struct Journal {
    connection: Rc<RefCell<Connection>>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

/// Sorts by journal, then by place.
fn key(id: &str, seq: u32) -> JsValue {
    JsValue::from_str(&format!("{id}/{seq:08}"))
}

fn places(id: &str) -> Result<IdbKeyRange, JsValue> {
    IdbKeyRange::bound(&key(id, 0), &key(id, 99_999_999))
}

fn parse_writer(value: &JsValue) -> Option<Writer> {
    serde_json::from_str(&value.as_string()?).ok()
}

impl Journal {
    /// Opens the journal, making it if there is none.
    ///
    /// # Errors
    /// The browser refuses storage.
    pub async fn open() -> Result<Self, JournalError> {
        let it = Self {
            connection: CONNECTION.with(Rc::clone),
        };
        it.database().await?;
        Ok(it)
    }

    /// Whether a newer build has changed the stored form, so that this one may
    /// only read.
    pub fn is_newer(&self) -> bool {
        self.connection.borrow().newer
    }

    async fn database(&self) -> Result<IdbDatabase, IdbError> {
        if self.connection.borrow().shut {
            return Err(IdbError::new("InvalidAccessError", "signed out"));
        }
        if let Some(database) = &self.connection.borrow().database {
            return Ok(database.clone());
        }
        let make = |database: &IdbDatabase| {
            for store in [LINES, WRITERS] {
                if !database.object_store_names().contains(store) {
                    database.create_object_store(store)?;
                }
            }
            Ok(())
        };
        let (database, newer) = match idb::open(DATABASE, Some(VERSION), make).await {
            Ok(database) => (database, false),
            Err(error) if error.name == "VersionError" => {
                (idb::open(DATABASE, None, |_| Ok(())).await?, true)
            }
            Err(error) => return Err(error),
        };
        self.watch(&database);
        let mut connection = self.connection.borrow_mut();
        if connection.shut {
            database.close();
            return Err(IdbError::new("InvalidAccessError", "signed out"));
        }
        connection.newer = newer;
        connection.database = Some(database.clone());
        Ok(database)
    }

    /// Lets a connection go when the browser closes it, or when another tab
    /// wants to change the schema.
    fn watch(&self, database: &IdbDatabase) {
        let forget = {
            let connection = Rc::downgrade(&self.connection);
            let mine = database.clone();
            Closure::<dyn FnMut(Event)>::new(move |_| {
                mine.close();
                if let Some(connection) = connection.upgrade() {
                    let mut connection = connection.borrow_mut();
                    if connection.database.as_ref() == Some(&mine) {
                        connection.database = None;
                    }
                }
            })
        };
        database.set_onclose(Some(forget.as_ref().unchecked_ref()));
        database.set_onversionchange(Some(forget.as_ref().unchecked_ref()));
        // As long as the connection, which the page holds.
        forget.forget();
    }

    /// Does something with the connection, and once more with a fresh one if
    /// that one turns out to be dead.
    async fn with<T, E: From<IdbError>>(
        &self,
        act: impl Fn(IdbDatabase) -> LocalBoxFuture<'static, Result<T, Failed<E>>>,
    ) -> Result<T, E> {
        let first = match act(self.database().await?).await {
            Err(Failed::Idb(error)) => error,
            Err(Failed::Other(error)) => return Err(error),
            Ok(value) => return Ok(value),
        };
        if !matches!(
            first.name.as_str(),
            "InvalidStateError" | "AbortError" | "UnknownError" | "NotFoundError"
        ) {
            return Err(first.into());
        }
        if let Some(dead) = self.connection.borrow_mut().database.take() {
            dead.close();
        }
        match act(self.database().await?).await {
            Err(Failed::Idb(error)) => Err(error.into()),
            Err(Failed::Other(error)) => Err(error),
            Ok(value) => Ok(value),
        }
    }

    fn may_write(&self) -> Result<(), IdbError> {
        if self.is_newer() {
            return Err(IdbError::new(
                "VersionError",
                "a newer Retake has changed the journal; reload this tab",
            ));
        }
        Ok(())
    }

    /// Writes one line as `writer` and waits until it is on disk. Written once
    /// already by this life, it is not written again.
    ///
    /// # Errors
    /// Another life has taken over, or it could not be written.
    pub async fn append(
        &self,
        id: &str,
        writer: &Writer,
        seq: u32,
        line: &str,
    ) -> Result<(), WriteError> {
        self.database().await?;
        self.may_write()?;
        self.with(|database| {
            let (id, writer, line) = (id.to_owned(), writer.clone(), line.to_owned());
            Box::pin(async move { append(&database, &id, &writer, seq, &line).await })
        })
        .await
    }

    /// Writes the last line anew, which `writer` wrote, and waits until it is on disk.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn rewrite(
        &self,
        id: &str,
        writer: &Writer,
        seq: u32,
        line: &str,
    ) -> Result<(), WriteError> {
        self.database().await?;
        self.may_write()?;
        self.with(|database| {
            let (id, writer, line) = (id.to_owned(), writer.clone(), line.to_owned());
            Box::pin(async move { rewrite(&database, &id, &writer, seq, &line).await })
        })
        .await
    }

    /// Who wrote a journal last.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn writer(&self, id: &str) -> Result<Option<Writer>, JournalError> {
        self.with(|database| {
            let id = id.to_owned();
            Box::pin(async move {
                let transaction = Transaction::read(&database, &[WRITERS])?;
                let request = transaction.store(WRITERS)?.get(&id.as_str().into());
                let writer = idb::done(request).await?;
                Ok::<_, Failed<JournalError>>(parse_writer(&writer))
            })
        })
        .await
    }

    /// One journal, if it is there.
    ///
    /// # Errors
    /// It could not be read.
    pub async fn load(&self, id: &str) -> Result<Option<Stored>, JournalError> {
        let all = self.read(Some(id.to_owned())).await?;
        Ok(all.into_iter().find(|it| it.id == id))
    }

    /// Every journal.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn load_all(&self) -> Result<Vec<Stored>, JournalError> {
        self.read(None).await
    }

    async fn read(&self, only: Option<String>) -> Result<Vec<Stored>, JournalError> {
        self.with(|database| {
            let only = only.clone();
            Box::pin(async move { Ok::<_, Failed<_>>(read(&database, only.as_deref()).await?) })
        })
        .await
    }

    /// Forgets a journal.
    ///
    /// # Errors
    /// It could not be removed.
    pub async fn remove(&self, id: &str) -> Result<(), JournalError> {
        self.remove_if(id, None).await
    }

    /// Forgets a journal, unless somebody who is none of `writers` has written last.
    ///
    /// # Errors
    /// It could not be removed.
    pub async fn remove_of(&self, id: &str, writers: &[Writer]) -> Result<(), JournalError> {
        self.remove_if(id, Some(writers)).await
    }

    async fn remove_if(&self, id: &str, writers: Option<&[Writer]>) -> Result<(), JournalError> {
        self.database().await?;
        self.may_write()?;
        self.with(|database| {
            let (id, writers) = (id.to_owned(), writers.map(<[Writer]>::to_vec));
            Box::pin(async move {
                let transaction = Transaction::write(&database, &[LINES, WRITERS])?;
                if let Some(writers) = writers {
                    let held = transaction.store(WRITERS)?.get(&id.as_str().into());
                    let held = parse_writer(&idb::done(held).await?);
                    if !held.is_some_and(|held| writers.contains(&held)) {
                        return Ok(());
                    }
                }
                let range = places(&id).map_err(|_| IdbError::new("DataError", "a bad name"))?;
                idb::done(transaction.store(LINES)?.delete(&range)).await?;
                idb::done(transaction.store(WRITERS)?.delete(&id.as_str().into())).await?;
                transaction.complete().await?;
                Ok::<_, Failed<JournalError>>(())
            })
        })
        .await
    }
}

/// A failure that a fresh connection may mend, or one that it cannot.
enum Failed<E> {
    Idb(IdbError),
    Other(E),
}

impl<E> From<IdbError> for Failed<E> {
    fn from(error: IdbError) -> Self {
        Self::Idb(error)
    }
}

async fn append(
    database: &IdbDatabase,
    id: &str,
    writer: &Writer,
    seq: u32,
    line: &str,
) -> Result<(), Failed<WriteError>> {
    let transaction = Transaction::write(database, &[LINES, WRITERS])?;
    let (lines, writers) = (transaction.store(LINES)?, transaction.store(WRITERS)?);
    let row = JsValue::from_str(id);
    let held = parse_writer(&idb::done(writers.get(&row)).await?);
    let is_mine = held.as_ref() == Some(writer);
    if let Some(held) = held
        && !is_mine
        && held.epoch >= writer.epoch
    {
        transaction.abort();
        return Err(Failed::Other(WriteError::Superseded { epoch: held.epoch }));
    }
    if seq > 0 {
        let before = idb::done(lines.count_with_key(&key(id, seq - 1))).await?;
        if before.as_f64() == Some(0.0) {
            transaction.abort();
            return Err(Failed::Other(WriteError::Trouble(lost().into())));
        }
    }
    let place = key(id, seq);
    if let Err(error) = idb::done(lines.add_with_key(&line.into(), &place)).await {
        if error.name != "ConstraintError" {
            return Err(error.into());
        }
        // The place is taken: by this very line, if its answer was lost.
        let there = idb::done(lines.get(&place)).await?;
        transaction.abort();
        if is_mine && there.as_string().as_deref() == Some(line) {
            return Ok(());
        }
        return Err(Failed::Other(WriteError::Superseded {
            epoch: writer.epoch,
        }));
    }
    if !is_mine {
        let json = serde_json::to_string(writer).expect("plain data serialises");
        idb::done(writers.put_with_key(&json.into(), &row)).await?;
    }
    transaction.complete().await?;
    Ok(())
}

async fn rewrite(
    database: &IdbDatabase,
    id: &str,
    writer: &Writer,
    seq: u32,
    line: &str,
) -> Result<(), Failed<WriteError>> {
    let transaction = Transaction::write(database, &[LINES, WRITERS])?;
    let (lines, writers) = (transaction.store(LINES)?, transaction.store(WRITERS)?);
    let held = parse_writer(&idb::done(writers.get(&JsValue::from_str(id))).await?);
    let (place, next) = (key(id, seq), key(id, seq + 1));
    let counted = futures::join!(
        idb::done(lines.count_with_key(&place)),
        idb::done(lines.count_with_key(&next)),
    );
    let [is_there, is_last] = [
        counted.0?.as_f64() == Some(1.0),
        counted.1?.as_f64() == Some(0.0),
    ];
    if !is_there {
        transaction.abort();
        return Err(Failed::Other(WriteError::Trouble(lost().into())));
    }
    if held.as_ref() != Some(writer) || !is_last {
        transaction.abort();
        let epoch = held.map_or(writer.epoch, |held| held.epoch);
        return Err(Failed::Other(WriteError::Superseded { epoch }));
    }
    idb::done(lines.put_with_key(&line.into(), &place)).await?;
    transaction.complete().await?;
    Ok(())
}

fn lost() -> IdbError {
    IdbError::new("NotFoundError", "the browser has lost earlier lines")
}

async fn read(database: &IdbDatabase, only: Option<&str>) -> Result<Vec<Stored>, IdbError> {
    let transaction = Transaction::read(database, &[LINES, WRITERS])?;
    let (lines, writers) = (transaction.store(LINES)?, transaction.store(WRITERS)?);
    let range = match only {
        Some(id) => places(id)
            .map_err(|_| IdbError::new("DataError", "a bad name"))?
            .into(),
        None => JsValue::UNDEFINED,
    };
    // Both sides in key order; asked for together, so of one moment.
    let asked = futures::join!(
        idb::done(lines.get_all_keys_with_key(&range)),
        idb::done(lines.get_all_with_key(&range)),
        idb::done(writers.get_all_keys()),
        idb::done(writers.get_all()),
    );
    let array = |value: JsValue| value.unchecked_into::<js_sys::Array>().to_vec();
    let writers: Vec<_> = array(asked.2?).into_iter().zip(array(asked.3?)).collect();
    let mut journals: Vec<Stored> = Vec::new();
    for (key, line) in array(asked.0?).into_iter().zip(array(asked.1?)) {
        let Some(key) = key.as_string() else {
            continue;
        };
        // What is no text is damage, and reading it as a record will show that.
        let line = line.as_string().unwrap_or_default();
        let Some((id, seq)) = key
            .rsplit_once('/')
            .and_then(|(id, seq)| Some((id, seq.parse().ok()?)))
        else {
            continue;
        };
        if journals.last().is_none_or(|last| last.id != id) {
            let writer = writers
                .iter()
                .find(|(key, _)| key.as_string().as_deref() == Some(id))
                .and_then(|(_, writer)| parse_writer(writer));
            journals.push(Stored {
                id: id.to_owned(),
                writer,
                lines: Vec::new(),
            });
        }
        if let Some(last) = journals.last_mut() {
            last.lines.push((seq, line));
        }
    }
    Ok(journals)
}
