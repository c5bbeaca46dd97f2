//! The batches of a project, newest first.

use std::{collections::BTreeMap, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    components::A,
    hooks::{use_navigate, use_params_map},
};
use retake_core::{
    api::{ApiError, endpoint},
    domain::{Batch, BatchId, ConflatedBatchStatus, ConflatedStatus, Project, ProjectId},
    view::{
        batches::{BatchFilter, ran_for},
        open::{self, Target},
        words,
    },
};

use crate::{
    browser::{clock, dom, timer, wake},
    client::Client,
    components::{
        load::{Load, LoadFailed, Loader},
        status::{BatchStatusBadge, Counts},
    },
    driver::listing,
    names::NameBook,
    session::Session,
    shell::{Announcer, Crumbs, PageTitle, Ticker},
};

/// The batches of the project that the address names.
#[component]
pub fn Batches() -> impl IntoView {
    let params = use_params_map();
    let text = Memo::new(move |_| params.with(|it| it.get("project").unwrap_or_default()));
    let client = expect_context::<Client>();
    move || {
        let text = text.get();
        let loader = Loader::start(move || {
            let (client, text) = (client, text.clone());
            async move { listing::find_project(&client, &text).await }
        });
        move || {
            match loader.state.get() {
            Load::Reading => view! { <super::guard::Starting text="Reading the project…"/> }.into_any(),
            Load::Failed(error, next) => view! {
                <div class="page">
                    <div class="page__head"><h1>"Project"</h1></div>
                    <LoadFailed title="The project could not be read." error next retry=move |()| loader.retry()/>
                    <p><A href=dom::at("/")>"All projects"</A></p>
                </div>
            }
            .into_any(),
            Load::Ready(project) => view! { <Listed project/> }.into_any(),
        }
        }
    }
}

/// What is loaded of the list, with the way to more.
#[derive(Clone, Copy)]
struct Shelf {
    project: ProjectId,
    batches: RwSignal<Vec<Batch>>,
    next: RwSignal<Option<String>>,
    failing: RwSignal<Option<ApiError>>,
    read: RwSignal<bool>,
    busy: RwSignal<bool>,
    client: Client,
}

impl Shelf {
    /// Reads the first page anew and puts it over what is loaded.
    async fn refresh(self) {
        let call = endpoint::list_batches(self.project, "", None);
        let answer = self.client.read(&call).await;
        match answer {
            Ok(page) => {
                let first = !self.read.try_get_untracked().unwrap_or(true);
                self.batches.try_update(|known| put_over(known, page.items));
                self.failing.try_set(None);
                self.read.try_set(true);
                if first {
                    self.next.try_set(page.next);
                }
            }
            Err(error) => {
                self.failing.try_set(Some(error));
            }
        }
    }

    async fn more(self) {
        let Some(token) = self.next.get_untracked() else {
            return;
        };
        self.busy.set(true);
        let call = endpoint::list_batches(self.project, "", Some(&token));
        let answer = self.client.read(&call).await;
        self.busy.try_set(false);
        match answer {
            Ok(page) => {
                // A token that comes again would load the same page for ever.
                let next = page.next.filter(|next| *next != token);
                self.batches.try_update(|known| put_over(known, page.items));
                self.next.try_set(next);
            }
            Err(error) => {
                self.failing.try_set(Some(error));
            }
        }
    }
}

/// Newer pictures replace older ones; the newest batch stands first.
fn put_over(known: &mut Vec<Batch>, read: Vec<Batch>) {
    let mut all: BTreeMap<BatchId, Batch> = known.drain(..).map(|it| (it.id, it)).collect();
    all.extend(read.into_iter().map(|it| (it.id, it)));
    *known = all.into_values().collect();
    known.sort_by_key(|it| std::cmp::Reverse((it.created, it.id)));
}

#[component]
fn Listed(project: Project) -> impl IntoView {
    let name = project.name.clone();
    expect_context::<PageTitle>()
        .0
        .set(words::clean(&name).into_owned());
    expect_context::<Crumbs>().0.set(vec![
        ("Projects".into(), Some("/".into())),
        (name.clone(), None),
    ]);
    let shelf = Shelf {
        project: project.id,
        batches: RwSignal::new(Vec::new()),
        next: RwSignal::new(None),
        failing: RwSignal::new(None),
        read: RwSignal::new(false),
        busy: RwSignal::new(false),
        client: expect_context(),
    };
    keep_fresh(shelf);
    let filter = RwSignal::new(BatchFilter::default());
    let names = NameBook::new(shelf.client, project.id);
    let shown = Memo::new(move |_| {
        let filter = filter.get();
        shelf.batches.with(|all| {
            all.iter()
                .filter(|it| filter.shows(it))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let ids = move || shown.with(|all| all.iter().map(|it| it.id).collect::<Vec<_>>());
    let reading = move || !shelf.read.get() && shelf.failing.with(Option::is_none);
    view! {
        <div class="page">
            <div class="page__head">
                <h1>{words::clean(&name).into_owned()}</h1>
                <p>"Batches, newest first"</p>
                <Open project=project.id/>
            </div>
            <div class="toolbar">
                <input
                    class="input input--search filters__text"
                    type="search"
                    placeholder="Filter by name, ID or person"
                    aria-label="Filter by name, ID or person"
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
                    next=None
                    retry=move |()| spawn_local(shelf.refresh())
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
                        <For each=ids key=|id| *id let(id)>
                            <BatchRow project=project.id id shelf names/>
                        </For>
                        {move || reading().then(bones)}
                    </tbody>
                </table>
                {move || (shelf.read.get() && shown.with(Vec::is_empty)).then(|| view! { <Nothing shelf filter/> })}
                <Foot shelf/>
            </div>
        </div>
    }
}

/// Reads the first page again while the page is open: quicker while something runs.
fn keep_fresh(shelf: Shelf) {
    const RUNNING: Duration = Duration::from_secs(15);
    const QUIET: Duration = Duration::from_mins(1);
    let alive = StoredValue::new(());
    let session = expect_context::<Session>();
    let least = session
        .account_now()
        .map_or(RUNNING, |it| it.environment.min_poll_every * 3);
    spawn_local(async move {
        while alive.try_get_value().is_some() {
            if !wake::is_hidden() || !shelf.read.try_get_untracked().unwrap_or(true) {
                shelf.refresh().await;
            }
            let running = shelf
                .batches
                .try_with_untracked(|all| all.iter().any(|it| !it.is_terminal()))
                .unwrap_or(false);
            let failing = shelf
                .failing
                .try_with_untracked(Option::is_some)
                .unwrap_or(false);
            let pace = if running || failing {
                RUNNING.min(least)
            } else {
                QUIET.min(least * 4)
            };
            timer::sleep(pace).await;
        }
    });
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

/// Opens a batch by ID, name or link.
#[component]
fn Open(project: ProjectId) -> impl IntoView {
    let navigate = use_navigate();
    let announcer = expect_context::<Announcer>();
    let input = NodeRef::<leptos::html::Input>::new();
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = input
            .get_untracked()
            .map(|it| it.value())
            .unwrap_or_default();
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        match open::parse(&text) {
            None => announcer.trouble("Type a batch's ID or name, or paste its link."),
            Some(Target::Project(other)) => {
                navigate(&format!("/projects/{}", escape(&other)), Default::default());
            }
            Some(Target::Batch {
                project: other,
                batch,
            }) => {
                let project = other.unwrap_or_else(|| project.to_string());
                let path = format!("/projects/{}/batches/{}", escape(&project), escape(&batch));
                navigate(&path, Default::default());
            }
        }
    };
    view! {
        <form class="list__open push" role="search" on:submit=go>
            <input
                class="input input--search"
                type="search"
                placeholder="Open by ID, name or ReSim link"
                aria-label="Open a batch by ID, name or ReSim link"
                data-testid="open-batch"
                node_ref=input
            />
            <button type="submit" class="button">"Open"</button>
        </form>
    }
}

const WORDS: [ConflatedBatchStatus; 7] = [
    ConflatedBatchStatus::Blocker,
    ConflatedBatchStatus::Error,
    ConflatedBatchStatus::Warning,
    ConflatedBatchStatus::Running,
    ConflatedBatchStatus::Submitted,
    ConflatedBatchStatus::Complete,
    ConflatedBatchStatus::Cancelled,
];

#[component]
fn Chips(shelf: Shelf, filter: RwSignal<BatchFilter>) -> impl IntoView {
    let chip = move |status: ConflatedBatchStatus| {
        let count = {
            let status = status.clone();
            Memo::new(move |_| {
                shelf.batches.with(|all| {
                    all.iter()
                        .filter(|it| it.conflated_or_derived().as_ref() == Some(&status))
                        .count()
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
                data-testid=format!("status-chip-{}", status.word())
                data-zero=move || (count.get() == 0).then_some("")
                aria-pressed=pressed
                on:click={
                    let status = status.clone();
                    move |_| filter.update(|it| {
                        if !it.statuses.remove(&status) {
                            it.statuses.insert(status.clone());
                        }
                    })
                }
            >
                <span>{words::batch_label(&status).to_owned()}</span>
                " "
                <b>{count}</b>
            </button>
        }
    };
    view! {
        <div class="chips" role="group" aria-label="Show only">
            {WORDS.into_iter().map(chip).collect_view()}
        </div>
    }
}

#[component]
fn BatchRow(project: ProjectId, id: BatchId, shelf: Shelf, names: NameBook) -> impl IntoView {
    let ticker = expect_context::<Ticker>();
    let batch = Memo::new(move |_| {
        shelf
            .batches
            .with(|all| all.iter().find(|it| it.id == id).cloned())
    });
    let times = move || {
        let now = ticker.now();
        batch.with(|it| {
            it.as_ref().map(|it| {
                let started = it.last_run.or(it.created);
                let ago = started
                    .map(|at| words::ago(now.since(at)))
                    .unwrap_or_default();
                let ran = ran_for(it, now).map(words::duration).unwrap_or_default();
                (
                    started.map(clock::local_day_time).unwrap_or_default(),
                    ago,
                    ran,
                )
            })
        })
    };
    let times = Memo::new(move |_| times());
    move || {
        batch.get().map(|it| {
            let href = dom::at(&open::batch_path(project, id));
            let status = it.status.as_ref().map_or("", |it| it.word()).to_owned();
            let (branch, build) = (names.branch(it.branch_id), names.build(it.build_id));
            let suite = names.suite(it.suite_id);
            let revision = it.suite_revision.map(|n| format!("r{n}"));
            let adhoc = it.adhoc_suite;
            let (whole, figures) = (it.clone(), it.clone());
            let (name, word) = (words::clean(&it.display_name()).into_owned(), it.conflated_or_derived());
            let run = it.run_counter;
            let by = it.account.clone().or_else(|| it.user.clone()).unwrap_or_default();
            let by = words::clean(&by).into_owned();
            view! {
                <tr role="row" data-testid="batch-row" data-batch-id=id.to_string()>
                    <td role="cell">
                        <A href=href attr:class="list__name">{name}</A>
                        " "
                        {run.filter(|run| run.0 > 1).map(|run| view! {
                            <span class="tag">{format!("run {run}")}</span>
                        })}
                    </td>
                    <td role="cell">
                        <BatchStatusBadge status=word/>
                        <div class="list__sub clip" title=status.clone()>{words::clean(&status).into_owned()}</div>
                    </td>
                    <td role="cell"><Counts batch=whole/> <Figures batch=figures/></td>
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
                        {move || times.get().map(|(at, ago, ran)| view! {
                            <time title=at>{ago}</time>
                            <div class="list__sub">{ran}</div>
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
    let summary = batch.summary();
    let figure = |status: ConflatedStatus, n: u64| {
        (n > 0).then(|| view! {
            <span class="status" data-status=status.word().to_owned()>
                <span class="visually-hidden">{words::status_label(&status).to_owned()} " "</span>
                {words::number(n)}
            </span>
        })
    };
    view! {
        <span class="figures">
            {figure(ConflatedStatus::Blocker, summary.blocking)}
            {figure(ConflatedStatus::Error, summary.erroring)}
            {figure(ConflatedStatus::Warning, summary.warning)}
            {figure(ConflatedStatus::Passed, summary.passed)}
            <span>"of " {words::number(summary.total)}</span>
        </span>
    }
}

#[component]
fn Nothing(shelf: Shelf, filter: RwSignal<BatchFilter>) -> impl IntoView {
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
                        if shelf.next.with(Option::is_some) {
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
fn Foot(shelf: Shelf) -> impl IntoView {
    view! {
        <p class="list__foot" role="status">
            {move || {
                if !shelf.read.get() {
                    return if shelf.failing.with(Option::is_some) { String::new() } else { "Reading the batches…".to_owned() };
                }
                let loaded = words::number(shelf.batches.with(Vec::len) as u64);
                if shelf.next.with(Option::is_some) { format!("{loaded} loaded") } else { format!("All {loaded} loaded") }
            }}
            " "
            {move || shelf.next.with(Option::is_some).then(|| view! {
                <button
                    type="button"
                    class="button button--small"
                    data-testid="load-more"
                    aria-busy=move || shelf.busy.get().then_some("true")
                    disabled=move || shelf.busy.get()
                    on:click=move |_| spawn_local(shelf.more())
                >
                    {move || if shelf.busy.get() { "Reading older batches…" } else { "Load older batches" }}
                </button>
            })}
        </p>
    }
}
