//! Finds a project or a batch by name or ID (`resim-api.md` §8), a step at a
//! time: each step is a call to make, its answer leads to the next.

mod batch;
mod project;

pub use batch::{BatchStep, ResolveBatch};
pub use project::{ProjectStep, ResolveProject};
