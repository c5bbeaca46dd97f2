//! Signing out, with a question where something would stop or be lost.

use leptos::{prelude::*, task::spawn_local};
use retake_core::view::{freshness::upper_first, words};

use super::modal::{Modal, open_while};
use crate::{
    driver::{reruns::OwnReruns, supervisions::Supervisions},
    session::Session,
};

/// How somebody wants to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// What this browser keeps stays.
    Keep,
    /// It is cleared.
    Forget,
}

/// The way out, with what somebody is asked about before they leave. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Leaving {
    asked: RwSignal<Option<Leave>>,
    session: Session,
    supervisions: Supervisions,
    own: OwnReruns,
}

impl Leaving {
    /// Nobody leaves yet.
    pub fn nobody(session: Session, supervisions: Supervisions, own: OwnReruns) -> Self {
        Self {
            asked: RwSignal::new(None),
            session,
            supervisions,
            own,
        }
    }

    /// Signs out, after a question where something is under way: it would stop.
    pub fn sign_out(self) {
        self.want(Leave::Keep);
    }

    fn want(self, how: Leave) {
        let under_way =
            || untrack(|| self.supervisions.active() + under_way(self.session, self.own));
        // What goes on would stop; what is kept would be gone for good.
        if how == Leave::Forget || under_way() > 0 {
            self.asked.set(Some(how));
        } else {
            leave(self.session, how);
        }
    }
}

/// How many reruns by hand are on their way.
fn under_way(session: Session, own: OwnReruns) -> usize {
    let account = session.account();
    account.map_or(0, |it| own.under_way(&it.identity))
}

fn leave(session: Session, how: Leave) {
    spawn_local(async move { session.sign_out(how == Leave::Forget).await });
}

/// The two entries of the account menu.
#[component]
pub fn SignOutItems() -> impl IntoView {
    let leaving = expect_context::<Leaving>();
    let item = move |how: Leave, label: &'static str, hook: &'static str| {
        view! {
            <button
                type="button"
                class="menu__item"
                data-testid=hook
                popovertarget="account"
                popovertargetaction="hide"
                on:click=move |_| leaving.want(how)
            >
                {label}
            </button>
        }
    };
    view! {
        {item(Leave::Keep, "Sign out", "sign-out")}
        {item(Leave::Forget, "Sign out and clear this browser", "sign-out-forget")}
    }
}

/// The question; outside the menu, which closes.
#[component]
pub fn SignOutQuestion() -> impl IntoView {
    let Leaving {
        asked,
        session,
        supervisions,
        own,
    } = expect_context();
    let open = open_while(asked);
    // `supervision of 2 batches and 1 rerun`
    let goes_on = move || {
        let (batches, reruns) = (supervisions.active(), under_way(session, own));
        let count = |n: usize, one: &str, many: &str| {
            let noun = if n == 1 { one } else { many };
            (n > 0).then(|| format!("{} {noun}", words::number(n as u64)))
        };
        let batches = count(batches, "batch", "batches").map(|it| format!("supervision of {it}"));
        let all: Vec<String> = batches
            .into_iter()
            .chain(count(
                reruns,
                "rerun that is on its way",
                "reruns that are on their way",
            ))
            .collect();
        all.join(" and ")
    };
    let forgets = move || asked.get() == Some(Leave::Forget);
    let what = move || {
        let all = supervisions.all().len();
        let goes_on = upper_first(&goes_on());
        let lost = format!(
            "This browser forgets its supervisions ({all}) with their verdicts and logs, what was typed \
             and ticked, and the theme. That cannot be undone."
        );
        match (forgets(), goes_on.is_empty()) {
            (false, _) => format!(
                "{goes_on}: paused until you sign in again in this browser. Nothing is polled or rerun \
                 meanwhile."
            ),
            (true, true) => lost,
            (true, false) => format!("{goes_on}: ended here, without a verdict. {lost}"),
        }
    };
    view! {
        <Modal open labelled_by="sign-out-title">
            <div class="dialog__body">
                <h2 id="sign-out-title">
                    {move || if forgets() { "Clear this browser?" } else { "Sign out?" }}
                </h2>
                <p>{what}</p>
            </div>
            <div class="dialog__foot">
                <button
                    type="button"
                    class="button"
                    autofocus
                    data-testid="sign-out-stay"
                    on:click=move |_| open.set(false)
                >
                    "Stay signed in"
                </button>
                <button
                    type="button"
                    class="button button--danger"
                    data-testid="sign-out-confirm"
                    on:click=move |_| {
                        if let Some(how) = asked.get_untracked() {
                            leave(session, how);
                        }
                        open.set(false);
                    }
                >
                    {move || if forgets() { "Sign out and clear" } else { "Sign out" }}
                </button>
            </div>
        </Modal>
    }
}
