//! The form of a supervision's parameters, in a real document.

use std::{sync::Arc, time::Duration};

use leptos::{mount::mount_to, prelude::*};
use retake::{
    browser::storage,
    client::Client,
    components::{policy_form::PolicyFields, supervise_panel::PanelContext},
    driver::supervisions::Supervisions,
    session::Session,
    shell::Announcer,
};
use retake_core::{
    auth::Identity,
    domain::{Batch, BatchId, ProjectId},
    rerun::Limits,
    supervise::{Field, PolicyForm},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement, HtmlInputElement};

/// The form in the document; dropped, it goes.
struct Form {
    place: HtmlElement,
    _mounted: Box<dyn std::any::Any>,
}

impl Form {
    async fn mount() -> Self {
        storage::save_policy_form(&PolicyForm::default());
        let document = document();
        let place: HtmlElement = document
            .create_element("div")
            .expect("a document makes elements")
            .unchecked_into();
        let body = document.body().expect("there is a body");
        body.append_child(&place).expect("it is taken in");
        let mounted = mount_to(place.clone(), || {
            let session = Session::unstarted();
            provide_context(Announcer::silent());
            provide_context(Supervisions::new(Client::new(session)));
            let context = PanelContext {
                project: ProjectId::from_u128(1),
                project_name: Signal::stored("robots".to_owned()),
                owner: Identity {
                    environment: "Sandbox".into(),
                    api: "/v1/".into(),
                    issuer: None,
                    organisation: None,
                    subject: Some("lead".into()),
                },
                owner_name: None,
                min_poll: Duration::from_secs(10),
                limits: Limits::default(),
                batch: Signal::stored(Some(Arc::new(Batch::new(BatchId::from_u128(2))))),
                preview: Arc::new(|_| None),
                show_test: Callback::new(|_| {}),
            };
            view! { <PolicyFields context again=RwSignal::new(false)/> }
        });
        // Values are set once the form stands in the document.
        leptos::task::tick().await;
        Self {
            place,
            _mounted: Box::new(mounted),
        }
    }

    fn find(&self, selector: &str) -> Element {
        self.place
            .query_selector(selector)
            .expect("a selector")
            .unwrap_or_else(|| panic!("no {selector}"))
    }

    fn input(&self, field: Field) -> HtmlInputElement {
        self.find(&format!("[name={}]", field.name()))
            .unchecked_into()
    }

    async fn type_in(&self, field: Field, text: &str) {
        let input = self.input(field);
        input.set_value(text);
        let event = web_sys::Event::new("input").expect("an event");
        input.dispatch_event(&event).expect("it is heard");
        leptos::task::tick().await;
    }

    fn error(&self, field: Field) -> String {
        self.find(&format!("#e-{}", field.name()))
            .text_content()
            .unwrap_or_default()
    }
}

#[wasm_bindgen_test]
async fn every_parameter_of_the_cli_has_a_field_with_its_name_and_default() {
    let form = Form::mount().await;
    let defaults = PolicyForm::default();
    for field in Field::ALL {
        assert_eq!(
            form.input(field).value(),
            defaults.text(field),
            "{}",
            field.name()
        );
        assert!(!form.input(field).has_attribute("aria-invalid"));
    }
}

#[wasm_bindgen_test]
async fn a_bad_value_is_refused_beside_its_field_and_kept() {
    let form = Form::mount().await;
    let field = Field::RerunMaxFailurePercent;
    form.type_in(field, "101").await;
    assert_eq!(
        form.input(field).get_attribute("aria-invalid").as_deref(),
        Some("true")
    );
    assert!(form.error(field).contains("100"), "{}", form.error(field));
    assert_eq!(form.input(field).value(), "101");
    // A reload finds what was typed.
    let stored = storage::load_policy_form().expect("it is remembered");
    assert_eq!(stored.text(field), "101");

    form.type_in(field, "25").await;
    assert!(!form.input(field).has_attribute("aria-invalid"));
    assert_eq!(form.error(field), "");
}

#[wasm_bindgen_test]
async fn a_state_can_be_pressed_as_well_as_typed() {
    let form = Form::mount().await;
    let field = Field::RerunOnStates;
    form.type_in(field, "Error").await;
    let warning: HtmlElement = form
        .find(&format!("[aria-label='Warning in {}']", field.name()))
        .unchecked_into();
    assert_eq!(
        warning.get_attribute("aria-pressed").as_deref(),
        Some("false")
    );
    warning.click();
    leptos::task::tick().await;
    assert_eq!(
        warning.get_attribute("aria-pressed").as_deref(),
        Some("true")
    );
    assert_eq!(form.input(field).value(), "Warning,Error");
}
