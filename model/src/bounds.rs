//! How much may go wrong in one run of the model.

use std::fmt;

/// What can happen to a supervision by itself, each at most once in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Misfortune {
    /// The answer to a POST does not arrive, perhaps not even the POST, or the
    /// answer to a look while a rerun is on its way.
    LostAnswer,
    /// A POST arrives up to a minute after the client gave up on it.
    LateRequest,
    /// The acting page crashes, and is loaded again.
    Crash,
    /// The lock is stolen: a person takes over in the other tab, or the acting
    /// tab is frozen with a POST about to leave, and thaws at any time.
    Theft,
    /// Somebody else reruns the batch, or cancels it.
    OtherPerson,
}

impl Misfortune {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::LostAnswer,
        Self::LateRequest,
        Self::Crash,
        Self::Theft,
        Self::OtherPerson,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Misfortune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LostAnswer => "lost answer",
            Self::LateRequest => "late request",
            Self::Crash => "crash",
            Self::Theft => "lock theft",
            Self::OtherPerson => "other person",
        })
    }
}

/// What a run of the model begins with; every one is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scene {
    /// The other tab opens as soon as there is something to show.
    TwoTabs,
    /// The person has no other tab.
    OneTab,
    /// Two tabs, and the acting one may freeze with a POST about to leave, until it
    /// is robbed. No more than two misfortunes.
    Freeze,
    /// One tab, and the platform cleans up after the first run, for as long as it
    /// likes: reruns are answered with 409. No more than one misfortune.
    CleanUp,
}

impl Scene {
    pub(crate) const ALL: [Self; 4] = [Self::TwoTabs, Self::OneTab, Self::Freeze, Self::CleanUp];

    /// Misfortunes in a run that begins so.
    pub(crate) fn most(self, misfortunes: u8) -> u8 {
        misfortunes.min(match self {
            Self::TwoTabs | Self::OneTab => u8::MAX,
            Self::Freeze => 2,
            Self::CleanUp => 1,
        })
    }
}

/// With more misfortunes than this in one run, crash and theft strike only while a
/// rerun is on its way: from its decision until its outcome is known.
const ANYWHERE: u8 = 2;

/// The misfortunes that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    kinds: u8,
    /// Of all kinds together.
    total: u8,
    /// Crash and theft strike anywhere, not only while a rerun is on its way.
    pub(crate) anywhere: bool,
}

impl Left {
    /// Each kind once, and no more than so many of them together.
    pub(crate) fn new(total: u8) -> Self {
        let all = Misfortune::ALL.iter().fold(0, |all, kind| all | kind.bit());
        Self {
            kinds: all,
            total,
            anywhere: total <= ANYWHERE,
        }
    }

    pub(crate) fn has(self, kind: Misfortune) -> bool {
        self.total > 0 && self.kinds & kind.bit() != 0
    }

    pub(crate) fn take(&mut self, kind: Misfortune) {
        self.kinds &= !kind.bit();
        self.total -= 1;
        if self.total == 0 {
            self.kinds = 0;
        }
    }
}
