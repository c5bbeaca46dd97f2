//! One batch: its tests, its reruns, its supervision.

use std::{sync::Arc, time::Duration};

use leptos::{
    prelude::*,
    task::{spawn_local, tick},
};
use leptos_router::{
    components::A,
    hooks::{use_location, use_params_map},
};
use retake_core::{
    api::links,
    domain::{Batch as BatchData, BatchId, Project, ProjectId, TestId, Timestamp},
    view::{ViewQuery, open, query::escape, words},
};

use super::guard::OtherEnvironment;
use crate::{
    browser::{clock, dom, timer, window},
    client::Client,
    components::{
        batch_head::{BatchHead, Names},
        confirm::{Confirm, Question},
        drawer::Drawer,
        filters::Filters,
        later::later,
        load::{Load, LoadFailed, Loader},
        rerun_bar::{RerunBar, Verb, join},
        supervise_panel::{PanelContext, SupervisePanel},
        tests_table::{TestsTable, Wish},
    },
    driver::{
        cancel::{Cancelling, cancel},
        feed::Feed,
        listing,
        reruns::{Of, OwnReruns},
        supervisions::{Supervision, Supervisions},
        tag_reader,
        tests_store::TestsStore,
    },
    names::NameBook,
    reactive::{effect, memo},
    session::{Account, Session},
    shell::{Announcer, Crumbs, PageTitle},
};

/// The batch that the address names, by ID or name.
#[component]
pub fn Batch() -> impl IntoView {
    let params = use_params_map();
    let wanted = memo(move |_| {
        params.with(|it| {
            (
                it.get("project").unwrap_or_default(),
                it.get("batch").unwrap_or_default(),
            )
        })
    });
    let client = expect_context::<Client>();
    let crumbs = expect_context::<Crumbs>().0;
    let supervisions = expect_context::<Supervisions>();
    move || {
        let (project, batch) = wanted.get();
        let title = batch.clone();
        let loader = Loader::start(move || {
            let (client, project, batch) = (client, project.clone(), batch.clone());
            async move {
                let asked = clock::wall();
                let (project, found) =
                    listing::project_and_batch(&client, &project, &batch).await?;
                // Before the page is shown, so that nothing on it moves.
                let said = namesakes(&client, project.id, &batch).await;
                Ok((project, found, asked, said))
            }
        });
        move || match loader.state.get() {
            Load::Reading => view! { <Reading title=title.clone()/> }.into_any(),
            Load::Failed(error, next) => {
                let of_project = format!("/projects/{}", wanted.with_untracked(|it| escape(&it.0)));
                crumbs.set(vec![
                    ("Projects".into(), Some("/".into())),
                    (
                        wanted.with_untracked(|it| it.0.clone()),
                        Some(of_project.clone()),
                    ),
                    ("Batch".into(), None),
                ]);
                view! {
                    <div class="page">
                        <div class="page__head"><h1>"Batch"</h1></div>
                        <LoadFailed title="The batch could not be read." error next retry=move |()| loader.retry()/>
                        {goes_on(&supervisions, wanted)}
                        <p class="page__ways">
                            <A href=dom::at(&of_project)>"Batches of this project"</A>
                            <A href=dom::at("/")>"All projects"</A>
                            <OtherEnvironment/>
                        </p>
                    </div>
                }
                .into_any()
            }
            Load::Ready((project, batch, asked, namesakes)) => {
                view! { <Found project batch asked namesakes/> }.into_any()
            }
        }
    }
}

/// That a batch which cannot be read is supervised all the same, and where one sees how.
fn goes_on(supervisions: &Supervisions, wanted: Memo<(String, String)>) -> impl IntoView + use<> {
    let supervisions = *supervisions;
    move || {
        let id = wanted.with(|(_, batch)| batch.parse::<BatchId>().ok())?;
        let one = supervisions.of_batch(id).filter(Supervision::is_active)?;
        let called = one.snapshot.with(|it| it.state.name.clone());
        let called = called.map_or("This batch".to_owned(), |name| words::name(&name));
        Some(view! {
            <div class="notice" role="status" data-testid="supervised-meanwhile">
                <p>
                    {called} " is supervised all the same; nothing of that is lost. "
                    <A href=dom::at("/supervisions")>"See how it is getting on"</A>
                </p>
            </div>
        })
    }
}

/// The frame of the page before anything was read.
#[component]
fn Reading(title: String) -> impl IntoView {
    let title = words::clean(&title).into_owned();
    view! {
        <div class="batch">
            <header class="batch__head" aria-busy="true">
                <div class="batch__title"><h1>{title}</h1></div>
                <div class="batch__fresh">
                    <p class="freshness" data-state="loading" role="status">"Reading the batch…"</p>
                </div>
            </header>
        </div>
    }
}

/// How often a page reads a batch of its own; a sandbox allows more.
fn pace(account: &Account) -> Duration {
    account
        .environment
        .min_poll_every
        .max(Duration::from_secs(2))
}

/// The page of a batch that was `asked` for then.
#[component]
fn Found(
    project: Project,
    batch: BatchData,
    asked: Timestamp,
    namesakes: Option<String>,
) -> impl IntoView {
    let session = expect_context::<Session>();
    let Some(account) = session.account_now() else {
        return ().into_any();
    };
    let client = expect_context::<Client>();
    let announcer = expect_context::<Announcer>();
    let supervisions = expect_context::<Supervisions>();
    let id = batch.id;
    let name = batch.display_name();
    let called = name.clone();
    expect_context::<PageTitle>().0.set(words::title(&name));
    expect_context::<Crumbs>().0.set(vec![
        ("Projects".into(), Some("/".into())),
        (
            project.name.clone(),
            Some(format!("/projects/{}", project.id)),
        ),
        (name.clone(), None),
    ]);

    let left_out = ViewQuery::left_out(&use_location().search.get_untracked());
    if !left_out.is_empty() {
        announcer.trouble(format!(
            "The link's {} could not be read and is left out; the list may show more than was meant.",
            left_out.join(" and ")
        ));
    }
    let store = TestsStore::new(id, query_in_step());
    keep_query_in_url(store);
    let limits = account.environment.limits();
    let feed = Feed::open(
        client,
        project.id,
        (batch.clone(), asked),
        pace(&account),
        store,
    );
    tag_reader::read_tags(client, project.id, id, store);
    let of = Of {
        project: project.id,
        batch: id,
        name: name.clone(),
    };
    let reruns = expect_context::<OwnReruns>().open(&account.identity, of, limits);
    join(feed, reruns);
    show_what_supervision_reads(&feed);

    let names = names(client, &project, &batch);
    let app = account
        .environment
        .app
        .clone()
        .or_else(|| links::app_origin(&account.environment.api));
    let app_link = app.map(|app| links::batch(&app, project.id, id));
    let link = Signal::derive(move || {
        let query = store.query.with(ViewQuery::to_query);
        dom::address(&open::batch_path(project.id, id)) + &query
    });

    let verb = RwSignal::new(None::<Verb>);
    let wish = Callback::new(move |wish: Wish| {
        // Whoever reads a test means that one.
        let read = store.query.with_untracked(|it| it.open);
        verb.set(Some(match (wish, read) {
            (Wish::Rerun, Some(test)) if dom::has(".drawer:focus-within") => Verb::One(test),
            (Wish::Rerun, _) => Verb::Tests,
            (Wish::Metrics, _) => Verb::TestMetrics,
        }));
    });
    let tests = move || {
        view! {
            <Filters store batch=feed.batch/>
            <ListingTrouble feed/>
            <TestsTable store wish/>
            <RerunBar feed reruns wanted=verb/>
        }
        .into_any()
    };
    let question = RwSignal::new(None::<Question>);
    let cancelling = RwSignal::new(Cancelling::No);
    let ask_cancel = move |()| {
        let Some(batch) = feed.batch.get_untracked() else {
            return;
        };
        question.set(Some(Question::Cancel {
            unfinished: batch.summary().running,
            batch,
            supervised: supervisions.is_supervised(id),
        }));
    };
    let one = move |test: TestId| verb.set(Some(Verb::One(test)));
    let yes = move |asked: Question| {
        let Question::Cancel { batch: asked, .. } = asked else {
            return;
        };
        let now = feed.batch.get_untracked();
        if let Some(why) = now.and_then(|now| nothing_to_cancel(&asked, &now)) {
            return announcer.trouble(why);
        }
        cancel(client, (project.id, id), feed, cancelling, move || {
            announcer.say("Cancel was accepted. Tests that run finish first.");
        });
    };
    let context = PanelContext {
        project: project.id,
        project_name: Signal::stored(project.name.clone()),
        owner: account.identity.clone(),
        owner_name: account.name.clone(),
        min_poll: account.environment.min_poll_every,
        limits,
        batch: feed.batch.into(),
        preview: Arc::new(move |policy| {
            feed.batch.with(|batch| {
                batch
                    .as_ref()
                    .and_then(|batch| store.preview(batch, policy))
            })
        }),
        show_test: Callback::new(move |test| {
            store.query.update(|query| query.open = Some(test));
        }),
    };
    view! {
        <div class="batch">
            <BatchHead feed names app_link=app_link.clone() link cancel=ask_cancel cancelling/>
            {namesakes.map(|said| view! { <Namesakes project=project.id name=called said/> })}
            <Confirm question yes/>
            <div class="batch__body">
                <section class="batch__main" aria-label="Tests">{later(tests)}</section>
                <SupervisePanel context/>
            </div>
            <Drawer project=project.id batch=id store app_link rerun=one/>
        </div>
    }
    .into_any()
}

/// Why a yes to cancelling the batch as it was asked about comes too late, if it does.
fn nothing_to_cancel(asked: &BatchData, now: &BatchData) -> Option<&'static str> {
    if now.ran_again_since(asked) {
        return Some(
            "Nothing was cancelled: another run of the batch has begun since you were asked.",
        );
    }
    now.is_terminal()
        .then_some("Nothing was cancelled: the batch finished while you were asked.")
}

/// Says that the name in the address is that of several batches.
#[component]
fn Namesakes(project: ProjectId, name: String, said: String) -> impl IntoView {
    let list = dom::at(&format!("/projects/{project}?q={}", escape(&name)));
    view! {
        <div class="notice notice--bar" role="status" data-testid="namesakes">
            <p>{said} " " <A href=list>"Show them all"</A></p>
        </div>
    }
}

/// How long the page waits for what is only a remark.
const REMARK: Duration = Duration::from_secs(1);

/// What is to be said of the other batches that have the name in an address. Where they
/// cannot be listed at once, nothing: the batch is here all the same.
async fn namesakes(client: &Client, project: ProjectId, name: &str) -> Option<String> {
    if open::canonical(name).is_some() {
        return None;
    }
    let listed = timer::within(REMARK, listing::namesakes(client, project, name)).await;
    let (count, may_be_more) = listed?.ok()?;
    open::namesakes(count, may_be_more)
}

/// Says that the list of tests is not whole, and what happens about it.
#[component]
fn ListingTrouble(feed: Feed) -> impl IntoView {
    let failed = memo(move |_| feed.tests.loading.with(|it| it.failed.clone()));
    let listed = move || {
        let total = feed
            .batch
            .with(|it| it.as_ref().and_then(|it| it.total_tests));
        let listed = words::number(feed.tests.loading.with(|it| it.listed) as u64);
        match total {
            Some(total) => format!(
                "The tests could not be read completely: {listed} of {} are here.",
                words::number(total)
            ),
            None => format!("The tests could not be read completely: {listed} are here."),
        }
    };
    move || {
        failed.get().map(|error| {
            let next = feed.next.get();
            view! {
                <LoadFailed title=listed() error next retry=move |()| feed.list_again()/>
            }
        })
    }
}

/// Names that the head shows, as they come.
fn names(client: Client, project: &Project, batch: &BatchData) -> RwSignal<Names> {
    let book = NameBook::new(client, project.id);
    let (branch, build) = (book.branch(batch.branch_id), book.build(batch.build_id));
    let (suite, system) = (book.suite(batch.suite_id), book.system(batch.system_id));
    let names = RwSignal::new(Names::default());
    effect(move |_| {
        names.set(Names {
            branch: branch.get(),
            build: build.get(),
            suite: suite.get(),
            system: system.get(),
        });
    });
    names
}

/// The view that the address asks for.
fn query_in_step() -> ViewQuery {
    ViewQuery::parse(&use_location().search.get_untracked())
}

/// Writes the view into the address and follows the browser's Back. Written
/// past the router: it would answer later, and a quick hand could be undone by
/// the echo of its own earlier click.
fn keep_query_in_url(store: TestsStore) {
    let wanted = memo(move |_| store.query.with(ViewQuery::to_query));
    // Where the last drawer was opened by a step of its own, and whether that is where we are.
    let stepped_at = StoredValue::new(None::<String>);
    let on_step = StoredValue::new(false);
    effect(move |was_open: Option<bool>| {
        let wanted = wanted.get();
        let is_open = store.query.with_untracked(|it| it.open.is_some());
        if let Some(was_open) = was_open {
            // After the rows, as the browser takes its time to change an address; but before
            // the next press, which may lead to another page.
            spawn_local(async move {
                tick().await;
                if dom::query() == wanted {
                    return;
                }
                // A drawer covers a small screen: Back closes it. One step is enough for all
                // that are opened after each other.
                let is_step = is_open && !was_open && on_step.try_get_value() == Some(false);
                if is_step {
                    stepped_at.try_set_value(window().location().pathname().ok());
                    on_step.try_set_value(true);
                }
                dom::write_query(&wanted, is_step);
            });
        }
        is_open
    });
    // The router knows nothing of such a step, which is about the drawer alone: filter and
    // sort stay as they are by now.
    let back = window_event_listener(leptos::ev::popstate, move |_| {
        let path = window().location().pathname().ok();
        if path.is_none() || stepped_at.get_value() != path {
            return;
        }
        let open = ViewQuery::parse(&dom::query()).open;
        on_step.set_value(open.is_some());
        store.query.update(|query| query.open = open);
        let now = store.query.with_untracked(ViewQuery::to_query);
        if dom::query() != now {
            dom::write_query(&now, false);
        }
    });
    on_cleanup(move || back.remove());
    let location = use_location();
    let here = location.pathname.get_untracked();
    effect(move |before: Option<()>| {
        let asked = ViewQuery::parse(&location.search.get());
        // The router tells of the next page while the address is this one's still:
        // that page's query is not for here, nor to be written there.
        let is_here = location.pathname.with_untracked(|path| *path == here);
        // Where a drawer was opened by a step, every way back is told of above: the router would
        // bring back the filter of before, too.
        let is_told = stepped_at.with_value(Option::is_some);
        if before.is_some()
            && is_here
            && !is_told
            && store.query.with_untracked(|now| *now != asked)
        {
            store.query.set(asked);
        }
    });
}

/// What supervision decides is on screen at once: the page looks when a decision
/// has changed the batch.
fn show_what_supervision_reads(feed: &Feed) {
    let feed = *feed;
    let supervisions = expect_context::<Supervisions>();
    effect(move |_| {
        let id = feed.batch.with_untracked(|it| it.as_ref().map(|it| it.id));
        let Some(one) = id.and_then(|id| supervisions.of_batch(id)) else {
            return;
        };
        // Its decisions change the batch: a rerun is on screen at once.
        let run = one
            .snapshot
            .with(|it| (it.state.awaited, it.state.phase.is_over()));
        let shown = feed
            .batch
            .with_untracked(|it| it.as_ref().and_then(|it| it.run_counter));
        if run.1 || run.0 > shown {
            feed.refresh();
        }
    });
}
