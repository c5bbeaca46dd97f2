//! The simulated organisation: projects, their batches, and what happens to
//! them.
//!
//! Why lazily: nothing runs in the background. A batch knows when it began
//! and by which recipe, and every answer is computed from the present time.
//!
//! Where to start: `recipe` (what is simulated), `timeline` (when), `batch`
//! (states), `rerun` (the rules of `resim-api.md` §5), `scenery` and
//! `fixtures` (what a person finds after starting the sandbox), `choice`
//! (which of it).

pub(crate) mod batch;
pub(crate) mod choice;
pub(crate) mod fixtures;
pub(crate) mod names;
pub(crate) mod recipe;
pub(crate) mod rerun;
pub(crate) mod scenery;
pub(crate) mod timeline;

use std::collections::HashMap;

use uuid::Uuid;

use crate::seed;
use batch::{Batch, Birth};
use recipe::Recipe;

/// Something a batch runs on.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) gpus: u32,
}

/// A line of development.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
}

/// A version of the system.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    pub(crate) id: Uuid,
    pub(crate) branch: usize,
    pub(crate) system: usize,
    pub(crate) version: String,
    pub(crate) message: String,
    pub(crate) created: i64,
}

/// A named set of experiences; revision `n` has the first `sizes[n-1]`.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    pub(crate) id: Uuid,
    pub(crate) key: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) system: usize,
    pub(crate) sizes: Vec<u32>,
    pub(crate) created: i64,
}

impl Suite {
    /// The newest revision.
    pub(crate) fn revision(&self) -> u32 {
        u32::try_from(self.sizes.len()).unwrap_or(u32::MAX)
    }

    /// The identity of an experience.
    pub(crate) fn experience_id(&self, index: u32) -> Uuid {
        seed::numbered_uuid(seed::hash(self.key, 0xe), index)
    }

    /// Whether the numbered experience wears the numbered tag.
    pub(crate) fn has_tag(&self, index: u32, tag: usize) -> bool {
        seed::below(self.key, u64::from(index) ^ ((tag as u64) << 32), 4) == 0
    }
}

/// A label for experiences.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

/// A project and its furniture.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) id: Uuid,
    pub(crate) key: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) archived: bool,
    pub(crate) created: i64,
    pub(crate) systems: Vec<System>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) builds: Vec<Build>,
    pub(crate) suites: Vec<Suite>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) batches: Vec<usize>,
}

/// All projects and batches.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// Simulated durations are divided by this.
    pub(crate) speed: f64,
    /// When the sandbox was started.
    pub(crate) started: i64,
    pub(crate) projects: Vec<Project>,
    pub(crate) batches: Vec<Batch>,
    by_id: HashMap<Uuid, usize>,
    /// Batches that people (or a nightly job) seem to launch meanwhile.
    pub(crate) launched: u32,
    /// How many batches and projects were made by the control API.
    made: u64,
}

impl World {
    /// A world without projects.
    pub(crate) fn empty(seed: u64, speed: f64, now: i64) -> Self {
        Self {
            seed,
            speed,
            started: now,
            projects: Vec::new(),
            batches: Vec::new(),
            by_id: HashMap::new(),
            launched: 0,
            made: 0,
        }
    }

    /// A number that differs at each call, the same in the same order.
    pub(crate) fn next_key(&mut self) -> u64 {
        self.made += 1;
        seed::hash(self.seed, 0x00c0_0000_0000 + self.made)
    }

    /// The position of a project.
    pub(crate) fn project_at(&self, id: Uuid) -> Option<usize> {
        self.projects.iter().position(|p| p.id == id)
    }

    /// The position of a batch, if it belongs to the project.
    pub(crate) fn batch_at(&self, project: usize, id: Uuid) -> Option<usize> {
        let at = self.any_batch_at(id)?;
        (self.batches[at].project == project).then_some(at)
    }

    /// The position of a batch of whatever project.
    pub(crate) fn any_batch_at(&self, id: Uuid) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// Adds a batch; returns its position.
    pub(crate) fn add_batch(&mut self, batch: Batch) -> usize {
        let at = self.batches.len();
        self.by_id.insert(batch.id, at);
        self.projects[batch.project].batches.push(at);
        self.batches.push(batch);
        at
    }

    /// A recipe with its durations divided by the sandbox's speed.
    pub(crate) fn scaled(&self, mut recipe: Recipe) -> Recipe {
        let scale = |ms: &mut u64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a duration divided by a positive speed, rounded"
            )]
            {
                *ms = (*ms as f64 / self.speed).round() as u64;
            }
        };
        recipe.duration_ms.iter_mut().for_each(scale);
        scale(&mut recipe.queue_ms);
        scale(&mut recipe.batch_metrics_ms);
        recipe
    }

    /// Makes a batch with a suite of its own, as the control API does.
    pub(crate) fn make_batch(
        &mut self,
        project: usize,
        name: Option<String>,
        recipe: Recipe,
        now: i64,
    ) -> usize {
        let key = self.next_key();
        let name = name.unwrap_or_else(|| names::friendly(key));
        let sizes = vec![recipe.tests, recipe.tests + recipe.suite_adds];
        let home = &mut self.projects[project];
        home.suites.push(Suite {
            id: seed::uuid(key, 0x5),
            key,
            name: format!("Suite of {name}"),
            description: "Made with its batch".to_owned(),
            system: 0,
            sizes,
            created: now,
        });
        let birth = Birth {
            id: seed::uuid(key, 0xb),
            project,
            name,
            build: 0,
            suite: home.suites.len() - 1,
            suite_revision: 1,
            at: now,
        };
        let recipe = self.scaled(recipe);
        self.add_batch(Batch::new(birth, recipe))
    }

    /// The latest batches first, as every list shows them.
    pub(crate) fn newest_first(&self, project: usize) -> Vec<usize> {
        let mut list = self.projects[project].batches.clone();
        list.sort_by_key(|at| {
            let batch = &self.batches[*at];
            (std::cmp::Reverse(batch.created), batch.id)
        });
        list
    }
}
