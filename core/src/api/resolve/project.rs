//! Finds a project by ID or name.

use crate::{
    api::{ApiError, ErrorKind, Page, Paging},
    domain::{Project, ProjectId},
};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum ProjectStep {
    /// Read this project, then say [`ResolveProject::read`].
    Read(ProjectId),
    /// List projects from this page token on, then say [`ResolveProject::listed`].
    List(Option<String>),
    /// Over.
    Done(Result<Project, ApiError>),
}

/// Finds one project. The CLI's rule: a UUID is read first and falls through
/// to the names if it names nothing; among equal names the newest wins; exact,
/// case-sensitive, untrimmed. Unlike the CLI, a failure that may pass (no
/// connection, 5xx, 401) is reported as such and does not fall through.
#[derive(Debug)]
pub struct ResolveProject {
    text: String,
    paging: Paging,
}

impl ResolveProject {
    /// Begins with the project's name or ID.
    pub fn begin(text: &str) -> (Self, ProjectStep) {
        let first = match text.parse() {
            Ok(id) => ProjectStep::Read(id),
            Err(_) => ProjectStep::List(None),
        };
        (
            Self {
                text: text.to_owned(),
                paging: Paging::default(),
            },
            first,
        )
    }

    /// The answer to [`ProjectStep::Read`].
    pub fn read(&mut self, answer: Result<Project, ApiError>) -> ProjectStep {
        match answer {
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Refused
                ) =>
            {
                ProjectStep::List(None)
            }
            answer => ProjectStep::Done(answer),
        }
    }

    /// The answer to [`ProjectStep::List`].
    pub fn listed(&mut self, answer: Result<Page<Project>, ApiError>) -> ProjectStep {
        let page = match answer {
            Ok(page) => page,
            Err(error) => return ProjectStep::Done(Err(error)),
        };
        if let Some(project) = page.items.iter().find(|it| it.name == self.text) {
            return ProjectStep::Done(Ok(project.clone()));
        }
        match self.paging.turn("find the project", &page) {
            Ok(Some(token)) => ProjectStep::List(Some(token)),
            Ok(None) => ProjectStep::Done(Err(ApiError::new(
                "find the project",
                ErrorKind::NotFound,
                format!("no project has the name or ID {}", self.text),
            ))),
            Err(error) => ProjectStep::Done(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d9f4c1e-3b7a-4c55-8e21-6a1b2c3d4e5f";

    fn project(n: u128, name: &str) -> Project {
        Project {
            id: ProjectId::from_u128(n),
            name: name.into(),
            description: String::new(),
            archived: false,
            created: None,
        }
    }

    fn page(items: Vec<Project>, next: Option<&str>) -> Page<Project> {
        Page {
            items,
            next: next.map(Into::into),
            total: None,
            bytes: 0,
        }
    }

    fn failure(kind: ErrorKind) -> ApiError {
        ApiError::new("read the project", kind, "no")
    }

    #[test]
    fn an_id_is_read_directly() {
        let (mut it, step) = ResolveProject::begin(ID);
        assert_eq!(step, ProjectStep::Read(ID.parse().unwrap()));
        assert_eq!(
            it.read(Ok(project(1, "x"))),
            ProjectStep::Done(Ok(project(1, "x")))
        );
    }

    #[test]
    fn a_project_may_be_named_like_an_id() {
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Forbidden,
            ErrorKind::Refused,
        ] {
            let (mut it, _) = ResolveProject::begin(ID);
            assert_eq!(it.read(Err(failure(kind))), ProjectStep::List(None));
            assert_eq!(
                it.listed(Ok(page(vec![project(2, ID)], None))),
                ProjectStep::Done(Ok(project(2, ID)))
            );
        }
    }

    #[test]
    fn a_failure_that_may_pass_does_not_fall_through_to_names() {
        for kind in [
            ErrorKind::Unreachable,
            ErrorKind::Server,
            ErrorKind::SignedOut,
        ] {
            let (mut it, _) = ResolveProject::begin(ID);
            assert_eq!(
                it.read(Err(failure(kind.clone()))),
                ProjectStep::Done(Err(failure(kind)))
            );
        }
    }

    #[test]
    fn the_newest_exact_name_wins_over_all_pages() {
        let (mut it, step) = ResolveProject::begin("Demo");
        assert_eq!(step, ProjectStep::List(None));
        let first = page(vec![project(1, "demo"), project(2, " Demo")], Some("t"));
        assert_eq!(it.listed(Ok(first)), ProjectStep::List(Some("t".into())));
        let second = page(vec![project(3, "Demo"), project(4, "Demo")], None);
        assert_eq!(
            it.listed(Ok(second)),
            ProjectStep::Done(Ok(project(3, "Demo")))
        );
    }

    #[test]
    fn nothing_found_names_what_was_looked_for() {
        let (mut it, _) = ResolveProject::begin("Demo");
        let ProjectStep::Done(Err(error)) = it.listed(Ok(page(vec![], None))) else {
            panic!()
        };
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.to_string().contains("Demo"), "{error}");
    }

    #[test]
    fn a_project_without_a_name_is_passed_over() {
        let (mut it, step) = ResolveProject::begin("whole");
        assert_eq!(step, ProjectStep::List(None));
        assert_eq!(
            it.listed(Ok(page(vec![project(1, ""), project(2, "whole")], None))),
            ProjectStep::Done(Ok(project(2, "whole")))
        );
    }
}
