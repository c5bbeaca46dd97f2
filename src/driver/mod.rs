//! Joins the deciding core and the browser: performs what the machines want
//! and feeds the results back. One adapter call per output. What is decided here is
//! only what needs the browser: when to look, what of it to keep on screen.
//!
//! - [`batch_shelf`]: the batches of a project while their list is open.
//! - [`cancel`]: cancels a batch.
//! - [`feed`]: keeps one batch and its tests fresh while its page is open.
//! - [`tests_store`]: those tests, with filter, order and selection.
//! - `landing`: until when a POST of this browser may still be applied.
//! - [`listing`]: lists that span pages, names that stand for IDs.
//! - [`look_again`]: reads anew when somebody comes back to the tab.
//! - [`reruns`]: what a person reruns by hand, from press to seen running.
//! - [`supervisions`]: everything supervised in this browser.
//! - [`tag_reader`]: asks which tests wear the ticked tags.
//! - [`task`]: work that ends with the page that began it.
//! - [`journal_writer`]: writes records in order and says when they are durable.

pub mod batch_shelf;
pub mod cancel;
pub mod feed;
pub mod journal_writer;
mod landing;
pub mod listing;
pub mod look_again;
pub mod reruns;
pub mod supervisions;
pub mod tag_reader;
pub mod task;
pub mod tests_store;
