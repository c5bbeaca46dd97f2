//! What a screen shows, decided without a screen.
//!
//! - [`table`]: every test of a batch, stored once; counts by status.
//! - [`query`]: filter, sort and open drawer, as they stand in the URL.
//! - [`tags`]: which tests wear which tag, as far as the server was asked.
//! - [`listing`]: which rows are shown in which order; frozen between polls.
//! - [`selection`]: which tests are ticked, by ID.
//! - [`window`]: which rows of a long list are on screen.
//! - [`chips`], [`freshness`], [`batches`]: counts, "updated 8 s ago", batch lists;
//!   [`batch_list`]: how one is kept fresh page by page.
//! - [`open`]: what a person pasted into "open".
//! - [`runs`]: what is known of each run of a test, and why it failed.
//! - [`supervision`]: how a supervision is getting on, with `census` (all of them, counted)
//!   and `title` (of the tab); [`verdict`]: how it ended; [`called`]: what its batch is called by.
//! - [`rerun`]: how a person's own rerun is getting on.
//! - [`words`], [`export`]: numbers, durations and hostile text for people.

pub mod batch_list;
pub mod batches;
pub mod called;
mod census;
pub mod chips;
pub mod export;
pub mod freshness;
pub mod listing;
pub mod open;
pub mod query;
pub mod rerun;
pub mod runs;
pub mod selection;
pub mod supervision;
pub mod table;
pub mod tags;
mod title;
pub mod verdict;
pub mod window;
pub mod words;

pub use called::Called;
pub use chips::Chip;
pub use listing::Listing;
pub use query::{Filter, Sort, SortKey, ViewQuery};
pub use selection::Selection;
pub use table::{RowId, Tally, TestTable};
pub use tags::TagIndex;
