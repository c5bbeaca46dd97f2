//! Facts about who acts, told with two tabs at most.

use std::time::Duration;

use super::{BEAT, Opened, Role, SEND_WITHIN, SILENCE, Seat, SeatInput, SeatOutput};
use crate::{domain::Timestamp, supervise::Now};

/// One tab with its clock.
struct Tab {
    seat: Seat,
    now: Now,
    wake_in: Option<Duration>,
}

fn start() -> Now {
    Now {
        wall: Timestamp::from_millis(1_800_000_000_000),
        mono: Duration::from_secs(50),
        dice: 1_500,
    }
}

fn moved(now: Now, by: Duration) -> Now {
    Now {
        wall: now.wall.after(by),
        mono: now.mono + by,
        dice: now.dice,
    }
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl Tab {
    fn open(opened: Opened) -> (Self, Vec<SeatOutput>) {
        let now = start();
        let mut it = Self {
            seat: Seat::open(opened, true, now),
            now,
            wake_in: None,
        };
        let outputs = it.drain();
        (it, outputs)
    }

    /// A tab that acts on a supervision found in the journal, in epoch 1.
    fn acting() -> Self {
        let (mut it, _) = Self::open(Opened::Found);
        it.say(SeatInput::LockGranted);
        it.say(loaded(0));
        assert!(it.seat.may_act());
        it
    }

    /// A tab that mirrors another one, of epoch 1.
    fn mirror() -> Self {
        let (mut it, _) = Self::open(Opened::Found);
        it.say(beat(1));
        it
    }

    fn say(&mut self, input: SeatInput) -> Vec<SeatOutput> {
        self.seat.handle(input, self.now);
        self.drain()
    }

    /// What it wants, without the wish to be woken, which is kept.
    fn drain(&mut self) -> Vec<SeatOutput> {
        let mut outputs = Vec::new();
        while let Some(output) = self.seat.poll_output() {
            match output {
                SeatOutput::WakeIn(after) => self.wake_in = Some(after),
                other => outputs.push(other),
            }
        }
        outputs
    }

    /// Lives on for a while, woken whenever it asked for it.
    fn live(&mut self, span: Duration) -> Vec<(Duration, SeatOutput)> {
        let mut lived = Duration::ZERO;
        let mut seen = Vec::new();
        while let Some(step) = self.wake_in.filter(|step| lived + *step <= span) {
            lived += step;
            self.now = moved(self.now, step);
            for output in self.say(SeatInput::Wake) {
                seen.push((lived, output));
            }
        }
        self.now = moved(self.now, span.saturating_sub(lived));
        seen
    }

    /// Wakes after it was frozen: both clocks went on.
    fn thaw_after(&mut self, span: Duration) -> Vec<SeatOutput> {
        self.now = moved(self.now, span);
        self.say(SeatInput::Wake)
    }
}

fn loaded(epoch: u64) -> SeatInput {
    SeatInput::JournalLoaded { epoch, over: false }
}

fn beat(epoch: u64) -> SeatInput {
    SeatInput::Heard { epoch, idle: false }
}

fn steals(outputs: &[(Duration, SeatOutput)]) -> Vec<Duration> {
    let steal =
        |(at, output): &(Duration, SeatOutput)| (*output == SeatOutput::StealLock).then_some(*at);
    outputs.iter().filter_map(steal).collect()
}

#[test]
fn a_fresh_start_acts_once_the_lock_is_free() {
    let (mut tab, outputs) = Tab::open(Opened::Fresh);
    assert_eq!(outputs, [SeatOutput::TryLock]);
    assert!(!tab.seat.may_act());
    let outputs = tab.say(SeatInput::LockGranted);
    assert_eq!(outputs, [SeatOutput::Act { epoch: 0 }, SeatOutput::Beat]);
    assert!(tab.seat.may_act());
}

#[test]
fn a_fresh_start_is_refused_while_another_tab_has_the_batch() {
    let (mut tab, _) = Tab::open(Opened::Fresh);
    assert_eq!(tab.say(SeatInput::LockTaken), []);
    assert_eq!(tab.seat.role(), Role::Refused);
    assert_eq!(tab.say(SeatInput::LockGranted), []);
    assert!(!tab.seat.may_act());
}

#[test]
fn a_found_supervision_is_taken_up_with_the_next_epoch_after_its_journal_is_read() {
    let (mut tab, outputs) = Tab::open(Opened::Found);
    assert_eq!(outputs, [SeatOutput::QueueForLock, SeatOutput::Ask]);
    assert_eq!(tab.say(SeatInput::LockGranted), [SeatOutput::LoadJournal]);
    assert!(!tab.seat.may_act());
    let outputs = tab.say(loaded(4));
    assert_eq!(outputs, [SeatOutput::Act { epoch: 5 }, SeatOutput::Beat]);
}

#[test]
fn an_acting_tab_beats_every_five_seconds() {
    let mut tab = Tab::acting();
    let beats = tab.live(secs(60));
    assert_eq!(beats.len(), 12);
    assert!(beats.iter().all(|(_, output)| *output == SeatOutput::Beat));
}

#[test]
fn a_mirror_that_hears_beats_never_robs() {
    let mut tab = Tab::mirror();
    for _ in 0..1_000 {
        assert_eq!(tab.live(BEAT), []);
        tab.say(beat(1));
    }
    assert_eq!(tab.seat.role(), Role::Mirroring);
}

#[test]
fn a_silent_tab_is_robbed_after_thirty_seconds_and_before_thirty_five() {
    for dice in [0, 1, 2_999, u64::MAX] {
        let now = Now { dice, ..start() };
        let mut tab = Tab {
            seat: Seat::open(Opened::Found, true, now),
            now,
            wake_in: None,
        };
        tab.drain();
        tab.say(beat(1));
        let steals = steals(&tab.live(secs(34)));
        assert_eq!(steals.len(), 1, "{dice}");
        assert!(steals[0] >= SILENCE, "{dice}: {steals:?}");
    }
}

#[test]
fn a_closed_tab_is_followed_at_once() {
    let mut tab = Tab::mirror();
    tab.live(secs(7));
    assert_eq!(tab.say(SeatInput::LockGranted), [SeatOutput::LoadJournal]);
    let outputs = tab.say(loaded(1));
    assert_eq!(outputs, [SeatOutput::Act { epoch: 2 }, SeatOutput::Beat]);
}

#[test]
fn a_mirror_that_slept_listens_before_it_robs() {
    for span in [secs(40), secs(7_200)] {
        let mut tab = Tab::mirror();
        assert_eq!(tab.thaw_after(span), [SeatOutput::Ask]);
        // The acting tab slept too, and is there again within a beat.
        tab.live(secs(4));
        tab.say(beat(1));
        assert!(steals(&tab.live(secs(29))).is_empty());
    }
}

#[test]
fn a_mirror_that_slept_robs_when_nobody_answers() {
    let mut tab = Tab::mirror();
    tab.thaw_after(secs(7_200));
    let steals = steals(&tab.live(secs(35)));
    assert_eq!(steals, [secs(10)]);
}

#[test]
fn a_wall_clock_that_is_set_robs_nobody() {
    for by in [3_600_000, -3_600_000, 86_400_000] {
        let mut tab = Tab::mirror();
        tab.now.wall = Timestamp::from_millis(tab.now.wall.as_millis() + by);
        tab.say(SeatInput::Wake);
        for _ in 0..20 {
            assert!(steals(&tab.live(BEAT)).is_empty(), "{by}");
            tab.say(beat(1));
        }
    }
}

#[test]
fn a_mirror_with_throttled_timers_takes_over_in_the_end() {
    let mut tab = Tab::mirror();
    let robbed = (1..=5).find(|_| tab.thaw_after(secs(60)).contains(&SeatOutput::StealLock));
    assert_eq!(robbed, Some(3));
}

#[test]
fn a_robbed_tab_drops_its_machine_and_mirrors() {
    let mut tab = Tab::acting();
    let outputs = tab.say(SeatInput::LockLost);
    assert_eq!(outputs, [SeatOutput::StepDown, SeatOutput::QueueForLock]);
    assert_eq!(tab.seat.role(), Role::Mirroring);
    assert!(!tab.seat.may_act());
}

#[test]
fn a_write_that_a_newer_epoch_refuses_ends_acting_before_the_lock_is_heard_of() {
    let mut tab = Tab::acting();
    let outputs = tab.say(SeatInput::Superseded { epoch: 2 });
    assert_eq!(
        outputs,
        [
            SeatOutput::StepDown,
            SeatOutput::LetGo,
            SeatOutput::QueueForLock
        ]
    );
    assert!(!tab.seat.may_act());
    // The notice that comes late belongs to the lock that is gone.
    assert_eq!(tab.say(SeatInput::LockLost), []);
}

#[test]
fn a_last_line_of_a_robbed_tab_is_taken_in() {
    let mut tab = Tab::acting();
    let outputs = tab.say(SeatInput::Superseded { epoch: 0 });
    assert_eq!(outputs, [SeatOutput::StepDown, SeatOutput::LoadJournal]);
    let outputs = tab.say(loaded(0));
    assert_eq!(outputs, [SeatOutput::Act { epoch: 1 }, SeatOutput::Beat]);
}

#[test]
fn a_beat_of_a_newer_epoch_ends_acting() {
    let mut tab = Tab::acting();
    assert!(tab.say(beat(2)).contains(&SeatOutput::StepDown));
    assert_eq!(tab.seat.epoch(), 2);
}

#[test]
fn a_beat_of_an_older_epoch_is_answered_and_not_believed() {
    let mut tab = Tab::acting();
    assert_eq!(tab.say(beat(0)), [SeatOutput::Beat]);
    let mut mirror = Tab::mirror();
    mirror.say(beat(3));
    mirror.live(secs(20));
    mirror.say(beat(1));
    assert_eq!(steals(&mirror.live(secs(14))).len(), 1);
}

#[test]
fn an_acting_tab_that_was_frozen_asks_the_journal_before_it_goes_on() {
    let mut tab = Tab::acting();
    assert_eq!(tab.thaw_after(secs(600)), [SeatOutput::CheckEpoch]);
    assert!(!tab.seat.may_act());
    let outputs = tab.say(SeatInput::EpochIs { epoch: 2 });
    assert!(outputs.contains(&SeatOutput::StepDown));

    let mut tab = Tab::acting();
    tab.thaw_after(secs(600));
    assert_eq!(tab.say(SeatInput::EpochIs { epoch: 1 }), [SeatOutput::Beat]);
    assert!(tab.seat.may_act());
}

#[test]
fn a_rerun_leaves_only_right_after_the_journal_was_asked() {
    let mut tab = Tab::acting();
    let asked = tab.now;
    assert!(tab.seat.may_send(asked, asked, tab.now));
    tab.now = moved(tab.now, SEND_WITHIN + Duration::from_millis(1));
    assert!(!tab.seat.may_send(asked, asked, tab.now));
    assert!(!tab.seat.may_send(asked, tab.now, tab.now));
    assert!(tab.seat.may_send(tab.now, tab.now, tab.now));
    // A clock that stood still in sleep does not make it earlier.
    let mut slept = asked;
    slept.wall = slept.wall.after(secs(3_600));
    assert!(!tab.seat.may_send(asked, asked, slept));
    tab.say(SeatInput::LockLost);
    assert!(!tab.seat.may_send(tab.now, tab.now, tab.now));
}

#[test]
fn a_person_takes_over_without_waiting() {
    let mut tab = Tab::mirror();
    assert_eq!(tab.say(SeatInput::TakeOver), [SeatOutput::StealLock]);
    assert_eq!(tab.say(SeatInput::LockGranted), [SeatOutput::LoadJournal]);
    // Where this tab acts already, there is nothing to take.
    assert_eq!(Tab::acting().say(SeatInput::TakeOver), []);
}

#[test]
fn a_tab_that_is_signed_out_yields_to_one_that_asks_and_could_act() {
    let mut tab = Tab::acting();
    assert_eq!(tab.say(SeatInput::Able(false)), [SeatOutput::Beat]);
    assert!(tab.seat.may_act());
    assert_eq!(
        tab.say(SeatInput::Asked { able: false }),
        [SeatOutput::Beat]
    );
    let outputs = tab.say(SeatInput::Asked { able: true });
    assert_eq!(outputs, [SeatOutput::StepDown, SeatOutput::LetGo]);

    let mut mirror = Tab::mirror();
    let idle = SeatInput::Heard {
        epoch: 1,
        idle: true,
    };
    assert_eq!(mirror.say(idle), [SeatOutput::Ask]);
}

#[test]
fn a_tab_that_is_signed_out_neither_queues_nor_robs() {
    let mut tab = Tab::mirror();
    assert_eq!(tab.say(SeatInput::Able(false)), [SeatOutput::LetGo]);
    assert!(steals(&tab.live(secs(300))).is_empty());
    assert_eq!(tab.wake_in, Some(BEAT), "nor is it in a hurry");
    assert_eq!(tab.say(SeatInput::TakeOver), []);
    assert_eq!(
        tab.say(SeatInput::Able(true)),
        [SeatOutput::QueueForLock, SeatOutput::Ask]
    );
}

#[test]
fn nobody_acts_on_a_journal_that_cannot_be_read() {
    let (mut tab, _) = Tab::open(Opened::Found);
    tab.say(SeatInput::LockGranted);
    let gone = SeatInput::JournalUnreadable { for_good: true };
    assert_eq!(tab.say(gone), [SeatOutput::LetGo]);
    assert_eq!(tab.seat.role(), Role::Shelved);
}

#[test]
fn storage_that_fails_is_read_again_however_often() {
    let (mut tab, _) = Tab::open(Opened::Found);
    tab.say(SeatInput::LockGranted);
    let trouble = SeatInput::JournalUnreadable { for_good: false };
    for tries in 1..=300 {
        assert_eq!(tab.say(trouble), []);
        assert_eq!(tab.seat.reads_in_vain(), tries >= 3, "{tries}");
        let again = tab.live(secs(14));
        assert_eq!(again, [(secs(10), SeatOutput::LoadJournal)]);
    }
    let loaded = SeatInput::JournalLoaded {
        epoch: 1,
        over: false,
    };
    tab.say(loaded);
    assert_eq!(tab.seat.role(), Role::Acting);
    assert!(!tab.seat.reads_in_vain());
}

#[test]
fn when_it_is_over_the_lock_goes_and_nobody_robs() {
    let mut tab = Tab::acting();
    assert_eq!(
        tab.say(SeatInput::Ended),
        [SeatOutput::StepDown, SeatOutput::LetGo]
    );
    let mut mirror = Tab::mirror();
    mirror.say(SeatInput::LockGranted);
    let over = SeatInput::JournalLoaded {
        epoch: 1,
        over: true,
    };
    assert_eq!(mirror.say(over), [SeatOutput::LetGo]);
    assert_eq!(mirror.live(secs(300)), []);
    assert_eq!(mirror.seat.role(), Role::Over);
}

#[test]
fn a_tab_that_leaves_gives_the_lock_back_and_hears_nothing_more() {
    let mut tab = Tab::acting();
    assert_eq!(
        tab.say(SeatInput::Leave),
        [SeatOutput::StepDown, SeatOutput::LetGo]
    );
    assert_eq!(tab.say(SeatInput::TakeOver), []);
    assert_eq!(tab.seat.role(), Role::Left);
}

#[test]
fn without_locks_beats_and_epochs_must_do() {
    let (mut fresh, _) = Tab::open(Opened::Fresh);
    let outputs = fresh.say(SeatInput::NoLocks);
    assert_eq!(outputs, [SeatOutput::Act { epoch: 0 }, SeatOutput::Beat]);

    let (mut found, _) = Tab::open(Opened::Found);
    found.say(SeatInput::NoLocks);
    let outputs = found.live(secs(14));
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs[0].1, SeatOutput::LoadJournal);
    found.say(loaded(0));
    assert!(found.say(beat(2)).contains(&SeatOutput::StepDown));
}

#[test]
fn an_answer_that_nobody_waits_for_changes_no_role() {
    // A mirroring tab reads no journal, checks no epoch and writes no line.
    for late in [
        SeatInput::JournalUnreadable { for_good: true },
        SeatInput::Superseded { epoch: 9 },
        SeatInput::EpochIs { epoch: 9 },
        SeatInput::Asked { able: true },
        SeatInput::LockLost,
        loaded(1),
    ] {
        let shown = format!("{late:?}");
        let mut tab = Tab::mirror();
        assert_eq!(tab.say(late), [], "{shown}");
        assert_eq!(tab.seat.role(), Role::Mirroring, "{shown}");
        assert!(!tab.seat.may_act(), "{shown}");
    }
    // An acting one has its lock, and its journal.
    for late in [
        SeatInput::LockGranted,
        SeatInput::LockTaken,
        SeatInput::TakeOver,
        SeatInput::JournalUnreadable { for_good: true },
        SeatInput::EpochIs { epoch: 9 },
        SeatInput::Able(true),
        loaded(1),
    ] {
        let shown = format!("{late:?}");
        let mut tab = Tab::acting();
        assert_eq!(tab.say(late), [], "{shown}");
        assert_eq!(tab.seat.role(), Role::Acting, "{shown}");
    }
}

#[test]
fn a_second_sleep_asks_nothing_more_while_the_journal_has_not_answered() {
    let mut tab = Tab::acting();
    assert_eq!(tab.thaw_after(secs(600)), [SeatOutput::CheckEpoch]);
    assert_eq!(tab.thaw_after(secs(600)), []);
    assert_eq!(tab.say(SeatInput::EpochIs { epoch: 1 }), [SeatOutput::Beat]);
}

#[test]
fn an_epoch_that_cannot_be_read_after_a_sleep_is_asked_for_again_after_the_next() {
    let mut tab = Tab::acting();
    assert_eq!(tab.thaw_after(secs(600)), [SeatOutput::CheckEpoch]);
    assert_eq!(tab.say(SeatInput::EpochUnknown), []);
    assert_eq!(tab.seat.role(), Role::Acting);
    assert_eq!(tab.thaw_after(secs(600)), [SeatOutput::CheckEpoch]);
    assert_eq!(tab.say(SeatInput::EpochIs { epoch: 1 }), [SeatOutput::Beat]);
}

#[test]
fn a_tab_is_idle_while_nobody_is_signed_in_who_may_act() {
    let mut tab = Tab::acting();
    assert!(!tab.seat.is_idle());
    tab.say(SeatInput::Able(false));
    assert!(tab.seat.is_idle());
    tab.say(SeatInput::Able(true));
    assert!(!tab.seat.is_idle());
}
