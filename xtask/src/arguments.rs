//! The command line of a task: `--name value`, `--name=value` and `--flag`.

use crate::failure::{Failure, Outcome, fail};

/// What was written after the task's name.
#[derive(Debug)]
pub(crate) struct Arguments {
    words: Vec<String>,
    task: &'static str,
}

impl Arguments {
    /// The words that follow `task`.
    pub(crate) fn new(task: &'static str, words: Vec<String>) -> Self {
        Self { words, task }
    }

    /// Takes what follows a lone `--`: words for the program behind the task.
    pub(crate) fn take_rest(&mut self) -> Vec<String> {
        match self.words.iter().position(|word| word == "--") {
            Some(at) => self.words.drain(at..).skip(1).collect(),
            None => Vec::new(),
        }
    }

    /// Takes a flag; true when it was there.
    pub(crate) fn take_flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// Takes the value of an option; the last one counts.
    ///
    /// # Errors
    /// When the option is the last word and has no value.
    pub(crate) fn take_value(&mut self, name: &str) -> Outcome<Option<String>> {
        Ok(self.take_values(name)?.pop())
    }

    /// Takes all values of an option that may be repeated.
    ///
    /// # Errors
    /// When the option is the last word and has no value.
    pub(crate) fn take_values(&mut self, name: &str) -> Outcome<Vec<String>> {
        let mut values = Vec::new();
        while let Some(at) = self.words.iter().position(|word| {
            word == name
                || word
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('='))
        }) {
            let word = self.words.remove(at);
            if let Some((_, value)) = word.split_once('=') {
                values.push(value.to_owned());
            } else if at < self.words.len() && !self.words[at].starts_with("--") {
                values.push(self.words.remove(at));
            } else {
                return fail(format!("`{name}` needs a value."));
            }
        }
        Ok(values)
    }

    /// As [`Self::take_value`], and parses it. `kind` says what it must be.
    ///
    /// # Errors
    /// When the value is missing or isn't one.
    pub(crate) fn take_parsed<T: std::str::FromStr>(
        &mut self,
        name: &str,
        kind: &str,
    ) -> Outcome<Option<T>> {
        self.take_value(name)?
            .map(|text| {
                text.parse()
                    .map_err(|_| Failure(format!("`{name} {text}`: this is not {kind}.")))
            })
            .transpose()
    }

    /// Makes sure that every word was understood.
    ///
    /// # Errors
    /// The first word that wasn't.
    pub(crate) fn finish(self) -> Outcome<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => fail(format!(
                "`cargo xtask {}` doesn't know `{word}`. See `cargo xtask --help`.",
                self.task
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Arguments {
        Arguments::new(
            "serve",
            words.iter().map(|word| (*word).to_owned()).collect(),
        )
    }

    #[test]
    fn both_spellings_of_a_value_are_taken() {
        let mut given = arguments(&["--port", "81", "--release", "--api=http://x/?a=b"]);
        assert_eq!(
            given.take_parsed::<u16>("--port", "a port").unwrap(),
            Some(81)
        );
        assert_eq!(
            given.take_value("--api").unwrap().as_deref(),
            Some("http://x/?a=b")
        );
        assert!(given.take_flag("--release"));
        assert!(!given.take_flag("--release"));
        given.finish().unwrap();
    }

    #[test]
    fn a_wrong_word_a_missing_value_and_a_bad_value_are_sentences() {
        let words = arguments(&["--prot", "81"]).finish().unwrap_err().0;
        assert!(words.contains("doesn't know `--prot`"), "{words}");
        assert!(arguments(&["--port"]).take_value("--port").is_err());
        assert!(
            arguments(&["--port", "--release"])
                .take_value("--port")
                .is_err()
        );
        let words = arguments(&["--port", "99999"])
            .take_parsed::<u16>("--port", "a port number")
            .unwrap_err()
            .0;
        assert!(
            words.contains("`--port 99999`: this is not a port number"),
            "{words}"
        );
    }

    #[test]
    fn the_rest_is_passed_on_untouched() {
        let mut given = arguments(&["--only", "e2e", "--", "--headed", "sign-in"]);
        assert_eq!(given.take_rest(), ["--headed", "sign-in"]);
        assert_eq!(given.take_values("--only").unwrap(), ["e2e"]);
        given.finish().unwrap();
    }
}
