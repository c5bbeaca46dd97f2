//! Web Locks: one tab at a time. The bindings in `web-sys` are behind a flag
//! for unstable APIs, so the two calls go through reflection.

use futures::channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

use super::window;

/// A lock that is held; dropping it lets it go.
#[derive(Debug)]
pub struct LockGuard {
    release: Option<Function>,
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

fn manager() -> Option<JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    (!locks.is_undefined() && !locks.is_null()).then_some(locks)
}

/// Whether this browser has Web Locks here. Without them every tab acts for itself.
pub fn available() -> bool {
    manager().is_some()
}

/// Takes the lock if no other tab has it.
pub async fn try_hold(name: &str) -> Option<LockGuard> {
    request(name, true).await
}

/// Waits for the lock, for as long as another tab has it. `None` if this
/// browser has no locks.
pub async fn hold(name: &str) -> Option<LockGuard> {
    request(name, false).await
}

async fn request(name: &str, if_available: bool) -> Option<LockGuard> {
    let manager = manager()?;
    let request: Function = Reflect::get(&manager, &"request".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &if_available.into()).ok()?;

    let (answer, answered) = oneshot::channel::<Option<LockGuard>>();
    let mut answer = Some(answer);
    // The lock is held until the promise that the callback returns is settled.
    let callback = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |lock: JsValue| {
        let mut release = None;
        let held = if lock.is_null() || lock.is_undefined() {
            Promise::resolve(&JsValue::UNDEFINED)
        } else {
            Promise::new(&mut |resolve, _| release = Some(resolve))
        };
        if let Some(answer) = answer.take() {
            let guard = release.map(|release| LockGuard {
                release: Some(release),
            });
            // Nobody waits any more: the guard is dropped, the lock let go.
            let _ = answer.send(guard);
        }
        held
    });
    let asked = request
        .call3(&manager, &name.into(), &options, callback.as_ref())
        .ok()?;
    let asked: Promise = asked.dyn_into().ok()?;
    // A refusal (a page without storage rights) rejects; then there is no lock.
    let failed = async move { JsFuture::from(asked).await.err() };
    futures::pin_mut!(failed);
    match futures::future::select(answered, failed).await {
        futures::future::Either::Left((guard, _)) => guard.ok().flatten().inspect(|_| {
            callback.forget();
        }),
        futures::future::Either::Right(_) => None,
    }
}
