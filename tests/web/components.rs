//! Components in a real document.

use leptos::{mount::mount_to, prelude::*};
use retake::components::status::{Counts, TestStatusBadge};
use retake_core::domain::{Batch, BatchId, ConflatedStatus, MetricsCounts, StatusCounts};
use retake_core::view::batches::segments;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

/// Mounts a view in an element of its own and gives its markup.
fn markup<V: IntoView + 'static>(view: impl FnOnce() -> V + 'static) -> String {
    let place = document()
        .create_element("div")
        .expect("a document makes elements");
    document()
        .body()
        .expect("there is a body")
        .append_child(&place)
        .expect("it is taken in");
    let place: web_sys::HtmlElement = place.unchecked_into();
    let handle = mount_to(place.clone(), view);
    let html = place.inner_html();
    drop(handle);
    html
}

#[wasm_bindgen_test]
fn a_status_is_said_in_words_and_kept_as_the_server_wrote_it() {
    let known = markup(|| view! { <TestStatusBadge status=ConflatedStatus::Blocker/> });
    assert!(
        known.contains("data-status=\"BLOCKER\"") && known.contains("Blocker"),
        "{known}"
    );
    let odd = markup(|| view! { <TestStatusBadge status=ConflatedStatus::from_word("<b>ODD")/> });
    assert!(
        odd.contains("&lt;b&gt;ODD") && !odd.contains("<b>ODD"),
        "{odd}"
    );
}

#[wasm_bindgen_test]
fn the_counts_bar_reads_aloud_and_sets_no_inline_text() {
    let html = markup(|| {
        let mut batch = Batch::new(BatchId::from_u128(1));
        batch.status_counts = Some(StatusCounts {
            succeeded: 10,
            error: 2,
            ..StatusCounts::default()
        });
        batch.metrics_counts = Some(MetricsCounts {
            fail_block: 1,
            ..MetricsCounts::default()
        });
        view! { <Counts segments=segments(&batch)/> }
    });
    assert!(
        html.contains("aria-label=\"1 blocker, 2 error, 9 passed\""),
        "{html}"
    );
    assert_eq!(html.matches("<i ").count(), 3, "{html}");
}
