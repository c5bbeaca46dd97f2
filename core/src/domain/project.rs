//! Projects and the smaller nouns that a batch refers to.

use super::{BranchId, BuildId, ExperienceTagId, ProjectId, SystemId, TestSuiteId, Timestamp};

/// A project: the outermost folder of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Identity.
    pub id: ProjectId,
    /// Name; two projects may share one. Hostile text.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Put away by its owners; hidden unless asked for.
    pub archived: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// A branch of builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Identity.
    pub id: BranchId,
    /// Name.
    pub name: String,
}

/// A build: one version of the system under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Identity.
    pub id: BuildId,
    /// Name.
    pub name: String,
    /// Version text.
    pub version: String,
}

/// A system under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Identity.
    pub id: SystemId,
    /// Name.
    pub name: String,
}

/// A test suite at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSuite {
    /// Identity.
    pub id: TestSuiteId,
    /// Revision.
    pub revision: i64,
    /// Name.
    pub name: String,
}

/// A tag that experiences wear; tests are filtered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperienceTag {
    /// Identity.
    pub id: ExperienceTagId,
    /// Name.
    pub name: String,
}
