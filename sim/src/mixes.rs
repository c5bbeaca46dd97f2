//! Mixes of faults: the swarm, and the two of the calibration by which a
//! supervisor is compared with the CLI's policy (`reliability.md` §1).

use retake_core::{rerun::Limits, supervise::Policy};

use crate::{
    dice::Dice,
    fault::{Fault, Faults},
    server::{Sends, Server},
};

/// A mix of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mix {
    /// A random subset of all, with random intensity.
    #[default]
    Swarm,
    /// Per call: 2 % each of dropped request, lost answer, 5xx before and after
    /// applying, late request, 429; 1 % garbage; 0.2 % crash; reads up to 10 s
    /// stale; another person in 20 % of runs.
    Harsh,
    /// As harsh, but a request is late in 25 % of POSTs.
    Late,
    /// A twentieth of the call faults, a tenth of the crashes, no stale reads,
    /// another person in 5 % of runs.
    Mild,
}

impl Mix {
    const ALL: [Self; 4] = [Self::Swarm, Self::Harsh, Self::Late, Self::Mild];

    /// What the command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Swarm => "swarm",
            Self::Harsh => "harsh",
            Self::Late => "late",
            Self::Mild => "mild",
        }
    }

    /// The mix that is called so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mix| mix.name() == name)
    }

    /// The chances of one call, in 1000 thousandths: dropped, lost, 5xx before,
    /// 5xx after, late, 429 each; garbage; crash.
    pub(crate) const fn permille(self) -> (u16, u16, u16) {
        match self {
            Self::Swarm => (0, 0, 0),
            Self::Harsh | Self::Late => (20, 10, 2),
            Self::Mild => (1, 1, 1),
        }
    }

    /// When somebody else reruns, if they do in this run: at the same moment for every policy.
    /// In the swarm it is a fault.
    pub(crate) fn others_at(self, seed: u64) -> Option<i64> {
        let permille = match self {
            Self::Swarm => return None,
            Self::Harsh | Self::Late => 200,
            Self::Mild => 50,
        };
        let mut dice = Dice::new(seed ^ 0x0DD5);
        dice.permille(permille).then(|| dice.between(0, 900_000))
    }

    /// The plain deployment that the comparison is about.
    pub(crate) fn settle(server: &mut Server, policy: &mut Policy, limits: &mut Limits) {
        server.sends = Sends {
            counter: true,
            start: true,
            history: false,
            word: true,
            counts: true,
        };
        server.new_ids = false;
        server.stamped_late_ms = 0;
        server.longest_lag_ms = 10_000;
        policy.max_rerun_attempts = policy.max_rerun_attempts.max(1);
        limits.ask_person = false;
    }

    pub(crate) fn faults(self, seed: u64) -> Faults {
        let mut faults = Faults::none(seed);
        let (call, garbage, crash) = self.permille();
        for fault in [
            Fault::DropRequest,
            Fault::DropAnswer,
            Fault::ErrorBefore,
            Fault::ErrorAfter,
            Fault::LateRequest,
            Fault::ThrottledHidden,
        ] {
            faults.switch_on(fault, call);
        }
        faults.switch_on(Fault::Truncated, garbage);
        faults.switch_on(Fault::CrashAfterAnswer, crash);
        if matches!(self, Self::Harsh | Self::Late) {
            faults.switch_on(Fault::StaleReplica, 500);
        }
        if self == Self::Late {
            faults.switch_on(Fault::LateRequest, 250);
        }
        faults
    }
}
