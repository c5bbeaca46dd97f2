//! What a person pasted into "open": an ID, a name, or a link of the ReSim app
//! or of Retake.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::domain::{BatchId, ProjectId};

/// Where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A batch of the project at hand, or of the one that the link names; both
    /// as ID or name.
    Batch {
        /// The project, if the link names one.
        project: Option<String>,
        /// The batch.
        batch: String,
    },
    /// A project.
    Project(String),
    /// A link that leads to neither, or to a site that is not ReSim's.
    Foreign,
}

/// Reads what was pasted. `None` for nothing at all. `ours` are the origins
/// whose links are understood beside those of ReSim itself.
pub fn parse(pasted: &str, ours: &[String]) -> Option<Target> {
    let text = pasted.trim();
    if text.is_empty() {
        return None;
    }
    let is_link = text.contains("://") || text.starts_with('/');
    if !is_link {
        return Some(Target::Batch {
            project: None,
            batch: text.to_owned(),
        });
    }
    if text.contains("://") && !is_known(text, ours) {
        return Some(Target::Foreign);
    }
    let path = text.split(['?', '#']).next().unwrap_or("");
    let parts: Vec<String> = path
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let after = |name: &str| {
        let at = parts.iter().position(|part| part == name)?;
        parts.get(at + 1).filter(|part| !part.is_empty()).cloned()
    };
    match (after("projects"), after("batches")) {
        (project, Some(batch)) => Some(Target::Batch { project, batch }),
        (Some(project), None) => Some(Target::Project(project)),
        // A name may begin with a slash, but never with a scheme and a host.
        (None, None) if text.contains("://") => Some(Target::Foreign),
        (None, None) => Some(Target::Batch {
            project: None,
            batch: text.to_owned(),
        }),
    }
}

/// Whether a link leads to ReSim, or to one of `ours`.
fn is_known(link: &str, ours: &[String]) -> bool {
    let Some((scheme, rest)) = link.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let is_resim = |domain: &str| {
        host == domain
            || host
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.') && !rest.contains(['@', '\\']))
    };
    let origin = format!("{scheme}://{host}");
    (scheme == "https" && (is_resim("resim.ai") || is_resim("resim.io")))
        || ours.iter().any(|it| it.trim_end_matches('/') == origin)
}

/// What splits a path or reads otherwise in one; the rest stays readable.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path of a project page of Retake, by ID or name.
pub fn project_path(project: &str) -> String {
    format!("/projects/{}", utf8_percent_encode(project, SEGMENT))
}

/// What is to be said where an address names a batch by a name that `count` batches
/// have, or at least as many: the newest is shown (`resim-api.md` §8).
pub fn namesakes(count: usize, may_be_more: bool) -> Option<String> {
    let more = if may_be_more { " or more" } else { "" };
    (count > 1).then(|| format!("{count}{more} batches have this name; this is the newest."))
}

/// A batch or project ID in its canonical form, if the text is one.
pub fn canonical(text: &str) -> Option<String> {
    text.parse::<BatchId>().map(|id| id.to_string()).ok()
}

/// The path of a batch page of Retake.
pub fn batch_path(project: ProjectId, batch: BatchId) -> String {
    format!("/projects/{project}/batches/{batch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(project: Option<&str>, batch: &str) -> Target {
        Target::Batch {
            project: project.map(Into::into),
            batch: batch.into(),
        }
    }

    #[test]
    fn ids_names_and_links_are_understood() {
        let parse = |text| parse(text, &["http://127.0.0.1:8080".to_owned()]);
        assert_eq!(parse("  "), None);
        assert_eq!(
            parse("http://127.0.0.1:8080/projects/p/batches/b"),
            Some(batch(Some("p"), "b"))
        );
        for foreign in [
            "https://evil.example/projects/p/batches/b",
            "https://evil-resim.ai/projects/p/batches/b",
            "https://app.resim.ai@evil.example/projects/p/batches/b",
            "https://app.resim.ai/",
            "javascript://app.resim.ai/projects/p",
        ] {
            assert_eq!(parse(foreign), Some(Target::Foreign), "{foreign}");
        }
        assert_eq!(parse(" nightly run "), Some(batch(None, "nightly run")));
        assert_eq!(
            parse("https://app.resim.ai/projects/p1/batches/b1?TEST_STATUS_MULTI=Error"),
            Some(batch(Some("p1"), "b1"))
        );
        assert_eq!(
            parse("/projects/my%20p/batches/b%2F1"),
            Some(batch(Some("my p"), "b/1"))
        );
        assert_eq!(
            parse("https://app.resim.ai/projects/p1/batches/b1/compare-batch/batch/b2"),
            Some(batch(Some("p1"), "b1"))
        );
        assert_eq!(
            parse("https://app.resim.io/projects/p1/dashboards"),
            Some(Target::Project("p1".into()))
        );
    }

    #[test]
    fn a_name_that_several_batches_have_is_said() {
        assert_eq!(namesakes(1, true), None);
        assert_eq!(
            namesakes(3, false).as_deref(),
            Some("3 batches have this name; this is the newest.")
        );
        assert!(namesakes(2, true).is_some_and(|it| it.starts_with("2 or more batches")));
    }

    #[test]
    fn addresses_stay_readable() {
        assert_eq!(
            project_path("fault: 403, (a/b) 100%"),
            "/projects/fault:%20403,%20(a%2Fb)%20100%25"
        );
    }

    #[test]
    fn ids_in_any_form_become_canonical() {
        let id = "652624700FEA4C50BC8C17466866F690";
        assert_eq!(
            canonical(id).as_deref(),
            Some("65262470-0fea-4c50-bc8c-17466866f690")
        );
        assert_eq!(canonical("nightly"), None);
    }

    #[test]
    fn a_batch_page_has_a_path_that_is_read_back_as_that_batch() {
        let (project, id) = (ProjectId::from_u128(1), BatchId::from_u128(2));
        let path = batch_path(project, id);
        let (project, id) = (project.to_string(), id.to_string());
        assert_eq!(path, format!("/projects/{project}/batches/{id}"));
        assert_eq!(parse(&path, &[]), Some(batch(Some(&project), &id)));
    }
}
