//! Runs the check: all states within a bound, on all cores.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use retake_core::supervise::{Record, explain};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};

use crate::{
    bounds::Scene,
    marks::{Case, Promise},
    steps::Step,
    world::World,
};

/// Up to so many misfortunes it goes by breadth, where a counterexample is as short as can be.
/// But every state that waits for its turn is kept whole: with five more than 17 GB. By depth
/// these take 617 MB.
const BY_BREADTH: u8 = 2;

/// What to check.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Misfortunes in one run at the most, each kind once.
    pub misfortunes: u8,
    /// Threads.
    pub threads: usize,
}

/// What became of a property.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The promise, or the case.
    pub name: &'static str,
    /// A promise that must always hold; else a case that must be met.
    pub always: bool,
    /// It is as it must be.
    pub fine: bool,
    /// Steps that lead to where it is broken, or met.
    pub steps: Vec<String>,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Report {
    /// States that were generated, each as often as it was reached.
    pub states: usize,
    /// Different states.
    pub distinct: usize,
    /// Steps to the deepest state.
    pub depth: usize,
    /// Wall time.
    pub took: Duration,
    /// Each property.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing within the bound was left out: only a counterexample ends
    /// a check early.
    pub fn complete(&self) -> bool {
        self.broken().next().is_none()
    }

    /// The promises that are broken.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|it| it.always && !it.fine)
    }

    /// The cases that were not met.
    pub fn missed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|it| !it.always && !it.fine)
    }
}

macro_rules! promises {
    ($($name:ident)*) => {[$(
        Property::always(Promise::$name.words(), |model: &Supervision, state: &World| {
            state.broken >> Promise::$name as u32 & 1 == 0
                || !is_first(&model.caught, Promise::$name as u32)
        }),
    )*]};
}

macro_rules! cases {
    ($($name:ident)*) => {[$(
        Property::sometimes(Case::$name.words(), |model: &Supervision, state: &World| {
            state.met >> Case::$name as u32 & 1 == 1 && is_first(&model.seen, Case::$name as u32)
        }),
    )*]};
}

/// The model, as the checker sees it.
struct Supervision {
    bound: Bound,
    /// Called before every step, on the thread that takes it: plants a bug.
    prepare: Box<dyn Fn() + Send + Sync>,
    /// Cases whose first sight is taken, as bits.
    seen: AtomicU32,
    /// The same of promises.
    caught: AtomicU32,
}

impl Model for Supervision {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        (self.prepare)();
        Scene::ALL
            .map(|scene| World::new(self.bound.misfortunes, scene))
            .into()
    }

    fn actions(&self, state: &World, actions: &mut Vec<Step>) {
        state.steps(actions);
    }

    fn next_state(&self, state: &World, step: Step) -> Option<World> {
        (self.prepare)();
        let mut next = state.clone();
        next.take(step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let promises = promises!(S1 S2 S3Ids S3Run S4Durable S4Epoch S5Writer S5Acts S6Send S6Look
            S6End S7Truth S7Zero S7Due S7Newest S8 S9 S11);
        let cases = cases!(ReadLost AnswerLost RequestLost LateApplied LateBusy Crashed TakenOver
            RobbedFrozen OtherReran OtherCancelled Busy Adopted SecondAttempt UnknownApplied
            UnknownNotApplied Restored Takeover Superseded HeldBack SteppedDown AboveGuard
            Stray Exit0 Exit1 Exit2 Exit5 Exit6 Exit7 Exit8);
        let ends = Property::always(Promise::L2.words(), |_, state: &World| state.is_live());
        let mut all = vec![ends];
        all.extend(promises);
        all.extend(cases);
        assert_eq!(all.len(), Promise::ALL.len() + Case::ALL.len());
        all
    }
}

/// Whether this is the first state that shows it; the checker would otherwise
/// name the last one, far down.
fn is_first(seen: &AtomicU32, bit: u32) -> bool {
    seen.fetch_or(1 << bit, Ordering::Relaxed) >> bit & 1 == 0
}

impl World {
    /// Whether something can still happen, or it has ended.
    fn is_live(&self) -> bool {
        let ended = self.store.is_over() && self.posts.is_empty();
        ended || self.broken != 0 || {
            let mut steps = Vec::new();
            self.steps(&mut steps);
            !steps.is_empty()
        }
    }
}

/// Checks everything within the bound; ends at the first counterexample.
/// `prepare` is called before every step, on the thread that takes it.
pub fn check(bound: Bound, prepare: impl Fn() + Send + Sync + 'static) -> Report {
    let started = Instant::now();
    let model = Supervision {
        bound,
        prepare: Box::new(prepare),
        seen: AtomicU32::new(0),
        caught: AtomicU32::new(0),
    };
    let checker = model
        .checker()
        .threads(bound.threads)
        .finish_when(HasDiscoveries::AnyFailures);
    if bound.misfortunes <= BY_BREADTH {
        report(&checker.spawn_bfs().join(), started)
    } else {
        report(&checker.spawn_dfs().join(), started)
    }
}

fn report(checker: &impl Checker<Supervision>, started: Instant) -> Report {
    let took = started.elapsed();
    let discoveries = checker.discoveries();
    let mut findings = Vec::new();
    for property in checker.model().properties() {
        let found = discoveries.get(property.name);
        let always = Promise::ALL.iter().any(|it| it.words() == property.name);
        findings.push(Finding {
            name: property.name,
            always,
            fine: found.is_some() != always,
            steps: found.cloned().map(told).unwrap_or_default(),
        });
    }
    Report {
        states: checker.state_count(),
        distinct: checker.unique_state_count(),
        depth: checker.max_depth(),
        took,
        findings,
    }
}

/// A path in words: each step, and what the journals of the machines say then.
fn told(path: Path<World, Step>) -> Vec<String> {
    let mut lines = Vec::new();
    let steps = path.into_vec();
    for pair in steps.windows(2) {
        let [(before, step), (after, _)] = pair else {
            continue;
        };
        if let Some(step) = step {
            let seconds = after.now as f64 / 1_000.0;
            lines.push(format!("{seconds:>9.3} s  {step}"));
        }
        for (tab, (old, new)) in before.tabs.iter().zip(&after.tabs).enumerate() {
            let log = |it: &crate::browser::Tab| -> Vec<Record> {
                let machine = it.machine.as_ref();
                machine.map_or(Vec::new(), |machine| machine.it.log().to_vec())
            };
            let (old, new) = (log(old), log(new));
            let known = if new.len() > old.len() {
                old.len()
            } else {
                new.len()
            };
            for record in &new[known..] {
                lines.push(format!(
                    "{:>13}tab {tab} notes: {}",
                    "",
                    explain(record).text
                ));
            }
        }
    }
    lines
}
