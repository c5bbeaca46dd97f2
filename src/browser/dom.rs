//! The few things that markup alone cannot do.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

use super::window;

/// The path that the site lives below; begins and ends with `/`. The page says
/// it, since it was built or put on a host for it; no link can change it.
pub fn base() -> String {
    window()
        .document()
        .and_then(|it| it.document_element())
        .and_then(|root| root.get_attribute("data-base"))
        .filter(|base| base.starts_with('/') && base.ends_with('/'))
        .unwrap_or_else(|| "/".to_owned())
}

/// The address of a route, for a link. The router puts the base before what it
/// is told to go to, but not before what a link says.
pub fn at(route: &str) -> String {
    format!("{}{route}", base().trim_end_matches('/'))
}

/// The whole address of a route, for a text that is read elsewhere.
pub fn address(route: &str) -> String {
    let origin = window().location().origin().unwrap_or_default();
    format!("{origin}{}", at(route))
}

/// The address of a file of the site.
pub fn file(name: &str) -> String {
    format!("{}{name}", base())
}

/// Sets the tab's title.
pub fn set_title(title: &str) {
    if let Some(document) = window().document() {
        document.set_title(title);
    }
}

/// Shows a state in the tab's icon: one of the files `favicon-*.svg`, or the plain one.
pub fn set_icon(state: Option<&str>) {
    let link = window()
        .document()
        .and_then(|it| it.query_selector("link[rel=icon]").ok()?);
    if let Some(link) = link {
        let name = state.map_or("favicon.svg".to_owned(), |it| format!("favicon-{it}.svg"));
        let _ = link.set_attribute("href", &file(&name));
    }
}

/// Sets the theme on the page: `light`, `dark`, or the system's.
pub fn apply_theme(theme: Option<&str>) {
    let Some(root) = window().document().and_then(|it| it.document_element()) else {
        return;
    };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
}

fn find(selector: &str) -> Option<Element> {
    window().document()?.query_selector(selector).ok()?
}

/// Moves the focus to an element, if it is there.
pub fn focus(selector: &str) {
    if let Some(element) = find(selector).and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        focus_on(&element);
    }
}

/// Moves the focus to this element.
pub fn focus_on(element: &HtmlElement) {
    // One that cannot be focused leaves the focus where it was.
    let _ = element.focus();
}

/// The element that has the focus, if it is such a one.
pub fn focused(selector: &str) -> Option<HtmlElement> {
    let element = window().document()?.active_element()?;
    let is_such = element.matches(selector).unwrap_or(false);
    is_such.then(|| element.dyn_into().ok()).flatten()
}

/// Scrolls the page so that an element begins at its top, if it is there.
pub fn bring_into_view(selector: &str) {
    if let Some(element) = find(selector) {
        element.scroll_into_view();
    }
}

/// Whether the page has such an element now.
pub fn has(selector: &str) -> bool {
    find(selector).is_some()
}

/// Takes the focus out of a search field that has nothing left to clear.
pub fn leave_if_empty(target: Option<web_sys::EventTarget>) {
    let field = target.and_then(|it| it.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field.filter(|it| it.type_() == "search" && it.value().is_empty()) {
        // A field that keeps the focus can be left with Tab.
        let _ = field.blur();
    }
}

/// Whether a key press goes into a text field, where it belongs to the text.
pub fn is_typing(target: Option<web_sys::EventTarget>) -> bool {
    target
        .and_then(|it| it.dyn_into::<Element>().ok())
        .is_some_and(|element| {
            element
                .matches("input:not([type=checkbox]):not([type=radio]), textarea, select")
                .unwrap_or(false)
        })
}

/// Sets a custom property through the object model, which a strict content
/// security policy allows.
pub fn set_property(element: &HtmlElement, name: &str, value: &str) {
    let _ = element.style().set_property(name, value);
}

/// Writes the query of the address: as a step of its own, which Back undoes, or over
/// what stands there.
pub fn write_query(query: &str, is_step: bool) {
    let window = window();
    let (Ok(history), Ok(path)) = (window.history(), window.location().pathname()) else {
        return;
    };
    let state = history.state().unwrap_or_default();
    let address = format!("{path}{query}");
    // Browsers refuse more than a hundred of these in half a minute; the next one mends it.
    let _ = if is_step {
        history.push_state_with_url(&state, "", Some(&address))
    } else {
        history.replace_state_with_url(&state, "", Some(&address))
    };
}

/// Writes a whole address of this site as a step of its own, which Back undoes.
pub fn step_to(address: &str) {
    if let Ok(history) = window().history() {
        // Refused as above.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// The path of a [`route`], without its query.
pub fn path_of(route: &str) -> &str {
    route.split('?').next().unwrap_or_default()
}

/// Path below the site's base, and query, as they stand in the browser.
pub fn route() -> String {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    let base = base();
    // The base itself may have been asked for without its closing slash.
    let below = path
        .strip_prefix(base.trim_end_matches('/'))
        .unwrap_or(&path);
    let slash = if below.starts_with('/') { "" } else { "/" };
    format!("{slash}{below}{}", location.search().unwrap_or_default())
}

/// The query of the address, with its `?`.
pub fn query() -> String {
    window().location().search().unwrap_or_default()
}

/// Whether the browser was led to this address, by a link, a bookmark or typing: not
/// by a reload, nor back or forward in its history.
pub fn is_led_here() -> bool {
    let entries = window()
        .performance()
        .map(|it| it.get_entries_by_type("navigation"));
    let kind = entries.and_then(|it| Reflect::get(&it.get(0), &"type".into()).ok());
    !matches!(
        kind.and_then(|it| it.as_string()).as_deref(),
        Some("reload" | "back_forward")
    )
}

/// Moves the focus to what a dialog offers first.
pub fn focus_first(dialog: &HtmlElement) {
    if let Ok(Some(first)) = dialog.query_selector("[autofocus]")
        && let Ok(first) = first.dyn_into::<HtmlElement>()
    {
        // What cannot take the focus leaves it with the dialog.
        let _ = first.focus();
    }
}

/// Whether the panel has a place beside the tests; the width of `style/batch.css`
/// and `style/supervise.css`.
pub fn is_wide() -> bool {
    window()
        .match_media("(min-width: 75rem)")
        .ok()
        .flatten()
        .is_none_or(|query| query.matches())
}

/// Whether a click on a link is for this page; one with a modifier is the browser's: a
/// new tab, a new window, a download.
pub fn is_plain_click(event: &web_sys::MouseEvent) -> bool {
    !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
}
