//! What can go wrong: the fault alphabet, and which of it a seed switches on.
//!
//! Each seed turns a random subset on, each with an intensity of its own
//! (swarm testing), so that rare pairs meet. Whether a fault strikes is a
//! function of seed, kind and how often that kind was asked about: taking one
//! occurrence out leaves the others where they were, which is what makes a
//! failing schedule shrink.

use std::collections::BTreeSet;

use crate::dice::{Dice, mix};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $class:ident $words:literal,)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The kind in words.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// What it strikes.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }
        }
    };
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Any call to the API.
    Call,
    /// The rerun POST.
    Post,
    /// Any read.
    Read,
    /// The listing of the tests.
    Listing,
    /// A write to the journal.
    Store,
    /// Browser, computer or page, at any time.
    Ambient,
    /// Other tabs of this browser, at any time.
    Tabs,
    /// People, at any time.
    People,
}

faults! {
    /// The request never arrives.
    DropRequest Call "request dropped",
    /// The request arrives, its answer does not.
    DropAnswer Call "answer dropped",
    /// The answer takes up to 34 s.
    LateAnswer Call "answer late",
    /// Neither answer nor failure: the page was frozen while it was under way.
    NeverAnswered Call "never answered",
    /// 5xx before anything was done.
    ErrorBefore Call "5xx before applying",
    /// 401 although the token is good.
    Unauthorized Call "401",
    /// 403.
    Forbidden Call "403",
    /// 404, and found the next time.
    NotFound Call "404, then found",
    /// 404 from now on, whatever is asked: the batch was deleted.
    GoneForGood Call "404 for good",
    /// Headers at once, but the body is not there before the client gives up.
    SlowBody Call "slow body",
    /// 429 with a readable `Retry-After`.
    Throttled Call "429 with Retry-After",
    /// 429 whose `Retry-After` the browser hides.
    ThrottledHidden Call "429, Retry-After hidden",
    /// The body ends in the middle.
    Truncated Call "truncated JSON",
    /// A field has the wrong type.
    WrongType Call "wrong type",
    /// A gateway's web page with status 200.
    WebPage Call "web page with 200",
    /// More than the cap on decoded bytes.
    TooLarge Call "answer too large",
    /// The request arrives after the client gave up, 35 to 60 s later.
    LateRequest Post "request late",
    /// 5xx after the rerun was applied.
    ErrorAfter Post "5xx after applying",
    /// The browser repeats the POST by itself; the answer is of the second one.
    SentTwice Post "sent twice by the browser",
    /// 409 although the batch has long finished.
    BusyCleaning Post "409 cleaning up",
    /// Every rerun is answered with 409.
    BusyForever Post "409 for ever",
    /// A status word that is new.
    UnknownWord Read "unknown word",
    /// Optional fields are missing.
    MissingFields Read "missing fields",
    /// A replica answers that is up to 30 s behind.
    StaleReplica Read "stale replica",
    /// Pages shift while they are listed.
    TornPages Listing "torn pages",
    /// A page token repeats.
    PageLoop Listing "page-token loop",
    /// The batch counts its tests wrongly.
    CountMismatch Listing "count mismatch",
    /// No space left.
    StoreQuota Store "storage quota",
    /// Storage is denied for a while.
    StoreDenied Store "storage denied",
    /// The connection to the database is lost.
    StoreLost Store "storage connection lost",
    /// A transaction is answered minutes later, or never while this page lives.
    StoreSilent Store "storage never answers",
    /// The page dies while a record is being written.
    TornWrite Store "torn write",
    /// The page dies before a record is written.
    CrashBeforeWrite Store "crash before write",
    /// The page dies after a record is written.
    CrashAfterWrite Store "crash after write",
    /// The page dies after a request was sent.
    CrashAfterSend Call "crash after send",
    /// The page dies when an answer has been taken in.
    CrashAfterAnswer Call "crash after answer",
    /// The page is reloaded.
    Reload Ambient "reload",
    /// The tab is closed, and opened again later.
    Closed Ambient "tab closed",
    /// The browser discards the tab without a word; somebody returns to it later.
    Discard Ambient "tab discarded",
    /// The browser evicts all that it stored for this site.
    Evicted Ambient "journal evicted",
    /// The tab is frozen for minutes.
    Freeze Ambient "tab frozen",
    /// The computer sleeps for up to hours.
    Sleep Ambient "computer asleep",
    /// The clock is set forward.
    ClockForward Ambient "clock set forward",
    /// The clock is set back.
    ClockBack Ambient "clock set back",
    /// The tab is hidden: its timers fire once a minute.
    TimersStretched Ambient "timers stretched",
    /// The browser is offline for a while.
    Offline Ambient "offline",
    /// The API is down for up to an hour.
    Outage Ambient "API down",
    /// For up to an hour every rerun fails, or is one too many, while reads work.
    RerunsDown Ambient "reruns down",
    /// The token expires; somebody signs in again later.
    TokenExpired Ambient "token expired",
    /// Another tab of this browser opens.
    SecondTab Tabs "another tab opens",
    /// A person lets another tab take over.
    LockStolen Tabs "lock stolen",
    /// A message between tabs is lost.
    ChannelDropped Tabs "message between tabs lost",
    /// Somebody else runs the same tests again.
    OthersRerunSame People "others rerun the same tests",
    /// Somebody else runs other tests again.
    OthersRerunOther People "others rerun other tests",
    /// Somebody cancels the batch.
    OthersCancel People "others cancel",
    /// Another device supervises the same batch.
    OtherDevice People "another device supervises",
    /// The person pauses, and resumes later.
    PersonPauses People "person pauses",
    /// The person stops it.
    PersonStops People "person stops",
}

/// What `reliability.md` §10.3 lists and this model cannot have, why, and where
/// it is tested instead.
pub const OUTSIDE: &[(&str, &str)] = &[
    (
        "answer to a refresh lost",
        "the core is told only that nobody is signed in, as by \"token expired\"; the exchange of \
         tokens is core::auth (its tests, and chaos scenario 13 in a browser)",
    ),
    (
        "older build in another tab",
        "the model has one build of the core, so one form of the journal; the versions of the \
         database are the browser's (chaos scenario 26)",
    ),
    (
        "depth bomb",
        "the core gets decoded values, and to it this is one more answer that cannot be read, of \
         which four kinds are here; the decoder meets it in the tests of the wire and in a browser",
    ),
    (
        "404, wrong type and the like inside one page of a listing",
        "a listing is one question to the core: it has all pages or an error",
    ),
];

/// Number of kinds.
pub(crate) const FAULTS: usize = Fault::ALL.len();

/// One occurrence: which kind, and which question about that kind it answered.
pub type Occurrence = (Fault, u32);

/// Which faults a run has, and what became of them.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    seed: u64,
    rates: [u16; FAULTS],
    asked: [u32; FAULTS],
    /// How often a kind may still strike, so that every run ends.
    left: [u8; FAULTS],
    /// Only these may occur; for shrinking.
    keep: Option<BTreeSet<Occurrence>>,
    /// What occurred, where it is recorded.
    pub(crate) occurred: Option<Vec<Occurrence>>,
}

impl Faults {
    /// No fault at all.
    pub(crate) fn none(seed: u64) -> Self {
        Self {
            seed: mix(seed ^ 0xFA17),
            rates: [0; FAULTS],
            asked: [0; FAULTS],
            left: [0; FAULTS],
            keep: None,
            occurred: None,
        }
    }

    /// A random subset, each with a random intensity.
    pub(crate) fn swarm(seed: u64, dice: &mut Dice) -> Self {
        let mut it = Self::none(seed);
        let share = dice.pick(&[0, 60, 150, 150, 300, 500]);
        for fault in Fault::ALL {
            if dice.permille(share) {
                let rate = match fault.class() {
                    Class::Call | Class::Post | Class::Read | Class::Listing => {
                        dice.pick(&[5, 20, 60, 200])
                    }
                    Class::Store => dice.pick(&[5, 20, 80]),
                    Class::Ambient | Class::Tabs | Class::People => dice.pick(&[10, 40, 150]),
                };
                it.switch_on(*fault, rate);
            }
        }
        it
    }

    /// Switches a kind on at so many in 1000.
    pub(crate) fn switch_on(&mut self, fault: Fault, permille: u16) {
        let index = fault as usize;
        self.rates[index] = match fault {
            // These end a supervision by design, so they stay rare.
            Fault::Forbidden | Fault::PersonStops | Fault::GoneForGood => permille.min(4),
            Fault::Evicted => permille.min(10),
            Fault::NotFound | Fault::BusyCleaning => permille.min(60),
            // A whole world of its own, or none.
            Fault::BusyForever | Fault::CountMismatch => {
                if mix(self.seed ^ 0xB0).is_multiple_of(8) {
                    1000
                } else {
                    0
                }
            }
            _ => permille,
        };
        self.left[index] = match fault.class() {
            Class::Ambient | Class::People => 3,
            Class::Store => 6,
            Class::Tabs if fault != Fault::ChannelDropped => 3,
            _ => u8::MAX,
        };
    }

    /// Switches a kind off.
    pub(crate) fn switch_off(&mut self, fault: Fault) {
        self.rates[fault as usize] = 0;
    }

    /// Whether a kind is on in this run.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.rates[fault as usize] > 0
    }

    /// Only these occurrences may happen.
    pub(crate) fn keep_only(&mut self, keep: BTreeSet<Occurrence>) {
        self.keep = Some(keep);
    }

    /// Whether this kind strikes now; `boost` multiplies its intensity. The
    /// bits say how hard.
    pub(crate) fn strikes(&mut self, fault: Fault, boost: u16) -> Option<u64> {
        let index = fault as usize;
        let rate = self.rates[index];
        if rate == 0 || self.left[index] == 0 {
            return None;
        }
        let nth = self.asked[index];
        self.asked[index] += 1;
        let bits = mix(self.seed ^ mix(((index as u64) << 32) | u64::from(nth)));
        if bits % 1000 >= u64::from(rate) * u64::from(boost) {
            return None;
        }
        if let Some(keep) = &self.keep
            && !keep.contains(&(fault, nth))
        {
            return None;
        }
        if self.left[index] < u8::MAX {
            self.left[index] -= 1;
        }
        if let Some(occurred) = &mut self.occurred {
            occurred.push((fault, nth));
        }
        Some(mix(bits))
    }
}
