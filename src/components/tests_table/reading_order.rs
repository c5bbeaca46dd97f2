//! Puts the elements of rows into the order of their rows.

use retake_core::order;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Moves rows of `body` so that the document has them in order. The row with the
/// focus stays; the others are moved around it.
pub(super) fn restore(body: &HtmlElement) {
    let rows = rows(body);
    let mut sorted = rows.clone();
    order::sort_by_key(&mut sorted, |(place, _)| *place);
    if rows.is_empty() || rows.iter().map(|it| it.0).eq(sorted.iter().map(|it| it.0)) {
        return;
    }
    let focused = body
        .owner_document()
        .and_then(|document| document.active_element());
    let has_focus = |row: &Element| focused.as_ref().is_some_and(|it| row.contains(Some(it)));
    // What follows the rows: the marker up to which Leptos adds new ones.
    let end = rows.last().and_then(|(_, row)| row.next_sibling());
    let anchor = sorted.iter().position(|(_, row)| has_focus(row));
    for (n, (_, row)) in sorted.iter().enumerate() {
        let before = match anchor {
            Some(anchor) if n == anchor => continue,
            Some(anchor) if n < anchor => Some(sorted[anchor].1.unchecked_ref()),
            _ => end.as_ref(),
        };
        // A row that cannot be moved stays where it is: only the order suffers.
        let _ = body.insert_before(row, before);
    }
}

/// The rows in the order of the document, each with its place in the list.
fn rows(body: &HtmlElement) -> Vec<(u32, Element)> {
    let children = body.children();
    (0..children.length())
        .filter_map(|n| children.item(n))
        .filter(|row| row.has_attribute("data-testid"))
        .map(|row| {
            let place = row.get_attribute("aria-rowindex");
            let place = place.and_then(|it| it.parse().ok());
            (place.unwrap_or(u32::MAX), row)
        })
        .collect()
}
