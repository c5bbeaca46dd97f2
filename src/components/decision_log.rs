//! The decision log: every decision, and every look that showed something new,
//! as one line with its numbers.

use leptos::{html::Ol, prelude::*};
use retake_core::{
    supervise::{LineKind, LogLine},
    view::export::log_text,
};

use super::{copy_button::CopyButton, each::each};
use crate::{
    browser::{clock, dom},
    reactive::{effect, memo},
};

/// A log that is scrolled this near to its end, in pixels, follows it.
const NEAR_END: i32 = 24;

/// The log, newest line last.
#[component]
pub fn DecisionLog(
    /// The lines.
    #[prop(into)]
    lines: Signal<Vec<LogLine>>,
    /// Whether nothing is added any more: then, on a small screen, the log is
    /// folded away, so that the tests follow the verdict.
    #[prop(into)]
    over: Signal<bool>,
) -> impl IntoView {
    let is_wide = dom::is_wide();
    // A person's own choice, once they made one.
    let chosen = RwSignal::new(None::<bool>);
    let is_open = memo(move |_| chosen.get().unwrap_or(is_wide || !over.get()));
    let decisions_only = RwSignal::new(false);
    let text = move || lines.with(|lines| log_text(lines));
    // The day stands where it changes among what is shown, and above the first line.
    let shown = move || {
        let only = decisions_only.get();
        lines.with(|lines| {
            let mut day_before = None;
            lines
                .iter()
                .enumerate()
                .filter(|(_, line)| !only || line.kind != LineKind::Look)
                .map(|(n, line)| {
                    let day = clock::local_date(line.at);
                    let begins = day_before.as_ref() != Some(&day);
                    day_before = Some(day);
                    let day = begins.then(|| clock::local_day_and_zone(line.at));
                    (n, day, line.clone())
                })
                .collect::<Vec<_>>()
        })
    };
    // It stays at its end, where the news is, until a person scrolls up to read.
    let list = NodeRef::<Ol>::new();
    let follows = StoredValue::new(true);
    let note_place = move |_| {
        if let Some(list) = list.get_untracked() {
            let left = list.scroll_height() - list.scroll_top() - list.client_height();
            follows.set_value(left <= NEAR_END);
        }
    };
    effect(move |_| {
        lines.track();
        decisions_only.track();
        is_open.track();
        if let (Some(list), true) = (list.get(), follows.get_value()) {
            request_animation_frame(move || list.set_scroll_top(list.scroll_height()));
        }
    });
    view! {
        <section aria-label="Decision log">
            <div class="log__head">
                <h3>
                    <button
                        type="button"
                        class="log__fold"
                        data-testid="log-fold"
                        aria-expanded=move || is_open.get().to_string()
                        aria-controls="decision-log"
                        on:click=move |_| chosen.set(Some(!is_open.get_untracked()))
                    >
                        "Decision log"
                    </button>
                </h3>
                <Show when=move || is_open.get()>
                    <label class="tick push">
                        <input
                            type="checkbox"
                            prop:checked=decisions_only
                            on:change=move |event| decisions_only.set(event_target_checked(&event))
                        />
                        "Decisions only"
                    </label>
                </Show>
                <CopyButton label="Copy" text=Signal::derive(text)/>
            </div>
            <ol
                id="decision-log"
                hidden=move || !is_open.get()
                class="log"
                data-testid="decision-log"
                tabindex="0"
                aria-label="Decision log"
                node_ref=list
                on:scroll=note_place
            >
                {each(
                    shown,
                    |(place, day, line)| {
                        format!("{place} {} {} {}", day.is_some(), line.at.as_millis(), line.text)
                    },
                    |(_, day, line)| view! {
                        <li data-kind=kind(line.kind)>
                            {day.map(|day| view! { <p class="log__day">{day}</p> })}
                            <time datetime=line.at.to_rfc3339() title=clock::in_full(line.at)>
                                {clock::local_time(line.at)}
                            </time>
                            <p>{line.text}</p>
                        </li>
                    }.into_any(),
                )}
            </ol>
        </section>
    }
}

fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Look => "poll",
        LineKind::Decision => "decision",
        LineKind::Warning => "trouble",
    }
}
