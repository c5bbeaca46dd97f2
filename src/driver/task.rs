//! Work that ends with the page that began it.

use std::future::Future;

use futures::future::{AbortHandle, Abortable};
use leptos::{prelude::on_cleanup, task::spawn_local};

/// Does `task` in the background, until the present owner goes: then it is
/// dropped where it stands, and asks for nothing more.
pub fn while_open(task: impl Future<Output = ()> + 'static) {
    let (abort, registration) = AbortHandle::new_pair();
    on_cleanup(move || abort.abort());
    spawn_local(async move {
        // Aborted is one of the two ways in which it ends.
        let _ = Abortable::new(task, registration).await;
    });
}
