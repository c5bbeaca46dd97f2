//! The parameters of a supervision, named as the CLI names them: typed text,
//! checked beside the field, with the preview of what they would do now.
//! What is typed is remembered at once, so that a reload loses nothing.

use leptos::{prelude::*, task::spawn_local};
use retake_core::{
    domain::ConflatedStatus,
    supervise::{
        Field, FieldError, FilledIn, LinkedForm, Policy, PolicyForm, Preview, WatchedStates,
        supervise_command,
    },
    view::{freshness::upper_first, query::pairs, words},
};

use super::{copy_button::CopyButton, supervise_panel::PanelContext};
use crate::{
    browser::{dom, storage},
    driver::supervisions::{About, Supervisions},
    reactive::{effect, memo},
    shell::Announcer,
};

/// Notes that a link which fills the form in was opened, if the address names one:
/// before a sign-in, which leaves the page and comes back.
pub fn note_opened_link() {
    let query = dom::query();
    if PolicyForm::default().filled_in_by(pairs(&query)).is_some() {
        storage::note_opened_link(&query);
    }
}

/// The parameters, with their help, their errors and the live preview.
#[component]
pub fn PolicyFields(
    /// What it is about.
    context: PanelContext,
    /// Cleared when a supervision starts.
    again: RwSignal<bool>,
) -> impl IntoView {
    let supervisions = expect_context::<Supervisions>();
    let kept = storage::load_policy_form().unwrap_or_default();
    // A link may fill the form in; only a click acts (`design.md` §5).
    let batch = context
        .batch
        .with_untracked(|it| it.as_ref().map(|it| it.id));
    let query = dom::query();
    let opened = storage::take_opened_link(&query);
    // Who supervises again goes on from what was run, not from the link of before.
    let was_supervised =
        batch.is_some_and(|batch| untrack(|| supervisions.of_batch(batch).is_some()));
    let named: Vec<_> = pairs(&query)
        .filter(|_| opened || !was_supervised)
        .collect();
    let begun = LinkedForm::begin(batch.and_then(storage::linked_form), &named, opened);
    let (linked, by) = begun.unzip();
    let form = RwSignal::new(
        linked
            .as_ref()
            .map_or_else(|| kept.clone(), |it| it.form.clone()),
    );
    let filled_in = linked.as_ref().map(|it| it.filled_in.clone()).zip(by);
    // The address forgets the link at the next filter, and knows nothing of changes.
    if let Some((batch, linked)) = batch.zip(linked) {
        storage::save_linked_form(batch, &linked);
        effect(move |before: Option<()>| {
            let changed = linked.clone().changed_to(form.get());
            if before.is_some() {
                storage::save_linked_form(batch, &changed);
            }
        });
    }
    let refused = RwSignal::new(None::<String>);
    let starting = RwSignal::new(false);
    let announcer = expect_context::<Announcer>();
    let min_poll = context.min_poll;
    let checked = memo(move |_| form.with(|form| form.check(min_poll)));
    let error = move |field: Field| {
        checked.with(|checked| match checked {
            Err(errors) => errors
                .iter()
                .find(|error: &&FieldError| error.field == field)
                .map(|error| upper_first(&error.message)),
            Ok(_) => None,
        })
    };
    let preview = {
        let context = context.clone();
        move || {
            context.batch.track();
            checked.get().ok().and_then(|policy| {
                let preview = (context.preview)(&policy)?;
                Some((policy, preview))
            })
        }
    };
    let start = {
        let context = context.clone();
        move || {
            let (Ok(policy), Some(batch)) =
                (checked.get_untracked(), context.batch.get_untracked())
            else {
                dom::focus(".supervise__form [aria-invalid=true]");
                return;
            };
            // A second Enter while the first one is under way.
            if starting.get_untracked() {
                return;
            }
            starting.set(true);
            refused.set(None);
            let about = About::new(
                context.owner.clone(),
                context.owner_name.clone(),
                context.project,
                context.project_name.get_untracked(),
            );
            let (limits, name) = (context.limits, batch.display_name());
            let run = form.get_untracked();
            let started = supervisions.start(about, policy, limits, batch.id);
            spawn_local(async move {
                match started.await {
                    Ok(()) => {
                        // What a link filled in counts as set here now: who supervises
                        // again goes on from it.
                        storage::save_policy_form(&run);
                        let is_left = again.try_set(false).is_some();
                        // The form was longer than what takes its place: on a small screen
                        // its button was far below that.
                        if !is_left && !dom::is_wide() {
                            request_animation_frame(|| dom::bring_into_view(".supervise"));
                        }
                    }
                    Err(why) => {
                        // Given back where the page was left meanwhile: it is said all the same.
                        if let Some(Some(why)) = refused.try_set(Some(why)) {
                            let name = words::name(&name);
                            announcer.trouble(format!("{name} is not supervised. {why}"));
                        }
                    }
                }
                starting.try_set(false);
            });
        }
    };
    let command = {
        let context = context.clone();
        move || match (checked.get(), context.batch.get()) {
            (Ok(policy), Some(batch)) => {
                supervise_command(&policy, &context.project_name.get(), batch.id, 0)
            }
            _ => String::new(),
        }
    };
    let no_batch = move || context.batch.with(Option::is_none);
    view! {
        <form
            class="supervise__form"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                start();
            }
        >
            <p class="field__help">
                "Runs in this tab: keep it open, and pin it. A closed tab supervises nothing until you \
                 open this page again."
            </p>
            <Origin form kept linked=filled_in/>
            {Field::ALL
                .into_iter()
                .map(|field| view! { <PolicyField field form error=Signal::derive(move || error(field))/> })
                .collect_view()}
            <div class="supervise__end">
            <div class="preview" role="status" aria-label="What would happen now">
                <h3>"If it ended now"</h3>
                {move || match preview() {
                    Some((policy, preview)) => view! { <PreviewFigure policy preview/> }.into_any(),
                    None if checked.with(Result::is_err) => {
                        view! { <p class="muted">"Correct the marked fields first."</p> }.into_any()
                    }
                    None => view! { <p class="muted">"The tests are being read."</p> }.into_any(),
                }}
            </div>
            <div class="buttons">
                <button
                    type="submit"
                    class="button button--primary"
                    data-testid="supervise-start"
                    disabled=no_batch
                >
                    "Start supervising"
                </button>
                <CopyButton
                    label="Copy CLI command"
                    text=Signal::derive(command)
                    why_empty="Correct the marked fields first; nothing was copied."
                />
            </div>
            {move || refused.get().map(|why| view! {
                <p class="notice" data-tone="warning" role="alert" data-testid="supervise-refused">{why}</p>
            })}
            </div>
        </form>
    }
}

/// Says where the parameters come from: what was set for another batch must not
/// pass for this one's unseen. Always one line, so that typing moves nothing.
#[component]
fn Origin(
    form: RwSignal<PolicyForm>,
    kept: PolicyForm,
    linked: Option<(PolicyForm, FilledIn)>,
) -> impl IntoView {
    let is_default = memo(move |_| form.with(|form| *form == PolicyForm::default()));
    let words = move || match &linked {
        _ if is_default.get() => "These are the documented defaults.".to_owned(),
        Some((filled_in, by)) if form.with(|form| form == filled_in) => {
            format!("{}. What it does not name has its default.", by.words())
        }
        Some((_, by)) => format!("{}, and changed since.", by.words()),
        None if form.with(|form| *form == kept) => {
            "Filled in as last set in this browser.".to_owned()
        }
        None => "Not the documented defaults.".to_owned(),
    };
    let reset = move |_| {
        form.set(PolicyForm::default());
        storage::save_policy_form(&form.get_untracked());
    };
    view! {
        <p class="field__help supervise__origin" data-testid="policy-origin">
            {words}
            <Show when=move || !is_default.get()>
                <button
                    type="button"
                    class="button button--link"
                    data-testid="policy-defaults"
                    on:click=reset
                >
                    "Use the defaults"
                </button>
            </Show>
        </p>
    }
}

#[component]
fn PreviewFigure(policy: Policy, preview: Preview) -> impl IntoView {
    // Of the whole batch, as the sentence says it, also while tests are read.
    let figures = preview.of_all();
    let percent = figures.percent();
    let limit = policy.rerun_max_failure_percent;
    let over = figures.is_above(limit);
    view! {
        <div data-over=over.then_some("")>
            <div
                class="gauge"
                role="img"
                aria-label=format!("{percent:.1} % of tests match, the limit is {limit} %")
                style:--value=format!("{percent}")
                style:--limit=format!("{limit}")
            ></div>
        </div>
        <p>{preview.sentence(&policy)}</p>
    }
}

#[component]
fn PolicyField(
    field: Field,
    form: RwSignal<PolicyForm>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let name = field.name();
    let is_list = matches!(field, Field::RerunOnStates | Field::FailOnStates);
    // The durations stand side by side where the panel is narrow.
    let is_stacked = is_list || matches!(field, Field::PollEvery | Field::WaitTimeout);
    let text = memo(move |_| form.with(|form| form.text(field).to_owned()));
    view! {
        <div class="field" class:field--stack=is_stacked data-field=name>
            <label class="field__label" for=format!("f-{name}")><code>{name}</code></label>
            <input
                class="input input--code"
                id=format!("f-{name}")
                name=name
                autocomplete="off"
                spellcheck="false"
                prop:value=text
                aria-describedby=format!("h-{name} e-{name}")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                on:input=move |event| {
                    let typed = event_target_value(&event);
                    form.update(|form| form.set(field, typed));
                    storage::save_policy_form(&form.get_untracked());
                }
            />
            {is_list.then(|| view! { <StateToggles field form text/> })}
            <p class="field__error" id=format!("e-{name}")>{move || error.get()}</p>
            <p class="field__help" id=format!("h-{name}")>{field.help()}</p>
        </div>
    }
}

/// Three buttons that edit a state list, for those who do not want to type it.
#[component]
fn StateToggles(field: Field, form: RwSignal<PolicyForm>, text: Memo<String>) -> impl IntoView {
    // What cannot be read is the person's to mend; a button would overwrite it.
    let unread = memo(move |_| text.with(|text| WatchedStates::parse(text).is_err()));
    let parsed = move || text.with(|text| WatchedStates::parse(text).unwrap_or_default());
    let toggle = move |flip: fn(&mut WatchedStates)| {
        if unread.get_untracked() {
            return;
        }
        let mut states = parsed();
        flip(&mut states);
        form.update(|form| form.set(field, states.to_string()));
        storage::save_policy_form(&form.get_untracked());
    };
    let button = move |state: ConflatedStatus,
                       on: fn(&WatchedStates) -> bool,
                       flip: fn(&mut WatchedStates)| {
        let label = state.meaning().label;
        view! {
            <button
                type="button"
                class="chip chip--small"
                data-status=state.word().to_owned()
                data-tone=state.tone()
                aria-pressed=move || on(&parsed()).to_string()
                aria-disabled=move || unread.get().then_some("true")
                title=move || unread.get().then_some("Correct the list first")
                aria-label=format!("{label} in {}", field.name())
                on:click=move |_| toggle(flip)
            >
                <span>{label}</span>
            </button>
        }
    };
    view! {
        <div class="chips" role="group" aria-label=format!("States of {}", field.name())>
            {button(ConflatedStatus::Warning, |it| it.warning, |it| it.warning = !it.warning)}
            {button(ConflatedStatus::Error, |it| it.error, |it| it.error = !it.error)}
            {button(ConflatedStatus::Blocker, |it| it.blocker, |it| it.blocker = !it.blocker)}
        </div>
    }
}
