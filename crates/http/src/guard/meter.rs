//! A caller as the routes and the sockets see it: whether it may ask now, and what it holds. Over HTTP a caller that asks
//! too often is told when to come again; on a socket it is read from more slowly, and refused only after a while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::request::Parts;
use riverrun_core::Principal;
use tokio::time::sleep;

use super::{
    Held, Limits, address,
    budget::Budget,
    rates::{Caller, Rates},
};
use crate::answer::Refusal;

/// 5 s: how long a frame waits for its turn. Nothing else of its socket is read meanwhile, and pings are not answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// Questions that one failed attempt to prove who one is counts for.
const FAILED_PROOF: u32 = 10;

/// What all callers share.
pub(crate) struct Guard {
    pub(crate) limits: Limits,
    rates: Rates,
    budget: Arc<Budget>,
    connections: AtomicU64,
}

/// One caller. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Meter {
    guard: Arc<Guard>,
    /// `None`: it can't be told from others, and is not limited.
    caller: Option<Caller>,
}

impl Guard {
    pub(crate) fn new(limits: Limits) -> Self {
        let rates = Rates::new(limits.principal, limits.address);
        let budget = Arc::new(Budget::new(limits.bodies_bytes, limits.bodies_share));
        Self { limits, rates, budget, connections: AtomicU64::new(0) }
    }

    /// The caller of a request, as authentication found.
    pub(crate) fn meter(self: &Arc<Self>, parts: &Parts, who: &Principal) -> Meter {
        let caller = if *who == Principal::anonymous() { self.somewhere(parts) } else { Some(principal(who)) };
        Meter { guard: Arc::clone(self), caller }
    }

    /// A caller that proved who it is on a socket.
    pub(crate) fn meter_of(self: &Arc<Self>, who: &Principal) -> Meter {
        let alone = || Caller::Connection(self.connections.fetch_add(1, Ordering::Relaxed));
        let caller = if *who == Principal::anonymous() { alone() } else { principal(who) };
        Meter { guard: Arc::clone(self), caller: Some(caller) }
    }

    /// Counts a request that did not prove who sent it.
    pub(crate) fn unknown(self: &Arc<Self>, parts: &Parts, failed: bool) -> Result<(), Refusal> {
        let meter = Meter { guard: Arc::clone(self), caller: self.somewhere(parts) };
        meter.take(if failed { FAILED_PROOF } else { 1 })
    }

    fn somewhere(&self, parts: &Parts) -> Option<Caller> {
        address::caller(parts, self.limits.address_header.as_ref()).map(Caller::Address)
    }
}

impl Meter {
    /// Counts questions, or refuses them with the time to come again.
    pub(crate) fn take(&self, cost: u32) -> Result<(), Refusal> {
        self.now(cost, 0).map_err(Refusal::rate_limited)
    }

    /// Counts a push's mutations, the first of which was counted when it came.
    pub(crate) fn take_rest(&self, mutations: usize) -> Result<(), Refusal> {
        self.now(count(mutations), 1).map_err(Refusal::rate_limited)
    }

    /// Counts a frame, whose turn may come later.
    pub(crate) async fn turn(&self) -> Result<(), Refusal> {
        self.wait(1, 0).await
    }

    /// Counts the rest of a frame's push, as [`Self::take_rest`] does.
    pub(crate) async fn turn_of_rest(&self, mutations: usize) -> Result<(), Refusal> {
        self.wait(count(mutations), 1).await
    }

    async fn wait(&self, whole: u32, already: u32) -> Result<(), Refusal> {
        let since = Instant::now();
        while let Err(wait) = self.now(whole, already) {
            let left = PATIENCE.saturating_sub(since.elapsed());
            sleep(wait.min(left)).await;
            if wait > left {
                return Err(Refusal::rate_limited(wait));
            }
        }
        Ok(())
    }

    /// Nothing held yet.
    pub(crate) fn held(&self) -> Held {
        self.guard.budget.held(self.caller.clone())
    }

    fn now(&self, whole: u32, already: u32) -> Result<(), Duration> {
        match &self.caller {
            Some(caller) => self.guard.rates.take(caller, whole, already, Instant::now()),
            None => Ok(()),
        }
    }
}

fn count(mutations: usize) -> u32 {
    u32::try_from(mutations).unwrap_or(u32::MAX)
}

fn principal(who: &Principal) -> Caller {
    Caller::Principal(who.as_str().into())
}
