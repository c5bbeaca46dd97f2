//! The worker that keeps the refresh token (`public/keeper.js`): questions and
//! answers with a number each. No answer holds the token.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, MessageEvent, Worker};

use super::timer;

/// The worker's script, beside the app.
const SCRIPT: &str = "keeper.js";
/// How long the worker may take to say that it is there.
const START: Duration = Duration::from_secs(5);
/// How long an answer may take: the worker gives the provider 30 s.
const LIMIT: Duration = Duration::from_secs(35);

/// What a provider answered, without a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// The body; empty if it was no JSON object.
    pub body: Vec<u8>,
    /// Stands for the refresh token that the worker keeps now.
    pub number: Option<u32>,
}

/// A grant to send: a code, or a device's poll.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The token endpoint.
    pub endpoint: &'a str,
    /// What to post there.
    pub form: &'a str,
    /// The client, for the renewals that follow.
    pub client: &'a str,
    /// Where the refresh token is made worthless, if the provider has that.
    pub revoke: Option<&'a str>,
}

type Waiting = RefCell<Vec<(u32, oneshot::Sender<JsValue>)>>;

struct Inner {
    worker: Worker,
    asked: Cell<u32>,
    waiting: Waiting,
    ready: RefCell<Option<oneshot::Sender<()>>>,
    /// The listeners, as long as the worker.
    listeners: RefCell<Option<Listeners>>,
}

type Listeners = (Closure<dyn FnMut(MessageEvent)>, Closure<dyn FnMut(Event)>);

/// The running worker. The page keeps it as long as it lives.
#[derive(Clone)]
pub struct Keeper {
    inner: Rc<Inner>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl Inner {
    fn hear(&self, said: JsValue) {
        let Some(id) = whole(&said, "id") else {
            // Whoever waits for the start has it; nobody may wait any more.
            let _ = self.ready.take().map(|ready| ready.send(()));
            return;
        };
        let mut waiting = self.waiting.borrow_mut();
        if let Some(at) = waiting.iter().position(|(it, _)| *it == id) {
            // Nobody waits any more: then nobody needs the answer.
            let _ = waiting.swap_remove(at).1.send(said);
        }
    }

    /// The worker is broken: whoever waits waits in vain.
    fn fail(&self) {
        drop(self.ready.take());
        self.waiting.borrow_mut().clear();
    }
}

impl Keeper {
    /// Starts the worker. `None`: this browser, or a filter in it, lets no
    /// worker run here.
    pub async fn start() -> Option<Self> {
        let worker = Worker::new(&super::dom::file(SCRIPT)).ok()?;
        let (ready, started) = oneshot::channel();
        let inner = Rc::new(Inner {
            worker,
            asked: Cell::new(0),
            waiting: RefCell::default(),
            ready: RefCell::new(Some(ready)),
            listeners: RefCell::new(None),
        });
        let weak = Rc::downgrade(&inner);
        let hear = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(inner) = weak.upgrade() {
                inner.hear(event.data());
            }
        });
        let weak = Rc::downgrade(&inner);
        let fail = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            // It is dealt with here, by doing without.
            event.prevent_default();
            if let Some(inner) = weak.upgrade() {
                inner.fail();
            }
        });
        inner
            .worker
            .set_onmessage(Some(hear.as_ref().unchecked_ref()));
        inner
            .worker
            .set_onerror(Some(fail.as_ref().unchecked_ref()));
        *inner.listeners.borrow_mut() = Some((hear, fail));
        let started = within(START, started).await;
        started.is_some().then_some(Self { inner })
    }

    /// Sends a grant; the refresh token of the answer stays in the worker.
    ///
    /// # Errors
    /// No answer came, or none that ended in time and size.
    pub async fn grant(&self, grant: &Grant<'_>) -> Result<Kept, String> {
        self.exchange(&[
            ("act", "grant".into()),
            ("endpoint", grant.endpoint.into()),
            ("form", grant.form.into()),
            ("client", grant.client.into()),
            (
                "revoke",
                grant.revoke.map_or(JsValue::NULL, JsValue::from_str),
            ),
        ])
        .await
    }

    /// Gets new tokens with the refresh token of this number.
    ///
    /// # Errors
    /// As for [`Self::grant`]; what came too late is in the worker all the same.
    pub async fn renew(&self, number: u32) -> Result<Kept, String> {
        self.exchange(&[("act", "renew".into()), ("number", number.into())])
            .await
    }

    /// Forgets the refresh token and makes it worthless; with a `number`, only the
    /// one that it stands for. Whether the provider knows, or there was nothing to say.
    pub async fn forget(&self, number: Option<u32>) -> bool {
        let number = number.map_or(JsValue::UNDEFINED, Into::into);
        let said = self
            .ask(&[("act", "forget".into()), ("number", number)])
            .await;
        said.is_some_and(|said| get(&said, "told").is_truthy())
    }

    async fn exchange(&self, question: &Question<'_>) -> Result<Kept, String> {
        let Some(said) = self.ask(question).await else {
            return Err("the provider did not answer in time".into());
        };
        match whole(&said, "status").and_then(|it| u16::try_from(it).ok()) {
            Some(status) => Ok(Kept {
                status,
                body: get(&said, "body")
                    .as_string()
                    .unwrap_or_default()
                    .into_bytes(),
                number: whole(&said, "kept"),
            }),
            None => Err(get(&said, "failed").as_string().unwrap_or_default()),
        }
    }

    /// `None`: no answer in time, or the worker broke.
    async fn ask(&self, question: &Question<'_>) -> Option<JsValue> {
        let inner = &self.inner;
        let id = inner.asked.get() + 1;
        inner.asked.set(id);
        let message = Object::new();
        Reflect::set(&message, &"id".into(), &id.into()).ok()?;
        for (name, value) in question {
            Reflect::set(&message, &(*name).into(), value).ok()?;
        }
        let (answer, answered) = oneshot::channel();
        inner.waiting.borrow_mut().push((id, answer));
        inner.worker.post_message(&message).ok()?;
        let said = within(LIMIT, answered).await;
        inner.waiting.borrow_mut().retain(|(it, _)| *it != id);
        said
    }
}

/// What is asked, by name.
type Question<'a> = [(&'a str, JsValue)];

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}

/// A number of the worker's.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the worker counts in small whole numbers from 1, and a cast saturates"
)]
fn whole(value: &JsValue, name: &str) -> Option<u32> {
    get(value, name).as_f64().map(|it| it as u32)
}

/// What comes within this time, if anything does.
async fn within<T>(limit: Duration, wait: oneshot::Receiver<T>) -> Option<T> {
    match select(wait, Box::pin(timer::sleep(limit))).await {
        Either::Left((said, _)) => said.ok(),
        Either::Right(_) => None,
    }
}
