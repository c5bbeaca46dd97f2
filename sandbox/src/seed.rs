//! Randomness that can be asked again: hashes of a seed and a place.
//!
//! Why: nothing is drawn in sequence, so the answer for test 99,999 needs no
//! work for the 99,998 before it, and the same seed gives the same world in
//! whatever order it is read.

use uuid::Uuid;

/// Mixes a 64-bit word (the finaliser of `SplitMix64`).
pub(crate) const fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hash of a key and a salt.
pub(crate) const fn hash(key: u64, salt: u64) -> u64 {
    mix(key ^ mix(salt))
}

/// A hash of a key and a text.
pub(crate) fn hash_text(key: u64, text: &str) -> u64 {
    text.bytes()
        .fold(mix(key), |state, byte| hash(state, u64::from(byte)))
}

/// A number below `bound`, or 0 if the bound is 0.
pub(crate) const fn below(key: u64, salt: u64, bound: u64) -> u64 {
    if bound == 0 {
        0
    } else {
        hash(key, salt) % bound
    }
}

/// One of the items.
pub(crate) fn pick<T>(items: &[T], key: u64, salt: u64) -> &T {
    let index = usize::try_from(below(key, salt, items.len() as u64)).unwrap_or(0);
    &items[index]
}

/// A UUID that looks like version 4.
pub(crate) fn uuid(key: u64, salt: u64) -> Uuid {
    let high = hash(key, salt);
    shape(high, hash(high, salt ^ 0x5bd1))
}

/// The UUID of the numbered item of a family. [`index_of`] finds the number
/// again without a table, which keeps 100,000 tests free of storage.
pub(crate) fn numbered_uuid(family: u64, index: u32) -> Uuid {
    let high = hash(family, u64::from(index));
    let mask = hash(family, 0x6d61_736b) & 0xffff_ffff;
    let low = (hash(high, 0x6c6f) << 32) | (u64::from(index) ^ mask);
    shape(high, low)
}

/// The number of an item in its family, if the UUID belongs to it.
pub(crate) fn index_of(family: u64, id: Uuid) -> Option<u32> {
    let mask = hash(family, 0x6d61_736b) & 0xffff_ffff;
    let (_, low) = id.as_u64_pair();
    let index = u32::try_from((low & 0xffff_ffff) ^ mask).ok()?;
    (numbered_uuid(family, index) == id).then_some(index)
}

fn shape(high: u64, low: u64) -> Uuid {
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    Uuid::from_u64_pair(high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_uuid_gives_its_number_back() {
        for index in [0, 1, 77, 99_999, u32::MAX] {
            assert_eq!(index_of(42, numbered_uuid(42, index)), Some(index));
            assert_eq!(index_of(43, numbered_uuid(42, index)), None);
        }
    }

    #[test]
    fn uuids_have_the_form_of_version_4() {
        let text = uuid(1, 2).to_string();
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]));
    }
}
