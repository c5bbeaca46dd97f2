//! When two states are the same state: feeds whatever serializes into a hash,
//! with every moment as its distance from now.
//!
//! A supervision that waits for its second poll at noon and one that does so at
//! one o'clock go on alike, so the model must not tell them apart. Left out is
//! what decides nothing: when the supervision was started, and the numbers of
//! questions (at most one is open, and it is the latest).
//!
//! Moments are known by their size. The model's wall clock starts at
//! [`WALL`] and its other clock at [`MONO`]; no other number comes near.

use std::{fmt::Display, hash::Hash, hash::Hasher};

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible},
};

/// The wall clock at the model's time 0, in milliseconds.
pub(crate) const WALL: i64 = 1_800_000_000_000;
/// The clock that never jumps at the model's time 0, in milliseconds.
pub(crate) const MONO: i64 = 1_000_000_000;

/// A number below this is no moment of the wall clock.
const LEAST_WALL: i64 = WALL / 2;
/// A span below this is no moment of the other clock, in nanoseconds.
const LEAST_MONO: i128 = MONO as i128 * 1_000_000 / 2;

/// A moment this long ago is past for every rule of the core, so that its age
/// tells nothing more: the longest is a read that is open for 90 s and rests on a
/// run that began a minute before.
const PAST: i64 = 180_000;
/// The same of single fields, by their names.
const PAST_OF: [(&str, i64); 2] = [
    // The last sign of life in the journal: the next one is due after a minute.
    ("last_written", 60_000),
    // Nothing is waited for any more once it is over.
    ("listen_until", 0),
];
/// Fields that decide nothing: when it was started and last asked is for the screen.
const FOR_THE_SCREEN: &[&str] = &["started", "calls", "last_poll"];

/// Feeds `value` into `to`, as seen at the model's time `now`, in milliseconds.
/// Fields of these names are left out, and those that are for the screen.
pub(crate) fn feed<T: Serialize + ?Sized>(
    value: &T,
    now: i64,
    without: &[&str],
    to: &mut impl Hasher,
) {
    feed_without(value, now, [FOR_THE_SCREEN, without], to);
}

fn feed_without<T: Serialize + ?Sized>(
    value: &T,
    now: i64,
    without: [&[&str]; 2],
    to: &mut impl Hasher,
) {
    let mut likeness = Likeness {
        to,
        now,
        without,
        past: PAST,
        span: None,
    };
    value
        .serialize(&mut likeness)
        .expect("every kind of value of the core is fed below");
}

struct Likeness<'a, H> {
    to: &'a mut H,
    now: i64,
    without: [&'a [&'a str]; 2],
    past: i64,
    /// A `Duration` that is being put together, in nanoseconds.
    span: Option<i128>,
}

/// A kind of value that the core has none of.
#[derive(Debug)]
struct Unknown(String);

impl Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unknown {}

impl ser::Error for Unknown {
    fn custom<T: Display>(what: T) -> Self {
        Self(what.to_string())
    }
}

impl<H: Hasher> Likeness<'_, H> {
    #[expect(clippy::unnecessary_wraps, reason = "what every caller gives back")]
    fn put(&mut self, value: impl Hash) -> Result<(), Unknown> {
        value.hash(self.to);
        Ok(())
    }
}

macro_rules! plain {
    ($($name:ident $kind:ty;)*) => {$(
        fn $name(self, value: $kind) -> Result<(), Unknown> {
            self.put(value)
        }
    )*};
}

impl<H: Hasher> Serializer for &mut Likeness<'_, H> {
    type Ok = ();
    type Error = Unknown;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Unknown>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plain! {
        serialize_bool bool; serialize_i8 i8; serialize_i16 i16; serialize_i32 i32;
        serialize_u8 u8; serialize_u16 u16; serialize_char char; serialize_str &str;
        serialize_bytes &[u8];
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unknown> {
        if value >= LEAST_WALL {
            let ago = value - WALL - self.now;
            self.put(ago.max(-self.past))
        } else {
            self.put(value)
        }
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unknown> {
        match &mut self.span {
            Some(span) => *span += i128::from(value),
            None => self.put(value)?,
        }
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unknown> {
        match &mut self.span {
            Some(span) => *span += i128::from(value) * 1_000_000_000,
            None => self.put(value)?,
        }
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unknown> {
        self.put(value.to_bits())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unknown> {
        self.put(value.to_bits())
    }

    fn serialize_none(self) -> Result<(), Unknown> {
        self.put(0_u8)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unknown> {
        self.put(1_u8)?;
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unknown> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unknown> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<(), Unknown> {
        self.put(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unknown> {
        if name == "CallId" {
            return Ok(());
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unknown> {
        self.put(index)?;
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Unknown> {
        self.put(len)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unknown> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unknown> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unknown> {
        Err(ser::Error::custom(name))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Unknown> {
        self.put(len)?;
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, Unknown> {
        if name == "Duration" {
            self.span = Some(0);
        }
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Unknown> {
        self.put(index)?;
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<H: Hasher> ser::SerializeStruct for &mut Likeness<'_, H> {
    type Ok = ();
    type Error = Unknown;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unknown> {
        if self.without.iter().any(|names| names.contains(&key)) {
            return Ok(());
        }
        let past = PAST_OF.iter().find(|(name, _)| *name == key);
        self.past = past.map_or(PAST, |(_, past)| *past);
        value.serialize(&mut **self)?;
        self.past = PAST;
        Ok(())
    }

    fn end(self) -> Result<(), Unknown> {
        match self.span.take() {
            Some(span) if span >= LEAST_MONO => {
                let ago = span - i128::from(MONO + self.now) * 1_000_000;
                self.put(ago.max(-i128::from(self.past) * 1_000_000))
            }
            Some(span) => self.put(span),
            None => Ok(()),
        }
    }
}

impl<H: Hasher> ser::SerializeStructVariant for &mut Likeness<'_, H> {
    type Ok = ();
    type Error = Unknown;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unknown> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unknown> {
        Ok(())
    }
}

impl<H: Hasher> ser::SerializeMap for &mut Likeness<'_, H> {
    type Ok = ();
    type Error = Unknown;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unknown> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unknown> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unknown> {
        Ok(())
    }
}

macro_rules! elements {
    ($($kind:ident $name:ident;)*) => {$(
        impl<H: Hasher> ser::$kind for &mut Likeness<'_, H> {
            type Ok = ();
            type Error = Unknown;

            fn $name<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unknown> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Unknown> {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

#[cfg(test)]
mod tests {
    use std::{hash::DefaultHasher, time::Duration};

    use retake_core::{
        domain::Timestamp,
        supervise::{BatchRef, Opened, Role, Seat, Supervisor},
    };

    use super::*;
    use crate::{
        bounds::Scene,
        server::BATCH,
        world::{LATER_OF_MACHINE, World, limits, policy, unheeded_of_seat},
    };

    fn hash<T: Serialize>(value: &T, now: i64) -> u64 {
        let mut hasher = DefaultHasher::new();
        feed(value, now, &[], &mut hasher);
        hasher.finish()
    }

    #[test]
    fn moments_count_by_their_distance_and_other_numbers_as_they_are() {
        let wall = |ms| Timestamp::from_millis(WALL + ms);
        assert_eq!(hash(&wall(500), 200), hash(&wall(800), 500));
        assert_ne!(hash(&wall(500), 200), hash(&wall(800), 200));
        let mono = |ms: i64| Duration::from_millis((MONO + ms).unsigned_abs());
        assert_eq!(hash(&mono(999), 1), hash(&mono(1_999), 1_001));
        assert_ne!(hash(&mono(999), 1), hash(&mono(1_000), 1));
        let span = Duration::from_secs(30);
        assert_eq!(hash(&span, 1), hash(&span, 2));
        assert_ne!(hash(&7_i64, 0), hash(&8_i64, 0));
    }

    /// Whether a field of this name decides what the hash of `value` is.
    fn has<T: Serialize>(value: &T, field: &str) -> bool {
        let hash = |without: &[&str]| {
            let mut hasher = DefaultHasher::new();
            feed_without(value, 0, [&[], without], &mut hasher);
            hasher.finish()
        };
        hash(&[]) != hash(&[field])
    }

    #[test]
    fn every_field_that_is_named_is_there() {
        let now = World::new(1, Scene::OneTab).clock();
        let machine = Supervisor::start(policy(), limits(), BatchRef::Id(BATCH), now);
        let seat = Seat::open(Opened::Fresh, true, now);
        let past = PAST_OF.map(|(name, _)| name);
        let of_seat = [Some(Role::Acting), Some(Role::Mirroring), None].map(unheeded_of_seat);
        for name in [FOR_THE_SCREEN, &past, LATER_OF_MACHINE]
            .into_iter()
            .chain(of_seat)
            .flatten()
        {
            assert!(has(&machine, name) || has(&seat, name), "{name}");
        }
        assert!(!has(&machine, "last_written_poll"), "no field is called so");
    }

    #[test]
    fn a_sign_of_life_is_past_once_the_next_one_is_due() {
        #[derive(Serialize)]
        struct Reads {
            last_written: Timestamp,
        }
        let ago = |ms| {
            let last_written = Timestamp::from_millis(WALL - ms);
            hash(&Reads { last_written }, 0)
        };
        assert_ne!(ago(59_999), ago(60_000));
        assert_eq!(ago(60_000), ago(100_000));
    }
}
