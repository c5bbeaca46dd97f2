//! The app: contexts, routes, and what starts with the page.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    components::{Route, Router, Routes},
    hooks::use_location,
    path,
};

use crate::{
    browser::{clock, dom, storage, timer, window},
    client::Client,
    components::{policy_form, sign_out::Leaving},
    driver::{reruns::OwnReruns, supervisions::Supervisions},
    pages::{
        batch::Batch, batches::Batches, callback::Callback, guard::Guard, not_found::NotFound,
        projects::Projects, sign_in::SignIn, supervisions::Supervisions as SupervisionsPage,
    },
    reactive::{effect, memo},
    session::Session,
    shell::{Announcer, Crumbs, PageTitle, Shell, Ticker},
};

/// What is said once the app was loaded anew by itself.
const STOPPED: &str =
    "Retake stopped by a mistake of its own and was loaded again. What it supervises goes on.";

/// Rises once the configuration was read.
#[derive(Debug, Clone, Copy)]
struct Configured(RwSignal<bool>);

/// Whether the configuration was read, as a signal.
pub fn configured() -> RwSignal<bool> {
    expect_context::<Configured>().0
}

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    dom::apply_theme(storage::theme().as_deref());
    let session = Session::unstarted();
    let client = Client::new(session);
    let supervisions = Supervisions::new(client);
    let configured = RwSignal::new(false);
    provide_context(session);
    provide_context(client);
    provide_context(supervisions);
    provide_context(Configured(configured));
    provide_context(Ticker::start());
    let announcer = Announcer::silent();
    provide_context(announcer);
    let own_reruns = OwnReruns::new(client, move |text| announcer.trouble(text));
    provide_context(own_reruns);
    provide_context(Leaving::nobody(session, supervisions, own_reruns));
    provide_context(Crumbs(RwSignal::new(Vec::new())));
    provide_context(PageTitle::none());

    if dom::is_led_here() {
        policy_form::note_opened_link();
    }
    spawn_local(async move {
        session.start(dom::route()).await;
        configured.set(true);
    });
    spawn_local(async {
        timer::sleep(Duration::ZERO).await;
        clock::make_ready();
    });
    // Whoever signs in finds what this browser supervises for them.
    let who = session.whose();
    effect(move |_| match who.get() {
        Some(identity) => {
            if let Some(account) = session.account_now() {
                let limits = account.environment.limits();
                own_reruns.signed_in(identity.clone(), limits);
            }
            supervisions.signed_in(identity);
            if storage::take_stopped() {
                announcer.trouble(STOPPED);
            }
        }
        None => supervisions.signed_out(),
    });
    session.hear_others();
    renew_ahead(session);
    let base = dom::base().trim_end_matches('/').to_owned();
    view! {
        <Router base>
            <AddressInStep/>
            <Shell>
                <Routes fallback=|| view! { <NotFound/> }>
                    <Route path=path!("/sign-in") view=SignIn/>
                    <Route path=path!("/callback") view=Callback/>
                    <Route path=path!("/") view=projects/>
                    <Route path=path!("/projects") view=projects/>
                    <Route path=path!("/supervisions") view=|| view! { <Guard><SupervisionsPage/></Guard> }/>
                    <Route path=path!("/projects/:project") view=batches/>
                    // What is left of a batch's address without its end.
                    <Route path=path!("/projects/:project/batches") view=batches/>
                    <Route
                        path=path!("/projects/:project/batches/:batch")
                        view=|| view! { <Guard><Batch/></Guard> }
                    />
                </Routes>
            </Shell>
        </Router>
    }
}

/// Mends an address that the router leaves as it was: it makes no step to where its own
/// last step led, and hears of a Back in between only where the address comes back that
/// it wrote itself. Pages write their filters past it.
#[component]
fn AddressInStep() -> impl IntoView {
    let location = use_location();
    let (pathname, search) = (location.pathname, location.search);
    effect(move |before: Option<()>| {
        let path = pathname.get();
        if before.is_none() {
            return;
        }
        spawn_local(async move {
            // The router writes it in this task, if it does.
            timer::sleep(Duration::ZERO).await;
            let is_here = pathname.get_untracked() == path;
            if is_here && window().location().pathname().ok() != Some(path.clone()) {
                let query = search.get_untracked();
                let mark = if query.is_empty() { "" } else { "?" };
                dom::step_to(&format!("{path}{mark}{query}"));
            }
        });
    });
}

/// The list of projects, for two addresses: one function, so that it is compiled once.
fn projects() -> impl IntoView {
    view! { <Guard><Projects/></Guard> }
}

/// The list of a project's batches, for two addresses.
fn batches() -> impl IntoView {
    view! { <Guard><Batches/></Guard> }
}

/// Renews a token ahead of its end, also when nothing asks for it.
fn renew_ahead(session: Session) {
    let due = memo(move |_| session.account().and_then(|it| it.lasting.renew_at));
    let timer = StoredValue::new_local(None);
    effect(move |_| {
        timer.set_value(due.get().map(|at| {
            let delay = at.since(clock::wall());
            timer::Timer::after(delay, move || {
                spawn_local(async move {
                    session.renew().await;
                });
            })
        }));
    });
}
