//! Names that batches refer to by ID. Each is asked for once, when it is first
//! shown, and comes when it comes: nothing waits for it.

use std::collections::BTreeMap;

use leptos::prelude::*;
use retake_core::{
    api::{Call, endpoint},
    domain::{BranchId, BuildId, ProjectId, SystemId, TestSuiteId},
    view::words,
};

use crate::{client::Client, driver::task::while_open};

type Shelf = StoredValue<BTreeMap<String, RwSignal<Option<String>>>>;

/// Names of one project. Cheap to copy.
#[derive(Clone, Copy)]
pub struct NameBook {
    client: Client,
    project: ProjectId,
    known: Shelf,
    owner: StoredValue<Owner>,
}

impl NameBook {
    /// No names yet. Lives as long as the page that made it.
    pub fn new(client: Client, project: ProjectId) -> Self {
        Self {
            client,
            project,
            known: StoredValue::new(BTreeMap::new()),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// A branch's name.
    pub fn branch(&self, id: Option<BranchId>) -> Signal<Option<String>> {
        self.name(id, endpoint::branch_name)
    }

    /// A build's version.
    pub fn build(&self, id: Option<BuildId>) -> Signal<Option<String>> {
        self.name(id, endpoint::build_version)
    }

    /// A suite's name.
    pub fn suite(&self, id: Option<TestSuiteId>) -> Signal<Option<String>> {
        self.name(id, endpoint::suite_name)
    }

    /// A system's name.
    pub fn system(&self, id: Option<SystemId>) -> Signal<Option<String>> {
        self.name(id, endpoint::system_name)
    }

    fn name<T: ToString + Copy>(
        &self,
        id: Option<T>,
        call: impl Fn(ProjectId, T) -> Call<String>,
    ) -> Signal<Option<String>> {
        let Some(id) = id else {
            return Signal::stored(None);
        };
        let key = id.to_string();
        if let Some(known) = self.known.with_value(|known| known.get(&key).copied()) {
            return known.into();
        }
        let signal = self
            .owner
            .with_value(|owner| owner.with(|| RwSignal::new(None)));
        self.known.update_value(|known| {
            known.insert(key, signal);
        });
        let client = self.client;
        let call = call(self.project, id);
        let ask = async move {
            // A name that cannot be read leaves its place empty; the ID's page has more.
            if let Ok(name) = client.read(&call).await {
                signal.try_set(Some(words::clean(&name).into_owned()));
            }
        };
        // Asked for by the page, not by the row: a row may scroll away.
        self.owner
            .with_value(|owner| owner.with(|| while_open(ask)));
        signal.into()
    }
}
