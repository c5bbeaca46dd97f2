//! What is supervised in this browser, counted for the bar at the top.

use crate::supervise::{Outcome, Phase};

/// What is supervised in this browser, counted for the bar at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// How many go on.
    pub running: usize,
    /// How many wait for a person.
    pub paused: usize,
    /// How many ended with a verdict.
    pub verdicts: usize,
    /// The worst of these verdicts.
    pub worst: Option<Outcome>,
}

impl Census {
    /// Takes one more supervision in.
    pub fn count(&mut self, phase: &Phase) {
        match phase {
            Phase::Done(verdict) => {
                self.verdicts += 1;
                let outcome = verdict.outcome;
                if self
                    .worst
                    .is_none_or(|worst| gravity(worst) < gravity(outcome))
                {
                    self.worst = Some(outcome);
                }
            }
            Phase::Stopped => {}
            Phase::Paused(_) => self.paused += 1,
            _ => self.running += 1,
        }
    }

    /// `2 running`.
    pub fn running_words(&self) -> Option<String> {
        (self.running > 0).then(|| format!("{} running", self.running))
    }

    /// `1 paused`.
    pub fn paused_words(&self) -> Option<String> {
        (self.paused > 0).then(|| format!("{} paused", self.paused))
    }

    /// `Fail`, or `3 verdicts, worst: Fail`.
    pub fn verdict_words(&self) -> Option<String> {
        let worst = self.worst?.words();
        Some(if self.verdicts == 1 {
            worst.to_owned()
        } else {
            format!("{} verdicts, worst: {worst}", self.verdicts)
        })
    }
}

/// How bad an outcome is for who wants to release.
fn gravity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::CleanPass => 0,
        Outcome::PassAfterRerun => 1,
        Outcome::PassHidingFailures => 2,
        Outcome::Cancelled => 3,
        Outcome::TimedOut => 4,
        Outcome::CouldNotTell => 5,
        Outcome::Fail => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervise::{PauseReason, Policy};

    #[test]
    fn the_bar_counts_what_goes_on_what_waits_and_the_worst_end() {
        let mut census = Census::default();
        for phase in [
            Phase::Waiting,
            Phase::Rerunning,
            Phase::Paused(PauseReason::ByPerson),
            Phase::Stopped,
        ] {
            census.count(&phase);
        }
        assert_eq!((census.running, census.paused, census.verdicts), (2, 1, 0));
        assert_eq!(census.running_words().as_deref(), Some("2 running"));
        assert_eq!(census.paused_words().as_deref(), Some("1 paused"));
        assert_eq!(census.verdict_words(), None);
        for (verdicts, worst, words) in [
            (1, Outcome::Fail, "Fail"),
            (3, Outcome::TimedOut, "3 verdicts, worst: Timed out"),
        ] {
            let census = Census {
                verdicts,
                worst: Some(worst),
                ..census
            };
            assert_eq!(census.verdict_words().as_deref(), Some(words));
        }
        assert!(gravity(Outcome::Fail) > gravity(Outcome::CouldNotTell));
    }

    #[test]
    fn the_worst_verdict_is_the_one_that_keeps_a_release_back_most() {
        let ended = |outcome| {
            let policy = Policy::default();
            let verdict = crate::supervise::Verdict {
                outcome,
                ..crate::supervise::Verdict::could_not_tell(&policy, "x".into(), 0)
            };
            Phase::Done(Box::new(verdict))
        };
        // From the best to the worst.
        let order = [
            Outcome::CleanPass,
            Outcome::PassAfterRerun,
            Outcome::PassHidingFailures,
            Outcome::Cancelled,
            Outcome::TimedOut,
            Outcome::CouldNotTell,
            Outcome::Fail,
        ];
        for (n, worse) in order.iter().enumerate() {
            for better in &order[..=n] {
                for both in [[*better, *worse], [*worse, *better]] {
                    let mut census = Census::default();
                    for outcome in both {
                        census.count(&ended(outcome));
                    }
                    assert_eq!(
                        (census.verdicts, census.worst),
                        (2, Some(*worse)),
                        "{both:?}"
                    );
                }
            }
        }
    }
}
