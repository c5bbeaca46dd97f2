//! The history of one test: its runs, its errors in full, its files.

use std::time::Duration;

use leptos::prelude::*;
use retake_core::{
    api::LogFile,
    domain::{BatchId, ExecutionError, ProjectId, Test, TestHistory, TestId},
    view::{
        runs::{Run, RunMemory, Source, known_runs, reason},
        words,
    },
};

use web_sys::HtmlElement;

use super::{
    copy_button::CopyButton,
    load::{Load, LoadFailed, Loader},
    status::TestStatusBadge,
};
use crate::{
    browser::{clock, dom, timer},
    client::Client,
    driver::{listing, tests_store::TestsStore},
    reactive::{effect, memo},
};

/// Who goes on to another test this soon is walking: a test is read once they stay.
const WALKING: Duration = Duration::from_millis(200);

/// The drawer of the test that the URL names.
#[component]
pub fn Drawer(
    /// The project.
    project: ProjectId,
    /// The batch.
    batch: BatchId,
    /// The tests.
    store: TestsStore,
    /// The ReSim app's page of the batch, where that is known.
    app_link: Option<String>,
    /// Reruns one test.
    #[prop(into)]
    rerun: Callback<TestId>,
) -> impl IntoView {
    let open = memo(move |_| store.query.with(|it| it.open));
    let before = StoredValue::new(None::<TestId>);
    // A link beside the list that led here: there the hand goes back to.
    let led_by = StoredValue::new_local(None::<(TestId, HtmlElement)>);
    effect(move |_| {
        let now = open.get();
        match (before.get_value(), now) {
            (None, Some(id)) => {
                led_by.set_value(dom::focused(".verdict a").map(|link| (id, link)));
                request_animation_frame(|| dom::focus(".drawer__close"));
            }
            (Some(id), None) => request_animation_frame(move || {
                let led_by = led_by.get_value().filter(|it| it.0 == id);
                match led_by {
                    Some((_, link)) if link.is_connected() => dom::focus_on(&link),
                    _ => dom::focus(&format!("tr[data-job-id=\"{id}\"] .row__name")),
                }
            }),
            _ => {}
        }
        before.set_value(now);
    });
    let read_at = StoredValue::new(None::<Duration>);
    move || {
        let app_link = app_link.clone();
        open.get()
            .map(|id| view! { <Open project batch store id app_link rerun read_at/> })
    }
}

#[component]
fn Open(
    project: ProjectId,
    batch: BatchId,
    store: TestsStore,
    id: TestId,
    app_link: Option<String>,
    rerun: Callback<TestId>,
    /// When a test was last read here.
    read_at: StoredValue<Option<Duration>>,
) -> impl IntoView {
    let client = expect_context::<Client>();
    let listed = memo(move |_| store.find(id));
    let stands_now = move || {
        let it = store.find(id)?;
        Some((it.run_counter, it.status, it.conflated))
    };
    // A signal, as a memo that reads a memo may miss a change.
    let stands = RwSignal::new(untrack(stands_now));
    effect(move |_| {
        let now = stands_now();
        if stands.with_untracked(|before| *before != now) {
            stands.set(now);
        }
    });
    // Read anew when the listed test stands otherwise; what was read stays until then.
    let history = memo(move |_| {
        stands.track();
        let client = client;
        let now = clock::now().mono;
        let before = read_at.get_value();
        read_at.set_value(Some(now));
        // A key that is held down walks past more tests than need to be read.
        let is_walking = before.is_some_and(|before| now.saturating_sub(before) < WALKING);
        let loader = Loader::start(move || {
            let client = client;
            async move {
                if is_walking {
                    timer::sleep(WALKING).await;
                }
                listing::test_history(&client, project, batch, id).await
            }
        });
        SameLoader(loader)
    });
    let read = RwSignal::new(None::<TestHistory>);
    effect(move |_| {
        if let Load::Ready(history) = history.get().0.state.get() {
            read.set(Some(history));
        }
    });
    let details = memo(move |_| read.get());
    let name = move || {
        listed
            .with(|it| it.as_ref().map(|it| words::name(&it.name)))
            .unwrap_or_else(|| id.to_string())
    };
    let close = move |_| store.query.update(|query| query.open = None);
    view! {
        <aside
            class="drawer"
            aria-labelledby="drawer-title"
            data-testid="test-drawer"
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.stop_propagation();
                    store.query.update(|query| query.open = None);
                }
            }
        >
            <div class="drawer__head">
                <div>
                    <h2 id="drawer-title">{name}</h2>
                    {move || listed.with(|it| it.as_ref().map(|it| {
                        let status = it.shown_status();
                        view! { <TestStatusBadge status/> }
                    }))}
                </div>
                <button
                    type="button"
                    class="button button--quiet button--icon drawer__close"
                    aria-label="Close"
                    on:click=close
                >
                    <span class="icon" data-icon="close" aria-hidden="true"></span>
                </button>
            </div>
            <div class="drawer__body" tabindex="0" role="region" aria-label="Test details">
                {move || {
                    let loader = history.get().0;
                    match loader.state.get() {
                        Load::Reading if details.with(Option::is_none) => {
                            view! { <p class="muted" role="status">"Reading the test…"</p> }.into_any()
                        }
                        Load::Failed(error, next) => view! {
                            <LoadFailed
                                title="The test could not be read."
                                error
                                next
                                retry=move |()| loader.retry()
                            />
                        }
                        .into_any(),
                        Load::Reading | Load::Ready(_) => ().into_any(),
                    }
                }}
                {move || details.get().map(|history| view! { <Details history memory=store.memory()/> })}
                <Files project batch id/>
            </div>
            <div class="drawer__foot">
                <button type="button" class="button button--primary" on:click=move |_| rerun.run(id)>
                    "Rerun this test"
                </button>
                {app_link.map(|href| view! {
                    <a class="button" href=href target="_blank" rel="noreferrer">
                        "Batch in ReSim app " <span class="icon" data-icon="out" aria-hidden="true"></span>
                    </a>
                })}
            </div>
        </aside>
    }
}

/// A loader in a memo: every new one differs.
#[derive(Clone, Copy)]
struct SameLoader(Loader<TestHistory>);

impl PartialEq for SameLoader {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

#[component]
fn Details(history: TestHistory, memory: RunMemory) -> impl IntoView {
    let test = history.test;
    let mut runs = known_runs(&test, &memory);
    runs.reverse();
    let changes = history.changes;
    let id = test.id.map(|id| id.to_string());
    let experience = test.experience_id.map(|id| id.to_string());
    view! {
        <section>
            <h3>"Runs"</h3>
            {if runs.is_empty() {
                view! { <Errors errors=test.errors.clone() label="Errors".to_owned()/> }.into_any()
            } else {
                runs.into_iter()
                    .map(|run| view! { <Attempt test=test.clone() run/> })
                    .collect_view()
                    .into_any()
            }}
        </section>
        {(!changes.is_empty()).then(|| view! {
            <section>
                <h3>"States of the latest run"</h3>
                <dl class="facts facts--column">
                    {changes
                        .into_iter()
                        .map(|(status, at)| view! {
                            <div>
                                <dt title=at.map(clock::in_full)>
                                    {at.map_or_else(|| "no time".into(), clock::local_moment)}
                                </dt>
                                <dd class="mono">{words::clean(status.word()).into_owned()}</dd>
                            </div>
                        })
                        .collect_view()}
                </dl>
            </section>
        })}
        <section>
            <h3>"Details"</h3>
            <dl class="facts facts--column">
                {id.map(|id| view! {
                    <div>
                        <dt>"Test ID"</dt>
                        <dd><span class="id">{id.clone()} " " <CopyButton label="Copy" text=id/></span></dd>
                    </div>
                })}
                {experience.map(|id| view! {
                    <div>
                        <dt>"Experience ID"</dt>
                        <dd><span class="id">{id.clone()} " " <CopyButton label="Copy" text=id/></span></dd>
                    </div>
                })}
                {test.status.as_ref().map(|status| view! {
                    <div><dt>"Orchestration"</dt><dd class="mono">{words::clean(status.word()).into_owned()}</dd></div>
                })}
                {test.metrics.as_ref().map(|status| view! {
                    <div><dt>"Metrics"</dt><dd class="mono">{words::clean(status.word()).into_owned()}</dd></div>
                })}
                {test.description.as_ref().map(|text| view! {
                    <div><dt>"Description"</dt><dd>{words::clean(text).into_owned()}</dd></div>
                })}
            </dl>
        </section>
    }
}

#[component]
fn Attempt(test: Test, run: Run) -> impl IntoView {
    let (counter, latest) = (run.counter, run.source == Source::Latest);
    let errors: Vec<ExecutionError> = test
        .errors
        .iter()
        .filter(|error| match error.run_counter {
            Some(of) => of.0 == counter,
            None => latest,
        })
        .cloned()
        .collect();
    // A test that its metrics failed has no execution error: said, not left out.
    let by_metrics = (latest && errors.is_empty())
        .then(|| reason(&test))
        .flatten();
    let known = match run.source {
        Source::Latest | Source::Errors => None,
        Source::Seen => Some("as this tab saw it before the rerun"),
        Source::Unknown => Some("left no error; ReSim keeps no outcome of earlier runs"),
    };
    let failed_before = !latest
        && errors.is_empty()
        && run
            .status
            .as_ref()
            .is_some_and(retake_core::domain::ConflatedStatus::is_failing);
    view! {
        <div class="attempt">
            <div class="attempt__head">
                <b>{format!("Run {counter}")}</b>
                {latest.then(|| view! { <span class="tag">"latest"</span> })}
                {run.status.map(|status| view! { <TestStatusBadge status/> })}
                {known.map(|known| view! { <span class="muted">{known}</span> })}
            </div>
            {match by_metrics {
                Some(reason) => view! {
                    <p class="attempt__reason">
                        {retake_core::view::freshness::upper_first(&reason.code)} ": "
                        <span class="mono">{reason.text}</span> ". No execution error."
                    </p>
                }
                .into_any(),
                None if failed_before => view! {
                    <p class="muted">"No execution error; ReSim keeps no metrics of earlier runs."</p>
                }
                .into_any(),
                None => view! { <Errors errors label=format!("Errors of run {counter}")/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Errors(errors: Vec<ExecutionError>, label: String) -> impl IntoView {
    if errors.is_empty() {
        return view! { <p class="muted">"No error."</p> }.into_any();
    }
    errors
        .into_iter()
        .map(|error| {
            let exit = error
                .exit_code
                .map(|code| format!(" (exit {code})"))
                .unwrap_or_default();
            let text = error.text.map(|text| {
                // Line breaks are the platform's own; everything else is made visible.
                text.lines()
                    .map(|line| words::clean(line).into_owned())
                    .collect::<Vec<_>>()
                    .join("\n")
            });
            view! {
                <pre class="said" tabindex="0" role="region" aria-label=label.clone()>
                    <b>{words::clean(&error.code).into_owned()}{exit}</b>
                    "\n"
                    {text}
                </pre>
            }
        })
        .collect_view()
        .into_any()
}

/// The files that a test left; their links expire, so they are listed on demand.
#[component]
fn Files(project: ProjectId, batch: BatchId, id: TestId) -> impl IntoView {
    let client = expect_context::<Client>();
    let wanted = RwSignal::new(0_u32);
    let loader = memo(move |_| {
        let client = client;
        (wanted.get() > 0).then(|| {
            FilesLoader(Loader::start(move || {
                let client = client;
                async move { listing::test_files(&client, project, batch, id).await }
            }))
        })
    });
    view! {
        <section>
            <h3>"Files"</h3>
            {move || match loader.get() {
                None => view! {
                    <button type="button" class="button button--small" on:click=move |_| wanted.set(1)>
                        "List the files"
                    </button>
                }
                .into_any(),
                Some(FilesLoader(loader)) => match loader.state.get() {
                    Load::Reading => view! { <p class="muted" role="status">"Listing the files…"</p> }.into_any(),
                    Load::Failed(error, next) => view! {
                        <LoadFailed title="The files could not be listed." error next retry=move |()| loader.retry()/>
                    }
                    .into_any(),
                    Load::Ready(page) => {
                        let more = page.next.is_some();
                        view! {
                            <FileList files=page.items/>
                            {more.then(|| view! { <p class="muted">"Only the first 100 are listed."</p> })}
                            <button
                                type="button"
                                class="button button--quiet button--small"
                                on:click=move |_| wanted.update(|n| *n += 1)
                            >
                                "List again: links expire"
                            </button>
                        }
                        .into_any()
                    }
                },
            }}
        </section>
    }
}

#[derive(Clone, Copy)]
struct FilesLoader(Loader<retake_core::api::Page<LogFile>>);

impl PartialEq for FilesLoader {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

#[component]
fn FileList(files: Vec<LogFile>) -> impl IntoView {
    if files.is_empty() {
        return view! { <p class="muted">"This test left no files."</p> }.into_any();
    }
    view! {
        <ul class="files">
            {files
                .into_iter()
                .map(|file| {
                    let path = if file.folder.is_empty() {
                        file.name.clone()
                    } else {
                        format!("{}/{}", file.folder, file.name)
                    };
                    let path = words::clean(&path).into_owned();
                    let size = file.size.map(words::bytes);
                    view! {
                        <li>
                            {match file.download_url {
                                Some(url) if !file.external => view! {
                                    <a class="mono" href=url rel="noreferrer" target="_blank">{path}</a>
                                }
                                .into_any(),
                                _ => view! { <span class="mono">{path}</span> }.into_any(),
                            }}
                            " "
                            <span class="muted">
                                {size}
                                {file.external.then_some(" · kept in your own storage")}
                            </span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}
