//! The parameters as a person types them, checked once (`resim-api.md` §6.1–6.3).
//!
//! Bad values are refused before anything starts, each with its field and the
//! fix. The CLI turns some of them into 0 or notices them hours later; that is a
//! deliberate difference (`design.md` §3).

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Policy, WatchedStates};
use crate::domain::GoDuration;

/// Longest text that a link may fill into a field, in characters.
const LONGEST: usize = 100;

/// A parameter, by its CLI name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `max-rerun-attempts`
    MaxRerunAttempts,
    /// `rerun-max-failure-percent`
    RerunMaxFailurePercent,
    /// `rerun-on-states`
    RerunOnStates,
    /// `fail-on-states`
    FailOnStates,
    /// `poll-every`
    PollEvery,
    /// `wait-timeout`
    WaitTimeout,
}

impl Field {
    /// All parameters, in the order of the form.
    pub const ALL: [Self; 6] = [
        Self::MaxRerunAttempts,
        Self::RerunMaxFailurePercent,
        Self::RerunOnStates,
        Self::FailOnStates,
        Self::PollEvery,
        Self::WaitTimeout,
    ];

    /// The CLI's flag name, also the form field's.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxRerunAttempts => "max-rerun-attempts",
            Self::RerunMaxFailurePercent => "rerun-max-failure-percent",
            Self::RerunOnStates => "rerun-on-states",
            Self::FailOnStates => "fail-on-states",
            Self::PollEvery => "poll-every",
            Self::WaitTimeout => "wait-timeout",
        }
    }

    /// What the parameter does, for beside the field.
    pub fn help(self) -> &'static str {
        match self {
            Self::MaxRerunAttempts => "Reruns at the most. 0 only waits and judges.",
            Self::RerunMaxFailurePercent => {
                "No rerun if strictly more than this share of all tests matches."
            }
            Self::RerunOnStates => "Tests in these states are run again.",
            Self::FailOnStates => "States that fail the batch. Empty: the rerun states.",
            Self::PollEvery => "Between looks: 30s, 1m30s.",
            Self::WaitTimeout => "For each attempt: 1h, 90m.",
        }
    }
}

/// A value that was refused: which field, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field.name(), self.message)
    }
}

/// The parameters as a person typed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyForm {
    /// A whole number from 0.
    pub max_rerun_attempts: String,
    /// A number above 0, up to 100.
    pub rerun_max_failure_percent: String,
    /// A list such as `Warning,Error,Blocker`.
    pub rerun_on_states: String,
    /// A list, or empty.
    pub fail_on_states: String,
    /// A Go duration.
    pub poll_every: String,
    /// A Go duration.
    pub wait_timeout: String,
}

impl Default for PolicyForm {
    fn default() -> Self {
        Self {
            max_rerun_attempts: "1".into(),
            rerun_max_failure_percent: "50".into(),
            rerun_on_states: WatchedStates::ALL.to_string(),
            fail_on_states: String::new(),
            poll_every: "30s".into(),
            wait_timeout: "1h".into(),
        }
    }
}

impl PolicyForm {
    /// The text of one field.
    pub fn text(&self, field: Field) -> &str {
        match field {
            Field::MaxRerunAttempts => &self.max_rerun_attempts,
            Field::RerunMaxFailurePercent => &self.rerun_max_failure_percent,
            Field::RerunOnStates => &self.rerun_on_states,
            Field::FailOnStates => &self.fail_on_states,
            Field::PollEvery => &self.poll_every,
            Field::WaitTimeout => &self.wait_timeout,
        }
    }

    /// Changes the text of one field.
    pub fn set(&mut self, field: Field, text: String) {
        *match field {
            Field::MaxRerunAttempts => &mut self.max_rerun_attempts,
            Field::RerunMaxFailurePercent => &mut self.rerun_max_failure_percent,
            Field::RerunOnStates => &mut self.rerun_on_states,
            Field::FailOnStates => &mut self.fail_on_states,
            Field::PollEvery => &mut self.poll_every,
            Field::WaitTimeout => &mut self.wait_timeout,
        } = text;
    }

    /// The form as a link fills it in: fields by their names. `None` where the
    /// query names none. Checked like what is typed.
    pub fn filled_in_by(mut self, pairs: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let mut is_named = false;
        for (name, value) in pairs {
            if let Some(field) = Field::ALL.into_iter().find(|it| it.name() == name) {
                is_named = true;
                self.set(field, value.chars().take(LONGEST).collect());
            }
        }
        is_named.then_some(self)
    }

    /// Checks every field. `min_poll` is the smallest `poll-every` that this
    /// environment allows (`config.json`).
    ///
    /// # Errors
    /// All fields that are wrong, in the order of the form.
    pub fn check(&self, min_poll: Duration) -> Result<Policy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut keep = |field: Field, message: String| {
            errors.push(FieldError { field, message });
        };
        let max_rerun_attempts = attempts(&self.max_rerun_attempts)
            .map_err(|message| keep(Field::MaxRerunAttempts, message));
        let rerun_max_failure_percent = percent(&self.rerun_max_failure_percent)
            .map_err(|message| keep(Field::RerunMaxFailurePercent, message));
        let rerun_on = WatchedStates::parse(&self.rerun_on_states).map_err(|word| {
            keep(
                Field::RerunOnStates,
                format!(
                    "unsupported rerun state: {word}. Valid states are: WARNING, ERROR, BLOCKER"
                ),
            );
        });
        let fail_on = WatchedStates::parse(&self.fail_on_states).map_err(|word| {
            keep(
                Field::FailOnStates,
                format!("unsupported state: {word}. Valid states are: WARNING, ERROR, BLOCKER"),
            );
        });
        let poll_every = duration(&self.poll_every)
            .and_then(|poll| {
                if poll < min_poll {
                    let floor = GoDuration::from_std(min_poll);
                    Err(format!(
                        "must be at least {floor} here, to be kind to the API"
                    ))
                } else {
                    Ok(poll)
                }
            })
            .map_err(|message| keep(Field::PollEvery, message));
        let wait_timeout =
            duration(&self.wait_timeout).map_err(|message| keep(Field::WaitTimeout, message));

        match (
            max_rerun_attempts,
            rerun_max_failure_percent,
            rerun_on,
            fail_on,
            poll_every,
            wait_timeout,
        ) {
            (
                Ok(max_rerun_attempts),
                Ok(rerun_max_failure_percent),
                Ok(rerun_on),
                Ok(fail_on),
                Ok(poll_every),
                Ok(wait_timeout),
            ) => Ok(Policy {
                max_rerun_attempts,
                rerun_max_failure_percent,
                rerun_on,
                fail_on,
                poll_every,
                wait_timeout,
            }),
            _ => Err(errors),
        }
    }
}

/// Which link has filled a form in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilledIn {
    /// The one that the address names.
    ByAddress,
    /// One that this tab was led by earlier; the address names none.
    Earlier,
}

impl FilledIn {
    /// Where the parameters come from, as the beginning of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::ByAddress => "Filled in by the link that led here",
            Self::Earlier => "As a link filled it in earlier in this tab",
        }
    }
}

/// A form that a link has filled in, as the tab remembers it for its batch: what was
/// linked, and what a person has made of it since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedForm {
    /// The form as the link filled it in, on top of the defaults: a link means the
    /// same to everybody, whatever was last set in their browser.
    pub filled_in: PolicyForm,
    /// The form as it is now.
    pub form: PolicyForm,
}

impl LinkedForm {
    /// What the page of a batch begins with, and what led to it: what the tab
    /// remembers of it, unless the address names another link, or was `opened` just
    /// now and not reloaded. `None` where no link has filled it in.
    pub fn begin(
        remembered: Option<Self>,
        pairs: &[(String, String)],
        opened: bool,
    ) -> Option<(Self, FilledIn)> {
        let Some(filled_in) = PolicyForm::default().filled_in_by(pairs.iter().cloned()) else {
            return remembered.map(|it| (it, FilledIn::Earlier));
        };
        let same = remembered.filter(|it| it.filled_in == filled_in && !opened);
        let it = same.unwrap_or_else(|| Self {
            form: filled_in.clone(),
            filled_in,
        });
        Some((it, FilledIn::ByAddress))
    }

    /// The same with what a person has made of it.
    #[must_use]
    pub fn changed_to(self, form: PolicyForm) -> Self {
        Self { form, ..self }
    }
}

fn attempts(text: &str) -> Result<u32, String> {
    match text.trim().parse::<i64>() {
        Ok(n) if n < 0 => Err(format!("must be at least 0, got: {n}")),
        Ok(n) => u32::try_from(n).map_err(|_| format!("is too large: {n}")),
        Err(_) => Err("must be a whole number from 0, such as 2".into()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        // Negated, so that NaN is refused too: in the CLI it disables the guard.
        Ok(n) if !(n > 0.0 && n <= 100.0) => {
            Err(format!("must be greater than 0 and at most 100, got: {n}"))
        }
        Ok(n) => Ok(n),
        Err(_) => Err("must be a number above 0 and at most 100, such as 50 or 0.5".into()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = GoDuration::parse(text)
        .map_err(|error| format!("{error}. Write it like 30s, 1m30s or 2h"))?;
    parsed
        .to_std()
        .ok_or_else(|| format!("must not be negative, got: {parsed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(field: Field, text: &str) -> String {
        let mut form = PolicyForm::default();
        form.set(field, text.to_owned());
        let errors = form.check(Duration::from_secs(10)).expect_err(text);
        assert_eq!(errors.len(), 1, "{text}");
        assert_eq!(errors[0].field, field);
        errors[0].message.clone()
    }

    #[test]
    fn the_untouched_form_is_the_documented_default() {
        assert_eq!(
            PolicyForm::default().check(Duration::from_secs(10)),
            Ok(Policy::default())
        );
    }

    #[test]
    fn a_link_fills_in_what_it_names() {
        let form = PolicyForm::default();
        let link = |pairs: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(own).collect::<Vec<_>>().into_iter()
        };
        let other = link(&[("status", "ERROR"), ("q", "x")]);
        assert_eq!(form.clone().filled_in_by(other), None);
        let three = link(&[
            ("max-rerun-attempts", "3"),
            ("wait-timeout", "2h"),
            ("rerun-on-states", "Error,Blocker"),
        ]);
        let filled = form.filled_in_by(three).expect("it names three");
        assert_eq!(filled.max_rerun_attempts, "3");
        assert_eq!(filled.wait_timeout, "2h");
        assert_eq!(filled.rerun_on_states, "Error,Blocker");
        assert_eq!(filled.poll_every, "30s", "not named, so as it was");
    }

    #[test]
    fn what_a_link_filled_in_survives_a_reload_with_what_was_made_of_it() {
        let link = |n: &str| vec![("max-rerun-attempts".to_owned(), n.to_owned())];
        assert_eq!(LinkedForm::begin(None, &[], true), None);
        let begun = LinkedForm::begin(None, &link("3"), true);
        let (mut it, by) = begun.expect("it names one");
        assert_eq!(by, FilledIn::ByAddress);
        assert_eq!(
            (&*it.form.max_rerun_attempts, &*it.form.poll_every),
            ("3", "30s"),
            "what it does not name is the default, not what somebody set last"
        );
        it.form.set(Field::WaitTimeout, "2h".into());
        // The address still names it, or no longer does.
        for (pairs, by) in [
            (link("3"), FilledIn::ByAddress),
            (Vec::new(), FilledIn::Earlier),
        ] {
            let again = LinkedForm::begin(Some(it.clone()), &pairs, false);
            assert_eq!(again, Some((it.clone(), by)));
        }
        let other = LinkedForm::begin(Some(it), &link("5"), false);
        let (other, _) = other.expect("another link");
        assert_eq!(other.form.max_rerun_attempts, "5");
        assert_eq!(other.form, other.filled_in);
    }

    #[test]
    fn a_link_that_is_opened_again_fills_in_again() {
        let link = vec![("max-rerun-attempts".to_owned(), "3".to_owned())];
        let begin = |remembered, opened| {
            let begun = LinkedForm::begin(remembered, &link, opened);
            begun.expect("it names one").0
        };
        let mut changed = PolicyForm::default();
        changed.set(Field::MaxRerunAttempts, "7".into());
        let it = begin(None, true).changed_to(changed);
        assert_eq!(begin(Some(it.clone()), false).form.max_rerun_attempts, "7");
        assert_eq!(begin(Some(it), true).form.max_rerun_attempts, "3");
    }

    #[test]
    fn bad_values_are_refused_at_once_with_the_fix() {
        for text in ["NaN", "inf", "0", "-1", "100.5", "100.0001"] {
            assert!(
                refused(Field::RerunMaxFailurePercent, text).contains("at most 100"),
                "{text}"
            );
        }
        for text in ["", "half", "50%"] {
            refused(Field::RerunMaxFailurePercent, text);
        }
        for text in ["-1", "1.5", "", "many", "4294967296"] {
            refused(Field::MaxRerunAttempts, text);
        }
        assert!(refused(Field::RerunOnStates, "Error,").contains("unsupported rerun state: ."));
        assert!(refused(Field::RerunOnStates, "Passed").contains("PASSED"));
        assert!(refused(Field::FailOnStates, "oops").contains("OOPS"));
        for text in ["", "5", "1h 30m", "-1s", "1d", "NaN"] {
            refused(Field::WaitTimeout, text);
            refused(Field::PollEvery, text);
        }
        assert!(refused(Field::PollEvery, "9.999s").contains("at least 10s"));
    }

    #[test]
    fn the_edges_of_the_cli_are_accepted() {
        let mut form = PolicyForm::default();
        form.set(Field::MaxRerunAttempts, "0".into());
        form.set(Field::RerunMaxFailurePercent, "0.5".into());
        form.set(Field::RerunOnStates, " warning , ERROR,error".into());
        form.set(Field::WaitTimeout, "0".into());
        form.set(Field::PollEvery, "10s".into());
        let policy = form.check(Duration::from_secs(10)).unwrap();
        assert_eq!(policy.max_rerun_attempts, 0);
        assert_eq!(
            policy.rerun_on,
            WatchedStates {
                warning: true,
                error: true,
                blocker: false
            }
        );
        assert_eq!(policy.wait_timeout, Duration::ZERO);
    }

    #[test]
    fn every_field_keeps_its_own_text_and_has_its_own_help() {
        let mut form = PolicyForm::default();
        for field in Field::ALL {
            form.set(field, format!("typed into {}", field.name()));
        }
        let mut helps = std::collections::BTreeSet::new();
        for field in Field::ALL {
            assert_eq!(form.text(field), format!("typed into {}", field.name()));
            assert!(helps.insert(field.help()), "{} is said twice", field.help());
        }
    }

    #[test]
    fn a_refused_value_names_the_flag_that_it_was_for() {
        let error = FieldError {
            field: Field::PollEvery,
            message: "is too short".into(),
        };
        assert_eq!(error.to_string(), "poll-every: is too short");
    }

    #[test]
    fn a_link_of_earlier_is_not_said_to_be_the_one_that_led_here() {
        let [now, earlier] = [FilledIn::ByAddress, FilledIn::Earlier].map(FilledIn::words);
        assert!(now.contains("the link that led here"), "{now}");
        assert!(earlier.contains("earlier in this tab"), "{earlier}");
    }
}
