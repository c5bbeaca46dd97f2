//! Writes a supervision's records in order and says when they are durable.
//!
//! Invariants: the stored journal never has a gap. A record that could not be
//! written stays in the backlog and is tried again, at the latest before the next one, so an
//! intent counts as durable only if everything before it is. Once another life
//! has taken over, nothing more is written.

use std::{collections::VecDeque, time::Duration};

use futures::{
    StreamExt,
    channel::{mpsc, oneshot},
    future::{Either, select},
};
use wasm_bindgen_futures::spawn_local;

use crate::browser::{
    journal::{Journal, WriteError, Writer},
    timer,
};

/// Something to do, in its turn.
enum Task {
    Write {
        seq: u32,
        json: String,
        durable: Option<Durable>,
    },
    /// Writes the last line anew.
    Rewrite { seq: u32, json: String },
    /// Says when everything before it is durable.
    Settle(Durable),
}

type Durable = oneshot::Sender<Result<(), String>>;

impl Task {
    fn durable(&mut self) -> Option<Durable> {
        match self {
            Self::Write { durable, .. } => durable.take(),
            Self::Rewrite { .. } | Self::Settle(_) => None,
        }
    }
}

/// What whoever writes must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterNews {
    /// The browser does not store, in its words; `None`: it does again.
    Trouble(Option<String>),
    /// Another life of this epoch or a newer one writes now.
    Superseded(u64),
}

/// Writes one journal; dropping it ends the writing after what is queued.
#[derive(Clone)]
pub struct JournalWriter {
    tasks: mpsc::UnboundedSender<Task>,
}

/// What could not be written is tried again after this, if nothing else is written before.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// A write takes milliseconds; one that takes longer than this is told of.
const SILENT: Duration = Duration::from_secs(10);
const ENDED: &str = "the journal writer has ended";
const SUPERSEDED: &str = "another tab acts on this batch now";

impl JournalWriter {
    /// Writes the journal `id` as `writer`.
    pub fn start(id: String, writer: Writer, hear: impl Fn(WriterNews) + 'static) -> Self {
        let (tasks, mut queue) = mpsc::unbounded::<Task>();
        spawn_local(async move {
            let mut backlog: VecDeque<Task> = VecDeque::new();
            loop {
                let next = if backlog.is_empty() {
                    Some(queue.next().await)
                } else {
                    // Nothing new need come for what was refused to be tried again.
                    timer::within(TRY_AGAIN, queue.next()).await
                };
                match next {
                    Some(Some(task)) => take_in(&mut backlog, task),
                    // Whoever wrote has gone: forgotten, or another tab acts.
                    Some(None) => return,
                    None => {}
                }
                let clearing = Box::pin(clear(&mut backlog, &id, &writer));
                let silence = Box::pin(timer::sleep(SILENT));
                let cleared = match select(clearing, silence).await {
                    Either::Left((cleared, _)) => cleared,
                    Either::Right(((), clearing)) => {
                        let why = "The browser's storage does not answer.";
                        hear(WriterNews::Trouble(Some(why.into())));
                        clearing.await
                    }
                };
                match cleared {
                    Ok(()) => hear(WriterNews::Trouble(None)),
                    Err(WriteError::Trouble(error)) => {
                        let why = error.to_string();
                        refuse(&mut backlog, &why);
                        hear(WriterNews::Trouble(Some(why)));
                    }
                    Err(WriteError::Superseded { epoch }) => {
                        refuse(&mut backlog, SUPERSEDED);
                        return hear(WriterNews::Superseded(epoch));
                    }
                }
            }
        });
        Self { tasks }
    }

    /// Writes a line, in its turn.
    pub fn write(&self, seq: u32, json: String) {
        // The queue ends only with this life.
        let _ = self.tasks.unbounded_send(Task::Write {
            seq,
            json,
            durable: None,
        });
    }

    /// Writes the last line anew, in its turn.
    pub fn rewrite(&self, seq: u32, json: String) {
        let _ = self.tasks.unbounded_send(Task::Rewrite { seq, json });
    }

    /// Writes a line and waits until it, and all before it, are durable.
    ///
    /// # Errors
    /// The browser's words why it cannot be stored.
    pub async fn write_durably(&self, seq: u32, json: String) -> Result<(), String> {
        self.wait(|durable| Task::Write {
            seq,
            json,
            durable: Some(durable),
        })
        .await
    }

    /// Waits until everything written so far is durable.
    ///
    /// # Errors
    /// The browser's words why it cannot be stored.
    pub async fn settled(&self) -> Result<(), String> {
        self.wait(Task::Settle).await
    }

    /// Whether it writes no more: another life has taken over.
    pub fn has_ended(&self) -> bool {
        self.tasks.is_closed()
    }

    async fn wait(&self, task: impl FnOnce(Durable) -> Task) -> Result<(), String> {
        let (durable, answer) = oneshot::channel();
        self.tasks
            .unbounded_send(task(durable))
            .map_err(|_| ENDED.to_owned())?;
        answer.await.unwrap_or_else(|_| Err(ENDED.to_owned()))
    }
}

/// A line that is to be written anew twice is written anew once: a browser that stores
/// nothing for days lets nothing pile up.
fn take_in(backlog: &mut VecDeque<Task>, task: Task) {
    if let Task::Rewrite { seq, .. } = &task {
        backlog.pop_back_if(|last| matches!(last, Task::Rewrite { seq: of, .. } if of == seq));
    }
    backlog.push_back(task);
}

/// Performs the backlog as far as it goes.
async fn clear(backlog: &mut VecDeque<Task>, id: &str, writer: &Writer) -> Result<(), WriteError> {
    while let Some(task) = backlog.front_mut() {
        match task {
            Task::Write { seq, json, .. } => {
                let journal = Journal::open().await.map_err(WriteError::Trouble)?;
                journal.append(id, writer, *seq, json).await?;
            }
            Task::Rewrite { seq, json } => {
                let journal = Journal::open().await.map_err(WriteError::Trouble)?;
                journal.rewrite(id, writer, *seq, json).await?;
            }
            Task::Settle(_) => {}
        }
        let done = backlog.pop_front();
        let durable = match done {
            Some(Task::Settle(durable)) => Some(durable),
            Some(mut write) => write.durable(),
            None => None,
        };
        if let Some(durable) = durable {
            let _ = durable.send(Ok(()));
        }
    }
    Ok(())
}

/// Whoever waits must not wait for a later success: nothing may be sent on the
/// strength of a write that failed once.
fn refuse(backlog: &mut VecDeque<Task>, why: &str) {
    for task in backlog.iter_mut() {
        if let Some(durable) = task.durable() {
            let _ = durable.send(Err(why.to_owned()));
        }
    }
    let (settles, writes): (VecDeque<Task>, VecDeque<Task>) = std::mem::take(backlog)
        .into_iter()
        .partition(|task| matches!(task, Task::Settle(_)));
    *backlog = writes;
    for task in settles {
        if let Task::Settle(durable) = task {
            let _ = durable.send(Err(why.to_owned()));
        }
    }
}
