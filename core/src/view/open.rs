//! What a person pasted into "open": an ID, a name, or a link of the ReSim app
//! or of Retake.

use percent_encoding::percent_decode_str;

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
}

/// Reads what was pasted. `None` for nothing at all.
pub fn parse(pasted: &str) -> Option<Target> {
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
        (None, None) => Some(Target::Batch {
            project: None,
            batch: text.to_owned(),
        }),
    }
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
        assert_eq!(parse("  "), None);
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
            parse("https://x/projects/p1/dashboards"),
            Some(Target::Project("p1".into()))
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
}
