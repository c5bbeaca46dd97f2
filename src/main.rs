//! Retake in the browser: mounts the app.

use leptos::prelude::*;

fn main() {
    mount_to_body(|| view! { <p>"Retake"</p> });
}
