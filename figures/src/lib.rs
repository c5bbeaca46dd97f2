//! The figures of reliability (`reliability.md` §8) as files: whatever measures
//! writes one, `cargo xtask report` reads them all into one table.
//!
//! A figure says by itself whether it holds, whether it is a promise, and over how
//! much it was measured; what follows is [`Figure::standing`], and nobody else's rule.
//! The browser tests write the same format (`tests/e2e/support/reporter.ts`).

use std::{fs, path::Path, process::ExitCode};

use serde_json::{Map, Value, json};

/// How much was measured, of what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// So much was.
    pub done: u64,
    /// So much is asked for.
    pub asked: u64,
    /// Of what: "seeds".
    pub unit: String,
}

impl Volume {
    /// So many of so many.
    pub fn new(done: u64, asked: u64, unit: impl Into<String>) -> Self {
        Self {
            done,
            asked,
            unit: unit.into(),
        }
    }

    /// Whether it is less than asked for.
    pub fn is_short(&self) -> bool {
        self.done < self.asked
    }
}

/// What a figure comes to, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be, over all that is asked for.
    Met,
    /// As it should be, over less than is asked for.
    Short,
    /// A goal that is not reached.
    NotMet,
    /// A promise that is broken.
    Broken,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its number in `reliability.md` §8, such as `#1`.
    pub id: String,
    /// What is counted.
    pub what: String,
    /// What it should be.
    pub goal: String,
    /// What it is.
    pub measured: String,
    /// The command that measured it.
    pub command: String,
    /// What is measured is as it should be, however little it was.
    pub holds: bool,
    /// If it does not hold, the product is wrong, and not only slow or untested.
    pub promise: bool,
    /// Over how much; nothing where that makes no difference.
    pub volumes: Vec<Volume>,
}

impl Figure {
    /// A promise: nothing may break it.
    pub fn promise(id: &str, what: &str, goal: &str, measured: String, holds: bool) -> Self {
        Self {
            promise: true,
            ..Self::goal(id, what, goal, measured, holds)
        }
    }

    /// A goal: better if it is reached.
    pub fn goal(id: &str, what: &str, goal: &str, measured: String, holds: bool) -> Self {
        Self {
            id: id.into(),
            what: what.into(),
            goal: goal.into(),
            measured,
            command: String::new(),
            holds,
            promise: false,
            volumes: Vec::new(),
        }
    }

    /// Measured over so much.
    #[must_use]
    pub fn over(mut self, done: u64, asked: u64, unit: &str) -> Self {
        self.volumes.push(Volume::new(done, asked, unit));
        self
    }

    /// What it comes to: a broken promise is one however little was measured, and
    /// what holds over too little is not met yet.
    pub fn standing(&self) -> Standing {
        match (self.holds, self.promise) {
            (false, true) => Standing::Broken,
            (false, false) => Standing::NotMet,
            (true, _) if self.volumes.iter().any(Volume::is_short) => Standing::Short,
            (true, _) => Standing::Met,
        }
    }

    fn to_json(&self) -> Value {
        let volumes: Vec<Value> = self
            .volumes
            .iter()
            .map(|it| json!({"done": it.done, "asked": it.asked, "unit": it.unit}))
            .collect();
        json!({
            "id": self.id, "what": self.what, "goal": self.goal, "measured": self.measured,
            "command": self.command, "holds": self.holds, "promise": self.promise,
            "volumes": volumes,
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let it = fields(value)?;
        Ok(Self {
            id: text(it, "id")?,
            what: text(it, "what")?,
            goal: text(it, "goal")?,
            measured: text(it, "measured")?,
            command: text(it, "command")?,
            holds: flag(it, "holds")?,
            promise: flag(it, "promise")?,
            volumes: list(it, "volumes")?
                .iter()
                .map(|value| {
                    let it = fields(value)?;
                    Ok(Volume::new(
                        number(it, "done")?,
                        number(it, "asked")?,
                        text(it, "unit")?,
                    ))
                })
                .collect::<Result<_, String>>()?,
        })
    }
}

/// The figures of one measurement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The commit that was measured, with a mark where files differed from it.
    pub commit: String,
    /// When, as far as whoever measured told.
    pub date: String,
    /// Each.
    pub all: Vec<Figure>,
}

impl Figures {
    /// None yet, of this commit.
    pub fn of(commit: impl Into<String>) -> Self {
        Self {
            commit: commit.into(),
            ..Self::default()
        }
    }

    /// Adds one that this command measures.
    pub fn add(&mut self, figure: Figure, command: &str) {
        self.all.push(Figure {
            command: command.into(),
            ..figure
        });
    }

    /// As a file holds them.
    pub fn to_json(&self) -> String {
        let figures: Vec<Value> = self.all.iter().map(Figure::to_json).collect();
        let whole = json!({"commit": self.commit, "date": self.date, "figures": figures});
        format!("{whole:#}\n")
    }

    /// From a file's text.
    ///
    /// # Errors
    /// What is missing or of another kind, in words.
    pub fn from_json(text_of_file: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text_of_file).map_err(|it| it.to_string())?;
        let it = fields(&value)?;
        Ok(Self {
            commit: text(it, "commit")?,
            date: text(it, "date")?,
            all: list(it, "figures")?
                .iter()
                .map(Figure::from_json)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// A sentence, when the system refuses.
    pub fn write(&self, to: &Path) -> Result<(), String> {
        fs::write(to, self.to_json()).map_err(|error| {
            let to = to.display();
            format!("the figures cannot be written to {to}: {error}")
        })
    }

    /// How a program ends that has measured them: it writes the file, if it was asked
    /// for one, and fails if that fails or it has not `passed`.
    pub fn conclude(&self, file: Option<&Path>, passed: bool) -> ExitCode {
        match file.map_or(Ok(()), |file| self.write(file)) {
            Ok(()) if passed => ExitCode::SUCCESS,
            Ok(()) => ExitCode::FAILURE,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        }
    }
}

fn fields(value: &Value) -> Result<&Map<String, Value>, String> {
    value.as_object().ok_or(format!("{value} is not an object"))
}

fn field<'a>(it: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    it.get(name).ok_or(format!("`{name}` is missing"))
}

fn text(it: &Map<String, Value>, name: &str) -> Result<String, String> {
    let value = field(it, name)?;
    let text = value.as_str().map(ToOwned::to_owned);
    text.ok_or(format!("`{name}` is not a text"))
}

fn flag(it: &Map<String, Value>, name: &str) -> Result<bool, String> {
    let value = field(it, name)?.as_bool();
    value.ok_or(format!("`{name}` is neither true nor false"))
}

fn number(it: &Map<String, Value>, name: &str) -> Result<u64, String> {
    let value = field(it, name)?.as_u64();
    value.ok_or(format!("`{name}` is not a whole number"))
}

fn list<'a>(it: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], String> {
    let value = field(it, name)?.as_array();
    value
        .map(Vec::as_slice)
        .ok_or(format!("`{name}` is not a list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubles(count: u32, seeds: u64) -> Figure {
        Figure::promise(
            "#1",
            "doubles",
            "0 in 1,000 seeds",
            count.to_string(),
            count == 0,
        )
        .over(seeds, 1_000, "seeds")
    }

    #[test]
    fn a_promise_is_met_only_over_all_that_is_asked_for() {
        assert_eq!(doubles(0, 1_000).standing(), Standing::Met);
        assert_eq!(doubles(0, 999).standing(), Standing::Short);
        assert_eq!(doubles(0, 0).standing(), Standing::Short);
    }

    #[test]
    fn a_promise_is_broken_however_little_was_measured() {
        assert_eq!(doubles(1, 5_000).standing(), Standing::Broken);
        assert_eq!(doubles(1, 1).standing(), Standing::Broken);
    }

    #[test]
    fn a_goal_is_missed_and_never_broken() {
        let speed = |holds| Figure::goal("#27", "speed", "20,000", "x".into(), holds);
        assert_eq!(speed(true).standing(), Standing::Met);
        assert_eq!(speed(false).standing(), Standing::NotMet);
        assert_eq!(
            speed(false).over(1, 2, "runs").standing(),
            Standing::NotMet,
            "more of the same would not reach it"
        );
    }

    #[test]
    fn one_volume_that_is_short_is_enough() {
        let both = Figure::goal("#3", "time", "much", "some".into(), true)
            .over(10, 10, "years")
            .over(9, 10, "calls");
        assert_eq!(both.standing(), Standing::Short);
    }

    #[test]
    fn a_file_gives_back_what_was_written_whatever_is_in_its_words() {
        let mut figures = Figures::of("abc1234");
        figures.date = "2026-01-02".into();
        let odd = Figure::goal(
            "#2",
            "a \"quoted\" \\ word",
            "0",
            "a\tb | c\n".into(),
            false,
        );
        figures.add(doubles(0, 5), "cargo xtask sim");
        figures.add(odd, "cargo xtask sim");
        assert_eq!(figures.all[0].command, "cargo xtask sim");
        assert_eq!(Figures::from_json(&figures.to_json()), Ok(figures));
    }

    #[test]
    fn a_file_that_is_none_says_what_is_wrong() {
        for (text, why) in [
            ("", "EOF"),
            ("[]", "not an object"),
            (r#"{"commit": "x", "date": ""}"#, "`figures` is missing"),
            (
                r#"{"commit": 1, "date": "", "figures": []}"#,
                "`commit` is not a text",
            ),
            (
                r##"{"commit": "", "date": "", "figures": [{"id": "#1"}]}"##,
                "`what` is missing",
            ),
        ] {
            let said = Figures::from_json(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
