//! Seeded randomness (`SplitMix64`, public domain constants).

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A well-mixed number from any number.
pub(crate) const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in `low..=high` from a mixed one.
pub(crate) const fn within(bits: u64, low: i64, high: i64) -> i64 {
    low + (bits % (high - low + 1).unsigned_abs()).cast_signed()
}

/// A stream of random numbers that a seed determines.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The stream of this seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0xD1B5_4A32_D192_ED03))
    }

    /// The next number.
    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number in `0..bound`.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// A number in `low..=high`.
    pub(crate) const fn between(&mut self, low: i64, high: i64) -> i64 {
        within(self.roll(), low, high)
    }

    /// True in so many of 1000 cases.
    pub(crate) const fn permille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).expect("an index fits")]
    }
}
