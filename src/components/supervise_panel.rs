//! The supervise panel of a batch: parameters, preview, the running machine,
//! its log and its verdict.

use std::{sync::Arc, time::Duration};

use leptos::prelude::*;
use retake_core::{
    auth::Identity,
    domain::{Batch, ProjectId, TestId},
    rerun::Limits,
    supervise::{PauseReason, Phase, Policy, Preview, State, supervise_command},
    view::{
        open,
        supervision::{policy, progress},
        verdict::Reported,
        words,
    },
};

use super::{
    copy_button::CopyButton, decision_log::DecisionLog, later::later, policy_form::PolicyFields,
    verdict::VerdictCard, was_it_applied::WasItApplied,
};
use crate::{
    browser::{clock, dom, storage},
    driver::supervisions::{Snapshot, Standing, Supervision, SupervisionId, Supervisions},
    reactive::{effect, memo},
    shell::Ticker,
};

/// What a policy would do with the tests at hand.
pub type PreviewNow = Arc<dyn Fn(&Policy) -> Option<Preview> + Send + Sync>;

/// What the panel needs to know of its page.
#[derive(Clone)]
pub struct PanelContext {
    /// The project.
    pub project: ProjectId,
    /// Its name.
    pub project_name: Signal<String>,
    /// The account.
    pub owner: Identity,
    /// Its name on screen.
    pub owner_name: Option<String>,
    /// The smallest poll interval that this environment allows.
    pub min_poll: Duration,
    /// The bounds of a rerun POST in this environment.
    pub limits: Limits,
    /// The batch.
    pub batch: Signal<Option<Arc<Batch>>>,
    /// What a policy would do now.
    pub preview: PreviewNow,
    /// Shows a test beside the list.
    pub show_test: Callback<TestId>,
}

/// The panel.
#[component]
pub fn SupervisePanel(
    /// What it is about.
    context: PanelContext,
) -> impl IntoView {
    let supervisions = expect_context::<Supervisions>();
    let batch = context.batch;
    let again = RwSignal::new(false);
    let current = Memo::new_with_compare(
        move |_| {
            batch
                .get()
                .and_then(|batch| supervisions.of_batch(batch.id))
        },
        |a, b| {
            a.map(|it| it.as_ref().map(|it| it.id.clone()))
                != b.map(|it| it.as_ref().map(|it| it.id.clone()))
        },
    );
    // Asked for below one supervision, and not below the next, which may have been
    // started in another tab.
    effect(move |before: Option<Option<SupervisionId>>| {
        let now = current.with(|it| it.as_ref().map(|it| it.id.clone()));
        if before.is_some_and(|before| before != now) {
            again.set(false);
        }
        now
    });
    // What a link filled in is made use of once.
    effect(move |_| {
        let batch = batch.with_untracked(|it| it.as_ref().map(|it| it.id));
        if let Some(batch) = batch.filter(|_| current.with(Option::is_some)) {
            storage::forget_linked_form(batch);
        }
    });
    // A memo, so that the panel is not made anew at each look.
    let over = memo(move |_| {
        current
            .get()
            .is_some_and(|one| one.snapshot.with(|it| it.state.phase.is_over()))
    });
    let context = StoredValue::new(context);
    // On a small screen the tests come first, unless something is supervised.
    let beside_them = dom::is_wide();
    let opened = beside_them || current.with_untracked(Option::is_some);
    let moves_the_tests = opened && !beside_them;
    let body = move || {
        move || match current.get() {
            Some(one) if !(over.get() && again.get()) => {
                view! { <Running one=one context=context.get_value() again/> }.into_any()
            }
            _ => view! { <PolicyFields context=context.get_value() again/> }.into_any(),
        }
    };
    view! {
        <details class="supervise" open=opened>
            <summary>
                <h2>"Supervise"</h2>
                {move || current.get().map(|one| view! { <PhasePill one/> })}
            </summary>
            <div class="supervise__body">
                {if moves_the_tests { body().into_any() } else { later(move || body().into_any()) }}
            </div>
        </details>
    }
}

/// Phase and attempt of a supervision, in a pill.
#[component]
pub fn PhasePill(
    /// The supervision.
    one: Supervision,
) -> impl IntoView {
    let (snapshot, standing) = (one.snapshot, one.standing);
    let text = move || snapshot.with(|it| standing.with(|standing| phase_text(it, standing)));
    let slug = move || snapshot.with(|it| it.state.phase.words().to_lowercase());
    let acting = move || standing.with(Standing::word);
    view! { <span class="phase push" data-phase=slug data-acting=acting>{text}</span> }
}

fn phase_text(snapshot: &Snapshot, standing: &Standing) -> String {
    let state = &snapshot.state;
    if *standing == Standing::Mirroring && !state.phase.is_over() {
        return format!("{}, in another tab", state.phase.words());
    }
    match &state.phase {
        Phase::Rerunning => {
            format!(
                "Rerunning {} of {}",
                state.attempt + 1,
                state.policy.max_rerun_attempts
            )
        }
        Phase::Paused(why) => format!("Paused: {}", pause_words(why)),
        phase => phase.words().to_owned(),
    }
}

fn pause_words(why: &PauseReason) -> &'static str {
    match why {
        PauseReason::ByPerson => "by you",
        PauseReason::SignedOut => "signed out",
        PauseReason::OtherTab => "another tab acts",
        PauseReason::StorageRefused(_) => "storage refused",
    }
}

/// What a report of its verdict says of the batch.
fn reported(state: &State, project: ProjectId) -> Reported {
    let id = state.batch.map(|id| id.to_string()).unwrap_or_default();
    let name = state.name.as_deref().unwrap_or("batch");
    let path = state.batch.map(|id| open::batch_path(project, id));
    Reported {
        batch: format!("{name} ({id})"),
        link: dom::address(&path.unwrap_or_default()),
        policy: state.policy.in_words(),
        at: state.last_at.to_rfc3339(),
    }
}

#[component]
fn Running(one: Supervision, context: PanelContext, again: RwSignal<bool>) -> impl IntoView {
    let snapshot = one.snapshot;
    let (project, project_name) = (context.project, context.project_name);
    let show = context.show_test;
    let command = move || {
        snapshot.with(|it| {
            it.state.batch.map(|batch| {
                // One that is on its way may count already; a rerun too few is the safe side.
                let made = it.state.attempt + u32::from(it.submission.is_some());
                supervise_command(&it.state.policy, &project_name.get(), batch, made)
            })
        })
    };
    let is_over = memo(move |_| snapshot.with(|it| it.state.phase.is_over()));
    let verdict = memo(move |_| snapshot.with(|it| it.state.verdict().cloned()));
    let lines = one.lines;
    let (controls, stopped) = (one.clone(), one.clone());
    let trouble = one.storage_trouble;
    view! {
        {move || {
            verdict.get().map(|verdict| {
                let command = snapshot.with_untracked(|it| {
                    it.state.batch.map(|batch| {
                        supervise_command(&it.state.policy, &project_name.get_untracked(), batch, 0)
                    })
                });
                let about = snapshot.with_untracked(|it| reported(&it.state, project));
                view! { <VerdictCard verdict command=command.unwrap_or_default() about show/> }
            })
        }}
        {move || trouble.get().map(|why| view! {
            <div class="notice" data-tone="warning" role="alert">
                <p>
                    <b>"The journal cannot be written."</b>
                    " Watching goes on, but no rerun is sent, and a reload forgets what was decided \
                     since. It is tried again. "
                    {why}
                </p>
            </div>
        })}
        <Show when=move || !is_over.get()>
            <Now one=controls.clone()/>
        </Show>
        <Show when=move || !is_over.get()>
            <CopyButton
                label="Continue in the CLI: copy the command"
                text=Signal::derive(move || command().unwrap_or_default())
            />
        </Show>
        <Show when=move || is_over.get() && verdict.with(Option::is_none)>
            <StoppedCard one=stopped.clone()/>
        </Show>
        <DecisionLog lines over=is_over/>
        <Show when=move || is_over.get()>
            <button type="button" class="button" on:click=move |_| again.set(true)>
                "Supervise again"
            </button>
        </Show>
    }
}

/// Says that a person ended it, and what that means for the batch.
#[component]
fn StoppedCard(one: Supervision) -> impl IntoView {
    let snapshot = one.snapshot;
    let when = move || snapshot.with(|it| clock::local_full(it.state.last_at));
    let made = move || snapshot.with(|it| progress(&it.state));
    let tick = expect_context::<Ticker>();
    let lands = move || {
        let until = snapshot.with(|it| it.state.may_still_land_until())?;
        (until > tick.now()).then(|| clock::local_time(until))
    };
    view! {
        <section class="verdict" data-outcome="stopped" data-testid="supervise-stopped" aria-label="Stopped">
            <div class="verdict__head">
                <p class="verdict__outcome">"Stopped by hand"</p>
                <span class="verdict__exit">"no verdict"</span>
            </div>
            <p>"Nobody watches this batch any more. The batch itself goes on as it is."</p>
            {move || lands().map(|until| view! {
                <p data-testid="may-still-land">
                    "The answer to a rerun of it was lost; ReSim may still apply that, until " {until}
                    ". Supervise again after that, so that no test runs twice."
                </p>
            })}
            <p class="muted">{made} ". Stopped " {when} "."</p>
        </section>
    }
}

/// What the machine does now, with its countdown and its buttons.
#[component]
fn Now(one: Supervision) -> impl IntoView {
    let tick = expect_context::<Ticker>();
    let snapshot = one.snapshot;
    let standing = one.standing;
    let acts_here = Signal::derive(move || standing.with(|it| *it == Standing::Acting));
    let paused = memo(move |_| snapshot.with(|it| matches!(it.state.phase, Phase::Paused(_))));
    let doing = move || {
        let now = tick.now();
        snapshot.with(|it| it.doing().sentence(now))
    };
    let facts = move || {
        let now = tick.now();
        snapshot.with(|it| {
            let state = &it.state;
            let waited = words::duration(state.waited(now));
            let limit = words::duration(state.policy.wait_timeout);
            (
                format!("{} of {}", state.attempt, state.policy.max_rerun_attempts),
                format!("{waited} of {limit}"),
                words::tests(state.reran.len()),
            )
        })
    };
    let policy_line = move || snapshot.with(|it| policy(&it.state.policy));
    let (pause, stop, look) = (one.clone(), one.clone(), one.clone());
    let asked = one.clone();
    let asks = {
        let one = one.clone();
        memo(move |_| one.asks_person())
    };
    view! {
        <div class="supervise__now" data-acting=move || standing.with(Standing::word)>
            <Elsewhere one/>
            <p aria-live="off" data-testid="supervise-doing">{doing}</p>
            <Show when=move || asks.get()>
                <div class="buttons">
                    {
                        let one = asked.clone();
                        view! { <WasItApplied say=move |word| one.person_says(word)/> }
                    }
                </div>
            </Show>
            <p class="muted">{policy_line}</p>
            <dl class="facts">
                <div><dt>"Reruns made"</dt><dd>{move || facts().0}</dd></div>
                <div><dt>"Waited"</dt><dd>{move || facts().1}</dd></div>
                <div><dt>"Rerun so far"</dt><dd>{move || facts().2}</dd></div>
            </dl>
            <div class="buttons">
                <PauseResume one=pause.clone()/>
                <button
                    type="button"
                    class="button button--small"
                    disabled=move || !acts_here.get() || paused.get()
                    on:click=move |_| look.look_now()
                >
                    "Look now"
                </button>
                <button
                    type="button"
                    class="button button--danger button--small"
                    data-testid="supervise-stop"
                    disabled=move || !acts_here.get()
                    on:click=move |_| stop.stop()
                >
                    "Stop supervising"
                </button>
            </div>
            <Show when=move || acts_here.get()>
                <p class="field__help">
                    "Keep this tab open, and pin it so that the browser does not put it away. A closed \
                     tab cannot supervise: nothing is polled or rerun until you open this page again."
                </p>
            </Show>
        </div>
    }
}

/// Pauses it, and lets it go on, where this tab acts.
#[component]
pub fn PauseResume(
    /// The supervision.
    one: Supervision,
) -> impl IntoView {
    let (snapshot, standing) = (one.snapshot, one.standing);
    let acts_here = Signal::derive(move || standing.with(|it| *it == Standing::Acting));
    let paused = memo(move |_| snapshot.with(|it| matches!(it.state.phase, Phase::Paused(_))));
    let by_person =
        memo(move |_| snapshot.with(|it| it.state.phase == Phase::Paused(PauseReason::ByPerson)));
    let (pause, resume) = (one.clone(), one);
    view! {
        <Show when=move || !by_person.get()>
            {
                let pause = pause.clone();
                view! {
                    <button
                        type="button"
                        class="button button--small"
                        disabled=move || !acts_here.get()
                        on:click=move |_| pause.pause()
                    >
                        "Pause"
                    </button>
                }
            }
        </Show>
        <Show when=move || paused.get()>
            {
                let resume = resume.clone();
                view! {
                    <button
                        type="button"
                        class="button button--primary button--small"
                        disabled=move || !acts_here.get()
                        on:click=move |_| resume.resume()
                    >
                        "Resume"
                    </button>
                }
            }
        </Show>
    }
}

/// Says that another tab acts, and lets a person take over.
#[component]
pub fn Elsewhere(
    /// The supervision.
    one: Supervision,
) -> impl IntoView {
    let standing = one.standing;
    let words = move || match standing.get() {
        Standing::Mirroring => {
            Some("Another tab of this browser acts on this batch; shown as it does.")
        }
        Standing::Opening => Some(
            "Opening. If another tab holds this batch and does not answer, this one takes over \
             within 35 seconds.",
        ),
        Standing::Unread => Some(
            "Its journal can't be read at the moment, so nobody acts on it. It is tried again \
             every 10 s; nothing has to be pressed.",
        ),
        _ => None,
    };
    // Where nobody can act, there is nothing to take.
    let takes = move || standing.with(|it| *it != Standing::Unread);
    move || {
        words().map(|words| {
            let one = one.clone();
            view! {
                <div class="notice" data-testid="supervise-elsewhere">
                    <p>{words}</p>
                    <div class="buttons" hidden=move || !takes()>
                        <button
                            type="button"
                            class="button button--small"
                            data-testid="supervise-take-over"
                            on:click=move |_| one.take_over()
                        >
                            "Take over"
                        </button>
                    </div>
                </div>
            }
        })
    }
}
