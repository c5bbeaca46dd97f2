//! Retake's browser app: what a person sees, and the joints between the
//! deciding core (`retake_core`) and the browser.
//!
//! - [`app`]: contexts and routes; start reading here.
//! - [`pages`], [`components`]: what a person sees and presses.
//! - [`driver`]: performs what the core's machines want.
//! - [`session`], [`client`]: who is signed in; the API as this tab uses it.
//! - [`shell`], [`names`]: what surrounds every page; names behind IDs.
//! - `reactive`: memos and effects that weigh little.
//! - [`browser`]: one thin adapter for each web API.

pub mod app;
pub mod browser;
pub mod client;
pub mod components;
pub mod driver;
pub mod names;
pub mod pages;
mod reactive;
pub mod session;
pub mod shell;
