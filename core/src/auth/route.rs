//! Where a sign-in goes back to: a route of this app, never a URL. Whatever a
//! link or a stored text says, nobody is sent to another site
//! (`reliability.md` §5).

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

fn is_route(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or("");
    let goes_round = ["/sign-in", "/callback"].iter().any(|door| {
        path == *door
            || path
                .strip_prefix(door)
                .is_some_and(|it| it.starts_with('/'))
    });
    // `..` would lead out of the path that the site lives below.
    let climbs = path
        .to_ascii_lowercase()
        .replace("%2e", ".")
        .split('/')
        .any(|part| part == "." || part == "..");
    text.starts_with('/')
        // `//host` and `/\host` name another site to a browser; so does
        // `/.//host`, once its dot is resolved.
        && !path.contains("//")
        && !text.contains('\\')
        && !text.chars().any(char::is_control)
        && text.len() <= MAX
        && !goes_round
        && !climbs
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
            &long,
        ] {
            assert_eq!(return_route(text), "/", "{text:?}");
        }
    }
}
