//! Rerun, cancel and edit: what changes a batch (`resim-api.md` §5, B.5, B.6).

use serde::Deserialize;
use uuid::Uuid;

use super::World;
use super::batch::{Batch, Birth, Cohort};
use super::recipe::Start;
use crate::seed;

/// The body of a rerun.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RerunInput {
    #[serde(default, rename = "jobIDs")]
    pub(crate) job_ids: Option<Vec<String>>,
    pub(crate) sync_batch: bool,
    #[serde(default)]
    pub(crate) rerun_metrics_only: Option<bool>,
}

/// What a rerun did.
#[derive(Clone, Debug)]
pub(crate) struct Rerun {
    pub(crate) batch: Uuid,
    pub(crate) counter: u32,
    pub(crate) jobs: Vec<Uuid>,
}

/// Why a rerun was refused, with a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// 400
    Bad(String),
    /// 404
    Unknown(String),
    /// 409
    Busy(String),
}

impl World {
    /// Runs tests of a batch again; resets their statuses before answering.
    pub(crate) fn rerun(
        &mut self,
        at: usize,
        input: &RerunInput,
        now: i64,
    ) -> Result<Rerun, Refused> {
        let metrics_only = input.rerun_metrics_only.unwrap_or(false);
        let named = self.named_jobs(at, input)?;
        if metrics_only && named.is_empty() {
            return Err(Refused::Bad(
                "rerunMetricsOnly needs at least one job ID; leave it out to rerun the batch metrics alone.".to_owned(),
            ));
        }
        let batch = &self.batches[at];
        if !batch.is_terminal(now) {
            return Err(Refused::Busy(format!(
                "Batch {} is still {} and cannot be rerun.",
                batch.id,
                batch.status(now)
            )));
        }
        let cleaned = batch.ends_at() + i64::try_from(batch.recipe.cleanup_ms).unwrap_or(i64::MAX);
        if now < cleaned {
            return Err(Refused::Busy(
                "Existing batch run is cleaning up. Try again in a moment.".to_owned(),
            ));
        }
        if batch.recipe.rerun_answer.ignored {
            return Ok(Rerun {
                batch: batch.id,
                counter: batch.counter + 1,
                jobs: named.iter().map(|index| batch.job_id(*index)).collect(),
            });
        }
        let at = if batch.recipe.rerun_answer.new_batch_id {
            self.copy_for_rerun(at, now)
        } else {
            at
        };
        let newest = {
            let batch = &self.batches[at];
            let suite = &self.projects[batch.project].suites[batch.suite];
            (suite.revision(), suite.sizes.last().copied().unwrap_or(0))
        };
        let batch = &mut self.batches[at];
        let mut cohort = named;
        if input.sync_batch && batch.suite_revision < newest.0 {
            batch.suite_revision = newest.0;
            cohort.extend(batch.grow(newest.1));
        }
        cohort.sort_unstable();
        cohort.dedup();
        let jobs = cohort.iter().map(|index| batch.job_id(*index)).collect();
        batch.start_run(now, Cohort::Some(cohort), metrics_only);
        Ok(Rerun {
            batch: batch.id,
            counter: batch.counter,
            jobs,
        })
    }

    fn named_jobs(&self, at: usize, input: &RerunInput) -> Result<Vec<u32>, Refused> {
        let batch = &self.batches[at];
        let mut unknown = Vec::new();
        let mut indexes = Vec::new();
        for text in input.job_ids.as_deref().unwrap_or_default() {
            let Ok(id) = Uuid::try_parse(text) else {
                return Err(Refused::Bad(format!("jobIDs: {text:?} is not a UUID.")));
            };
            match batch.job_index(id) {
                Some(index) => indexes.push(index),
                None => unknown.push(id.to_string()),
            }
        }
        if unknown.is_empty() {
            Ok(indexes)
        } else {
            Err(Refused::Unknown(format!(
                "Batch {} has no job {}.",
                batch.id,
                unknown.join(", ")
            )))
        }
    }

    /// A fixture: the rerun happens in a new batch that continues this one.
    fn copy_for_rerun(&mut self, at: usize, now: i64) -> usize {
        let old = &self.batches[at];
        let mut recipe = old.recipe.clone();
        recipe.start = Start::Finished;
        recipe.rerun_answer.new_batch_id = false;
        let birth = Birth {
            id: seed::uuid(old.key, 0x4e57 + u64::from(old.counter)),
            project: old.project,
            name: old.name.clone(),
            build: old.build,
            suite: old.suite,
            suite_revision: old.suite_revision,
            at: now,
        };
        let batch = Batch::new(birth, recipe);
        self.add_batch(batch)
    }
}
