//! How long to wait before trying again: exponential with full jitter, so that clients cut off together don't come back
//! together, and never sooner than the server asked. It reads no clock and brings no randomness of its own.

use rand::{Rng, RngCore};

use crate::limits::{BACKOFF_FIRST_MS, BACKOFF_MAX_MS, RETRY_AFTER_MAX_MS};

/// Counts failures in a row and says how long to wait after each.
#[derive(Debug, Clone, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure, in milliseconds; at least `retry_after` where the server named one.
    pub(super) fn next(&mut self, retry_after: i64, rng: &mut dyn RngCore) -> i64 {
        let doubled = BACKOFF_FIRST_MS.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        // Jitter on top of Retry-After too: everybody was told the same number.
        retry_after.clamp(0, RETRY_AFTER_MAX_MS) + rng.random_range(1..=doubled.min(BACKOFF_MAX_MS))
    }

    /// It worked: the next failure is a first one again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling_spread_over_all_of_it_and_begin_anew_after_a_success() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut longest = [0; 12];
        for _ in 0..300 {
            let mut backoff = Backoff::default();
            for (round, longest) in longest.iter_mut().enumerate() {
                let wait = backoff.next(0, &mut rng);
                let ceiling = (BACKOFF_FIRST_MS << round).min(BACKOFF_MAX_MS);
                assert!((1..=ceiling).contains(&wait), "{wait} in round {round}");
                *longest = (*longest).max(wait);
            }
            backoff.reset();
            assert!(backoff.next(0, &mut rng) <= BACKOFF_FIRST_MS);
        }
        assert!(longest[0] > BACKOFF_FIRST_MS * 9 / 10 && longest[11] > BACKOFF_MAX_MS * 9 / 10, "{longest:?}");
    }

    #[test]
    fn the_server_s_wish_is_the_least_wait_and_a_wild_one_is_cut() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::default();
        assert!(backoff.next(5_000, &mut rng) > 5_000);
        assert!(backoff.next(i64::MAX, &mut rng) <= RETRY_AFTER_MAX_MS + BACKOFF_MAX_MS);
        assert!(backoff.next(-5, &mut rng) > 0);
    }
}
