//! One HTTP request: what comes back, and what becomes of requests that fail.

use retake::browser::fetch;
use retake_core::api::{ErrorKind, Method, Request};
use wasm_bindgen_test::wasm_bindgen_test;

/// A read whose path is only a fragment, so that `base` is all of the address.
fn read() -> Request {
    Request {
        what: "read the batch",
        method: Method::Get,
        path: "#".into(),
        body: None,
    }
}

/// An address of this page's own that answers with so many bytes.
fn address_of(bytes: usize) -> String {
    let part = js_sys::Uint8Array::new_with_length(u32::try_from(bytes).expect("it is small"));
    let blob = js_sys::Reflect::get(&js_sys::global(), &"Blob".into())
        .and_then(|class| {
            js_sys::Reflect::construct(
                &class.into(),
                &js_sys::Array::of1(&js_sys::Array::of1(&part).into()),
            )
        })
        .expect("a blob can be made");
    let url = js_sys::Reflect::get(&js_sys::global(), &"URL".into()).expect("a browser has URL");
    let make: js_sys::Function = js_sys::Reflect::get(&url, &"createObjectURL".into())
        .expect("it makes addresses")
        .into();
    make.call1(&url, &blob)
        .ok()
        .and_then(|address| address.as_string())
        .expect("an address")
}

#[wasm_bindgen_test]
async fn status_type_and_body_come_back() {
    let answer = fetch::perform("data:application/json,{%22a%22:1}", "token", &read())
        .await
        .expect("it answers");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    assert_eq!(answer.body, br#"{"a":1}"#);
}

#[wasm_bindgen_test]
async fn an_error_status_is_an_answer() {
    let base = web_sys::window()
        .expect("a window")
        .location()
        .origin()
        .expect("it has one");
    let answer = fetch::perform(&format!("{base}/no/such/thing"), "token", &read())
        .await
        .expect("the test server answers");
    assert_eq!(answer.status, 404);
}

#[wasm_bindgen_test]
async fn nobody_there_is_unreachable_and_says_what_was_tried() {
    // Port 9, where nothing listens.
    let error = fetch::perform("http://127.0.0.1:9/", "token", &read())
        .await
        .expect_err("nobody answers");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().contains("read the batch"), "{error}");
}

#[wasm_bindgen_test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let just_within = address_of(10 * 1024 * 1024);
    let answer = fetch::perform(&just_within, "token", &read())
        .await
        .expect("ten megabytes are allowed");
    assert_eq!(answer.body.len(), 10 * 1024 * 1024);
    let too_long = address_of(10 * 1024 * 1024 + 1);
    let error = fetch::perform(&too_long, "token", &read())
        .await
        .expect_err("one byte more is not");
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.to_string().contains("longer than 10 MB"), "{error}");
}
