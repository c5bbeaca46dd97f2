//! Retake in the browser: mounts the app in place of the first picture.

use leptos::prelude::*;
use retake::app::App;

fn main() {
    // The first picture of index.html makes way.
    if let Some(body) = document().body() {
        body.set_text_content(None);
    }
    mount_to_body(App);
}
