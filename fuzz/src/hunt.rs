//! The loop: mutate, judge, follow what is new.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    class::of_words,
    corpus::{self, Entry},
    dice::Dice,
    judge::{Broken, judge},
    mutate::mutate,
    targets::Target,
};

/// What a hunt through one target came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Inputs judged, the corpus included.
    pub inputs: u64,
    /// Classes of outcomes, and how often each was met.
    pub classes: BTreeMap<String, u64>,
    /// Inputs that were valid.
    pub valid: u64,
    /// Inputs that led to a POST, which is allowed for valid ones alone.
    pub acted: u64,
    /// Inputs that broke a promise, the first of each kind.
    pub broken: Vec<(Vec<u8>, Broken)>,
    /// How many panicked.
    pub panics: u64,
    /// How many acted on an invalid answer.
    pub acted_on_invalid: u64,
    /// How many broke another promise.
    pub promises: u64,
    /// The first input of each class that the corpus did not have.
    pub new: Vec<Vec<u8>>,
    /// The slowest input.
    pub slowest: Duration,
}

/// Most inputs that are mutated further.
const POOL: usize = 2_000;
/// Broken inputs kept of one target.
const BROKEN: usize = 5;

impl Report {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// Judges an input; true if its class is new.
    fn take(&mut self, target: &Target, input: &[u8]) -> bool {
        let judgement = judge(target, input);
        self.inputs += 1;
        self.slowest = self.slowest.max(judgement.took);
        match judgement.result {
            Ok(outcome) => {
                self.valid += u64::from(outcome.is_valid);
                self.acted += u64::from(outcome.acted);
                let count = self.classes.entry(outcome.class).or_default();
                *count += 1;
                *count == 1
            }
            Err(broken) => {
                match broken {
                    Broken::Panic(_) => self.panics += 1,
                    Broken::ActedOnInvalid(_) => self.acted_on_invalid += 1,
                    Broken::Promise(_) => self.promises += 1,
                }
                if self.broken.len() < BROKEN {
                    self.broken.push((input.to_vec(), broken));
                }
                false
            }
        }
    }
}

/// Judges the corpus, then `inputs` mutations of it. A function of its seed
/// and the corpus.
pub fn hunt(target: &Target, entries: Vec<Entry>, inputs: u64, seed: u64) -> Report {
    let mut report = Report::default();
    let mut pool: Vec<Vec<u8>> = entries.into_iter().map(|entry| entry.bytes).collect();
    for input in &pool {
        report.take(target, input);
    }
    if pool.is_empty() {
        pool.push(Vec::new());
    }
    let corpus = pool.len();
    let mut dice = Dice::new(seed, target.name);
    for _ in 0..inputs {
        // Half of them start at the corpus: what a hunt adds is mostly refused.
        let among = if dice.once_in(2) { corpus } else { pool.len() };
        let (base, other) = (dice.below(among), dice.below(pool.len()));
        let input = mutate(&pool[base], &pool[other], target.words, &mut dice);
        if report.take(target, &input) {
            report.new.push(input.clone());
            if pool.len() < POOL {
                pool.push(input);
            }
        }
    }
    report
}

/// Makes an input smaller as long as it keeps its class: piece by piece, then
/// the pieces halved.
pub fn shrink(target: &Target, input: &[u8]) -> Vec<u8> {
    let class = |input: &[u8]| match judge(target, input).result {
        Ok(outcome) => outcome.class,
        Err(Broken::Panic(_)) => "panics".to_owned(),
        Err(Broken::ActedOnInvalid(_)) => "acts".to_owned(),
        Err(Broken::Promise(words)) => of_words(&words),
    };
    let wanted = class(input);
    let mut it = input.to_vec();
    let mut piece = it.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < it.len() {
            let mut shorter = it.clone();
            shorter.drain(at..(at + piece).min(it.len()));
            if class(&shorter) == wanted {
                it = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    it
}

/// Writes what is new into the corpus, shrunk; returns how many files.
///
/// # Errors
/// A file cannot be written.
pub fn keep(target: &Target, report: &Report, most: usize) -> std::io::Result<usize> {
    let mut kept = 0;
    for input in report.new.iter().take(most) {
        corpus::write(target.name, "kept", &shrink(target, input))?;
        kept += 1;
    }
    Ok(kept)
}
