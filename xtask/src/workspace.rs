//! Where things are in this checkout.

use std::path::{Path, PathBuf};

use crate::failure::{Doing, Outcome};

/// The checkout: its paths, and the folders that tasks write to.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The top folder, which holds the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// cargo's target folder, wherever it was configured to be.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// The checkout that this program was built from.
    pub(crate) fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lies in a folder of the workspace")
            .to_path_buf();
        // This program lies in <target>/debug, whichever way (environment,
        // configuration) the target folder was chosen.
        let target = std::env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.to_path_buf()))
            .unwrap_or_else(|| root.join("target"));
        Self { root, target }
    }

    /// Tools that tasks install for this checkout alone. Outside `target`, so
    /// that `cargo clean` doesn't cost minutes of building tools again.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// What tools print goes here.
    pub(crate) fn logs(&self) -> PathBuf {
        self.target.join("xtask-logs")
    }

    /// The file in which a task leaves its figures for `report`; its folder is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn figures(&self, task: &str) -> Outcome<PathBuf> {
        let folder = self.target.join("figures");
        std::fs::create_dir_all(&folder).doing(format!("make {}", folder.display()))?;
        Ok(folder.join(format!("{task}.json")))
    }

    /// The end-to-end tests and the Node packages.
    pub(crate) fn e2e(&self) -> PathBuf {
        self.root.join("tests").join("e2e")
    }

    /// The programs of the Node packages.
    pub(crate) fn node_bin(&self) -> PathBuf {
        self.e2e().join("node_modules").join(".bin")
    }

    /// The built site of a kind: `serve` or `release`.
    pub(crate) fn site(&self, kind: &str) -> PathBuf {
        self.target.join("site").join(kind)
    }

    /// A program that cargo built in the dev profile.
    pub(crate) fn built(&self, program: &str) -> PathBuf {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        self.target.join("debug").join(name)
    }
}
