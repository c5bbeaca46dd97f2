//! IndexedDB as futures: open, one transaction, one request.
//!
//! Own bindings of a hundred lines, because the journal needs what the usual
//! wrappers do not offer together: strict durability, the name of a failure,
//! and notice when a connection dies or another tab wants a newer schema.

use std::{cell::RefCell, fmt, rc::Rc};

use futures::channel::oneshot;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    DomException, Event, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction, IdbVersionChangeEvent,
};

use super::{window, words};

/// Why IndexedDB did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdbError {
    /// The exception's name, such as `QuotaExceededError`.
    pub name: String,
    /// The browser's words.
    pub message: String,
}

impl IdbError {
    /// A failure that this side finds.
    pub fn new(name: &str, message: &str) -> Self {
        Self {
            name: name.to_owned(),
            message: message.to_owned(),
        }
    }

    fn of(error: &JsValue) -> Self {
        let exception = error.dyn_ref::<DomException>();
        Self {
            name: exception.map_or_else(|| "Error".to_owned(), DomException::name),
            message: exception
                .map(DomException::message)
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| words(error)),
        }
    }
}

impl fmt::Display for IdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.name)
    }
}

type Answer<T> = Rc<RefCell<Option<oneshot::Sender<T>>>>;

/// A listener that sends one answer, whichever of several events comes first.
fn listener<T: 'static>(
    answer: &Answer<T>,
    read: impl Fn(&Event) -> T + 'static,
) -> Closure<dyn FnMut(Event)> {
    let answer = answer.clone();
    Closure::new(move |event: Event| {
        if let Some(answer) = answer.borrow_mut().take() {
            // Nobody waits any more: then nobody needs to know.
            let _ = answer.send(read(&event));
        }
    })
}

fn function(closure: &Closure<dyn FnMut(Event)>) -> &Function {
    closure.as_ref().unchecked_ref()
}

/// Deletes a database, once nobody holds it open.
///
/// # Errors
/// The browser refuses.
pub async fn delete(name: &str) -> Result<(), IdbError> {
    let refused = |error: JsValue| IdbError::of(&error);
    let factory = Reflect::get(&window(), &"indexedDB".into()).map_err(refused)?;
    let factory: IdbFactory = factory
        .dyn_into()
        .map_err(|_| IdbError::new("Unsupported", "this browser offers no IndexedDB here"))?;
    let request = factory.delete_database(name);
    done(request.map(JsCast::unchecked_into)).await.map(|_| ())
}

/// Opens a database. Without a version: as it is, however new.
///
/// # Errors
/// The browser refuses, the database is newer than `version` (`VersionError`),
/// or a tab of an older build holds it (`BlockedError`).
pub async fn open(
    name: &str,
    version: Option<u32>,
    upgrade: impl Fn(&IdbDatabase) -> Result<(), JsValue> + 'static,
) -> Result<IdbDatabase, IdbError> {
    let refused = |error: JsValue| IdbError::of(&error);
    let factory = Reflect::get(&window(), &"indexedDB".into()).map_err(refused)?;
    let factory: IdbFactory = factory
        .dyn_into()
        .map_err(|_| IdbError::new("Unsupported", "this browser offers no IndexedDB here"))?;
    let request = match version {
        Some(version) => factory.open_with_u32(name, version),
        None => factory.open(name),
    }
    .map_err(refused)?;

    let (answer, answered) = oneshot::channel();
    let answer: Answer<Result<IdbDatabase, IdbError>> = Rc::new(RefCell::new(Some(answer)));
    let database = |request: &IdbOpenDbRequest| -> Option<IdbDatabase> {
        request.result().ok()?.dyn_into().ok()
    };
    let success = {
        let (answer, request) = (answer.clone(), request.clone());
        Closure::<dyn FnMut(Event)>::new(move |_| {
            let Some(database) = database(&request) else {
                return;
            };
            match answer.borrow_mut().take() {
                Some(answer) => drop(answer.send(Ok(database))),
                // It was given up as blocked; held open, it would block others.
                None => database.close(),
            }
        })
    };
    let failure = {
        let request = request.clone();
        listener(&answer, move |_| Err(failure_of(&request)))
    };
    let blocked = listener(&answer, |_| {
        Err(IdbError::new(
            "BlockedError",
            "a tab with an older Retake holds the journal; close or reload it",
        ))
    });
    let upgrade = {
        let request = request.clone();
        Closure::<dyn FnMut(IdbVersionChangeEvent)>::new(move |_| {
            let upgraded = database(&request).map_or(Ok(()), |database| upgrade(&database));
            if upgraded.is_err()
                && let Some(transaction) = request.transaction()
            {
                // Then opening fails, and says so.
                let _ = transaction.abort();
            }
        })
    };
    request.set_onsuccess(Some(function(&success)));
    request.set_onerror(Some(function(&failure)));
    request.set_onblocked(Some(function(&blocked)));
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let opened = answered.await;
    request.set_onblocked(None);
    if opened.as_ref().is_ok_and(Result::is_err) {
        // A blocked request may still succeed later and must be closed then.
        success.forget();
        upgrade.forget();
        request.set_onerror(None);
    } else {
        request.set_onsuccess(None);
        request.set_onerror(None);
        request.set_onupgradeneeded(None);
    }
    opened.unwrap_or_else(|_| Err(IdbError::new("AbortError", "opening was given up")))
}

fn failure_of(request: &IdbRequest) -> IdbError {
    match request.error() {
        Ok(Some(error)) => IdbError::of(&error),
        Ok(None) => IdbError::new("Error", "the browser gives no reason"),
        Err(error) => IdbError::of(&error),
    }
}

/// Waits for a request of a transaction. The transaction lives until the code
/// after this waits for something else. A failure does not abort it.
///
/// # Errors
/// The request failed.
pub async fn done(request: Result<IdbRequest, JsValue>) -> Result<JsValue, IdbError> {
    let request = request.map_err(|error| IdbError::of(&error))?;
    let (answer, answered) = oneshot::channel();
    let answer: Answer<Result<JsValue, IdbError>> = Rc::new(RefCell::new(Some(answer)));
    let success = {
        let request = request.clone();
        listener(&answer, move |_| {
            request.result().map_err(|error| IdbError::of(&error))
        })
    };
    let failure = {
        let request = request.clone();
        listener(&answer, move |event| {
            event.prevent_default();
            Err(failure_of(&request))
        })
    };
    request.set_onsuccess(Some(function(&success)));
    request.set_onerror(Some(function(&failure)));
    let answer = answered.await;
    request.set_onsuccess(None);
    request.set_onerror(None);
    answer.unwrap_or_else(|_| Err(IdbError::new("AbortError", "the request was given up")))
}

/// A transaction and the word of how it ends.
pub struct Transaction {
    inner: IdbTransaction,
    ended: oneshot::Receiver<Result<(), IdbError>>,
    _listeners: [Closure<dyn FnMut(Event)>; 2],
}

impl Transaction {
    /// Reads.
    ///
    /// # Errors
    /// The connection is gone, or a store is missing.
    pub fn read(database: &IdbDatabase, stores: &[&str]) -> Result<Self, IdbError> {
        Self::begin(database, stores, "readonly")
    }

    /// Writes, and is complete only once the data is on disk.
    ///
    /// # Errors
    /// The connection is gone, or a store is missing.
    pub fn write(database: &IdbDatabase, stores: &[&str]) -> Result<Self, IdbError> {
        Self::begin(database, stores, "readwrite")
    }

    fn begin(database: &IdbDatabase, stores: &[&str], mode: &str) -> Result<Self, IdbError> {
        let refused = |error: JsValue| IdbError::of(&error);
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        // The typed call with options is behind a flag for unstable APIs.
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &"strict".into()).map_err(refused)?;
        let begin: Function = Reflect::get(database, &"transaction".into())
            .map_err(refused)?
            .unchecked_into();
        let inner: IdbTransaction = begin
            .call3(database, &names, &mode.into(), &options)
            .map_err(refused)?
            .unchecked_into();
        let (answer, ended) = oneshot::channel();
        let answer: Answer<Result<(), IdbError>> = Rc::new(RefCell::new(Some(answer)));
        let complete = listener(&answer, |_| Ok(()));
        let abort = {
            let inner = inner.clone();
            listener(&answer, move |_| {
                Err(inner.error().map_or_else(
                    || IdbError::new("AbortError", "the transaction was aborted"),
                    |error| IdbError::of(&error),
                ))
            })
        };
        inner.set_oncomplete(Some(function(&complete)));
        inner.set_onabort(Some(function(&abort)));
        Ok(Self {
            inner,
            ended,
            _listeners: [complete, abort],
        })
    }

    /// One of its stores.
    ///
    /// # Errors
    /// It is not one of them.
    pub fn store(&self, name: &str) -> Result<IdbObjectStore, IdbError> {
        self.inner
            .object_store(name)
            .map_err(|error| IdbError::of(&error))
    }

    /// Undoes it.
    pub fn abort(self) {
        // It may have ended by itself; then there is nothing to undo.
        let _ = self.inner.abort();
    }

    /// Waits until it is complete: on disk, if it writes.
    ///
    /// # Errors
    /// It was aborted: no space, a lost connection, a failed disk.
    pub async fn complete(mut self) -> Result<(), IdbError> {
        let ended = (&mut self.ended).await;
        ended.unwrap_or_else(|_| Err(IdbError::new("AbortError", "the transaction was given up")))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.inner.set_oncomplete(None);
        self.inner.set_onabort(None);
    }
}
