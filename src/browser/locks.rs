//! Web Locks: one tab at a time. The bindings in `web-sys` are behind a flag
//! for unstable APIs, so the calls go through reflection.
//!
//! A wish for a lock is a value: dropping it lets the lock go, or leaves the
//! queue. What becomes of it is told to a listener, which hears nothing more
//! after the drop.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::AbortController;

use super::window;

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Only if nobody has it.
    IfFree,
    /// Wait for as long as another has it.
    Queue,
    /// Take it from whoever has it. Their code runs on.
    Steal,
}

/// What becomes of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The lock is ours.
    Granted,
    /// Another has it ([`How::IfFree`]).
    Taken,
    /// It was stolen.
    Lost,
    /// This browser has no locks here.
    Unavailable,
}

/// A lock that is held or waited for.
pub struct Lock {
    inner: Rc<Inner>,
}

struct Inner {
    /// Settles the promise that holds the lock.
    release: RefCell<Option<Function>>,
    /// Ends the waiting.
    abort: Option<AbortController>,
    /// Dropped: nobody hears any more.
    deaf: Cell<bool>,
    hear: Box<dyn Fn(News)>,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.inner.deaf.set(true);
        match self.inner.release.borrow_mut().take() {
            Some(release) => drop(release.call0(&JsValue::UNDEFINED)),
            None => {
                if let Some(abort) = &self.inner.abort {
                    abort.abort();
                }
            }
        }
    }
}

impl Inner {
    fn tell(&self, news: News) {
        if !self.deaf.get() {
            (self.hear)(news);
        }
    }
}

fn manager() -> Option<JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    (!locks.is_undefined() && !locks.is_null()).then_some(locks)
}

/// Whether this browser has Web Locks here: not on an insecure address.
pub fn available() -> bool {
    manager().is_some()
}

/// Asks for a lock. `hear` is called later, never from within this call.
pub fn ask(name: &str, how: How, hear: impl Fn(News) + 'static) -> Lock {
    let inner = Rc::new(Inner {
        release: RefCell::new(None),
        // The browser allows a signal only where it waits.
        abort: (how == How::Queue)
            .then(|| AbortController::new().ok())
            .flatten(),
        deaf: Cell::new(false),
        hear: Box::new(hear),
    });
    let asked = inner.clone();
    let name = name.to_owned();
    spawn_local(async move {
        if run(&asked, &name, how).await.is_none() {
            asked.tell(News::Unavailable);
        }
    });
    Lock { inner }
}

/// Asks, tells, and lives as long as the wish. `None`: it could not be asked.
async fn run(inner: &Rc<Inner>, name: &str, how: How) -> Option<()> {
    if inner.deaf.get() {
        return Some(());
    }
    let manager = manager()?;
    let request: Function = Reflect::get(&manager, &"request".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let options = Object::new();
    let set = |name: &str, value: &JsValue| Reflect::set(&options, &name.into(), value).ok();
    match how {
        How::IfFree => drop(set("ifAvailable", &true.into())?),
        How::Steal => drop(set("steal", &true.into())?),
        How::Queue => {
            if let Some(abort) = &inner.abort {
                set("signal", &abort.signal())?;
            }
        }
    }
    let granted = Rc::new(Cell::new(false));
    // The lock is held until the promise that the callback returns is settled.
    let callback = {
        let (inner, granted) = (inner.clone(), granted.clone());
        Closure::<dyn FnMut(JsValue) -> Promise>::new(move |lock: JsValue| {
            if lock.is_null() || lock.is_undefined() || inner.deaf.get() {
                return Promise::resolve(&JsValue::UNDEFINED);
            }
            let held = Promise::new(&mut |resolve, _| {
                *inner.release.borrow_mut() = Some(resolve);
            });
            granted.set(true);
            inner.tell(News::Granted);
            held
        })
    };
    let asked: Promise = request
        .call3(&manager, &name.into(), &options, callback.as_ref())
        .ok()?
        .dyn_into()
        .ok()?;
    let ended = JsFuture::from(asked).await;
    match (ended, granted.get()) {
        (Err(_), true) => {
            inner.release.borrow_mut().take();
            inner.tell(News::Lost);
        }
        // A page without storage rights is refused with an exception.
        (Err(_), false) => inner.tell(News::Unavailable),
        (Ok(_), false) => inner.tell(News::Taken),
        (Ok(_), true) => {}
    }
    Some(())
}

/// Takes the lock if nobody has it. Whether it is stolen later is not told.
pub async fn try_hold(name: &str) -> Option<Lock> {
    hold_as(name, How::IfFree).await
}

/// Waits for the lock, for as long as another has it. `None` if this browser
/// has no locks here.
pub async fn hold(name: &str) -> Option<Lock> {
    hold_as(name, How::Queue).await
}

async fn hold_as(name: &str, how: How) -> Option<Lock> {
    let (answer, answered) = oneshot::channel();
    let answer = RefCell::new(Some(answer));
    let lock = ask(name, how, move |news| {
        if let Some(answer) = answer.borrow_mut().take() {
            // Given up waiting: the lock was dropped with the wait.
            let _ = answer.send(news == News::Granted);
        }
    });
    answered.await.unwrap_or(false).then_some(lock)
}
