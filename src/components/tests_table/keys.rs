//! Keys in and around the tests table, and the row that they act on.

use leptos::{ev, prelude::*};
use retake_core::{
    domain::{ConflatedStatus, TestId},
    view::{RowId, window},
};
use wasm_bindgen::JsCast;

use super::Table;
use crate::browser::{dom, storage};

/// What keys on the table ask of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Rerun the ticked tests.
    Rerun,
    /// Recompute their metrics.
    Metrics,
}

impl Table {
    /// Keys on a row.
    pub(super) fn row_key(self, event: &ev::KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            let is_ours = event.key() == "a" && !event.alt_key();
            if is_ours && !dom::is_typing(event.target()) {
                event.prevent_default();
                self.store.toggle_all_matching();
            }
            return;
        }
        let on_control = event
            .target()
            .and_then(|it| it.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|it| it.matches("input, button, a").unwrap_or(false));
        let page = (self.height.get_untracked() / self.row_height.get_untracked()).max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least one"
        )]
        let page = page as usize;
        let current = self.current.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.go(event, current.saturating_add(1)),
            "ArrowUp" => self.go(event, current.saturating_sub(1)),
            "PageDown" => self.go(event, current.saturating_add(page)),
            "PageUp" => self.go(event, current.saturating_sub(page)),
            "Home" => self.go(event, 0),
            "End" => self.go(event, usize::MAX),
            " " if !on_control => {
                event.prevent_default();
                self.tick(event.shift_key());
            }
            "Enter" if !on_control => self.open(),
            _ => {}
        }
    }

    /// Keys anywhere on the page.
    pub(super) fn page_key(self, event: &ev::KeyboardEvent, wish: Callback<Wish>) {
        let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
        // Escape is no letter: it always closes.
        let is_letter = event.key() != "Escape";
        if modified
            || (is_letter && !storage::letters_act())
            || event.default_prevented()
            || dom::is_typing(event.target())
            || dom::has("dialog[open], [popover]:popover-open")
        {
            return;
        }
        self.go_on_from_the_drawer();
        let current = self.current.get_untracked();
        match event.key().as_str() {
            "j" => self.go(event, self.first_or(current.saturating_add(1))),
            "k" => self.go(event, current.saturating_sub(1)),
            "n" => self.go_failed(event, true),
            "p" => self.go_failed(event, false),
            "x" => self.tick(false),
            "X" => self.tick(true),
            "a" => self.store.toggle_all_matching(),
            "o" => self.open(),
            "u" => self.store.order_anew(),
            "r" => wish.run(Wish::Rerun),
            "m" => wish.run(Wish::Metrics),
            "Escape" => self.store.query.update(|query| query.open = None),
            _ => {}
        }
    }

    /// With an open drawer, the test that it shows is the current one, however it was
    /// opened.
    fn go_on_from_the_drawer(self) {
        let Some(read) = self.store.query.with_untracked(|it| it.open) else {
            return;
        };
        let row = self.store.with_table(|table| table.row(read));
        let place = self
            .store
            .listing
            .with_untracked(|it| it.order().iter().position(|it| Some(*it) == row));
        if let Some(place) = place {
            self.current.set(place);
            self.is_used.set(true);
        }
    }

    /// Where `next` leads: to the first row, as long as no row was ever gone to.
    fn first_or(self, next: usize) -> usize {
        if self.is_used.get_untracked() {
            next
        } else {
            self.current.get_untracked()
        }
    }

    fn row_at(self, index: usize) -> Option<RowId> {
        self.store
            .listing
            .with_untracked(|listing| listing.order().get(index).copied())
    }

    fn tick(self, to_here: bool) {
        if let Some(row) = self.row_at(self.current.get_untracked()) {
            self.store.toggle(row, to_here);
        }
    }

    fn open(self) {
        let id: Option<TestId> = self
            .row_at(self.current.get_untracked())
            .and_then(|row| self.store.with_table(|table| table.get(row).id));
        if id.is_some() {
            self.store.query.update(|query| query.open = id);
        }
    }

    fn go_failed(self, event: &ev::KeyboardEvent, forward: bool) {
        let current = self.current.get_untracked();
        let found = self.store.with_table(|table| {
            self.store.listing.with_untracked(|listing| {
                let failed = |(_, row): &(usize, &RowId)| {
                    ConflatedStatus::is_failing(&table.get(**row).shown_status())
                };
                let rows = listing.order().iter().enumerate();
                if forward {
                    rows.skip(self.first_or(current + 1))
                        .find(failed)
                        .map(|(n, _)| n)
                } else {
                    rows.take(current).rfind(failed).map(|(n, _)| n)
                }
            })
        });
        if let Some(index) = found {
            self.go(event, index);
        }
    }

    /// Moves to a row: into view, then the focus onto it.
    fn go(self, event: &ev::KeyboardEvent, index: usize) {
        event.prevent_default();
        let total = self
            .store
            .listing
            .with_untracked(retake_core::view::Listing::len);
        let Some(last) = total.checked_sub(1) else {
            return;
        };
        let index = index.min(last);
        self.current.set(index);
        self.is_used.set(true);
        let Some(scroller) = self.scroller.get_untracked() else {
            return;
        };
        // The heading sticks over the first rows.
        let head = f64::from(
            scroller
                .query_selector("thead")
                .ok()
                .flatten()
                .and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok())
                .map_or(0, |it| it.offset_height()),
        );
        let (height, row) = (self.height.get_untracked(), self.row_height.get_untracked());
        let top = f64::from(scroller.scroll_top());
        let wanted = window::scroll_to_row(index, top, height - head, row);
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page fit")]
        scroller.set_scroll_top(wanted as i32);
        self.top.set(wanted);
        let reads_in_drawer = dom::has(".drawer:focus-within");
        // An open drawer goes along.
        if self.store.query.with_untracked(|it| it.open.is_some()) {
            self.open();
        }
        if reads_in_drawer {
            request_animation_frame(|| dom::focus(".drawer__close"));
        } else {
            focus_row(index);
        }
    }
}

/// Focuses a row once it is drawn.
pub(super) fn focus_row(index: usize) {
    request_animation_frame(move || {
        dom::focus(&format!("tr[aria-rowindex=\"{}\"]", index + 2));
    });
}
