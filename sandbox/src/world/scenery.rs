//! The furniture of a project: systems, branches, builds, suites, tags.

use super::{Branch, Build, Project, Suite, System, Tag, World};
use crate::seed;

const HOUR: i64 = 3_600_000;

/// (name, description, sizes of its revisions)
type SuiteText = (&'static str, &'static str, &'static [u32]);

const SUITES: [SuiteText; 6] = [
    (
        "PR gate",
        "Quick check of every change request",
        &[10, 12, 12, 14],
    ),
    (
        "Nightly regression",
        "Everything that ever broke",
        &[280, 300, 320, 326],
    ),
    ("Dock and lift", "Doors, lifts, ramps", &[44, 48, 48]),
    (
        "Pedestrian safety",
        "People where robots drive",
        &[90, 96, 100],
    ),
    ("Fleet soak", "Long runs with many robots", &[5_000, 5_000]),
    (
        "Release candidate",
        "What must hold before a release",
        &[150, 160, 164],
    ),
];

const TAGS: [&str; 8] = [
    "safety-critical",
    "flaky-known",
    "night",
    "multi-robot",
    "customer-4711",
    "perception",
    "planning",
    "hardware: lidar v3",
];

const BRANCHES: [(&str, &str); 6] = [
    ("main", "MAIN"),
    ("release/2.14", "RELEASE"),
    ("feature/aisle-yielding", "CHANGE_REQUEST"),
    ("fix/dock-timeout", "CHANGE_REQUEST"),
    ("perf/costmap-tiles", "CHANGE_REQUEST"),
    ("renovate/ros-jazzy-updates", "CHANGE_REQUEST"),
];

const MESSAGES: [&str; 8] = [
    "Yield to pedestrians at blind corners",
    "Retry docking after a missed latch",
    "Tile the costmap",
    "Bump nav2 to 1.3.4",
    "Fix e-stop release while reversing",
    "Lower speed on wet floor",
    "Merge branch 'main' into release/2.14",
    "Log localisation covariance",
];

impl World {
    /// Adds a project without batches; returns its position.
    pub(crate) fn add_project(&mut self, name: &str, description: &str, age_hours: i64) -> usize {
        let key = seed::hash_text(self.seed, name);
        let created = self.started - age_hours * HOUR;
        let project = Project {
            id: seed::uuid(key, 0xa),
            key,
            name: name.to_owned(),
            description: description.to_owned(),
            archived: false,
            created,
            systems: systems(key),
            branches: branches(key),
            builds: builds(key, self.started),
            suites: suites(key, created),
            tags: tags(key, TAGS),
            batches: Vec::new(),
        };
        self.projects.push(project);
        self.projects.len() - 1
    }

    /// Gives a project these tags instead of the everyday ones.
    pub(crate) fn set_tags<'a>(
        &mut self,
        project: usize,
        names: impl IntoIterator<Item = &'a str>,
    ) {
        let home = &mut self.projects[project];
        home.tags = tags(home.key, names);
    }
}

fn tags<'a>(key: u64, names: impl IntoIterator<Item = &'a str>) -> Vec<Tag> {
    names
        .into_iter()
        .zip(0..)
        .map(|(name, at)| Tag {
            id: seed::uuid(key, 0x7a60 + at),
            name: name.to_owned(),
        })
        .collect()
}

fn systems(key: u64) -> Vec<System> {
    let texts = [
        ("amr-gen3", "Autonomous mobile robot, third generation", 1),
        ("forklift-x2", "Automated forklift", 2),
    ];
    texts
        .iter()
        .zip(0..)
        .map(|((name, description, gpus), at)| System {
            id: seed::uuid(key, 0x5900 + at),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            gpus: *gpus,
        })
        .collect()
}

fn branches(key: u64) -> Vec<Branch> {
    BRANCHES
        .iter()
        .zip(0..)
        .map(|((name, kind), at)| Branch {
            id: seed::uuid(key, 0xb000 + at),
            name: (*name).to_owned(),
            kind,
        })
        .collect()
}

fn builds(key: u64, now: i64) -> Vec<Build> {
    (0..30_u64)
        .map(|at| {
            let branch = if at % 3 == 0 {
                0
            } else {
                usize::try_from(seed::below(key, 0xb1_0000 + at, BRANCHES.len() as u64))
                    .unwrap_or(0)
            };
            let sha = seed::hash(key, 0xb2_0000 + at) & 0xfff_ffff;
            Build {
                id: seed::uuid(key, 0xb3_0000 + at),
                branch,
                system: usize::from(at % 4 == 3),
                version: format!("2.14.{}+g{sha:07x}", 30 - at),
                message: (*seed::pick(&MESSAGES, key, 0xb4_0000 + at)).to_owned(),
                created: now - i64::try_from(at).unwrap_or(0) * 7 * HOUR - HOUR,
            }
        })
        .collect()
}

fn suites(key: u64, created: i64) -> Vec<Suite> {
    SUITES
        .iter()
        .zip(0..)
        .map(|((name, description, sizes), at)| Suite {
            id: seed::uuid(key, 0x5_0000 + at),
            key: seed::hash(key, 0x6_0000 + at),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            system: usize::from(at == 2),
            sizes: sizes.to_vec(),
            created,
        })
        .collect()
}
