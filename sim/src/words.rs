//! The words of the command line, and the commands that say them again.

use std::{path::PathBuf, time::Duration};

use retake_sim::{Mix, SeedRange};

/// Seeds of a run without words: what every change must pass.
const SEEDS: u64 = 1_000_000;

/// What was asked for.
pub(crate) struct Words {
    pub(crate) seeds: Option<u64>,
    pub(crate) from: u64,
    pub(crate) seed: Option<u64>,
    pub(crate) planted: bool,
    /// Failing runs to make again.
    pub(crate) replays: Option<u64>,
    /// The simulation as a WebAssembly module, to make them in too.
    pub(crate) wasm: Option<PathBuf>,
    pub(crate) sweep: bool,
    pub(crate) figures: Option<PathBuf>,
    /// Fewer runs a second of processor time fail.
    pub(crate) demand_speed: Option<u64>,
    pub(crate) compare: Option<u64>,
    pub(crate) coverage: bool,
    pub(crate) mix: Mix,
    pub(crate) settle: Option<u64>,
    pub(crate) commit: String,
    /// Told with the figures; changes nothing but the speed.
    pub(crate) build: Build,
}

/// How this program was compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    Plain,
    /// By its own course, as a run of it has shown it.
    Trained,
}

impl Words {
    /// Reads the words that follow the program's name.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut it = Self {
            seeds: None,
            from: 0,
            seed: None,
            planted: false,
            replays: None,
            wasm: None,
            sweep: false,
            figures: None,
            demand_speed: None,
            compare: None,
            coverage: false,
            mix: Mix::Swarm,
            settle: None,
            commit: "unknown".into(),
            build: Build::Plain,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number = |text: String| {
                let plain = text.replace('_', "");
                plain
                    .parse::<u64>()
                    .map_err(|_| format!("{text} is not a number"))
            };
            match word.as_str() {
                "--seeds" => it.seeds = Some(number(value()?)?),
                "--from" => it.from = number(value()?)?,
                "--seed" => it.seed = Some(number(value()?)?),
                "--settle" => it.settle = Some(number(value()?)?),
                "--compare" => it.compare = Some(number(value()?)?),
                "--demand-speed" => it.demand_speed = Some(number(value()?)?),
                "--figures" => it.figures = Some(value()?.into()),
                "--sweep" => it.sweep = true,
                "--planted" => it.planted = true,
                "--replays" => it.replays = Some(number(value()?)?),
                "--wasm" => it.wasm = Some(value()?.into()),
                "--coverage" => it.coverage = true,
                "--trained" => it.build = Build::Trained,
                "--commit" => it.commit = value()?,
                "--mix" => {
                    let name = value()?;
                    it.mix = Mix::named(&name).ok_or(format!("there is no mix called {name}"))?;
                }
                other => return Err(format!("{other} is not understood")),
            }
        }
        Ok(it)
    }

    /// The runs that were asked for.
    pub(crate) fn range(&self) -> SeedRange {
        // Each planted bug is looked for until it is caught, or its time is over.
        let seeds = if self.planted {
            u64::from(u32::MAX)
        } else {
            SEEDS
        };
        SeedRange {
            mix: self.mix,
            settle: self.settle.map(Duration::from_secs),
            ..SeedRange::swarm(self.from, self.seeds.unwrap_or(seeds))
        }
    }

    /// The command that measures the same again.
    pub(crate) fn how(&self) -> String {
        let mut how = "cargo xtask sim".to_owned();
        if self.planted {
            how.push_str(" --planted");
        }
        if let Some(wanted) = self.replays {
            how.push_str(&format!(" --replays {wanted}"));
        }
        if self.sweep {
            how.push_str(" --sweep");
        }
        if let Some(seeds) = self.compare {
            how.push_str(&format!(" --compare {seeds}"));
        }
        if self.build == Build::Trained {
            how.push_str(" --trained");
        }
        if let Some(seeds) = self.seeds {
            how.push_str(&format!(" --seeds {seeds}"));
        }
        // The others choose their own seeds, faults and windows.
        if self.replays.is_none() && !self.sweep && self.compare.is_none() {
            if self.from != 0 {
                how.push_str(&format!(" --from {}", self.from));
            }
            how.push_str(&setup(&self.range()));
        }
        how
    }
}

/// The command that makes one of these runs again, and tells it.
pub(crate) fn again(range: &SeedRange, seed: u64) -> String {
    format!("cargo xtask sim --seed {seed}{}", setup(range))
}

/// The words without which a seed is another run.
fn setup(range: &SeedRange) -> String {
    let mut words = String::new();
    if range.mix != Mix::Swarm {
        words.push_str(&format!(" --mix {}", range.mix.name()));
    }
    if let Some(settle) = range.settle {
        words.push_str(&format!(" --settle {}", settle.as_secs()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Words {
        let words = words.split_whitespace().map(str::to_owned);
        Words::read(words).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn a_figure_names_the_command_that_measures_it_again() {
        for words in [
            "",
            " --seeds 5",
            " --trained --seeds 5",
            " --seeds 5 --from 7",
            " --seeds 5 --from 7 --mix harsh --settle 60",
            " --planted",
            " --planted --seeds 5",
            " --replays 3",
            " --sweep --seeds 5",
            " --compare 9",
        ] {
            assert_eq!(read(words).how(), format!("cargo xtask sim{words}"));
        }
    }

    #[test]
    fn a_run_is_made_again_with_its_faults_and_its_window() {
        for (words, command) in [
            ("", "cargo xtask sim --seed 3"),
            ("--seeds 9 --from 2", "cargo xtask sim --seed 3"),
            (
                "--mix mild --settle 60",
                "cargo xtask sim --seed 3 --mix mild --settle 60",
            ),
        ] {
            let range = read(words).range();
            assert_eq!(again(&range, 3), command);
            let same = command
                .strip_prefix("cargo xtask sim")
                .expect("it begins so");
            let same = read(same);
            assert_eq!(same.seed, Some(3));
            let same = same.range();
            assert_eq!((same.mix, same.settle), (range.mix, range.settle));
        }
    }

    #[test]
    fn planted_bugs_are_looked_for_in_the_seeds_that_are_asked_for() {
        let seeds = |words| read(words).range().seeds;
        assert_eq!(seeds("--planted --seeds 5"), 5);
        assert_eq!(seeds("--planted"), u64::from(u32::MAX));
        assert_eq!(seeds("--seeds 1_000"), 1_000);
        assert_eq!(seeds(""), SEEDS);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for words in ["--seeds", "--seeds many", "--mix stormy", "--colour"] {
            let words = words.split_whitespace().map(str::to_owned);
            assert!(Words::read(words).is_err());
        }
    }
}
