//! All projects.

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};
use retake_core::{
    domain::Project,
    view::{
        query::{escape, pairs},
        words,
    },
};

use crate::{
    browser::{clock, dom},
    client::Client,
    components::load::{Load, LoadFailed, Loader},
    driver::listing,
    reactive::{effect, memo},
    shell::{Crumbs, PageTitle},
};

/// All projects, searchable.
#[component]
pub fn Projects() -> impl IntoView {
    expect_context::<PageTitle>().0.set("Projects".into());
    expect_context::<Crumbs>()
        .0
        .set(vec![("Projects".into(), None)]);
    let client = expect_context::<Client>();
    let loader = Loader::start(move || {
        let client = client;
        async move { listing::all_projects(&client).await }
    });
    let asked = use_location().search.get_untracked();
    let asked_for = |name: &str| {
        pairs(&asked)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    };
    let text = RwSignal::new(asked_for("q").unwrap_or_default());
    let archived = RwSignal::new(asked_for("archived").is_some());
    // In the address, so that Back and a shared link show the same.
    effect(move |before: Option<()>| {
        let mut parts = Vec::new();
        text.with(|text| {
            if !text.is_empty() {
                parts.push(format!("q={}", escape(text)));
            }
        });
        if archived.get() {
            parts.push("archived=1".to_owned());
        }
        if before.is_some() {
            let sign = if parts.is_empty() { "" } else { "?" };
            dom::write_query(&format!("{sign}{}", parts.join("&")), false);
        }
    });
    let shown = memo(move |_| match loader.state.get() {
        Load::Ready(projects) => {
            let words: Vec<String> =
                text.with(|text| text.split_whitespace().map(str::to_lowercase).collect());
            let with_archived = archived.get();
            projects
                .into_iter()
                .filter(|it| with_archived || !it.archived)
                .filter(|it| {
                    let hay = format!("{} {} {}", it.name, it.description, it.id).to_lowercase();
                    words.iter().all(|word| hay.contains(word))
                })
                .collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    let counted = move || match loader.state.get() {
        Load::Ready(all) => {
            let number = |n: usize| words::number(n as u64);
            format!("{} of {}", number(shown.with(Vec::len)), number(all.len()))
        }
        Load::Reading => "Reading the projects…".to_owned(),
        Load::Failed(..) => String::new(),
    };
    let has_archived =
        move || matches!(loader.state.get(), Load::Ready(all) if all.iter().any(|it| it.archived));
    view! {
        <div class="page">
            <div class="page__head"><h1>"Projects"</h1><p role="status">{counted}</p></div>
            <div class="toolbar" role="search">
                <input
                    class="input input--search filters__text"
                    type="search"
                    placeholder="Find a project"
                    aria-label="Find a project"
                    data-testid="text-filter"
                    prop:value=text
                    on:input=move |event| text.set(event_target_value(&event))
                />
                <Show when=has_archived>
                    <label class="tick">
                        <input
                            type="checkbox"
                            prop:checked=archived
                            on:change=move |event| archived.set(event_target_checked(&event))
                        />
                        "Archived too"
                    </label>
                </Show>
            </div>
            {move || match loader.state.get() {
                Load::Failed(error, next) => view! {
                    <LoadFailed
                        title="The list of projects could not be read."
                        error
                        next
                        retry=move |()| loader.retry()
                    />
                }
                .into_any(),
                Load::Reading => view! { <Rows projects=Vec::new() reading=true/> }.into_any(),
                Load::Ready(all) if all.is_empty() => view! {
                    <div class="card empty">
                        <h2>"No projects"</h2>
                        <p>"This account sees none. Somebody who owns one has to let you in."</p>
                    </div>
                }
                .into_any(),
                Load::Ready(_) => view! {
                    <Show
                        when=move || !shown.with(Vec::is_empty)
                        fallback=move || view! {
                            <div class="card empty">
                                <h2>{move || format!("No project matches “{}”", text.get())}</h2>
                                <button type="button" class="button" on:click=move |_| text.set(String::new())>
                                    "Show all"
                                </button>
                            </div>
                        }
                    >
                        {move || view! { <Rows projects=shown.get() reading=false/> }}
                    </Show>
                }
                .into_any(),
            }}
        </div>
    }
}

#[component]
fn Rows(projects: Vec<Project>, reading: bool) -> impl IntoView {
    view! {
        <div class="card" aria-busy=reading.then_some("true")>
            <table class="list list--projects" role="table" aria-label="Projects">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Name"</th>
                        <th role="columnheader" scope="col">"Description"</th>
                        <th role="columnheader" scope="col">"Created"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    {projects
                        .into_iter()
                        .map(|project| {
                            let href = dom::at(&format!("/projects/{}", project.id));
                            let name = match project.name.as_str() {
                                "" => project.id.to_string(),
                                name => words::name(name),
                            };
                            let title = name.clone();
                            view! {
                                <tr role="row" data-testid="project-row" data-project-id=project.id.to_string()>
                                    <td role="cell">
                                        <A href=href attr:class="list__name" attr:title=title>{name}</A>
                                        {project.archived.then(|| view! { " " <span class="tag">"archived"</span> })}
                                    </td>
                                    <td role="cell" class="muted">
                                        {words::clean(&project.description).into_owned()}
                                    </td>
                                    <td role="cell" class="muted">
                                        {project.created.map(|at| view! {
                                            <time datetime=at.to_rfc3339() title=clock::in_full(at)>{clock::local_date(at)}</time>
                                        })}
                                    </td>
                                </tr>
                            }
                        })
                        .collect_view()}
                    {reading.then(|| {
                        (0..4)
                            .map(|_| view! {
                                <tr role="row" aria-hidden="true">
                                    <td role="cell"><span class="bone"></span></td>
                                    <td role="cell"><span class="bone"></span></td>
                                    <td role="cell"><span class="bone bone--short"></span></td>
                                </tr>
                            })
                            .collect_view()
                    })}
                </tbody>
            </table>
        </div>
    }
}
