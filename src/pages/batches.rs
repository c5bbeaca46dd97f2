//! The batches of a project, newest first.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{
    components::A,
    hooks::{use_location, use_params_map},
};
use retake_core::{
    domain::{
        Batch, BatchId, ConflatedBatchStatus, ConflatedStatus, Project, ProjectId, Timestamp,
    },
    view::{
        batch_list::{Extent, foot},
        batches::{self, BatchFilter, ran_for, reran_at},
        freshness::{Age, State, freshness},
        open, words,
    },
};

use super::guard::OtherEnvironment;
use crate::{
    browser::{clock, dom},
    client::Client,
    components::{
        each::each,
        load::{Load, LoadFailed, Loader},
        open_batch::OpenBatch,
        status::{BatchStatusBadge, Counts},
    },
    driver::{batch_shelf::BatchShelf, listing},
    names::NameBook,
    reactive::{effect, memo},
    session::Session,
    shell::{Crumbs, PageTitle, Ticker},
};

/// The batches of the project that the address names.
#[component]
pub fn Batches() -> impl IntoView {
    let params = use_params_map();
    let text = memo(move |_| params.with(|it| it.get("project").unwrap_or_default()));
    let client = expect_context::<Client>();
    let crumbs = expect_context::<Crumbs>().0;
    move || {
        let wanted = text.get();
        let loader = Loader::start(move || {
            let (client, text) = (client, wanted.clone());
            async move { listing::find_project(&client, &text).await }
        });
        move || match loader.state.get() {
            Load::Reading => {
                view! { <super::guard::Starting text="Reading the project…"/> }.into_any()
            }
            Load::Failed(error, next) => {
                crumbs.set(vec![
                    ("Projects".into(), Some("/".into())),
                    (text.get_untracked(), None),
                ]);
                view! {
                    <div class="page">
                        <div class="page__head"><h1>"Project"</h1></div>
                        <LoadFailed title="The project could not be read." error next retry=move |()| loader.retry()/>
                        <p class="page__ways">
                            <A href=dom::at("/")>"All projects"</A>
                            <OtherEnvironment/>
                        </p>
                    </div>
                }
                .into_any()
            }
            Load::Ready(project) => view! { <Listed project/> }.into_any(),
        }
    }
}

#[component]
fn Listed(project: Project) -> impl IntoView {
    let name = project.name.clone();
    expect_context::<PageTitle>().0.set(words::title(&name));
    expect_context::<Crumbs>().0.set(vec![
        ("Projects".into(), Some("/".into())),
        (name.clone(), None),
    ]);
    let client = expect_context::<Client>();
    let quickest = expect_context::<Session>()
        .account_now()
        .map_or(Duration::from_secs(10), |it| it.environment.min_poll_every);
    let shelf = BatchShelf::open(client, project.id, quickest);
    let filter = RwSignal::new(BatchFilter::parse(&use_location().search.get_untracked()));
    // In the address, so that Back and a shared link show the same.
    effect(move |before: Option<()>| {
        let query = filter.with(BatchFilter::to_query);
        if before.is_some() {
            dom::write_query(&query, false);
        }
    });
    let names = NameBook::new(client, project.id);
    // Asked for once, by a row or here; only a text needs them all.
    let names_of = move |batch: &Batch| {
        if filter.with(|it| it.text.is_empty()) {
            return Vec::new();
        }
        let (branch, build) = (names.branch(batch.branch_id), names.build(batch.build_id));
        vec![branch.get(), build.get(), names.suite(batch.suite_id).get()]
    };
    let shown = memo(move |_| {
        let filter = filter.get();
        shelf.batches.with(|all| {
            all.iter()
                .filter(|it| filter.shows(it, &names_of(it)))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let ids = move || shown.with(|all| all.iter().map(|it| it.id).collect::<Vec<_>>());
    let reading = move || !shelf.is_read() && shelf.failing.with(Option::is_none);
    view! {
        <div class="page">
            <div class="page__head">
                <h1 class="clamp" title=words::clean(&name).into_owned()>{words::name(&name)}</h1>
                <p>"Batches, newest first"</p>
                <Fresh shelf/>
                <OpenBatch shelf/>
            </div>
            <div class="toolbar">
                <input
                    class="input input--search filters__text"
                    type="search"
                    placeholder="Filter by name, branch, suite, person or ID"
                    aria-label="Filter by name, branch, build, suite, person or ID"
                    data-testid="text-filter"
                    prop:value=move || filter.with(|it| it.text.clone())
                    on:input=move |event| filter.update(|it| it.text = event_target_value(&event))
                />
                <Chips shelf filter/>
            </div>
            {move || shelf.failing.get().map(|error| view! {
                <LoadFailed
                    title="The list of batches could not be read."
                    error
                    next=shelf.due.get()
                    retry=move |()| shelf.refresh()
                />
            })}
            <div class="card" aria-busy=move || reading().then_some("true")>
                <table class="list list--batches" role="table" aria-label="Batches">
                    <thead role="rowgroup">
                        <tr role="row">
                            {["Name", "Status", "Tests", "Branch, build", "Suite", "Started", "By"]
                                .map(|title| view! { <th role="columnheader" scope="col">{title}</th> })
                                .collect_view()}
                        </tr>
                    </thead>
                    <tbody role="rowgroup">
                        {each(
                            ids,
                            ToString::to_string,
                            move |id| view! { <BatchRow project=project.id id shelf names/> }.into_any(),
                        )}
                        {move || reading().then(bones)}
                    </tbody>
                </table>
                {move || (shelf.is_read() && shown.with(Vec::is_empty)).then(|| view! { <Nothing shelf filter/> })}
                <Foot shelf filter shown/>
            </div>
        </div>
    }
}

fn bones() -> impl IntoView {
    (0..5)
        .map(|_| view! {
            <tr role="row" aria-hidden="true">
                {(0..7).map(|_| view! { <td role="cell"><span class="bone"></span></td> }).collect_view()}
            </tr>
        })
        .collect_view()
}

#[component]
fn Chips(shelf: BatchShelf, filter: RwSignal<BatchFilter>) -> impl IntoView {
    let chips = memo(move |_| {
        let is_read = shelf.is_read();
        shelf.batches.with(|all| batches::chips(all, is_read))
    });
    let counted = memo(move |_| {
        let loaded = shelf.batches.with(Vec::len) as u64;
        format!(
            "Counted among the {} batches that are loaded",
            words::number(loaded)
        )
    });
    let chip = move |status: ConflatedBatchStatus| {
        let count = {
            let status = status.clone();
            memo(move |_| {
                chips.with(|all| {
                    all.iter()
                        .find(|it| it.status == status)
                        .and_then(|it| it.count)
                })
            })
        };
        let pressed = {
            let status = status.clone();
            move || filter.with(|it| it.statuses.contains(&status)).to_string()
        };
        view! {
            <button
                type="button"
                class="chip"
                data-status=status.word().to_owned()
                data-tone=status.tone()
                data-testid=format!("status-chip-{}", status.word())
                data-zero=move || (count.get() == Some(0)).then_some("")
                aria-pressed=pressed
                title=counted
                on:click={
                    let status = status.clone();
                    move |_| filter.update(|it| {
                        if !it.statuses.remove(&status) {
                            it.statuses.insert(status.clone());
                        }
                    })
                }
            >
                <span>{words::clean(words::batch_label(&status)).into_owned()}</span>
                " "
                <b>{move || count.get().map_or("–".to_owned(), words::number)}</b>
            </button>
        }
    };
    view! {
        <div class="chips" role="group" aria-label="Show only these statuses, of the loaded batches">
            {each(move || chips.get(), |it| it.status.word().to_owned(), move |it| chip(it.status).into_any())}
        </div>
    }
}

/// How fresh the list is, and the way to read it now.
#[component]
fn Fresh(shelf: BatchShelf) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let fresh = memo(move |_| {
        shelf.failing.with(|failing| {
            freshness(&Age {
                now: ticker.now(),
                read_at: shelf.read_at.get(),
                every: shelf.every.get(),
                failing: failing.as_ref(),
                next: shelf.due.get(),
                paused: false,
                finished: false,
                behind: false,
            })
        })
    });
    let words = move || match fresh.get() {
        // The foot of the list says what is being read.
        (State::Loading, _) => "Not read yet".to_owned(),
        // What failed is said above the list, in full.
        (State::Failing, _) if !shelf.is_read() => "Not read yet".to_owned(),
        (_, words) => words,
    };
    view! {
        <span class="list__fresh">
            <span class="freshness" data-state=move || fresh.get().0.slug() data-testid="freshness" title=words>
                <span>{words}</span>
            </span>
            <button
                type="button"
                class="button button--quiet button--small"
                data-testid="refresh"
                on:click=move |_| shelf.refresh()
            >
                "Refresh"
            </button>
        </span>
    }
}

#[component]
fn BatchRow(project: ProjectId, id: BatchId, shelf: BatchShelf, names: NameBook) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let batch = memo(move |_| {
        shelf
            .batches
            .with(|all| all.iter().find(|it| it.id == id).cloned())
    });
    let times = move || {
        let now = ticker.now();
        batch.with(|it| {
            it.as_ref().map(|it| {
                let ago = |at: Timestamp| words::ago(now.since(at));
                // The launch, which the list is ordered by; then the run.
                let launched = it.created.or(it.last_run);
                let ran = ran_for(it, now).map(words::duration).unwrap_or_default();
                let run = reran_at(it).map_or(ran, |at| format!("rerun {}", ago(at)));
                let title = launched.map(clock::in_full).unwrap_or_default();
                (title, launched.map(ago).unwrap_or_default(), run)
            })
        })
    };
    let times = memo(move |_| times());
    move || {
        batch.get().map(|it| {
            let href = dom::at(&open::batch_path(project, id));
            let status = it.status.as_ref().map_or("", |it| it.word()).to_owned();
            let (branch, build) = (names.branch(it.branch_id), names.build(it.build_id));
            let suite = names.suite(it.suite_id);
            let revision = it.suite_revision.map(|n| format!("r{n}"));
            let adhoc = it.adhoc_suite;
            let (whole, figures) = (it.clone(), it.clone());
            let (name, word) = (words::name(&it.display_name()), it.conflated_or_derived());
            let title = name.clone();
            let (run, is_rerun) = (it.run_counter, reran_at(&it).is_some());
            let by = it.account.clone().or_else(|| it.user.clone()).unwrap_or_default();
            let by = words::clean(&by).into_owned();
            view! {
                <tr role="row" data-testid="batch-row" data-batch-id=id.to_string()>
                    <td role="cell">
                        <A href=href attr:class="list__name" attr:title=title>{name}</A>
                        " "
                        {run.filter(|_| is_rerun).map(|run| view! {
                            <span class="tag">{format!("run {run}")}</span>
                        })}
                    </td>
                    <td role="cell">
                        <BatchStatusBadge status=word/>
                        <div class="list__sub clip" title=status.clone()>{words::clean(&status).into_owned()}</div>
                    </td>
                    <td role="cell"><Counts segments=batches::segments(&whole)/> <Figures batch=figures/></td>
                    <td role="cell">
                        <div class="clip">{move || branch.get()}</div>
                        <div class="list__sub mono clip">{move || build.get()}</div>
                    </td>
                    <td role="cell">
                        <div class="clip">
                            {move || if adhoc { Some("Ad hoc".to_owned()) } else { suite.get() }}
                        </div>
                        <div class="list__sub">{(!adhoc).then_some(revision)}</div>
                    </td>
                    <td role="cell">
                        {move || times.get().map(|(at, ago, run)| view! {
                            <time title=at>{ago}</time>
                            <div class="list__sub clip">{run}</div>
                        })}
                    </td>
                    <td role="cell"><div class="clip muted" title=by.clone()>{by.clone()}</div></td>
                </tr>
            }
        })
    }
}

/// The figures beside the bar: the failing ones, the passed ones, the total.
#[component]
fn Figures(batch: Batch) -> impl IntoView {
    let total = batch.summary().total;
    let figure = |(status, n): (ConflatedStatus, u64)| {
        view! {
            <span class="status" data-status=status.word().to_owned() data-tone=status.tone()>
                <span class="visually-hidden">{words::status_label(&status).to_owned()} " "</span>
                {words::number(n)}
            </span>
        }
    };
    view! {
        <span class="figures">
            {batches::figures(&batch).into_iter().map(figure).collect_view()}
            <span>"of " {words::number(total)}</span>
        </span>
    }
}

#[component]
fn Nothing(shelf: BatchShelf, filter: RwSignal<BatchFilter>) -> impl IntoView {
    view! {
        <div class="empty">
            <Show
                when=move || !shelf.batches.with(Vec::is_empty)
                fallback=|| view! {
                    <h2>"No batches yet"</h2>
                    <p>"Nothing has run in this project. A batch appears here as soon as someone starts one."</p>
                }
            >
                <h2>"No batch matches"</h2>
                <p>
                    {move || {
                        let loaded = words::number(shelf.batches.with(Vec::len) as u64);
                        if shelf.has_more() || shelf.broken.with(Option::is_some) {
                            format!("{loaded} batches are loaded; older ones have not been looked at.")
                        } else {
                            format!("None of all {loaded} batches.")
                        }
                    }}
                </p>
                <button type="button" class="button" on:click=move |_| filter.set(BatchFilter::default())>
                    "Clear filters"
                </button>
            </Show>
        </div>
    }
}

#[component]
fn Foot(
    shelf: BatchShelf,
    filter: RwSignal<BatchFilter>,
    shown: Memo<Vec<Batch>>,
) -> impl IntoView {
    let said = move || {
        if !shelf.is_read() {
            let is_failing = shelf.failing.with(Option::is_some);
            return if is_failing {
                ""
            } else {
                "Reading the batches…"
            }
            .to_owned();
        }
        let is_filtered = filter.with(|it| *it != BatchFilter::default());
        shelf.broken.with(|broken| {
            foot(&Extent {
                loaded: shelf.batches.with(Vec::len),
                shown: is_filtered.then(|| shown.with(Vec::len)),
                has_more: shelf.has_more(),
                broken: broken.as_ref().map(|error| {
                    let message = error.message.as_deref();
                    message.unwrap_or("the server's pages go in circles")
                }),
            })
        })
    };
    view! {
        <p class="list__foot" role="status" data-testid="list-foot">
            {said}
            " "
            {move || shelf.has_more().then(|| view! {
                <button
                    type="button"
                    class="button button--small"
                    data-testid="load-more"
                    aria-busy=move || shelf.busy.get().then_some("true")
                    disabled=move || shelf.busy.get()
                    on:click=move |_| shelf.read_older()
                >
                    {move || if shelf.busy.get() { "Reading older batches…" } else { "Load older batches" }}
                </button>
            })}
        </p>
    }
}
