//! What the runs met: fault × phase cells, endings, and the cases that a
//! simulation must have seen before its silence means anything.

use std::collections::BTreeMap;

use crate::{
    fault::{Class, FAULTS, Fault},
    phase::{PHASES, Phase},
};

/// How a supervision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// With this exit code.
    Exit(u8),
    /// By a person.
    Stopped,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 8] = [
        Self::Exit(0),
        Self::Exit(1),
        Self::Exit(2),
        Self::Exit(5),
        Self::Exit(6),
        Self::Exit(7),
        Self::Exit(8),
        Self::Stopped,
    ];
}

macro_rules! reach {
    ($($(#[$doc:meta])* $name:ident $words:literal $must:literal,)*) => {
        /// Cases that were met.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Reach { $($(#[$doc])* pub $name: u64,)* }

        impl Reach {
            fn absorb(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// Each case: its name, how often, and whether it must be met.
            pub fn cases(&self) -> Vec<(&'static str, u64, bool)> {
                vec![$(($words, self.$name, $must),)*]
            }
        }
    };
}

reach! {
    /// POSTs that the server applied.
    applied "reruns applied" true,
    /// Runs of somebody else that were followed.
    adopted "foreign reruns adopted" true,
    /// Unknown outcomes that turned out applied.
    unknown_applied "unknown, then applied" true,
    /// Unknown outcomes that turned out not applied.
    unknown_not_applied "unknown, then not applied" true,
    /// Unknown outcomes that a person was asked about.
    asked_person "a person was asked" true,
    /// A tab that acts after another one.
    takeovers "takeovers by another tab" true,
    /// Locks that were stolen.
    locks_stolen "locks stolen" true,
    /// Tabs that stepped down.
    stepped_down "tabs that stepped down" true,
    /// Writes that the journal refused for their epoch or place.
    superseded "writes refused by epoch" true,
    /// Supervisions that were taken up from the journal.
    restored "taken up from the journal" true,
    /// Listings that did not add up.
    torn "torn listings" true,
    /// Listings of what did not pass that stood for the whole.
    short_listings "failing tests listed alone" true,
    /// Those that did not, so that all tests were listed.
    lists_all "… given up, as the counts did not agree" true,
    /// Old pictures that were set aside.
    stale "stale reads set aside" true,
    /// Writes that the browser refused.
    refused_writes "writes refused by storage" true,
    /// Supervisions that nobody can take up, as their journal was evicted.
    evicted "lost with an evicted journal" true,
    /// Transactions that were answered minutes later, or never.
    silent "transactions without an answer" true,
    /// Reruns that were held back because the tab had slept.
    held_back "reruns held back after sleep" true,
    /// Reruns applied on a run newer than the decision, for the same reason.
    applied_on_newer "applied on a newer run, after a foreign run" false,
    /// Of these: the other run began when the POST had left.
    newer_under_way "… of these, begun when the POST had left (no client can tell)" false,
    /// Of these: it began between the last look and the leaving.
    newer_unlooked "… of these, begun between the last look and the POST" false,
    /// Of these: it had begun when the last look was answered, by a replica that lags.
    newer_hidden "… of these, hidden by a replica that lags" false,
    /// Of these: the API sends nothing that tells runs apart.
    newer_blind "… of these, where the API sends no mark of a run" false,
    /// A POST that the browser repeated by itself, after somebody cancelled the
    /// run that it had started.
    repeated_by_browser "repeated by the browser after somebody cancelled (no client can prevent)" false,
    /// Doubles, or reruns on an outdated picture, where the API sends nothing
    /// that tells runs apart.
    blind_doubles "doubles and outdated reruns where the API sends no mark of a run" false,
}

/// What a set of runs met.
#[derive(Debug, Clone)]
pub struct Coverage {
    cells: [[u32; PHASES]; FAULTS],
    /// Cases that were met.
    pub reach: Reach,
    /// How supervisions ended.
    pub endings: BTreeMap<Ending, u64>,
    /// Why supervisions ended with exit code 1.
    pub gave_up: BTreeMap<String, u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            cells: [[0; PHASES]; FAULTS],
            reach: Reach::default(),
            endings: BTreeMap::new(),
            gave_up: BTreeMap::new(),
        }
    }
}

impl Coverage {
    pub(crate) fn hit(&mut self, fault: Fault, phase: Phase) {
        self.cells[fault as usize][phase as usize] += 1;
    }

    pub(crate) fn end(&mut self, ending: Ending) {
        *self.endings.entry(ending).or_default() += 1;
    }

    pub(crate) fn gave_up(&mut self, why: &str) {
        // The numbers of one failure are not another reason.
        let why = why.split(" (").next().unwrap_or(why);
        let why = why.replace(|c: char| c.is_ascii_digit(), "#");
        *self.gave_up.entry(why).or_default() += 1;
    }

    /// Adds what another run met.
    pub fn absorb(&mut self, other: &Self) {
        for (all, one) in self.cells.iter_mut().zip(&other.cells) {
            for (all, one) in all.iter_mut().zip(one) {
                *all = all.saturating_add(*one);
            }
        }
        self.reach.absorb(&other.reach);
        for (ending, count) in &other.endings {
            *self.endings.entry(*ending).or_default() += count;
        }
        for (why, count) in &other.gave_up {
            *self.gave_up.entry(why.clone()).or_default() += count;
        }
    }

    /// How often a fault hit in a phase.
    pub fn cell(&self, fault: Fault, phase: Phase) -> u32 {
        self.cells[fault as usize][phase as usize]
    }
}

/// Why a fault cannot hit in a phase; `None` if it can.
pub fn impossible(fault: Fault, phase: Phase) -> Option<&'static str> {
    match (fault.class(), phase) {
        (Class::Store, Phase::Posting) => Some("nothing is written while a POST is under way"),
        (_, Phase::Storing | Phase::Paused)
            if matches!(fault.class(), Class::Call | Class::Read) =>
        {
            Some(
                "no call begins while an intent is written or while it is paused; what is counted there was under way",
            )
        }
        (Class::Read, Phase::Resolving) if fault != Fault::MissingFields => {
            Some("a name is looked up, no picture of the batch is read")
        }
        (Class::Read, Phase::Posting) if fault != Fault::MissingFields => {
            Some("a POST is under way, nothing is read")
        }
        (Class::Post, phase) if phase != Phase::Posting => Some("only the POST can be struck"),
        (Class::Listing, phase) if phase != Phase::Reading => {
            Some("only the listing can be struck")
        }
        _ => None,
    }
}
