//! Where a sign-in goes back to: a route of this app, never a URL. Whatever a
//! link or a stored text says, nobody is sent to another site
//! (`reliability.md` §5).

use percent_encoding::percent_decode_str;

use crate::view::query::pairs;

/// The longest route that is kept.
const MAX: usize = 2000;

/// The route if it is one of ours, else the start page.
pub fn return_route(text: &str) -> String {
    if is_route(text) {
        text.to_owned()
    } else {
        "/".to_owned()
    }
}

/// Where a page at `route` leads once somebody is signed in: the sign-in page to the
/// route that its address names (`?to=`), every other to itself.
pub fn behind(route: &str) -> String {
    let (path, query) = route.split_once('?').unwrap_or((route, ""));
    if path != "/sign-in" {
        return return_route(route);
    }
    let to = pairs(query)
        .find(|(name, _)| name == "to")
        .map(|(_, value)| value);
    return_route(&to.unwrap_or_default())
}

fn is_route(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or("");
    // A browser writes everything else as %XX into an address, and the app into
    // its links, so that what is left stood in no honest one. `\` is a slash to
    // a browser, a line break is dropped out of the middle.
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>');
    text.len() <= MAX
        && text.starts_with('/')
        && text.chars().all(is_plain)
        // `//host` names another site to a browser; so does `/.//host`, once
        // its dot is resolved.
        && !path.contains("//")
        && decoded(path).is_some_and(|path| !climbs(path.as_str()) && !goes_round(path.as_str()))
}

/// A path as the router reads it. `None`: its `%XX` are broken, or hide what
/// no page is called.
fn decoded(path: &str) -> Option<String> {
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        rest = &rest[at + 3..];
    }
    let path = percent_decode_str(path).decode_utf8().ok()?;
    (!path.chars().any(char::is_control)).then(|| path.into_owned())
}

/// Whether a path would lead out of the one that the site lives below.
fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "." || part == "..")
}

/// Whether a path is a door of the sign-in itself.
fn goes_round(path: &str) -> bool {
    ["/sign-in", "/callback"].iter().any(|door| {
        path.strip_prefix(door)
            .is_some_and(|it| it.is_empty() || it.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_of_this_app_are_kept_with_their_filters() {
        for route in [
            "/",
            "/supervisions",
            "/projects/a%20b/batches/c?status=ERROR,BLOCKER&q=x#y",
            "/projects/https:%2F%2Fevil.example",
            "/projects/a?q=//x",
            "/sign-inside",
        ] {
            assert_eq!(return_route(route), route);
        }
    }

    #[test]
    fn behind_the_sign_in_is_what_its_address_names() {
        for (route, to) in [
            (
                "/sign-in?to=%2Fprojects%2Fa%3Fstatus%3DERROR",
                "/projects/a?status=ERROR",
            ),
            ("/sign-in?x=1&to=/supervisions", "/supervisions"),
            ("/sign-in?to=%2F%2Fevil.example", "/"),
            ("/sign-in?to=/sign-in", "/"),
            ("/sign-in", "/"),
            (
                "/projects/a?to=/supervisions",
                "/projects/a?to=/supervisions",
            ),
        ] {
            assert_eq!(behind(route), to, "{route}");
        }
    }

    #[test]
    fn everything_else_becomes_the_start_page() {
        let long = format!("/{}", "x".repeat(3000));
        for text in [
            "",
            "//evil.example",
            "///evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/projects//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
            "https://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            " /projects",
            "\t//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "projects",
            "/callback?code=1",
            "/sign-in",
            "/sign-in/again",
            "/%73ign-in",
            "/sign-in%2Fagain",
            "/%2e%2e/x",
            "/a%2F..%2Fb",
            "/projects/%zz",
            "/projects/%",
            "/projects/%4",
            "/projects/%ff",
            "/projects/a%0Ab",
            "/projects/a%00",
            "/projects/a b",
            "/projects/\u{e9}",
            "/projects/\u{202e}x",
            "/projects/x?q=<script>",
            "/projects/x#\"onload=",
            &long,
        ] {
            assert_eq!(return_route(text), "/", "{text:?}");
        }
    }
}
