//! New ids, from a moment and randomness that are handed in: UUIDv7, which keeps the server's index warm. It never asks
//! the machine for either.

use rand::RngCore;
use riverrun_core::{ClientId, Millis, MutationId};

/// A new mutation id.
pub fn mint(now: Millis, rng: &mut dyn RngCore) -> MutationId {
    // can't fail: 36 letters, digits and dashes are within an id's limits.
    MutationId::new(uuid_v7(now, rng)).expect("a UUID is an id")
}

pub(crate) fn mint_client(now: Millis, rng: &mut dyn RngCore) -> ClientId {
    // can't fail: 36 letters, digits and dashes are within an id's limits.
    ClientId::new(uuid_v7(now, rng)).expect("a UUID is an id")
}

fn uuid_v7(now: Millis, rng: &mut dyn RngCore) -> String {
    let millis = now.0.max(0).unsigned_abs() & 0xffff_ffff_ffff;
    let (a, b) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}",
        millis >> 16,
        millis & 0xffff,
        a & 0xfff,
        0x8000 | ((a >> 16) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn ids_tell_their_time_and_their_version_and_are_never_the_same() {
        let mut rng = StdRng::seed_from_u64(1);
        let (a, b) = (mint(Millis(0x0199_0000_00ab), &mut rng), mint(Millis(0x0199_0000_00ab), &mut rng));
        assert!(a.as_str().starts_with("01990000-00ab-7"), "{a}");
        assert!(matches!(a.as_str().as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{a}");
        assert_eq!(a.as_str().len(), 36);
        assert_ne!(a, b);
        assert!(mint(Millis(-1), &mut rng).as_str().starts_with("00000000-0000-7"));
    }
}
