//! The field that opens a batch by ID, name or link.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use retake_core::{
    api::{ApiError, links},
    domain::ProjectId,
    view::{
        freshness::upper_first,
        open::{self, Target},
        words,
    },
};

use crate::{
    browser::{dom, window},
    client::Client,
    driver::{batch_shelf::BatchShelf, listing, task::while_open},
    session::Session,
    shell::Announcer,
};

/// Opens a batch by ID, name or link: looks for it first, so that what cannot
/// be found is said here and what is opened stands in the address by its ID.
#[component]
pub fn OpenBatch(
    /// The list beside it, which knows of batches with the same name.
    shelf: BatchShelf,
) -> impl IntoView {
    let navigate = use_navigate();
    let announcer = expect_context::<Announcer>();
    let client = expect_context::<Client>();
    let ours = our_origins();
    let owner = Owner::current().unwrap_or_default();
    let input = NodeRef::<leptos::html::Input>::new();
    let wrong = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    // Of two that are asked for, the last one is meant.
    let turn = StoredValue::new(0_u32);
    let go = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = input
            .get_untracked()
            .map(|it| it.value())
            .unwrap_or_default();
        let (project, batch) = match open::parse(&below_base(&text), &ours) {
            None => {
                wrong.set(Some("Type a batch's ID or name, or paste its link.".into()));
                return;
            }
            Some(Target::Foreign) => {
                let what = "This link leads to no project and no batch of ReSim.";
                wrong.set(Some(what.into()));
                return;
            }
            Some(Target::Project(other)) => (Some(other), None),
            Some(Target::Batch { project, batch }) => (project, Some(batch)),
        };
        wrong.set(None);
        busy.set(true);
        let mine = turn.get_value() + 1;
        turn.set_value(mine);
        let navigate = navigate.clone();
        let open = async move {
            let found = find(&client, shelf.project, project, batch.as_deref()).await;
            if turn.get_value() != mine {
                return;
            }
            busy.set(false);
            match found {
                Ok(path) => {
                    let same_name = batch.as_ref().map_or(0, |name| {
                        shelf.batches.with_untracked(|all| {
                            all.iter()
                                .filter(|it| it.name.as_ref() == Some(name))
                                .count()
                        })
                    });
                    if let (2.., Some(name)) = (same_name, &batch) {
                        announcer.say(format!(
                            "Opened the newest of {same_name} batches named {}.",
                            words::name(name)
                        ));
                    }
                    navigate(&path, Default::default());
                }
                Err(error) => {
                    wrong.set(Some(upper_first(&words::clean(&error.to_string()))));
                }
            }
        };
        owner.with(|| while_open(open));
    };
    view! {
        <form class="list__open push" role="search" on:submit=go>
            <input
                class="input input--search"
                type="search"
                placeholder="Open by ID, name or ReSim link"
                aria-label="Open a batch by ID, name or ReSim link"
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                aria-describedby="open-wrong"
                data-testid="open-batch"
                node_ref=input
                on:input=move |_| wrong.set(None)
            />
            <button type="submit" class="button" aria-busy=move || busy.get().then_some("true")>
                {move || if busy.get() { "Looking…" } else { "Open" }}
            </button>
            <p class="field__error" id="open-wrong" role="alert" data-testid="open-wrong">{wrong}</p>
        </form>
    }
}

/// The path of a project's or batch's page, both by ID.
async fn find(
    client: &Client,
    here: ProjectId,
    project: Option<String>,
    batch: Option<&str>,
) -> Result<String, ApiError> {
    let project = match project {
        Some(text) => listing::find_project(client, &text).await?.id,
        None => here,
    };
    Ok(match batch {
        Some(text) => {
            let batch = listing::find_batch(client, project, text).await?;
            open::batch_path(project, batch.id)
        }
        None => open::project_path(&project.to_string()),
    })
}

/// A link of this site as if the site lived at the top of its host: the names
/// in the path that it lives below must not be read as a project's.
fn below_base(text: &str) -> String {
    let origin = window().location().origin().unwrap_or_default();
    text.trim()
        .strip_prefix(&format!("{origin}{}", dom::base()))
        .map_or_else(|| text.to_owned(), |route| format!("{origin}/{route}"))
}

/// Origins whose links are understood: this page's, and the app's of the environment.
fn our_origins() -> Vec<String> {
    let account = expect_context::<Session>().account_now();
    let app = account.and_then(|it| {
        it.environment
            .app
            .clone()
            .or_else(|| links::app_origin(&it.environment.api))
    });
    let here = window().location().origin().ok();
    app.into_iter().chain(here).collect()
}
