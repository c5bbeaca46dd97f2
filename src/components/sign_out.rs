//! Signing out, with a question where something would stop or be lost.

use leptos::{prelude::*, task::spawn_local};
use retake_core::view::words;

use super::modal::Modal;
use crate::{driver::supervisions::Supervisions, session::Session};

/// How somebody wants to sign out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// What this browser keeps stays.
    Keep,
    /// It is cleared.
    Forget,
}

/// What somebody was asked about before they leave.
#[derive(Debug, Clone, Copy)]
pub struct Leaving(RwSignal<Option<Leave>>);

impl Leaving {
    /// Nobody is.
    pub fn nobody() -> Self {
        Self(RwSignal::new(None))
    }
}

fn leave(session: Session, how: Leave) {
    spawn_local(async move { session.sign_out(how == Leave::Forget).await });
}

/// The two entries of the account menu.
#[component]
pub fn SignOutItems(
    /// Set where a question comes first.
    leaving: Leaving,
) -> impl IntoView {
    let session = expect_context::<Session>();
    let supervisions = expect_context::<Supervisions>();
    let want = move |how: Leave| {
        // What goes on would stop; what is kept would be gone for good.
        if how == Leave::Forget || untrack(|| supervisions.active()) > 0 {
            leaving.0.set(Some(how));
        } else {
            leave(session, how);
        }
    };
    let item = move |how: Leave, label: &'static str, hook: &'static str| {
        view! {
            <button
                type="button"
                class="menu__item"
                data-testid=hook
                popovertarget="account"
                popovertargetaction="hide"
                on:click=move |_| want(how)
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
pub fn SignOutQuestion(
    /// What is asked about.
    leaving: Leaving,
) -> impl IntoView {
    let session = expect_context::<Session>();
    let supervisions = expect_context::<Supervisions>();
    let asked = leaving.0;
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if asked.with(Option::is_some) {
            open.set(true);
        }
    });
    // Closed by Escape as well. Set only if it was, or the two would go in circles.
    Effect::new(move |_| {
        if !open.get() && asked.with_untracked(Option::is_some) {
            asked.set(None);
        }
    });
    let active = move || match supervisions.active() {
        1 => "1 batch".to_owned(),
        n => format!("{} batches", words::number(n as u64)),
    };
    let forgets = move || asked.get() == Some(Leave::Forget);
    let what = move || {
        let all = supervisions.all().len();
        let running = supervisions.active();
        match (forgets(), running) {
            (false, _) => format!(
                "Supervision of {} pauses: nothing is polled or rerun until you sign in again in this \
                 browser.",
                active()
            ),
            (true, 0) => format!(
                "This browser forgets its supervisions ({all}) with their verdicts and logs, what was \
                 typed and ticked, and the theme. That cannot be undone."
            ),
            (true, _) => format!(
                "Supervision of {} ends here without a verdict, and this browser forgets all \
                 supervisions ({all}) with their verdicts and logs, what was typed and ticked, and the theme. \
                 That cannot be undone.",
                active()
            ),
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
