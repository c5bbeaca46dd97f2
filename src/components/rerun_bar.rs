//! The bar that reruns: three verbs kept apart, and every step from press to
//! seen running.

use leptos::prelude::*;
use leptos_router::components::A;
use retake_core::{
    api::{RerunRequest, RerunScope, TestIds},
    domain::{Batch, TestId},
    rerun::Stage,
    view::{
        Selection, open,
        rerun::{RerunView, verb},
        words,
    },
};

use super::{
    confirm::{Confirm, Question},
    was_it_applied::WasItApplied,
};
use crate::{
    browser::{clock, dom},
    driver::{feed::Feed, reruns::Reruns},
    reactive::{effect, memo},
    shell::{Announcer, Ticker},
};

/// Why the buttons that need ticks do nothing.
const NOTHING_TICKED: &str = "Tick tests in the table to rerun them.";

/// What a rerun meets while the batch runs.
const BATCH_RUNS: &str = "The batch still runs: ReSim may refuse a rerun until it has finished.";

/// Why a rerun of what is ticked waits, so long as some of it is not listed.
fn wait_for(unlisted: usize) -> String {
    format!(
        "{} that {} ticked before {} still being read: a rerun waits for that. Or untick all, and \
         tick anew.",
        words::tests(unlisted),
        if unlisted == 1 { "was" } else { "were" },
        if unlisted == 1 { "is" } else { "are" },
    )
}

/// The three verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Run the ticked tests again.
    Tests,
    /// Recompute their metrics.
    TestMetrics,
    /// Run the batch metrics again.
    BatchMetrics,
    /// Run this one test again, whatever is ticked.
    One(TestId),
}

impl Verb {
    /// Whether it is about the ticked tests.
    fn is_of_ticked(self) -> bool {
        matches!(self, Self::Tests | Self::TestMetrics)
    }
}

/// The bar. Asks through `question`; sends after a yes.
#[component]
pub fn RerunBar(
    /// The batch and its tests.
    feed: Feed,
    /// Reruns of this batch; they outlive the page.
    reruns: Reruns,
    /// A question that keys asked for.
    wanted: RwSignal<Option<Verb>>,
) -> impl IntoView {
    let store = feed.tests;
    let sync = RwSignal::new(false);
    let question = RwSignal::new(None::<Question>);
    let ticked = move || store.selection.with(Selection::count);
    let holds = move || {
        reruns
            .view
            .with(|it| it.as_ref().and_then(RerunView::holds))
    };
    let runs = move || {
        feed.batch
            .with(|it| it.as_ref().is_some_and(|it| !it.is_terminal()))
    };
    let count = memo(move |_| ticked());
    let hidden = memo(move |_| {
        store.version.track();
        store
            .listing
            .with(|listing| store.selection.with(|selection| selection.hidden(listing)))
    });
    let held = memo(move |_| holds());
    // What was ticked before a reload, and is not listed yet: a rerun without it would
    // be of other tests than the button counts.
    let unlisted = memo(move |_| {
        let unlisted = store.selection.with(Selection::unlisted);
        (unlisted > 0).then(|| wait_for(unlisted))
    });
    let adhoc = memo(move |_| {
        feed.batch
            .with(|it| it.as_ref().is_some_and(|it| it.adhoc_suite))
    });
    let announcer = expect_context::<Announcer>();
    let ask = move |verb: Verb| {
        // Why nothing opens is said, for those who pressed a key.
        if let Some(why) = held.get_untracked() {
            announcer.say(why);
            return;
        }
        if verb.is_of_ticked()
            && let Some(why) = unlisted.get_untracked()
        {
            announcer.say(why);
            return;
        }
        let Some(batch) = feed.batch.get_untracked() else {
            return;
        };
        let tests = match verb {
            Verb::BatchMetrics => Vec::new(),
            Verb::One(test) => store.find(test).into_iter().collect(),
            Verb::Tests | Verb::TestMetrics => store.selected(),
        };
        let ids = TestIds::new(tests.iter().filter_map(|test| test.id).collect());
        let scope = match (verb, ids) {
            (Verb::BatchMetrics, _) => RerunScope::BatchMetrics,
            (Verb::Tests | Verb::One(_), Some(ids)) => RerunScope::Tests(ids),
            (Verb::TestMetrics, Some(ids)) => RerunScope::TestMetrics(ids),
            (_, None) => {
                announcer.say(NOTHING_TICKED);
                return;
            }
        };
        question.set(Some(Question::Rerun {
            scope,
            // One test is one: none is added. With the rest it goes together, as in the
            // CLI (`resim-api.md` §6.7), and the question says what it adds.
            sync_with_suite: !matches!(verb, Verb::One(_))
                && sync.get_untracked()
                && !adhoc.get_untracked(),
            hidden: if verb.is_of_ticked() {
                hidden.get_untracked()
            } else {
                0
            },
            total: store.total(&batch),
            unread: if verb.is_of_ticked() {
                store.unread(&batch)
            } else {
                0
            },
            ticked_among: store
                .ticked_early
                .get_untracked()
                .filter(|_| verb.is_of_ticked()),
            read_at: feed.read_at.get_untracked(),
            batch,
            tests,
        }));
    };
    effect(move |_| {
        if let Some(verb) = wanted.get() {
            wanted.set(None);
            ask(verb);
        }
    });
    let send = move |asked: Question| {
        let Question::Rerun {
            scope,
            sync_with_suite,
            batch,
            read_at,
            tests,
            ..
        } = asked
        else {
            return;
        };
        let request = RerunRequest {
            scope,
            sync_with_suite,
        };
        // Where the page has seen another picture since, it is looked at before anything
        // is sent, however young the one is that the question shows.
        let is_still_so = feed
            .batch
            .with_untracked(|now| now.as_deref() == Some(&*batch));
        let read_at = read_at.filter(|_| is_still_so);
        if let Err(why) = reruns.start(&batch, read_at, request, &tests) {
            announcer.trouble(format!("Nothing was sent. {why}"));
        }
    };
    let untick_passed = move |()| {
        let again = question.with_untracked(|it| match it {
            Some(Question::Rerun {
                scope: RerunScope::TestMetrics(_),
                ..
            }) => Verb::TestMetrics,
            _ => Verb::Tests,
        });
        question.set(None);
        let passed: Vec<_> = store
            .selected()
            .iter()
            .filter(|test| test.shown_status().passes())
            .filter_map(|test| test.id)
            .filter_map(|id| store.with_table(|table| table.row(id)))
            .collect();
        store.untick(&passed);
        // After the dialog has closed.
        request_animation_frame(move || ask(again));
    };
    // Meant for one rerun, not for every one that follows.
    effect(move |_| {
        let accepted = reruns
            .view
            .with(|it| it.as_ref().is_some_and(|it| it.accepted_at.is_some()));
        if accepted {
            sync.set(false);
        }
    });
    // Said when nothing was ticked; now something is.
    effect(move |_| {
        if count.get() > 0 {
            announcer.withdraw(NOTHING_TICKED);
        }
    });
    let batch_runs = memo(move |_| runs());
    let none = move || count.get() == 0;
    let reason = Signal::derive(move || {
        let held = held.get().map(str::to_owned);
        held.or_else(|| none().then(|| NOTHING_TICKED.to_owned()))
            .or_else(|| unlisted.get())
    });
    let blocked = move || reason.with(Option::is_some).then_some("true");
    // From signals alone: what reads a memo, and a memo of that one beside it, may miss
    // a change.
    let hint = memo(move |_| {
        if let Some(held) = holds() {
            return Some(held.to_owned());
        }
        if ticked() == 0 {
            return Some(NOTHING_TICKED.to_owned());
        }
        let unlisted = store.selection.with(Selection::unlisted);
        if unlisted > 0 {
            return Some(wait_for(unlisted));
        }
        if let Some(read) = store.ticked_early.get() {
            return Some(format!(
                "Ticked among the {} that were read by then; what came after is not ticked.",
                words::tests(read)
            ));
        }
        runs().then(|| BATCH_RUNS.to_owned())
    });
    let of_tests = move || match count.get() {
        0 => "tests".to_owned(),
        n => words::tests(n),
    };
    view! {
        <section class="rerun-bar" aria-label="Rerun">
            <Progress feed reruns idle=hint/>
            <div class="rerun-bar__line">
                <span class="rerun-bar__count">
                    <span data-testid="selected-count" data-count=move || count.get().to_string()>
                        {move || words::number(count.get() as u64)}
                    </span>
                    " selected"
                </span>
                {move || (hidden.get() > 0).then(|| view! {
                    <span class="muted">
                        {words::number(hidden.get() as u64)} " hidden"
                    </span>
                    <button
                        type="button"
                        class="button button--link"
                        title="Clears the filter"
                        on:click=move |_| store.query.update(|query| query.filter = Default::default())
                    >
                        "Show"
                    </button>
                })}
                {move || (count.get() > 0).then(|| view! {
                    <button
                        type="button"
                        class="button button--link"
                        data-testid="clear-selection"
                        on:click=move |_| store.clear_selection()
                    >
                        "Untick all"
                    </button>
                })}
                <label class="tick push" title=move || adhoc.get().then_some("This batch was launched without a saved suite")>
                    <input
                        type="checkbox"
                        name="sync-with-test-suite"
                        prop:checked=sync
                        disabled=move || adhoc.get()
                        on:change=move |event| sync.set(event_target_checked(&event))
                    />
                    <span>"Sync with " <span class="only-wide">"test "</span> "suite"</span>
                </label>
                <span class="buttons">
                    <button
                        type="button"
                        class="button"
                        class:button--primary=move || !batch_runs.get()
                        data-testid="rerun-selected"
                        aria-disabled=blocked
                        aria-describedby="rerun-reason"
                        title=reason
                        on:click=move |_| ask(Verb::Tests)
                    >
                        "Rerun " {of_tests}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-testid="rerun-metrics-selected"
                        aria-disabled=blocked
                        aria-describedby="rerun-reason"
                        title=reason
                        on:click=move |_| ask(Verb::TestMetrics)
                    >
                        "Recompute metrics of " {of_tests}
                    </button>
                    <button
                        type="button"
                        class="button"
                        data-testid="rerun-batch-metrics"
                        aria-disabled=move || held.get().map(|_| "true")
                        aria-describedby=move || held.get().map(|_| "rerun-reason")
                        title=held
                        on:click=move |_| ask(Verb::BatchMetrics)
                    >
                        "Rerun batch metrics only"
                    </button>
                </span>
            </div>
            <Confirm question yes=send untick_passed/>
        </section>
    }
}

/// Pressed → sent → accepted as run N → seen running; its place is kept while
/// nothing is under way, so that nothing moves when something is.
#[component]
fn Progress(
    feed: Feed,
    reruns: Reruns,
    #[prop(into)] idle: Signal<Option<String>>,
) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let with_view =
        move |look: fn(&RerunView) -> bool| reruns.view.with(|it| it.as_ref().is_some_and(look));
    let trouble = memo(move |_| reruns.view.with(|view| view.as_ref()?.trouble()));
    let what = move || {
        reruns
            .view
            .with(|it| it.as_ref().map(|it| verb(&it.request.scope)))
    };
    let steps = memo(move |_| {
        let steps = reruns
            .view
            .with(|view| view.as_ref().map(|view| view.steps(clock::local_time)));
        steps.filter(|_| trouble.with(Option::is_none))
    });
    let waiting = memo(move |_| {
        let batch_runs = feed
            .batch
            .with(|it| it.as_ref().is_some_and(|it| !it.is_terminal()));
        let (now, next) = (ticker.now(), feed.next.get());
        reruns
            .view
            .with(|view| view.as_ref()?.waiting(now, batch_runs, next))
    });
    let gave_way = memo(move |_| reruns.view.with(|view| view.as_ref()?.gave_way()));
    let elsewhere = memo(move |_| reruns.view.with(|view| view.as_ref()?.elsewhere()));
    let cools = memo(move |_| with_view(RerunView::can_be_called_off));
    let asks = memo(move |_| with_view(|it| it.stage == Stage::Asking));
    let over = memo(move |_| with_view(|it| !it.is_open()));
    let dismiss = move || {
        view! {
            <button
                type="button"
                class="button button--quiet button--small"
                data-testid="rerun-dismiss"
                on:click=move |_| reruns.dismiss()
            >
                "Dismiss"
            </button>
        }
    };
    view! {
        {move || trouble.get().map(|(title, said)| view! {
            <div class="notice" data-tone="error" role="alert" data-testid="rerun-refused">
                <div>
                    <p><b>{title}</b></p>
                    {said.map(|said| view! { <p class="notice__said">{said}</p> })}
                </div>
                <div class="buttons">{dismiss()}</div>
            </div>
        })}
        {move || gave_way.get().map(|said| view! {
            <p class="rerun-bar__gave-way" role="status" data-testid="rerun-gave-way">{said}</p>
        })}
        <div class="rerun-bar__progress" data-idle=move || steps.with(Option::is_none).then_some("")>
            <p class="rerun-bar__reason" id="rerun-reason">{idle}</p>
            {move || steps.get().map(|steps| view! {
                <div class="steps" role="status" data-testid="rerun-steps">
                    <b class="steps__what">{what}</b>
                    <ol>
                        {steps
                            .into_iter()
                            .map(|(text, state)| view! { <li data-state=state>{text}</li> })
                            .collect_view()}
                    </ol>
                </div>
                <span class="buttons">
                    <Show when=move || cools.get()>
                        <button
                            type="button"
                            class="button button--small"
                            data-testid="call-off"
                            on:click=move |_| reruns.call_off()
                        >
                            "Call it off"
                        </button>
                    </Show>
                    <Show when=move || asks.get()>
                        <WasItApplied say=move |word| reruns.person_says(word)/>
                    </Show>
                    {move || elsewhere.get().map(|batch| view! {
                        <A
                            href=dom::at(&open::batch_path(reruns.project(), batch))
                            attr:class="button button--small"
                            attr:data-testid="open-other-batch"
                        >
                            "Open that batch"
                        </A>
                    })}
                    {move || over.get().then(dismiss)}
                </span>
                <p class="rerun-bar__waiting muted" data-testid="rerun-waiting" title=waiting>{waiting}</p>
            })}
        </div>
    }
}

/// Shows the pictures of the batch that a rerun reads, and tells the rerun what
/// the page reads.
pub fn join(feed: Feed, reruns: Reruns) {
    effect(move |_| {
        if let Some((batch, asked)) = reruns.picture.get() {
            feed.show(batch, asked);
        }
    });
    effect(move |before: Option<_>| {
        let watch = reruns
            .view
            .with(|it| it.as_ref().and_then(RerunView::watch_until));
        feed.watch_until.set(watch);
        if let Some(batch) = feed.batch.get() {
            let batch: &Batch = &batch;
            reruns.saw(batch);
        }
        // Once, when it was accepted; after that the feed looks at its pace.
        if watch.is_some() && before != Some(watch) {
            feed.refresh();
        }
        watch
    });
}
