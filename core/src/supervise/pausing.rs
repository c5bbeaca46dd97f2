//! Pausing, going on and ending: what a person, a lost sign-in or the storage
//! asks for, and what a conclusion does.

use std::time::Duration;

use super::{
    Event, Now, Output, PauseReason, Phase, Supervisor, Verdict,
    machine::{Asked, Wanted},
};

impl Supervisor {
    pub(super) fn post_under_way(&self) -> bool {
        self.open_call
            .is_some_and(|open| matches!(open.asked, Asked::Store | Asked::Post))
    }

    pub(super) fn want(&mut self, wanted: Wanted, now: Now) {
        if self.post_under_way() {
            self.wanted = Some(wanted);
            return;
        }
        match wanted {
            Wanted::Pause(why) => self.pause(why, now),
            Wanted::Stop => {
                self.record(Event::Stopped, now.wall);
                self.rest();
            }
        }
    }

    pub(super) fn pause(&mut self, why: PauseReason, now: Now) {
        // A person's word outlasts whatever else holds it: then it goes on when they say.
        if let Phase::Paused(held_by) = &self.state.phase
            && (why != PauseReason::ByPerson || *held_by == PauseReason::ByPerson)
        {
            return;
        }
        let sign_in = why == PauseReason::SignedOut;
        self.record(Event::Paused(why), now.wall);
        self.rest();
        if sign_in {
            self.outputs.push_back(Output::NeedSignIn);
        }
    }

    pub(super) fn resume(&mut self, now: Now) {
        if !matches!(self.state.phase, Phase::Paused(_)) {
            // A pause that waits for the answer to a POST is taken back.
            self.wanted
                .take_if(|wanted| matches!(wanted, Wanted::Pause(_)));
            return;
        }
        let paused = self
            .state
            .paused_since
            .map_or(Duration::ZERO, |at| now.wall.since(at));
        self.record(Event::Resumed { paused }, now.wall);
        self.go_on(now);
    }

    pub(super) fn rest(&mut self) {
        self.open_call = None;
        self.due = None;
        self.forget_reading();
    }

    pub(super) fn conclude(&mut self, verdict: Verdict, now: Now) {
        let verdict = Box::new(verdict);
        self.record(Event::Ended(verdict.clone()), now.wall);
        self.rest();
        self.outputs.push_back(Output::Announce(verdict));
    }

    pub(super) fn give_up(&mut self, why: String, now: Now) {
        let verdict = Verdict::could_not_tell(&self.state.policy, why, self.state.attempt);
        self.conclude(verdict, now);
    }
}
