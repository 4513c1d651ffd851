//! How often each caller has asked: a leaky bucket that is one moment in time, the one at which it will be empty. A caller
//! whose bucket is empty needs no place in the table, which is bounded all the same.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Rate;

/// Callers remembered: each one takes about a hundred bytes. Those beyond it share one bucket until there is room.
const CALLERS: usize = 65_536;

/// How often a full table is looked through for empty buckets.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Under what a caller is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// Somebody.
    Principal(Arc<str>),
    /// Whoever is anonymous there.
    Address(IpAddr),
    /// Anonymous by a token, on this connection.
    Connection(u64),
    /// Those who found the table full.
    Rest,
}

pub(super) struct Rates {
    principal: Option<Rate>,
    address: Option<Rate>,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    empty_at: HashMap<Caller, Instant>,
    swept: Option<Instant>,
}

impl Rates {
    pub(super) fn new(principal: Option<Rate>, address: Option<Rate>) -> Self {
        Self { principal, address, table: Mutex::default() }
    }

    /// Counts `whole` questions, of which some are counted `already`. Refused ones are not counted: the time after which all
    /// of them would not be is given.
    pub(super) fn take(&self, caller: &Caller, whole: u32, already: u32, now: Instant) -> Result<(), Duration> {
        let rate = if matches!(caller, Caller::Principal(_)) { self.principal } else { self.address };
        let Some(Rate { per_second, burst }) = rate else { return Ok(()) };
        let (one, burst) = (Duration::from_secs(1) / per_second.max(1), burst.max(1));
        let full = one * burst;
        // What is more than a burst could never pass.
        let more = one * whole.min(burst).saturating_sub(already);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = table.place(caller, now);
        let empty_at = table.empty_at.get(&caller).map_or(now, |at| (*at).max(now)) + more;
        let filled = empty_at.saturating_duration_since(now);
        if filled > full {
            return Err(filled.saturating_sub(full) + one * already);
        }
        table.empty_at.insert(caller, empty_at);
        Ok(())
    }
}

impl Table {
    /// The caller itself, or the rest if there is no room for it.
    fn place(&mut self, caller: &Caller, now: Instant) -> Caller {
        if self.empty_at.len() < CALLERS || self.empty_at.contains_key(caller) {
            return caller.clone();
        }
        if self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP_EVERY) {
            self.swept = Some(now);
            self.empty_at.retain(|_, at| *at > now);
        }
        if self.empty_at.len() < CALLERS { caller.clone() } else { Caller::Rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<Rate> = Some(Rate { per_second: 10, burst: 5 });

    fn who(name: &str) -> Caller {
        Caller::Principal(name.into())
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (rates, start) = (Rates::new(RATE, None), Instant::now());
        for _ in 0..5 {
            assert_eq!(rates.take(&who("ann"), 1, 0, start), Ok(()));
        }
        assert_eq!(rates.take(&who("ann"), 1, 0, start), Err(Duration::from_millis(100)));
        assert_eq!(rates.take(&who("ann"), 3, 0, start), Err(Duration::from_millis(300)));
        assert_eq!(rates.take(&who("bob"), 5, 0, start), Ok(()), "another's bucket is another");
        let later = start + Duration::from_millis(100);
        assert_eq!(rates.take(&who("ann"), 1, 0, later), Ok(()), "what was refused was not counted");
        assert!(rates.take(&who("ann"), 1, 0, later).is_err());
        assert_eq!(
            rates.take(&who("ann"), 5, 0, start + Duration::from_secs(9)),
            Ok(()),
            "but never more than a burst"
        );
        assert!(rates.take(&who("ann"), 1, 0, start + Duration::from_secs(9)).is_err());
    }

    #[test]
    fn what_costs_more_than_a_burst_passes_an_empty_bucket() {
        let (rates, start) = (Rates::new(RATE, None), Instant::now());
        assert_eq!(rates.take(&who("ann"), 100, 0, start), Ok(()));
        assert!(rates.take(&who("ann"), 1, 0, start).is_err());
        // Also when its first part was counted before the rest was known.
        assert_eq!(rates.take(&who("bob"), 1, 0, start), Ok(()));
        assert_eq!(rates.take(&who("bob"), 100, 1, start), Ok(()));
        // And whoever comes again when it was told to, passes.
        assert_eq!(rates.take(&who("eve"), 2, 0, start), Ok(()));
        let wait = rates.take(&who("eve"), 100, 1, start).unwrap_err();
        assert_eq!(rates.take(&who("eve"), 1, 0, start + wait), Ok(()));
        assert_eq!(rates.take(&who("eve"), 100, 1, start + wait), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_those_who_are_quiet() {
        let (rates, start) = (Rates::new(RATE, RATE), Instant::now());
        let len = || rates.table.lock().unwrap().empty_at.len();
        for n in 0..CALLERS + 1000 {
            let _ = rates.take(&Caller::Connection(n as u64), 1, 0, start);
        }
        assert_eq!(len(), CALLERS + 1);
        assert!(
            rates.take(&Caller::Connection(u64::MAX), 1, 0, start).is_err(),
            "the rest share a bucket, which is full"
        );
        let later = start + Duration::from_secs(2);
        assert_eq!(rates.take(&Caller::Connection(u64::MAX), 1, 0, later), Ok(()));
        assert_eq!(len(), 1);
    }
}
