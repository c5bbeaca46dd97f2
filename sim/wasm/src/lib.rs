//! The simulation as a WebAssembly module: it imports nothing, so it has no clock and
//! no randomness but the seed that it is given. `cargo xtask sim --replays N` makes runs
//! again in it and compares them with those of the machine (`sim/src/wasm.rs`).

use retake_sim::{SeedRange, imprint};

/// One run of the swarm in one number ([`imprint`]), with the planted bug of this place
/// in `Bug::ALL`, counted from 1; 0 for none.
#[expect(
    unsafe_code,
    reason = "an exported name, which must be the only one of its kind; it is"
)]
#[unsafe(no_mangle)]
pub extern "C" fn imprint_of(bug: u32, seed: u64) -> u64 {
    plant(bug);
    imprint(&SeedRange::swarm(seed, 1), seed)
}

#[cfg(feature = "planted")]
fn plant(bug: u32) {
    use retake_core::planted::{Bug, plant};

    let place = usize::try_from(bug).expect("a place fits");
    plant((place > 0).then(|| Bug::ALL[place - 1]));
}

/// Without the feature there are no bugs to plant.
#[cfg(not(feature = "planted"))]
fn plant(bug: u32) {
    assert!(bug == 0, "this module was built without planted bugs");
}
