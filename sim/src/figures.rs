//! The figures of a run as JSON, for `cargo xtask report`.

use std::{fmt::Write as _, fs, io, path::Path};

/// One figure of `reliability.md` §8.
#[derive(Debug)]
struct Figure {
    id: &'static str,
    what: String,
    goal: &'static str,
    measured: String,
    met: bool,
    seeds: String,
}

/// The figures of one run.
#[derive(Debug)]
pub(crate) struct Figures {
    /// The command that measured them.
    how: String,
    all: Vec<Figure>,
}

impl Figures {
    /// None yet, by this command.
    pub(crate) fn by(how: impl Into<String>) -> Self {
        Self {
            how: how.into(),
            all: Vec::new(),
        }
    }

    /// Adds one.
    pub(crate) fn add(
        &mut self,
        id: &'static str,
        what: impl Into<String>,
        goal: &'static str,
        measured: String,
        met: bool,
        seeds: String,
    ) {
        self.all.push(Figure {
            id,
            what: what.into(),
            goal,
            measured,
            met,
            seeds,
        });
    }

    /// All of them as a JSON array.
    fn json(&self) -> String {
        let mut text = String::from("[");
        for (index, it) in self.all.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\n  {{");
            for (name, value) in [
                ("id", it.id),
                ("what", &it.what),
                ("goal", it.goal),
                ("measured", &it.measured),
                ("how", &self.how),
                ("seeds", &it.seeds),
            ] {
                let _ = write!(text, "\"{name}\": \"{}\", ", escaped(value));
            }
            let _ = write!(text, "\"met\": {}}}", it.met);
        }
        text.push_str("\n]\n");
        text
    }

    /// Writes them.
    pub(crate) fn write(&self, to: &Path) -> io::Result<()> {
        fs::write(to, self.json())
    }
}

/// The text as it stands in a JSON string.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_an_array_of_objects_whatever_is_in_their_words() {
        let mut figures = Figures::by("cargo xtask sim");
        assert_eq!(figures.json(), "[\n]\n");
        let what = "a \"quoted\" \\ word";
        figures.add("#1", what, "0", "a\tb".into(), true, "0..5".into());
        figures.add(
            "#7",
            "wrong verdicts",
            "0",
            "1".into(),
            false,
            "0..5".into(),
        );
        assert_eq!(
            figures.json(),
            concat!(
                "[\n  {\"id\": \"#1\", \"what\": \"a \\\"quoted\\\" \\\\ word\", \"goal\": \"0\", ",
                "\"measured\": \"a\\u0009b\", \"how\": \"cargo xtask sim\", \"seeds\": \"0..5\", ",
                "\"met\": true},\n  {\"id\": \"#7\", \"what\": \"wrong verdicts\", \"goal\": \"0\", ",
                "\"measured\": \"1\", \"how\": \"cargo xtask sim\", \"seeds\": \"0..5\", \"met\": false}\n]\n"
            )
        );
    }
}
