//! Many runs on all cores, and one run told line by line.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    coverage::Coverage,
    dice::mix,
    fault::Occurrence,
    mixes::Mix,
    world::{Line, Setup, World},
};

/// A promise that a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The run.
    pub seed: u64,
    /// The promise.
    pub promise: String,
}

impl Failure {
    /// The promise by its letter, as `S6`.
    pub fn letter(&self) -> &str {
        self.promise.split(':').next().unwrap_or_default()
    }
}

/// Which runs to make.
#[derive(Debug, Clone)]
pub struct SeedRange {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// The faults.
    pub mix: Mix,
    /// The settle window, if another than the default.
    pub settle: Option<Duration>,
    /// Stop at the first failure …
    pub stop_at_failure: bool,
    /// … of one of these promises, by their letters; of any, if there are none.
    pub stop_at: &'static [&'static str],
    /// Count what is applied twice, and go on whatever else happens.
    pub only_doubles: bool,
    /// Stop after this long.
    pub within: Option<Duration>,
}

impl SeedRange {
    /// The swarm, from this seed.
    pub fn swarm(from: u64, seeds: u64) -> Self {
        Self {
            from,
            seeds,
            mix: Mix::Swarm,
            settle: None,
            stop_at_failure: false,
            stop_at: &[],
            only_doubles: false,
            within: None,
        }
    }
}

/// What a set of runs came to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
    /// Calls to the API.
    pub calls: u64,
    /// What they met.
    pub coverage: Coverage,
    /// The first failures by seed, at most ten of each worker.
    pub failures: Vec<Failure>,
    /// All failures.
    pub failed: u64,
    /// All failures by the promise that each broke: how many, and the first seed.
    pub broken: BTreeMap<String, (u64, u64)>,
    /// Wall time.
    pub took: Duration,
    /// Processor time of all workers; `None` where the system does not tell.
    pub worked: Option<Duration>,
    /// Runs that broke another promise, where only doubles are failures.
    pub faltered: u64,
    /// Fingerprint of all runs, independent of their order.
    pub fingerprint: u64,
}

impl Totals {
    fn absorb(&mut self, other: Self) {
        self.runs += other.runs;
        self.virtual_ms += other.virtual_ms;
        self.calls += other.calls;
        self.coverage.absorb(&other.coverage);
        self.failures.extend(other.failures);
        self.failed += other.failed;
        for (promise, (count, seed)) in other.broken {
            let all = self.broken.entry(promise).or_insert((0, seed));
            *all = (all.0 + count, all.1.min(seed));
        }
        self.faltered += other.faltered;
        self.fingerprint ^= other.fingerprint;
        self.worked = self.worked.zip(other.worked).map(|(all, one)| all + one);
    }
}

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) failure: Option<Failure>,
    pub(crate) occurred: Vec<Occurrence>,
    pub(crate) story: Vec<Line>,
    pub(crate) fingerprint: u64,
}

/// Makes one run. A panic of the core is a broken promise too.
fn run_one(seed: u64, setup: &Setup, totals: Option<&mut Totals>) -> Outcome {
    let mut world = World::new(seed, setup);
    let ended = catch_unwind(AssertUnwindSafe(|| world.run()));
    if let Err(panic) = ended {
        let words = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        world.broken(&format!("the core does not panic: {words}"));
    }
    if let Some(totals) = totals {
        totals.runs += 1;
        totals.virtual_ms += world.virtual_ms();
        totals.calls += world.calls;
        totals.coverage.absorb(&world.coverage);
        totals.fingerprint ^= world.fingerprint();
        totals.faltered += u64::from(world.faltered);
    }
    let fingerprint = world.fingerprint();
    Outcome {
        failure: world.failure.map(|promise| Failure { seed, promise }),
        occurred: world.faults.occurred.take().unwrap_or_default(),
        story: world.story.take().unwrap_or_default(),
        fingerprint,
    }
}

/// One run with these occurrences only, told.
pub(crate) fn run_kept(
    range: &SeedRange,
    seed: u64,
    keep: Option<BTreeSet<Occurrence>>,
) -> Outcome {
    let setup = Setup {
        mix: range.mix,
        keep,
        tell: true,
        settle: range.settle,
        only_doubles: range.only_doubles,
    };
    run_one(seed, &setup, None)
}

/// One run, told line by line, with its failure and fingerprint.
pub fn replay(range: &SeedRange, seed: u64) -> (Vec<Line>, Option<Failure>, u64) {
    let outcome = run_kept(range, seed, None);
    (outcome.story, outcome.failure, outcome.fingerprint)
}

/// Whether a run fails the same way again: made once as in a set of runs, and twice
/// with its timeline, it breaks the same promise with the same fingerprint, and both
/// timelines are the same. `None` if it does not fail.
pub fn replays_alike(range: &SeedRange, seed: u64) -> Option<bool> {
    let setup = Setup {
        mix: range.mix,
        ..Setup::default()
    };
    let first = run_one(seed, &setup, None);
    let failure = first.failure?;
    let told = [(); 2].map(|()| replay(range, seed));
    let same = told
        .iter()
        .all(|(_, again, print)| again.as_ref() == Some(&failure) && *print == first.fingerprint);
    Some(same && told[0].0 == told[1].0)
}

/// One run in one number: its fingerprint, the promise that it broke and its whole timeline.
/// It is the same wherever the run is made, bit for bit.
pub fn imprint(range: &SeedRange, seed: u64) -> u64 {
    let (story, failure, fingerprint) = replay(range, seed);
    let promise = failure.map(|failure| failure.promise).unwrap_or_default();
    let mut imprint = absorb(fingerprint, &promise);
    for line in story {
        imprint = mix(imprint ^ line.at.cast_unsigned());
        imprint = absorb(absorb(imprint, &line.who), &line.what);
    }
    imprint
}

/// Mixes a text in; its end too, so that two texts are not one.
fn absorb(imprint: u64, text: &str) -> u64 {
    let bytes = text.bytes().map(u64::from);
    bytes
        .chain([u64::from(u8::MAX) + 1])
        .fold(imprint, |imprint, byte| mix(imprint ^ byte))
}

/// How long this thread has been on a processor, which unlike wall time says
/// the same on a busy machine; Linux alone tells it.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Seeds are handed out in chunks, so that the workers rarely meet.
const CHUNK: u64 = 64;

/// Makes the runs on all cores; `prepare` is called on every worker first.
pub fn run_many(range: &SeedRange, prepare: impl Fn() + Sync) -> Totals {
    let began = Instant::now();
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let setup = Setup {
        mix: range.mix,
        keep: None,
        tell: false,
        settle: range.settle,
        only_doubles: range.only_doubles,
    };
    let work = || {
        prepare();
        let mut totals = Totals::default();
        while !stop.load(Ordering::Relaxed) {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= range.seeds || range.within.is_some_and(|most| began.elapsed() > most) {
                break;
            }
            for seed in from..(from + CHUNK).min(range.seeds) {
                let outcome = run_one(range.from + seed, &setup, Some(&mut totals));
                if let Some(failure) = outcome.failure {
                    totals.failed += 1;
                    let first = (0, failure.seed);
                    totals
                        .broken
                        .entry(failure.promise.clone())
                        .or_insert(first)
                        .0 += 1;
                    let counts =
                        range.stop_at.is_empty() || range.stop_at.contains(&failure.letter());
                    if totals.failures.len() < 10 || (range.stop_at_failure && counts) {
                        totals.failures.push(failure);
                    }
                    if range.stop_at_failure && counts {
                        stop.store(true, Ordering::Relaxed);
                        totals.worked = processor_time();
                        return totals;
                    }
                }
            }
        }
        totals.worked = processor_time();
        totals
    };
    let mut all = Totals {
        worked: Some(Duration::ZERO),
        ..Totals::default()
    };
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for handle in handles {
            all.absorb(handle.join().expect("a worker catches every panic"));
        }
    });
    all.failures.sort_by_key(|failure| failure.seed);
    all.took = began.elapsed();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imprint_tells_runs_apart_and_is_the_same_again() {
        let range = SeedRange::swarm(0, 3);
        let all: BTreeSet<u64> = (0..3).map(|seed| imprint(&range, seed)).collect();
        assert_eq!(all.len(), 3);
        assert!((0..3).all(|seed| all.contains(&imprint(&range, seed))));
    }

    #[test]
    fn an_imprint_tells_where_one_text_ends() {
        let of = |texts: [&str; 2]| texts.iter().fold(0, |all, text| absorb(all, text));
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_ne!(of(["", "c"]), of(["c", ""]));
    }
}
