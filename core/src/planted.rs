//! Bugs planted on purpose, to see that the simulation catches them.
//!
//! Without the feature `planted` nothing here can be switched on: [`is`] is
//! constantly false and the compiler removes every trace. With it, a test
//! chooses one bug for its thread. Each is one line at the place it breaks.

/// A way to get supervision wrong.
#[cfg_attr(not(feature = "planted"), allow(unreachable_pub))] // the module is private then
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each name says what is done wrong, and `words` says it whole
pub enum Bug {
    NoSettle,
    ShortSettle,
    RepostsUnanswered,
    RepostsOnResume,
    BlindBusy,
    TrustsTerminal,
    SendsBeforeStored,
    SendsUnstored,
    EpochNotRaised,
    NoStepDown,
    SendsAfterSleep,
    TornAccepted,
    WallClockOnly,
    MonoClockOnly,
    EmptyListAllowed,
    TimesOutWithoutRead,
    PauseCounts,
    GuardAtLeast,
    GuardOnlyFirst,
    CancelIgnored,
    OneAttemptMore,
    UnknownWordFails,
    UnknownStatusEnds,
    ForgetsIntent,
    ForgetsAttempts,
    ForeignNotAdopted,
    OldPicture,
    UnfinishedProves,
    FenceAtLeast,
    NewIdIgnored,
    NoSpacing,
    Unrecorded,
    ForgetsWhen,
    NeverTimesOut,
    LateStartsDoubted,
    AgeOfQuestion,
    AgeUnmoved,
    BusyUnfenced,
    HeldOutlivesPost,
    ForgetsUnderWay,
    CountsUnchecked,
}

#[cfg(feature = "planted")]
impl Bug {
    /// Every planted bug.
    pub const ALL: &[Self] = &[
        Self::NoSettle,
        Self::ShortSettle,
        Self::RepostsUnanswered,
        Self::RepostsOnResume,
        Self::BlindBusy,
        Self::TrustsTerminal,
        Self::SendsBeforeStored,
        Self::SendsUnstored,
        Self::EpochNotRaised,
        Self::NoStepDown,
        Self::SendsAfterSleep,
        Self::TornAccepted,
        Self::WallClockOnly,
        Self::MonoClockOnly,
        Self::EmptyListAllowed,
        Self::TimesOutWithoutRead,
        Self::PauseCounts,
        Self::GuardAtLeast,
        Self::GuardOnlyFirst,
        Self::CancelIgnored,
        Self::OneAttemptMore,
        Self::UnknownWordFails,
        Self::UnknownStatusEnds,
        Self::ForgetsIntent,
        Self::ForgetsAttempts,
        Self::ForeignNotAdopted,
        Self::OldPicture,
        Self::UnfinishedProves,
        Self::FenceAtLeast,
        Self::NewIdIgnored,
        Self::NoSpacing,
        Self::Unrecorded,
        Self::ForgetsWhen,
        Self::NeverTimesOut,
        Self::LateStartsDoubted,
        Self::AgeOfQuestion,
        Self::AgeUnmoved,
        Self::BusyUnfenced,
        Self::HeldOutlivesPost,
        Self::ForgetsUnderWay,
        Self::CountsUnchecked,
    ];

    /// What is done wrong.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoSettle => "no settle window",
            Self::ShortSettle => "settle window of 30 s",
            Self::RepostsUnanswered => "POST repeated when no answer came",
            Self::RepostsOnResume => "POST repeated when it goes on after a pause",
            Self::BlindBusy => "409 repeated without a look",
            Self::TrustsTerminal => "finished status believed of any run",
            Self::SendsBeforeStored => "POST sent before the intent is stored",
            Self::SendsUnstored => "POST sent although storing failed",
            Self::EpochNotRaised => "a new life keeps the old epoch",
            Self::NoStepDown => "neither stolen lock nor refused write stops a tab",
            Self::SendsAfterSleep => "POST sent although the tab slept before it left",
            Self::TornAccepted => "torn listings accepted",
            Self::WallClockOnly => "the wall clock alone is believed",
            Self::MonoClockOnly => "the clock that stops in sleep alone is believed",
            Self::EmptyListAllowed => "an empty list is sent",
            Self::TimesOutWithoutRead => "timeout without a read sent after the deadline",
            Self::PauseCounts => "a pause counts as waiting",
            Self::GuardAtLeast => "guard trips at the limit, not above it",
            Self::GuardOnlyFirst => "guard checked at the first attempt alone",
            Self::CancelIgnored => "cancelled batches are rerun",
            Self::OneAttemptMore => "one attempt too many",
            Self::UnknownWordFails => "an unknown word counts as failing",
            Self::UnknownStatusEnds => "an unknown status counts as finished",
            Self::ForgetsIntent => "a new life forgets the open intent",
            Self::ForgetsAttempts => "a new life forgets the attempts",
            Self::ForeignNotAdopted => "runs of others are set aside for ever",
            Self::OldPicture => "decided on the picture from before the listing",
            Self::UnfinishedProves => "an unfinished picture alone proves a run",
            Self::FenceAtLeast => "an equal counter passes the fence",
            Self::NewIdIgnored => "the batch ID of the answer is ignored",
            Self::NoSpacing => "no spacing between reads",
            Self::Unrecorded => "a change of state without a record",
            Self::ForgetsWhen => "a failed read forgets when to act next",
            Self::NeverTimesOut => "the wait never ends by itself",
            Self::LateStartsDoubted => "tests that start after their batch are doubted for ever",
            Self::AgeOfQuestion => "the age shown counts from a question without an answer",
            Self::BusyUnfenced => "after a 409 the fence is not asked",
            Self::HeldOutlivesPost => {
                "a reload takes a POST without an answer for one answered 409"
            }
            Self::ForgetsUnderWay => "a run that is seen ends the wait for a late POST",
            Self::CountsUnchecked => {
                "failing tests alone are listed, and their counts not compared"
            }
            Self::AgeUnmoved => "the age shown counts a jump of the clock",
        }
    }
}

#[cfg(feature = "planted")]
mod chosen {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants this bug, and no other, for the present thread.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.set(bug);
    }

    pub(crate) fn is(bug: Bug) -> bool {
        CHOSEN.get() == Some(bug)
    }
}

#[cfg(feature = "planted")]
pub(crate) use chosen::is;
#[cfg(feature = "planted")]
pub use chosen::plant;

/// Whether this bug is planted: never, without the feature.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_bug: Bug) -> bool {
    false
}
