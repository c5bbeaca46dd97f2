//! Signing in with a code that is confirmed on another page or device (RFC 8628).

use leptos::{prelude::*, task::spawn_local};
use retake_core::{config::Environment, view::words};

use crate::{reactive::effect, session::Session};

/// A button that asks for a code, and what a person does with it. A session that is
/// there serves on, for as long as its token is good.
#[component]
pub fn DeviceCode(
    /// Where to sign in.
    environment: Signal<Option<Environment>>,
    /// What the button says before there is a code.
    label: &'static str,
    /// Whether it stands among small buttons.
    #[prop(optional)]
    small: bool,
    /// What is said once somebody has signed in by it and the button is still there.
    #[prop(optional)]
    afterwards: Option<&'static str>,
) -> impl IntoView {
    let session = expect_context::<Session>();
    let code = RwSignal::new(None::<(String, String)>);
    let asking = RwSignal::new(false);
    let trouble = RwSignal::new(None::<String>);
    // Counts the codes; an older one is wanted no more.
    let turn = RwSignal::new(0_u32);
    let forget = move || {
        turn.try_update(|turn| *turn += 1);
        code.try_set(None);
    };
    // Another environment is another provider.
    effect(move |_| {
        environment.track();
        forget();
    });
    let ask = move |_| {
        let Some(environment) = environment.get_untracked() else {
            return;
        };
        if asking.get_untracked() {
            return;
        }
        forget();
        let mine = turn.get_untracked();
        asking.set(true);
        trouble.set(None);
        spawn_local(async move {
            let wanted = move || turn.try_get_untracked() == Some(mine);
            let asked = session.ask_device(&environment, wanted).await;
            asking.try_set(false);
            let ended = match asked {
                Ok(Some(asked)) => {
                    let shown = &asked.code;
                    code.try_set(Some((shown.user_code.clone(), shown.address.clone())));
                    session.await_device(&environment, asked, wanted).await
                }
                Ok(None) => return,
                Err(why) => Err(why),
            };
            if wanted() {
                // Used up, one way or the other.
                code.try_set(None);
                let said = ended.map_or_else(Some, |()| afterwards.map(ToOwned::to_owned));
                trouble.try_set(said);
            }
        });
    };
    view! {
        <button
            type="button"
            class=if small { "button button--small" } else { "button" }
            data-testid="sign-in-device"
            aria-busy=move || asking.get().then_some("true")
            on:click=ask
        >
            {move || if code.with(Option::is_some) { "Ask for another code" } else { label }}
        </button>
        <div role="status">
            {move || code.get().map(|(user_code, address)| view! {
                <div class="code">
                    <p>"Confirm this code at the provider, here or on another device:"</p>
                    <p class="code__digits" data-testid="device-code">
                        {words::clean(&user_code).into_owned()}
                    </p>
                    <p>
                        <a href=address.clone() target="_blank" rel="noreferrer" data-testid="device-link">
                            {words::clean(&address).into_owned()}
                        </a>
                    </p>
                    <p class="field__help">"This page goes on by itself once that is done."</p>
                    <button type="button" class="button button--small button--quiet" on:click=move |_| forget()>
                        "Never mind"
                    </button>
                </div>
            })}
            {move || trouble.get().map(|why| view! {
                <p class="field__error" data-testid="device-trouble">{words::clean(&why).into_owned()}</p>
            })}
        </div>
    }
}
