//! Cancelling a batch, from the yes to what became of it.

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    api::{ApiError, ErrorKind, endpoint},
    domain::{BatchId, ProjectId},
    view::freshness::upper_first,
};

use super::feed::Feed;
use crate::client::Client;

/// How far cancelling has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cancelling {
    /// Nobody asked for it.
    #[default]
    No,
    /// It was sent; running tests finish first.
    Sent,
    /// It was not done, or nobody knows.
    Trouble {
        /// What that means, in a sentence.
        title: String,
        /// The words that were given for it.
        said: String,
    },
}

impl Cancelling {
    fn trouble(error: &ApiError) -> Self {
        let title = if error.kind.leaves_post_unknown() {
            "It is not known whether the batch was cancelled: no usable answer came. Its status \
             here will show it; cancelling once more does no harm."
        } else {
            "The batch was not cancelled."
        };
        Self::Trouble {
            title: title.to_owned(),
            said: upper_first(&error.to_string()),
        }
    }
}

/// Cancels the batch, once. `accepted` is called when ReSim has agreed.
pub fn cancel(
    client: Client,
    (project, batch): (ProjectId, BatchId),
    feed: Feed,
    state: RwSignal<Cancelling>,
    accepted: impl FnOnce() + 'static,
) {
    state.set(Cancelling::Sent);
    spawn_local(async move {
        let call = endpoint::cancel_batch(project, batch);
        let pressed_by = client.session_number();
        client.ready_to_post().await;
        let answer = if client.session_number() == pressed_by {
            client.post_once(&call).await
        } else {
            let why = "the sign-in is another one since it was pressed";
            Err(ApiError::new(call.request.what, ErrorKind::NoToken, why))
        };
        match answer {
            Ok(()) => accepted(),
            Err(error) => {
                state.try_set(Cancelling::trouble(&error));
            }
        }
        feed.refresh();
    });
}
