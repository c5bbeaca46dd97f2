//! Broken and hostile input against every reader of the core.
//!
//! ```text
//! corpus/<target>/*  ->  mutate  ->  judge(target)  ->  outcome class
//!        ^                                |
//!        `---- a class that is new -------'
//! ```
//!
//! A *target* is one reader: the answer to one call, a journal, `config.json`,
//! a pasted link. It is fed bytes and says which class of outcome they led to,
//! or which promise they broke. What every target promises: no panic, an end
//! within [`TIME_LIMIT`], no character that deceives in any word for people, and
//! the same value again where a value is written and read. A target that can
//! lead to a rerun runs the real supervisor on the input, with everything else
//! honest and ripe for a rerun, and promises that an invalid answer asks for no
//! POST, and a valid one only for what the bytes themselves say, read by
//! `serde_json` alone.
//!
//! **Why a mutator of our own.** Coverage feedback needs a nightly compiler or
//! libFuzzer; this workspace builds with stable Rust alone. Without it `bolero`
//! runs its stable engine, which draws random bytes, and `arbitrary` and
//! `proptest` make values of Rust types, whereas what breaks a reader is nearly
//! right JSON. [`mutate`] knows tokens, lines and the words of each target, is
//! a function of its seed, and needs no dependency. In place of coverage the
//! *class* of an outcome is the feedback: an input that leads to a new one is
//! mutated further, and `--keep` writes it into the corpus.
//!
//! - `targets/`: one function for each reader, with its promises.
//! - [`stage`]: the supervisor, with an API of which one answer is the input.
//! - [`judge`]: runs one input, catches panics, measures time.
//! - [`corpus`]: the files; [`hunt`]: the loop.
//!
//! `cargo test -p retake-fuzz` replays the corpus, `cargo xtask fuzz` hunts.

pub mod class;
pub mod corpus;
mod dice;
pub mod hunt;
pub mod input;
pub mod judge;
pub mod mutate;
pub mod stage;
pub mod targets;

pub use dice::Dice;
pub use judge::{Judgement, TIME_LIMIT, judge};
pub use targets::{Outcome, TARGETS, Target};
