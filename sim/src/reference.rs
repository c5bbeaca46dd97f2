//! The CLI's policy, and plain "retry on error", in the same world: what the
//! core is compared with (`reliability.md` §1). Neither is part of the product.

use std::collections::BTreeMap;

use crate::{
    dice::{Dice, within},
    mixes::Mix,
    server::{By, Server, View},
    world::{Setup, World},
};

/// A policy to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// Stops at the first failed call.
    Cli,
    /// Tries again, and remembers nothing.
    RetryOnError,
}

/// How a policy fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The policy.
    pub policy: &'static str,
    /// Runs.
    pub runs: u64,
    /// Runs that ended with exit code 1, or died.
    pub lost: u64,
    /// Runs in which one decision was applied twice.
    pub doubled: u64,
}

/// Runs the two reference policies on these seeds.
pub fn compare(mix: Mix, seeds: u64) -> [Comparison; 2] {
    [
        (Reference::Cli, "as the CLI (stop on first error)"),
        (
            Reference::RetryOnError,
            "retry on error, nothing remembered",
        ),
    ]
    .map(|(reference, policy)| {
        let mut it = Comparison {
            policy,
            runs: seeds,
            lost: 0,
            doubled: 0,
        };
        for seed in 0..seeds {
            let mut run = Run::new(seed, mix);
            it.lost += u64::from(run.supervise(reference).is_err());
            run.advance(3_600_000);
            it.doubled += u64::from(run.applied.values().any(|times| *times > 1));
        }
        it
    })
}

/// The run is over, without a verdict.
struct Lost;

/// Why a call failed.
enum Failed {
    Unanswered,
    Busy,
}

struct Run {
    world: World,
    dice: Dice,
    mix: Mix,
    now: i64,
    /// Reruns that are still under way: when they arrive, which tests, which decision.
    late: Vec<(i64, u16, u32)>,
    others_at: Option<i64>,
    applied: BTreeMap<u32, u32>,
    decisions: u32,
}

impl Run {
    fn new(seed: u64, mix: Mix) -> Self {
        let setup = Setup {
            mix,
            ..Setup::default()
        };
        let world = World::new(seed, &setup);
        let dice = Dice::new(seed ^ 0xC11);
        let others_at = mix.others_at(seed);
        Self {
            world,
            dice,
            mix,
            now: 0,
            late: Vec::new(),
            others_at,
            applied: BTreeMap::new(),
            decisions: 0,
        }
    }

    fn server(&mut self) -> &mut Server {
        &mut self.world.server
    }

    /// Time goes by, and what was under way arrives.
    fn advance(&mut self, by: i64) {
        let until = self.now + by;
        if let Some(at) = self.others_at
            && at <= until
        {
            let server = &mut self.world.server;
            let failing = server.failing(server.view(at));
            let tests = if failing == 0 { server.all() } else { failing };
            let applied = server.rerun(server.id_of(0), tests, at, By::Others);
            self.others_at = (!applied).then_some(at + 30_000);
        }
        self.late
            .sort_unstable_by_key(|late| std::cmp::Reverse(late.0));
        while let Some(&(at, tests, decision)) = self.late.last()
            && at <= until
        {
            self.late.pop();
            self.apply(at, tests, decision);
        }
        self.now = until;
    }

    fn apply(&mut self, at: i64, tests: u16, decision: u32) -> bool {
        let id = self.world.server.id_of(0);
        let applied = self.server().rerun(id, tests, at, By::Post(0));
        if applied {
            *self.applied.entry(decision).or_default() += 1;
        }
        applied
    }

    /// Pauses; the process may die meanwhile.
    fn sleep(&mut self, ms: i64) -> Result<(), Lost> {
        self.advance(ms);
        let (_, _, crash) = self.mix.permille();
        // A tenth of a thousandth cannot be said in 1000: the mild mix has 0.02 %.
        let dies = self.dice.below(10_000) < u64::from(crash) * if crash > 1 { 10 } else { 2 };
        if dies { Err(Lost) } else { Ok(()) }
    }

    fn fails(&mut self) -> bool {
        let (call, garbage, _) = self.mix.permille();
        // Dropped, lost, 5xx before, 5xx after, late, 429.
        self.dice.permille(u64::from(call) * 6 + u64::from(garbage))
    }

    fn read(&mut self) -> Result<View, Failed> {
        let took = self.dice.between(20, 300);
        self.advance(took);
        if self.fails() {
            return Err(Failed::Unanswered);
        }
        let stale = self.mix == Mix::Harsh && self.dice.permille(500);
        let lag = if stale {
            let longest = self.server().longest_lag_ms;
            self.dice.between(1_000, longest)
        } else {
            0
        };
        let at = self.now - lag;
        Ok(self.server().view(at))
    }

    fn post(&mut self, tests: u16, decision: u32) -> Result<(), Failed> {
        let took = self.dice.between(20, 300);
        self.advance(took);
        let (call, garbage, _) = self.mix.permille();
        let call = u64::from(call);
        let roll = self.dice.below(1000);
        let now = self.now;
        if roll < call * 3 {
            // Dropped, 5xx before, 429.
            return Err(Failed::Unanswered);
        }
        if roll < call * 4 {
            let at = now + within(self.dice.roll(), 35_000, 58_000);
            self.late.push((at, tests, decision));
            self.advance(35_000);
            return Err(Failed::Unanswered);
        }
        let applied = self.apply(now, tests, decision);
        if roll < call * 6 + u64::from(garbage) {
            return Err(Failed::Unanswered);
        }
        if applied { Ok(()) } else { Err(Failed::Busy) }
    }

    fn supervise(&mut self, reference: Reference) -> Result<(), Lost> {
        loop {
            match (self.one_life(reference), reference) {
                (Err(Ended::Died), Reference::RetryOnError) => self.advance(60_000),
                (Err(_), _) => return Err(Lost),
                (Ok(()), _) => return Ok(()),
            }
        }
    }

    fn patient<T>(
        &mut self,
        reference: Reference,
        mut call: impl FnMut(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Ended> {
        loop {
            match (call(self), reference) {
                (Ok(value), _) => return Ok(value),
                (Err(Failed::Busy), _) => return Err(Ended::Busy),
                (Err(Failed::Unanswered), Reference::Cli) => return Err(Ended::Failed),
                (Err(Failed::Unanswered), Reference::RetryOnError) => {
                    self.sleep(2_000).map_err(|Lost| Ended::Died)?;
                }
            }
        }
    }

    fn one_life(&mut self, reference: Reference) -> Result<(), Ended> {
        let policy = self.world.policy;
        let poll = i64::try_from(policy.poll_every.as_millis()).unwrap_or(30_000);
        let timeout = i64::try_from(policy.wait_timeout.as_millis()).unwrap_or(3_600_000);
        for attempt in 0.. {
            let deadline = self.now + timeout;
            let view = loop {
                let view = self.patient(reference, Self::read)?;
                if view.terminal {
                    break view;
                }
                if self.now > deadline {
                    return Ok(());
                }
                self.sleep(poll).map_err(|Lost| Ended::Died)?;
            };
            if attempt >= policy.max_rerun_attempts || view.cancelled {
                return Ok(());
            }
            let listed = self.patient(reference, Self::read)?;
            let size = self.world.server.size;
            let failing = (0..size)
                .filter(|job| {
                    policy
                        .rerun_on
                        .watches(&self.world.server.test(*job, listed))
                })
                .fold(0_u16, |bits, job| bits | 1 << job);
            let share = f64::from(failing.count_ones()) * 100.0 / f64::from(size);
            if failing == 0 || share > policy.rerun_max_failure_percent {
                return Ok(());
            }
            self.decisions += 1;
            let decision = self.decisions;
            for post in 1.. {
                match self.patient(reference, |it| it.post(failing, decision)) {
                    Ok(()) => break,
                    Err(Ended::Busy) if post < 3 => {
                        self.sleep(30_000).map_err(|Lost| Ended::Died)?;
                    }
                    Err(ended) => return Err(ended),
                }
            }
        }
        Ok(())
    }
}

/// How a life of a policy ended without a verdict.
enum Ended {
    Failed,
    Busy,
    Died,
}
