//! A list whose items are told apart by a key, compiled once for every type of item.
//!
//! Why: Leptos compiles its `For` anew for each type, four kilobytes at a time; an item costs
//! an allocation here whenever the list changes. The table of tests, which is filled anew
//! while somebody scrolls, has a `For` of its own.

use leptos::prelude::*;

/// How an item is shown when its key is new.
type Make = Box<dyn FnOnce() -> AnyView + Send>;

/// Shows the items in their order. One whose key was there before stays as it is shown.
pub(crate) fn each<T: Send + 'static>(
    items: impl Fn() -> Vec<T> + Send + Sync + 'static,
    key: fn(&T) -> String,
    make: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView {
    list(Box::new(move || {
        let entry = |item| {
            let (key, make) = (key(&item), make.clone());
            (key, Box::new(move || make(item)) as Make)
        };
        items().into_iter().map(entry).collect()
    }))
}

fn list(entries: Box<dyn Fn() -> Vec<(String, Make)> + Send + Sync>) -> AnyView {
    view! { <For each=entries key=|(key, _)| key.clone() let((_, make))>{make()}</For> }.into_any()
}
