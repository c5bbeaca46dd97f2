//! The decision log: every poll and decision as one line with its numbers.

use leptos::prelude::*;
use retake_core::supervise::{LineKind, LogLine};

use super::copy_button::CopyButton;

/// The log, newest line last.
#[component]
pub fn DecisionLog(
    /// The lines.
    #[prop(into)]
    lines: Signal<Vec<LogLine>>,
) -> impl IntoView {
    let decisions_only = RwSignal::new(false);
    let text = move || {
        lines.with(|lines| {
            lines
                .iter()
                .map(|line| format!("{} {}\n", line.at, line.text))
                .collect::<String>()
        })
    };
    let shown = move || {
        lines.with(|lines| {
            let only = decisions_only.get();
            lines
                .iter()
                .enumerate()
                .filter(|(_, line)| !only || line.kind != LineKind::Look)
                .map(|(n, line)| (n, line.clone()))
                .collect::<Vec<_>>()
        })
    };
    view! {
        <section aria-label="Decision log">
            <div class="log__head">
                <h3>"Decision log"</h3>
                <label class="tick push">
                    <input
                        type="checkbox"
                        prop:checked=decisions_only
                        on:change=move |event| decisions_only.set(event_target_checked(&event))
                    />
                    "Decisions only"
                </label>
                <CopyButton label="Copy" text=Signal::derive(text)/>
            </div>
            <ol class="log" data-testid="decision-log" tabindex="0" aria-label="Decision log">
                <For each=shown key=|(n, _)| *n let((_, line))>
                    <li data-kind=kind(line.kind)>
                        <time datetime=line.at.to_rfc3339() title=line.at.to_rfc3339()>
                            {crate::browser::clock::local_time(line.at)}
                        </time>
                        <p>{retake_core::view::words::clean(&line.text).into_owned()}</p>
                    </li>
                </For>
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
