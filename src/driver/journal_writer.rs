//! Writes a supervision's records in order and says when they are durable.
//!
//! Invariant: the stored journal never has a gap. A record that could not be
//! written stays in the backlog and is tried again before the next one, so an
//! intent counts as durable only if everything before it is.

use std::collections::VecDeque;

use futures::{StreamExt, channel::mpsc, channel::oneshot};
use leptos::task::spawn_local;

use crate::browser::journal::Journal;

/// A line to write, and whom to tell.
struct Line {
    seq: u32,
    json: String,
    durable: Option<oneshot::Sender<Result<(), String>>>,
}

/// Writes one journal; dropping it ends the writing after what is queued.
#[derive(Clone)]
pub struct JournalWriter {
    lines: mpsc::UnboundedSender<Line>,
}

impl JournalWriter {
    /// A writer for the journal `id`. `on_trouble` hears of every change
    /// between storing and not being able to; `None` means that it works.
    pub fn start(
        journal: Result<Journal, String>,
        id: String,
        on_trouble: impl Fn(Option<String>) + 'static,
    ) -> Self {
        let (lines, mut queue) = mpsc::unbounded::<Line>();
        spawn_local(async move {
            let mut backlog: VecDeque<Line> = VecDeque::new();
            while let Some(line) = queue.next().await {
                backlog.push_back(line);
                let mut trouble = None;
                while let Some(line) = backlog.front_mut() {
                    let written = match &journal {
                        Ok(journal) => journal
                            .append(&id, line.seq, &line.json)
                            .await
                            .map_err(|error| error.to_string()),
                        Err(why) => Err(why.clone()),
                    };
                    match written {
                        Ok(()) => {
                            let line = backlog.pop_front().expect("the front was just written");
                            if let Some(durable) = line.durable {
                                let _ = durable.send(Ok(()));
                            }
                        }
                        Err(why) => {
                            trouble = Some(why);
                            break;
                        }
                    }
                }
                if let Some(why) = &trouble {
                    // Whoever waits must not wait for a later success: nothing
                    // may be sent on the strength of a write that failed once.
                    for line in &mut backlog {
                        if let Some(durable) = line.durable.take() {
                            let _ = durable.send(Err(why.clone()));
                        }
                    }
                }
                on_trouble(trouble);
            }
        });
        Self { lines }
    }

    /// Writes a line, in its turn.
    pub fn write(&self, seq: u32, json: String) {
        // The queue ends only with the page.
        let _ = self.lines.unbounded_send(Line {
            seq,
            json,
            durable: None,
        });
    }

    /// Writes a line and waits until it, and all before it, are durable.
    ///
    /// # Errors
    /// The browser's words why it cannot be stored.
    pub async fn write_durably(&self, seq: u32, json: String) -> Result<(), String> {
        let (durable, answer) = oneshot::channel();
        let line = Line {
            seq,
            json,
            durable: Some(durable),
        };
        self.lines
            .unbounded_send(line)
            .map_err(|_| "the journal writer has ended".to_owned())?;
        answer
            .await
            .unwrap_or_else(|_| Err("the journal writer has ended".to_owned()))
    }
}
