//! Memos and effects that are compiled once for each type of value.
//!
//! Why: Leptos compiles its own anew for each closure, and each place that follows a
//! signal is a closure; a boxed one costs an allocation when its view is made.

use leptos::{
    prelude::{Effect, LocalStorage, Memo},
    reactive::effect::EffectFunction,
};

/// How a memo is made anew from what it was.
type Make<T> = Box<dyn Fn(Option<&T>) -> T + Send + Sync>;

/// A value that follows signals, and tells only when it differs from before.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(
    make: impl Fn(Option<&T>) -> T + Send + Sync + 'static,
) -> Memo<T> {
    let make: Make<T> = Box::new(make);
    Memo::new(make)
}

/// Something that is done now, and again whenever a signal changes that it read.
pub(crate) fn effect<T: 'static, M: 'static>(
    mut act: impl EffectFunction<T, M> + 'static,
) -> Effect<LocalStorage> {
    let act: Box<dyn FnMut(Option<T>) -> T> = Box::new(move |before| act.run(before));
    Effect::new(act)
}
