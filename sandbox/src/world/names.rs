//! Words of robot simulation, put together by seed.

use crate::seed::{below, pick};

const MOODS: [&str; 24] = [
    "rejoicing",
    "patient",
    "curious",
    "brisk",
    "gentle",
    "stubborn",
    "radiant",
    "quiet",
    "eager",
    "dapper",
    "frosty",
    "nimble",
    "sturdy",
    "wandering",
    "vivid",
    "humble",
    "lucky",
    "mellow",
    "plucky",
    "serene",
    "spirited",
    "thrifty",
    "witty",
    "zesty",
];
const COLOURS: [&str; 20] = [
    "aquamarine",
    "crimson",
    "teal",
    "amber",
    "violet",
    "indigo",
    "olive",
    "coral",
    "silver",
    "maroon",
    "cobalt",
    "ivory",
    "jade",
    "lilac",
    "ochre",
    "plum",
    "ruby",
    "slate",
    "topaz",
    "umber",
];
const ANIMALS: [&str; 24] = [
    "starfish", "otter", "heron", "badger", "lynx", "marmot", "osprey", "puffin", "raven", "seal",
    "stoat", "tapir", "walrus", "yak", "zebra", "gecko", "ibis", "jackal", "koala", "lemur",
    "newt", "quail", "salmon", "toad",
];

/// A launch name like `rejoicing-aquamarine-starfish`.
pub(crate) fn friendly(key: u64) -> String {
    format!(
        "{}-{}-{}",
        pick(&MOODS, key, 1),
        pick(&COLOURS, key, 2),
        pick(&ANIMALS, key, 3)
    )
}

const PLACES: [&str; 16] = [
    "aisle_crossing",
    "dock_door",
    "narrow_aisle",
    "charging_bay",
    "mezzanine_ramp",
    "pick_station",
    "cold_storage",
    "conveyor_merge",
    "blind_corner",
    "pallet_stack",
    "loading_bay",
    "freight_lift",
    "returns_area",
    "two_way_lane",
    "shelf_row",
    "packing_cell",
];
const EVENTS: [&str; 18] = [
    "pedestrian",
    "forklift_cut_in",
    "dropped_box",
    "lidar_dropout",
    "wet_floor",
    "low_light",
    "fallen_pallet",
    "crowd",
    "glare",
    "occluded_worker",
    "e_stop",
    "wifi_loss",
    "low_battery",
    "map_shift",
    "reversing_truck",
    "tail_swing",
    "slow_amr",
    "reflective_wrap",
];
const KINDS: [&str; 6] = ["nominal", "dense", "fast", "night", "heavy_load", "edge"];

/// The name of the numbered scenario of a suite; unique within the suite.
pub(crate) fn experience(suite: u64, index: u32) -> String {
    let salt = u64::from(index);
    format!(
        "{}_{}_{}_{:03}",
        pick(&PLACES, suite, salt ^ 0x100_0000),
        pick(&EVENTS, suite, salt ^ 0x200_0000),
        pick(&KINDS, suite, salt ^ 0x300_0000),
        index + 1
    )
}

/// A sentence about a scenario.
pub(crate) fn experience_description(suite: u64, index: u32) -> String {
    let salt = u64::from(index);
    let place = pick(&PLACES, suite, salt ^ 0x100_0000).replace('_', " ");
    let event = pick(&EVENTS, suite, salt ^ 0x200_0000).replace('_', " ");
    format!(
        "{event} in the {place}, {} robots",
        1 + below(suite, salt, 9)
    )
}

/// One of the ways in which a test breaks.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) exit_code: Option<i32>,
}

/// Why the numbered run of a scenario broke. Four of five scenarios break
/// the same way every time, so that grouping by cause has something to find;
/// figures inside the text differ, as they do in real logs.
pub(crate) fn cause(suite: u64, index: u32, run: u32) -> Cause {
    let salt = u64::from(index);
    let steady = below(suite, salt ^ 0x77, 5) != 0;
    let which = below(
        suite,
        salt ^ if steady { 0 } else { u64::from(run) << 32 },
        9,
    );
    let n = |bound: u64| below(suite, salt ^ (u64::from(run) << 40) ^ bound, bound);
    let cause = |code, exit_code, text: String| Cause {
        code,
        text,
        exit_code,
    };
    match which {
        0 | 1 => cause(
            "NONZERO_EXIT_CODE",
            Some(139),
            format!(
                "planner_node died with SIGSEGV at 0x{:08x} in CostmapLayer::updateBounds",
                n(0xffff_ffff)
            ),
        ),
        2 => cause(
            "NONZERO_EXIT_CODE",
            Some(137),
            format!("experience container was killed: out of memory ({} MiB used, limit 8192 MiB)", 8193 + n(400)),
        ),
        3 => cause(
            "CUSTOMER_CONTAINER_TIMED_OUT",
            None,
            format!("experience container did not finish within 1800 s; last output {} s ago", 60 + n(900)),
        ),
        4 => cause(
            "CUSTOMER_WORKLOAD_ERROR",
            Some(1),
            format!("Timed out waiting for /clock after 30.0 s (attempt {})", 1 + n(3)),
        ),
        5 => cause(
            "CUSTOMER_WORKLOAD_ERROR",
            Some(2),
            "localization: no lidar points received on /scan_front; check the sensor model\nTraceback (most recent call last):\n  File \"run_experience.py\", line 214, in main\nRuntimeError: sensor bring-up failed".to_owned(),
        ),
        6 => cause(
            "UNKNOWN_WORKER_ERROR",
            None,
            format!("worker i-0{:010x} was reclaimed by the cloud provider", n(0xff_ffff_ffff)),
        ),
        7 => cause(
            "NONZERO_EXIT_CODE",
            Some(1),
            format!("metrics container: KeyError: 'min_clearance_m' in job {}", 10_000 + n(89_999)),
        ),
        _ => cause("UNKNOWN_ERROR", None, "unknown error".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn scenario_names_of_a_suite_are_unique() {
        let names: BTreeSet<_> = (0..5_000).map(|i| experience(3, i)).collect();
        assert_eq!(names.len(), 5_000);
    }

    #[test]
    fn failures_have_several_distinct_causes() {
        let codes: BTreeSet<_> = (0..200).map(|i| cause(3, i, 1).code).collect();
        assert!(codes.len() >= 5);
    }
}
