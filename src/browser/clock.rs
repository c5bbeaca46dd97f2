//! The two clocks, and local time for people.

use std::{cell::RefCell, time::Duration};

use js_sys::{Date, Intl, Object, Reflect};
use retake_core::{domain::Timestamp, supervise::Now};
use wasm_bindgen::{JsCast, JsValue};

use super::{random, window};

/// The wall clock.
pub fn wall() -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 are whole and fit"
    )]
    Timestamp::from_millis(Date::now() as i64)
}

/// Both clocks and a throw of dice, as the machines want them.
pub fn now() -> Now {
    let mono = window().performance().map_or(0.0, |it| it.now());
    Now {
        wall: wall(),
        mono: Duration::from_secs_f64(mono.max(0.0) / 1000.0),
        dice: random::u64(),
    }
}

/// Time of day where the person is: `14:03:22`.
pub fn local_time(at: Timestamp) -> String {
    format(
        at,
        &[
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ],
    )
}

/// Day and time to the second where the person is: `24 Nov, 14:03:22`.
pub fn local_moment(at: Timestamp) -> String {
    format(
        at,
        &[
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ],
    )
}

/// Day and time where the person is: `24 Nov, 14:03`.
pub fn local_day_time(at: Timestamp) -> String {
    format(
        at,
        &[
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
        ],
    )
}

/// Day, time and zone where the person is, and the same in UTC, for tooltips:
/// `Wed, 25 Nov 2026, 14:03:22 CET (2026-11-25T13:03:22Z)`.
pub fn in_full(at: Timestamp) -> String {
    format!("{} ({})", local_full(at), at.to_rfc3339())
}

/// Day, time and zone where the person is: `Wed, 25 Nov 2026, 14:03:22 CET`.
pub fn local_full(at: Timestamp) -> String {
    format(
        at,
        &[
            ("weekday", "short"),
            ("day", "numeric"),
            ("month", "short"),
            ("year", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
            ("timeZoneName", "short"),
        ],
    )
}

/// Makes the browser ready to write times. Its first formatter takes it about 20 ms: better
/// while the person or the network is waited for than in the task that makes a page.
pub fn make_ready() {
    let _ = local_full(wall());
}

/// Day and zone where the person is: `Wed, 25 Nov 2026, CET`.
pub fn local_day_and_zone(at: Timestamp) -> String {
    let day = format(
        at,
        &[
            ("weekday", "short"),
            ("day", "numeric"),
            ("month", "short"),
            ("year", "numeric"),
        ],
    );
    // The zone alone cannot be asked for: it comes with an hour before it.
    let hour_and_zone = format(at, &[("hour", "2-digit"), ("timeZoneName", "short")]);
    match hour_and_zone.split_once(' ') {
        Some((_, zone)) => format!("{day}, {zone}"),
        None => day,
    }
}

thread_local! {
    /// The browser's formatters by what they show: a new one costs more than a
    /// whole row of the table. Each keeps the zone that it was made in, so they are made
    /// anew where the clock has moved to another one.
    static FORMATTERS: RefCell<Formatters> = const {
        RefCell::new(Formatters { minutes: 0.0, known: Vec::new() })
    };
}

struct Formatters {
    /// How far the zone is from UTC.
    minutes: f64,
    known: Vec<(Parts, js_sys::Function)>,
}

/// Which parts of a time are shown, and how.
type Parts = &'static [(&'static str, &'static str)];

fn format(at: Timestamp, parts: Parts) -> String {
    let formatter = FORMATTERS.with_borrow_mut(|formatters| {
        let minutes = Date::new_0().get_timezone_offset();
        if minutes.to_bits() != formatters.minutes.to_bits() {
            formatters.minutes = minutes;
            formatters.known.clear();
        }
        let same = |it: &&(Parts, js_sys::Function)| it.0 == parts;
        if let Some((_, formatter)) = formatters.known.iter().find(same) {
            return formatter.clone();
        }
        let formatter = formatter(parts);
        formatters.known.push((parts, formatter.clone()));
        formatter
    });
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit a double"
    )]
    let date = Date::new(&JsValue::from_f64(at.as_millis() as f64));
    formatter
        .call1(&JsValue::UNDEFINED, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| at.to_rfc3339())
}

fn formatter(parts: Parts) -> js_sys::Function {
    let options = Object::new();
    for (name, value) in parts {
        // Setting a property of a fresh plain object does not fail.
        let _ = Reflect::set(
            &options,
            &JsValue::from_str(name),
            &JsValue::from_str(value),
        );
    }
    let _ = Reflect::set(&options, &"hourCycle".into(), &"h23".into());
    // English order and names: the rest of the page is English.
    let locales = js_sys::Array::of1(&"en-GB".into());
    Intl::DateTimeFormat::new(locales.unchecked_ref(), options.unchecked_ref()).format()
}

/// The day where the person is: `24 Nov 2026`.
pub fn local_date(at: Timestamp) -> String {
    format(
        at,
        &[("day", "numeric"), ("month", "short"), ("year", "numeric")],
    )
}
