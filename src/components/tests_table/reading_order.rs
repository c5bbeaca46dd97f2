//! Puts the elements of rows into the order of their rows.

use retake_core::order;
use web_sys::{Element, HtmlElement, Node};

/// Moves rows of `body` so that the document has them in order. The row with the
/// focus stays; others are moved around it, and only those that stand wrong.
pub(super) fn restore(body: &HtmlElement) {
    let rows = rows(body);
    let mut sorted = rows.clone();
    order::sort_by_key(&mut sorted, |(place, _)| *place);
    if rows.iter().map(|it| it.0).eq(sorted.iter().map(|it| it.0)) {
        return;
    }
    let focused = body
        .owner_document()
        .and_then(|document| document.active_element());
    let has_focus = |row: &Element| focused.as_ref().is_some_and(|it| row.contains(Some(it)));
    let anchor = sorted.iter().position(|(_, row)| has_focus(row));
    let (before, after) = sorted.split_at(anchor.unwrap_or(0));
    let mut end: Option<Node> = after.first().map(|(_, row)| row.clone().into());
    for (_, row) in before.iter().rev() {
        if row.next_sibling() != end {
            place_before(body, row, end.as_ref());
        }
        end = Some(row.clone().into());
    }
    let mut next: Option<Node> = match anchor {
        Some(at) => Some(sorted[at].1.clone().into()),
        None => rows.first().map(|(_, row)| row.clone().into()),
    };
    for (_, row) in after {
        let node: &Node = row;
        if next.as_ref() == Some(node) {
            next = row.next_sibling();
        } else {
            place_before(body, row, next.as_ref());
        }
    }
}

/// A row that cannot be moved stays where it is: only the order suffers.
fn place_before(body: &HtmlElement, row: &Element, next: Option<&Node>) {
    let _ = body.insert_before(row, next);
}

/// The rows in the order of the document, each with its place in the list.
fn rows(body: &HtmlElement) -> Vec<(u32, Element)> {
    let children = body.children();
    (0..children.length())
        .filter_map(|n| children.item(n))
        .filter_map(|row| {
            let place = row.get_attribute("aria-rowindex")?.parse().ok()?;
            Some((place, row))
        })
        .collect()
}
