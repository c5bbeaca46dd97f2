//! The promises, and the cases that a check must have met.

macro_rules! marks {
    ($(#[$doc:meta])* $name:ident { $($case:ident $words:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($case,)* }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$case,)*];

            pub(crate) const fn words(self) -> &'static str {
                match self { $(Self::$case => $words,)* }
            }
        }
    };
}

marks! {
    /// What holds always (`reliability.md` §10.4). S10 and S12 need more calls
    /// and other inputs than this model has; the simulation and the types have them.
    Promise {
        S1 "S1 a decision is applied at most once",
        S2 "S2 attempts and reruns stay within the budget",
        S3Ids "S3 exactly the tests are sent that fail in the run last read, never none",
        S3Run "S3 a rerun is applied on the run that it was decided on",
        S4Durable "S4 nothing is sent without a durable intent",
        S4Epoch "S4 nothing is sent by a tab of an older epoch",
        S5Writer "S5 one page writes with an epoch",
        S5Acts "S5 a robbed tab stops acting",
        S6Send "S6 nothing is sent while another POST may still land",
        S6Look "S6 before a POST goes out again the batch is read",
        S6End "S6 nothing is concluded while a POST may still land",
        S7Truth "S7 the verdict is the truth of the run last read",
        S7Zero "S7 verdict 0 only where no watched test fails",
        S7Due "S7 a rerun that is due is not left out",
        S7Newest "S7 the verdict is on the newest run that counts",
        S8 "S8 a timeout rests on a read sent after the deadline",
        S9 "S9 nothing is rerun that runs, was cancelled, or is above the guard",
        S11 "S11 the journal replays to the state",
        L2 "L2 where nothing can happen any more, it has ended",
    }
}

marks! {
    /// What a check must have met, or its silence means nothing.
    Case {
        ReadLost "a lost answer to a read",
        AnswerLost "a lost answer to a POST that was applied",
        RequestLost "a lost POST",
        LateApplied "a late POST that is applied",
        LateBusy "a late POST that is answered with 409",
        Crashed "a crash with an intent open",
        TakenOver "a person takes over in the other tab",
        RobbedFrozen "a frozen tab is robbed",
        OtherReran "somebody else reruns",
        OtherCancelled "somebody else cancels",
        Busy "a POST answered with 409",
        Adopted "a foreign rerun is adopted",
        SecondAttempt "a second attempt",
        UnknownApplied "unknown, then applied",
        UnknownNotApplied "unknown, then not applied",
        Restored "taken up from the journal by the same tab",
        Takeover "taken up from the journal by the other tab",
        Superseded "a write refused by the journal",
        HeldBack "a rerun held back because the tab had slept",
        SteppedDown "a tab steps down",
        AboveGuard "nothing rerun above the guard",
        Stray "a late POST after a foreign run that looked like its own (no client can tell)",
        Exit0 "verdict 0",
        Exit1 "verdict 1",
        Exit2 "verdict 2",
        Exit5 "verdict 5",
        Exit6 "verdict 6",
        Exit7 "verdict 7",
        Exit8 "verdict 8",
    }
}

impl Case {
    /// The case of a verdict.
    pub(crate) const fn of_exit(code: u8) -> Self {
        match code {
            0 => Self::Exit0,
            1 => Self::Exit1,
            2 => Self::Exit2,
            5 => Self::Exit5,
            6 => Self::Exit6,
            7 => Self::Exit7,
            _ => Self::Exit8,
        }
    }
}
