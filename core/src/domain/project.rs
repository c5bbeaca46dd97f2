//! Projects, and the tags that their experiences wear.

use super::{ExperienceTagId, ProjectId, Timestamp};

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

/// A tag that experiences wear; tests are filtered by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperienceTag {
    /// Identity.
    pub id: ExperienceTagId,
    /// Name.
    pub name: String,
}
