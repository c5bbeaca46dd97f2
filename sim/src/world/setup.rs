//! What a seed decides before the run begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use retake_core::{
    rerun::Limits,
    supervise::{Policy, WatchedStates},
};

use super::{Happening, World, check::Memory, queue::Queue};
use crate::{
    browser::Device,
    coverage::Coverage,
    dice::{Dice, mix},
    fault::{Class, Fault, Faults, Occurrence},
    mixes::Mix,
    server::Server,
};

/// What else decides a run, beside its seed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Which faults there are.
    pub(crate) mix: Mix,
    /// Only these occurrences of faults may happen; for shrinking.
    pub(crate) keep: Option<BTreeSet<Occurrence>>,
    /// Keep a timeline and the occurrences.
    pub(crate) tell: bool,
    /// The settle window, if another than the default.
    pub(crate) settle: Option<Duration>,
    /// Count what is applied twice, and go on whatever else happens.
    pub(crate) only_doubles: bool,
}

fn policy(dice: &mut Dice, size: u16) -> Policy {
    let only_error = WatchedStates {
        error: true,
        ..WatchedStates::default()
    };
    let metrics = WatchedStates {
        blocker: true,
        warning: true,
        ..WatchedStates::default()
    };
    let only_blocker = WatchedStates {
        blocker: true,
        ..WatchedStates::default()
    };
    // Often a limit that some share meets exactly.
    let edge = dice.between(1, i64::from(size));
    let edge = f64::from(u16::try_from(edge).expect("small")) * 100.0 / f64::from(size);
    let timeout = dice.pick(&[120, 300, 900]);
    let pace = dice.pick(&[20, 30, 60]);
    Policy {
        max_rerun_attempts: dice.pick(&[0, 1, 1, 2, 3]),
        rerun_max_failure_percent: dice.pick(&[25.0, 50.0, 100.0, 100.0, edge, edge]),
        rerun_on: dice.pick(&[WatchedStates::ALL, WatchedStates::ALL, only_error, metrics]),
        fail_on: dice.pick(&[
            WatchedStates::default(),
            WatchedStates::default(),
            only_blocker,
        ]),
        poll_every: Duration::from_secs(timeout / 8).min(Duration::from_secs(pace)),
        wait_timeout: Duration::from_secs(timeout),
    }
}

impl World {
    /// The world of this seed.
    pub(crate) fn new(seed: u64, setup: &Setup) -> Self {
        let mut dice = Dice::new(seed);
        let mut server = Server::new(seed, &mut dice);
        let mut policy = policy(&mut dice, server.size);
        let mut limits = Limits {
            ask_person: dice.permille(60),
            tests_a_page: u32::from(server.page),
            ..Limits::default()
        };
        let by_name = dice.permille(250);
        let mut faults = match setup.mix {
            Mix::Swarm => Faults::swarm(seed, &mut dice),
            mix => {
                Mix::settle(&mut server, &mut policy, &mut limits);
                mix.faults(seed)
            }
        };
        if let Some(settle) = setup.settle {
            limits.settle = settle;
        }
        if server.new_ids {
            without_doubt(&mut faults);
        }
        if faults.has(Fault::CountMismatch) {
            server.miscounts = dice.below(3);
        }
        if let Some(keep) = &setup.keep {
            faults.keep_only(keep.clone());
        }
        if setup.tell {
            faults.occurred = Some(Vec::new());
        }
        let on = |class: fn(Class) -> bool| -> Vec<Fault> {
            let all = Fault::ALL.iter().copied();
            all.filter(|fault| class(fault.class()) && faults.has(*fault))
                .collect()
        };
        let mut mishaps = on(|class| matches!(class, Class::Ambient | Class::Tabs | Class::People));
        // Messages are lost where they are sent, not by themselves.
        mishaps.retain(|fault| *fault != Fault::ChannelDropped);
        let call_faults = on(|class| class == Class::Call);
        let calm_at = dice.between(10, 90) * 60_000;
        let worst = i64::try_from(policy.wait_timeout.as_millis()).unwrap_or(0) + 1_200_000;
        let end_by = calm_at + 12 * 3_600_000 + worst * i64::from(policy.max_rerun_attempts + 2);
        let mut it = Self {
            dice,
            faults,
            server,
            devices: Vec::new(),
            tabs: Vec::with_capacity(2),
            posts: Vec::new(),
            queue: Queue::default(),
            now: 0,
            policy,
            limits,
            by_name,
            machines: 0,
            outage_until: 0,
            reruns_down_until: 0,
            gone: false,
            calm_at,
            end_by,
            mishaps,
            call_faults,
            applied: BTreeMap::new(),
            memory: Vec::new(),
            coverage: Coverage::default(),
            calls: 0,
            steps: 0,
            hash: seed,
            story: setup.tell.then(Vec::new),
            failure: None,
            only_doubles: setup.only_doubles,
            faltered: false,
        };
        it.add_device();
        if let Some(at) = setup.mix.others_at(seed) {
            it.at(at, Happening::Mishap(0, Fault::OthersRerunSame, mix(seed)));
        }
        it
    }

    pub(crate) fn add_device(&mut self) {
        let device = Device {
            mono_stops: self.dice.permille(500),
            ..Device::default()
        };
        self.devices.push(device);
        self.memory.push(Memory::default());
    }
}

/// Where a rerun gets a new batch ID, a lost answer cannot be resolved by
/// reading the old one, whoever reads. Such deployments are simulated without
/// what leaves a POST in doubt.
fn without_doubt(faults: &mut Faults) {
    for fault in Fault::ALL {
        let harmless = match fault.class() {
            Class::Read | Class::Listing | Class::People => true,
            _ => matches!(
                fault,
                Fault::ChannelDropped | Fault::TimersStretched | Fault::BusyForever
            ),
        };
        if !harmless || *fault == Fault::OtherDevice {
            faults.switch_off(*fault);
        }
    }
}
