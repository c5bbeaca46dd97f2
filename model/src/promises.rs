//! The promises, checked where they could be broken; `marks.rs` words them.
//!
//! Excused is what no client can tell: a POST that is late while somebody else's
//! run looks like its own.

use retake_core::{
    rerun::Intent,
    supervise::{State, Verdict, exit_code},
};

use crate::{
    browser::Leaving,
    likeness::WALL,
    marks::{Case, Promise},
    server::{By, SIZE, Shows, bits_of},
    world::{Decision, World, key_of, policy},
};

/// A robbed tab notices within this, once awake.
const TO_NOTICE: i64 = 15_000;
/// A rerun leaves within this of asking the journal who acts.
const SEND_WITHIN: i64 = 5_000;
/// A POST that goes out again rests on a look that is no older than this.
const FRESH: i64 = 10_000;

impl World {
    /// Before a tab performs anything.
    pub(crate) fn check_acts(&mut self, tab: usize) {
        let it = &self.tabs[tab];
        let awake = self.store.epoch_since.max(it.thawed);
        let robbed = self.store.epoch > it.epoch && self.now - awake > TO_NOTICE;
        self.hold(!robbed, Promise::S5Acts);
    }

    /// After every step of a machine.
    pub(crate) fn check_machine(&mut self, tab: usize) {
        if let Some(machine) = &self.tabs[tab].machine {
            let fits = machine.it.state().attempt <= policy().max_rerun_attempts;
            self.hold(fits, Promise::S2);
        }
    }

    pub(crate) fn check_replay(&mut self, tab: usize) {
        if let Some(machine) = &self.tabs[tab].machine {
            let same = State::replay(machine.it.log()).as_ref() == Some(machine.it.state());
            self.hold(same, Promise::S11);
        }
    }

    /// Just before a POST leaves. Gives its decision and the run that it rests on.
    pub(crate) fn check_send(&mut self, tab: usize, leaving: &Leaving) -> (usize, usize) {
        let intent: &Intent = &leaving.intent;
        let stored = self.store.has(intent);
        self.hold(stored, Promise::S4Durable);
        let robbed = self.store.epoch > self.tabs[tab].epoch
            && self.now - self.store.epoch_since > SEND_WITHIN;
        self.hold(!robbed, Promise::S4Epoch);
        self.check_nothing_under_way(Promise::S6Send);
        let decision = self.decision(intent);
        let again = self.decisions[decision].sent > 0;
        self.decisions[decision].sent += 1;
        let read = self.tabs[tab].machine.as_ref().and_then(|it| it.read);
        let Some((view, _, taken)) = read else {
            self.hold(false, Promise::S3Ids);
            return (decision, self.server.runs.len() - 1);
        };
        self.hold(!again || self.now - taken <= FRESH, Promise::S6Look);
        let sent = bits_of(intent.request.scope.tests());
        let failing = self.server.failing(view);
        self.hold(sent != 0 && sent == failing, Promise::S3Ids);
        let may = view.shows == Shows::Finished && !is_above_guard(sent);
        self.hold(may, Promise::S9);
        (decision, view.run)
    }

    fn decision(&mut self, intent: &Intent) -> usize {
        let key = key_of(intent);
        let known = self.decisions.iter().position(|it| it.key == key);
        known.unwrap_or_else(|| {
            self.decisions.push(Decision {
                key,
                sent: 0,
                applied: 0,
            });
            self.decisions.len() - 1
        })
    }

    fn check_nothing_under_way(&mut self, promise: Promise) {
        self.hold(self.posts.is_empty(), promise);
    }

    /// Somebody else ran the batch after this many runs, or a POST came stray.
    fn is_excused(&self, runs_then: usize) -> bool {
        let mut since = self.server.runs.iter().skip(runs_then);
        since.any(|run| run.by == By::Other || run.stray)
    }

    /// A POST was applied.
    pub(crate) fn check_applied(&mut self, decision: usize, decided_on: usize) {
        self.decisions[decision].applied += 1;
        let once = self.decisions[decision].applied == 1;
        self.hold(once, Promise::S1);
        let decisions = self.decisions.iter().filter(|it| it.applied > 0).count();
        let fits = decisions <= policy().max_rerun_attempts as usize;
        self.hold(fits, Promise::S2);
        let newest = self.server.runs.len() - 1;
        if newest != decided_on + 1 {
            let excused = self.is_excused(decided_on + 1);
            self.hold(excused, Promise::S3Run);
            self.server.runs[newest].stray = true;
            self.meet(Case::Stray);
        }
    }

    /// A verdict is announced: is that the truth?
    pub(crate) fn judge(&mut self, tab: usize, verdict: &Verdict) {
        self.check_replay(tab);
        self.check_nothing_under_way(Promise::S6End);
        // Whoever started it: every attempt stands for a run.
        let stands = (verdict.attempts as usize) < self.server.runs.len();
        self.hold(stands, Promise::S2);
        let code = verdict.exit_code.number();
        self.meet(Case::of_exit(code));
        let Some(machine) = self.tabs[tab].machine.clone() else {
            return;
        };
        let Some((view, sent, _)) = machine.read else {
            return self.hold(false, Promise::S7Truth);
        };
        match code {
            1 => return,
            6 => {
                let deadline = machine.it.state().deadline().as_millis() - WALL;
                let finished = view.shows != Shows::Running && view == self.server.view();
                return self.hold(sent >= deadline && !finished, Promise::S8);
            }
            _ => {}
        }
        let filter = policy().fail_filter();
        let (status, word) = self.server.words(view);
        let (truth, _) = exit_code(Some(&status), Some(&word), filter);
        let true_word = view.shows != Shows::Running && truth == verdict.exit_code;
        self.hold(true_word, Promise::S7Truth);
        let failing = self.server.failing(view);
        self.hold(code != 0 || failing == 0, Promise::S7Zero);
        let due = verdict.attempts < policy().max_rerun_attempts
            && view.shows == Shows::Finished
            && failing != 0
            && !is_above_guard(failing);
        self.hold(!due, Promise::S7Due);
        let ours = |run: &crate::server::Run| matches!(run.by, By::Us(_));
        let newest = self.server.runs.iter().rposition(ours).unwrap_or(0);
        let fits = newest <= view.run || self.is_excused(view.run + 1);
        self.hold(fits, Promise::S7Newest);
    }
}

fn is_above_guard(tests: u8) -> bool {
    let share = f64::from(tests.count_ones()) * 100.0 / f64::from(SIZE);
    share > policy().rerun_max_failure_percent
}
