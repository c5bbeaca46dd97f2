//! What surrounds every page: the bar, the account menu, messages, the clock
//! that makes "8 s ago" tick, the tab's title and icon.

use std::time::Duration;

use leptos::{ev, prelude::*, task::spawn_local};
use leptos_router::components::A;
use retake_core::{
    config::Environment,
    domain::{BatchId, Timestamp},
    supervise::Outcome,
    view::{Called, supervision, words},
};

use crate::{
    browser::{clock, dom, storage},
    components::{
        device_code::DeviceCode,
        keys::{self, KeysDialog},
        sign_out::{SignOutItems, SignOutQuestion},
    },
    driver::{reruns::OwnReruns, supervisions::Supervisions},
    reactive::{effect, memo},
    session::{Session, SessionState},
};

/// A clock that ticks once a second for everything that shows an age.
#[derive(Debug, Clone, Copy)]
pub struct Ticker(RwSignal<Timestamp>);

impl Ticker {
    /// Starts to tick; lives as long as the page.
    pub fn start() -> Self {
        let now = RwSignal::new(clock::wall());
        // The handle is dropped on purpose: the clock never stops.
        let _ = set_interval_with_handle(move || now.set(clock::wall()), Duration::from_secs(1));
        Self(now)
    }

    /// The present, tracked.
    pub fn now(&self) -> Timestamp {
        self.0.get()
    }
}

/// Says things to people: on screen for a moment, and to screen readers.
#[derive(Debug, Clone, Copy)]
pub struct Announcer {
    polite: RwSignal<String>,
    urgent: RwSignal<String>,
    toast: RwSignal<Option<(String, bool)>>,
    turn: StoredValue<u32>,
}

/// How long a message stays on screen.
const TOAST: Duration = Duration::from_secs(5);

impl Announcer {
    /// Nothing said yet.
    pub fn silent() -> Self {
        Self {
            polite: RwSignal::new(String::new()),
            urgent: RwSignal::new(String::new()),
            toast: RwSignal::new(None),
            turn: StoredValue::new(0),
        }
    }

    /// Says something in passing.
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        self.polite.set(text.clone());
        self.show(text, false);
    }

    /// Says that something went wrong.
    pub fn trouble(&self, text: impl Into<String>) {
        let text = text.into();
        self.urgent.set(text.clone());
        self.show(text, true);
    }

    /// Interrupts: a verdict, a sign-in that is needed.
    pub fn interrupt(&self, text: impl Into<String>) {
        self.urgent.set(text.into());
    }

    /// Takes back what was said, once it is no longer true.
    pub fn withdraw(&self, text: &str) {
        let is_shown = self
            .toast
            .with_untracked(|it| it.as_ref().is_some_and(|(shown, _)| shown == text));
        if is_shown {
            self.toast.set(None);
        }
    }

    fn show(&self, text: String, is_trouble: bool) {
        self.turn.update_value(|turn| *turn += 1);
        let mine = self.turn.get_value();
        self.toast.set(Some((text, is_trouble)));
        let it = *self;
        set_timeout(
            move || {
                if it.turn.get_value() == mine {
                    it.toast.set(None);
                }
            },
            TOAST,
        );
    }
}

/// Names in the bar that lead back, set by pages: text and address; the last
/// one is the page itself.
#[derive(Debug, Clone, Copy)]
pub struct Crumbs(pub RwSignal<Vec<(String, Option<String>)>>);

/// The tab's title without what supervisions add to it, set by pages; and the batch
/// that the page is about.
#[derive(Debug, Clone, Copy)]
pub struct PageTitle(pub RwSignal<String>, RwSignal<Option<BatchId>>);

impl PageTitle {
    /// Of no page yet.
    pub fn none() -> Self {
        Self(RwSignal::new(String::new()), RwSignal::new(None))
    }

    /// The page is about this batch, until whoever says so goes.
    pub fn is_about(self, batch: BatchId) {
        let Self(_, about) = self;
        about.set(Some(batch));
        on_cleanup(move || {
            // The next page may have said so before.
            if about.try_get_untracked().flatten() == Some(batch) {
                about.try_set(None);
            }
        });
    }

    /// What the page is about; tracked.
    fn called(self) -> Called {
        let Self(name, batch) = self;
        Called {
            name: Some(name.get()),
            batch: batch.get(),
        }
    }
}

/// The frame around every page.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let announcer = expect_context::<Announcer>();
    let session = expect_context::<Session>();
    let signed_in = move || matches!(session.state(), SessionState::SignedIn(_));
    title_and_icon();
    announce_verdicts(announcer);
    let keys_open = RwSignal::new(false);
    let listener = window_event_listener(ev::keydown, move |event| page_key(&event, keys_open));
    on_cleanup(move || listener.remove());
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <Show when=signed_in>
            <Bar keys_open/>
        </Show>
        <PermissionsQuestion/>
        <main id="main" tabindex="-1">{children()}</main>
        <KeysDialog open=keys_open/>
        <div class="toasts" role="region" aria-label="Messages">
            {move || {
                announcer.toast.get().map(|(text, is_trouble)| view! {
                    <div class="toast" data-tone=is_trouble.then_some("error")>{text}</div>
                })
            }}
        </div>
        <p class="visually-hidden" role="status" id="live">{move || announcer.polite.get()}</p>
        <p class="visually-hidden" role="alert" id="alert">{move || announcer.urgent.get()}</p>
    }
}

/// Keys that act on every page.
fn page_key(event: &ev::KeyboardEvent, keys_open: RwSignal<bool>) {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if modified || event.default_prevented() {
        return;
    }
    if event.key() == "Escape" {
        return dom::leave_if_empty(event.target());
    }
    if dom::is_typing(event.target())
        || !storage::letters_act()
        || dom::has("dialog[open], [popover]:popover-open")
    {
        return;
    }
    match event.key().as_str() {
        "?" => keys_open.set(true),
        "/" if dom::has(keys::FILTER) => {
            event.prevent_default();
            dom::focus(keys::FILTER);
        }
        _ => {}
    }
}

#[component]
fn Bar(keys_open: RwSignal<bool>) -> impl IntoView {
    let crumbs = expect_context::<Crumbs>().0;
    let session = expect_context::<Session>();
    let supervisions = expect_context::<Supervisions>();
    let ticker = expect_context::<Ticker>();
    let census = memo(move |_| supervisions.census());
    let own = expect_context::<OwnReruns>();
    let behind = memo(move |_| {
        let account = session.account();
        account.map_or(0, |it| own.behind(&it.identity))
    });
    let reruns_words = move || match behind.get() {
        0 => None,
        1 => Some("1 rerun on its way".to_owned()),
        n => Some(format!("{n} reruns on their way")),
    };
    let supervisions_label = move || {
        let census = census.get();
        [
            Some("Supervisions".to_owned()),
            reruns_words(),
            census.running_words(),
            census.paused_words(),
            census.verdict_words(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
    };
    let environment = move || {
        session
            .account()
            .map(|account| account.environment.name.clone())
            .unwrap_or_default()
    };
    let account = move || session.account().and_then(|account| account.name);
    let expiry = move || Some(session.account()?.lasting.words(ticker.now()));
    let missing = move || {
        let account = session.account()?;
        let permits = account.missing.join(", ");
        (!permits.is_empty()).then(|| format!("This token does not permit {permits}."))
    };
    view! {
        <header class="bar">
            <A href=dom::at("/") attr:class="bar__mark" attr:aria-label="Retake, all projects">
                <img src=dom::file("favicon.svg") alt="" width="20" height="20"/>
                <span>"Retake"</span>
            </A>
            <nav class="crumbs" aria-label="Breadcrumb">
                <ol>
                    {move || {
                        crumbs
                            .get()
                            .into_iter()
                            .map(|(text, href)| {
                                let text = words::clean(&text).into_owned();
                                view! {
                                    <li>
                                        {match href {
                                            Some(href) => view! { <A href=dom::at(&href) exact=true>{text}</A> }.into_any(),
                                            None => view! { <span aria-current="page">{text}</span> }.into_any(),
                                        }}
                                    </li>
                                }
                            })
                            .collect_view()
                    }}
                </ol>
            </nav>
            <A href=dom::at("/supervisions") attr:class="bar__link" attr:aria-label=supervisions_label>
                <span class="only-wide">"Supervisions"</span>
                <span class="only-narrow" title="Supervisions" aria-hidden="true">
                    <span class="icon" data-icon="eye"></span>
                </span>
                {move || reruns_words().map(|text| view! {
                    <span
                        class="phase"
                        data-phase="waiting"
                        data-testid="reruns-behind"
                        data-narrow=behind.get().to_string()
                    >
                        <span class="only-wide">{text}</span>
                    </span>
                })}
                {move || census.get().running_words().map(|text| view! {
                    <span class="phase" data-phase="waiting" data-narrow=census.get().running.to_string()>
                        <span class="only-wide">{text}</span>
                    </span>
                })}
                {move || census.get().paused_words().map(|text| view! {
                    <span class="phase" data-phase="paused" data-narrow=census.get().paused.to_string()>
                        <span class="only-wide">{text}</span>
                    </span>
                })}
                {move || {
                    let census = census.get();
                    census.verdict_words().map(|text| view! {
                        <span
                            class="phase"
                            data-phase="done"
                            data-outcome=census.worst.map(Outcome::slug)
                            data-narrow=census.verdicts.to_string()
                        >
                            <span class="only-wide">{text}</span>
                        </span>
                    })
                }}
            </A>
            <button type="button" class="bar__user" popovertarget="account">
                <span class="visually-hidden">"Account and settings: "</span>
                <span class="clip">{environment}</span>
            </button>
        <div id="account" popover class="menu" role="group" aria-label="Account and settings">
            <div class="menu__head">
                <b>{move || account().unwrap_or_else(|| "Signed in".into())}</b>
                <p data-testid="token-expiry">
                    {environment}{move || expiry().map(|text| format!(" · {text}"))}
                </p>
                {move || missing().map(|text| view! { <p data-testid="token-permits">{text}</p> })}
            </div>
            <Themes/>
            <hr/>
            <button
                type="button"
                class="menu__item"
                popovertarget="account"
                popovertargetaction="hide"
                on:click=move |_| keys_open.set(true)
            >
                "Keyboard shortcuts " <kbd>"?"</kbd>
            </button>
            <SignOutItems/>
        </div>
        </header>
        <SignOutQuestion/>
    }
}

/// Right after a first sign-in the role may still be missing, and with it every
/// permission. The CLI signs in a second time by itself; here that would leave
/// the page, so the person is asked (`resim-api.md` §1.2).
#[component]
fn PermissionsQuestion() -> impl IntoView {
    let session = expect_context::<Session>();
    // Of one sign-in; the next one is asked about again.
    let dismissed = RwSignal::new(None);
    let is_dismissed = move || dismissed.get() == Some(session.number());
    let asks = memo(move |_| {
        session
            .account()
            .is_some_and(|account| account.lacks_permissions && !is_dismissed())
    });
    let gives_way = memo(move |_| session.account().is_some_and(|it| it.lasting.is_given_up()));
    let environment = memo(move |_| session.account().map(|it| (*it.environment).clone()));
    let has_redirect =
        move || environment.with(|it| it.as_ref().is_some_and(Environment::has_redirect));
    let trouble = RwSignal::new(None::<String>);
    let again = move |_| {
        let Some(account) = session.account_now() else {
            return;
        };
        spawn_local(async move {
            let route = dom::route();
            let number = session.number();
            let wanted = move || dismissed.get_untracked() != Some(number);
            let left = session
                .leave_for_provider(&account.environment, &route, false, wanted)
                .await;
            trouble.try_set(left.err());
        });
    };
    view! {
        <Show when=move || asks.get()>
            <div class="notice notice--bar" data-tone="warning" role="alert" data-testid="permissions-question">
                <div>
                    <p>
                        <b>"Your sign-in shows no permissions yet."</b>
                        " Right after a first sign-in ReSim may still be giving your account its role. A second sign-in usually has them."
                    </p>
                    {move || gives_way.get().then(|| view! {
                        <p>
                            "What renewed this sign-in was given up for the new one: it ends with its token, \
                             as the account menu tells."
                        </p>
                    })}
                    {move || trouble.get().map(|why| view! { <p class="notice__said">{why}</p> })}
                    {(!has_redirect()).then(|| view! {
                        <div class="notice__code">
                            <DeviceCode
                                environment=environment.into()
                                label="Sign in again with a code"
                                small=true
                                afterwards="Signed in again. This sign-in shows no permissions either."
                            />
                        </div>
                    })}
                </div>
                <div class="buttons">
                    {has_redirect().then(|| view! {
                        <button type="button" class="button button--small" on:click=again>"Sign in again"</button>
                    })}
                    <button
                        type="button"
                        class="button button--small button--quiet"
                        on:click=move |_| dismissed.set(Some(session.number()))
                    >
                        "Go on without"
                    </button>
                </div>
            </div>
        </Show>
    }
}

#[component]
fn Themes() -> impl IntoView {
    let chosen = RwSignal::new(storage::theme().unwrap_or_else(|| "system".into()));
    let choose = move |theme: &'static str| {
        chosen.set(theme.to_owned());
        storage::set_theme(theme);
        dom::apply_theme((theme != "system").then_some(theme));
    };
    let option = move |theme: &'static str, label: &'static str| {
        view! {
            <label>
                <input
                    type="radio"
                    name="theme"
                    value=theme
                    prop:checked=move || chosen.get() == theme
                    on:change=move |_| choose(theme)
                />
                {label}
            </label>
        }
    };
    view! {
        <fieldset class="segments">
            <legend class="visually-hidden">"Theme"</legend>
            {option("system", "System")}
            {option("light", "Light")}
            {option("dark", "Dark")}
        </fieldset>
    }
}

/// The tab tells what it supervises, and its icon how the last one ended; each
/// batch by its name, unless the page is about it.
fn title_and_icon() {
    let title = expect_context::<PageTitle>();
    let supervisions = expect_context::<Supervisions>();
    effect(move |_| {
        let (page, about) = (title.0.get(), title.called());
        let all: Vec<_> = supervisions
            .all()
            .into_iter()
            .filter(|one| !one.is_read_only())
            .collect();
        let active: Vec<_> = all.iter().filter(|one| one.is_active()).collect();
        // A sign of life with each poll, also for the browser: a tab whose title
        // changes while it is hidden is put away later (`reliability.md` §2.2).
        let looked = active
            .iter()
            .filter_map(|one| one.snapshot.with(|it| it.looked))
            .max()
            .map(clock::local_time);
        // Of several, while none of them can be read.
        let failures = active
            .iter()
            .map(|one| one.snapshot.with(|it| it.failures))
            .min()
            .unwrap_or(0);
        let looked = supervision::last_look(looked.as_deref(), failures);
        let last = all.iter().rev().find_map(|one| {
            one.snapshot.with(|it| {
                let verdict = it.state.verdict()?;
                Some((verdict.outcome, supervisions.in_title(one, &about)))
            })
        });
        let shown = if page.is_empty() {
            "Retake".to_owned()
        } else {
            format!("{page} · Retake")
        };
        let ended = last.as_ref().map_or(String::new(), |(outcome, of)| {
            format!("{}{of} · ", outcome.words())
        });
        match (active.as_slice(), &last) {
            ([one], _) => {
                let text = one.snapshot.with(|it| supervision::in_title(&it.state));
                let of = supervisions.in_title(one, &about);
                dom::set_title(&format!("● {text}{of}{looked} · {ended}{shown}"));
                dom::set_icon(Some("running"));
            }
            ([_, ..], _) => {
                dom::set_title(&format!(
                    "● {} supervised{looked} · {ended}{shown}",
                    active.len()
                ));
                dom::set_icon(Some("running"));
            }
            ([], Some((outcome, _))) => {
                dom::set_title(&format!("{ended}{shown}"));
                dom::set_icon(Some(crate::components::verdict::icon(*outcome)));
            }
            ([], None) => {
                dom::set_title(&shown);
                dom::set_icon(None);
            }
        }
    });
}

fn announce_verdicts(announcer: Announcer) {
    let supervisions = expect_context::<Supervisions>();
    let said = StoredValue::new(0_usize);
    effect(move |_| {
        supervisions.announced.with(|all| {
            for (_, verdict) in all.iter().skip(said.get_value()) {
                announcer.interrupt(format!(
                    "Supervision ended: {}, exit code {}.",
                    verdict.outcome.words(),
                    verdict.exit_code
                ));
            }
            said.set_value(all.len());
        });
    });
}
