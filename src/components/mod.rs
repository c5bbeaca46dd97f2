//! Parts of pages: what a person sees and presses. They read signals and send
//! intents. Requests go through the driver; what is kept in this browser for the
//! next visit (a theme, a half-typed form) is kept here.

pub mod batch_head;
pub mod confirm;
pub mod copy_button;
pub mod decision_log;
pub mod device_code;
pub mod drawer;
pub(crate) mod each;
pub mod filters;
pub mod keys;
pub(crate) mod later;
pub mod load;
pub mod modal;
pub mod open_batch;
pub mod own_reruns;
pub mod policy_form;
pub mod rerun_bar;
pub mod sign_out;
pub mod status;
pub mod supervise_panel;
pub mod tag_filter;
pub mod tests_table;
pub mod verdict;
pub mod was_it_applied;
