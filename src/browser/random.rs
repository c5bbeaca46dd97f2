//! Random bits from the browser's own generator.

use super::window;

/// 32 random bytes, fit for secrets.
pub fn bytes32() -> [u8; 32] {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    bytes
}

/// 64 random bits.
pub fn u64() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn fill(bytes: &mut [u8]) {
    let crypto = window()
        .crypto()
        .expect("every browser that runs wasm has crypto");
    crypto
        .get_random_values_with_u8_array(bytes)
        .expect("fewer than 65,536 bytes are always given");
}
