//! One step while it is being made: its moment, its randomness, and what it has to be done. It only collects; the order
//! in which everything leaves is decided once, at the step's end.

use rand::RngCore;
use riverrun_core::Millis;

use crate::{
    event::{Effect, News},
    saved::Write,
};

/// See the file's head.
pub(super) struct Cx<'a> {
    pub(super) now: Millis,
    pub(super) rng: &'a mut dyn RngCore,
    /// What leaves for the network.
    pub(super) out: Vec<Effect>,
    /// What is to be stored, all of it in one transaction.
    pub(super) writes: Vec<Write>,
    /// What the user is told.
    pub(super) news: Vec<News>,
}

impl<'a> Cx<'a> {
    pub(super) fn new(now: Millis, rng: &'a mut dyn RngCore) -> Self {
        Self { now, rng, out: Vec::new(), writes: Vec::new(), news: Vec::new() }
    }

    /// The moment this many milliseconds from now.
    pub(super) fn after(&self, millis: i64) -> Millis {
        Millis(self.now.0.saturating_add(millis))
    }

    /// From 0 up to, not including, `millis`.
    pub(super) fn spread(&mut self, millis: i64) -> i64 {
        rand::Rng::random_range(&mut *self.rng, 0..millis.max(1))
    }

    pub(super) fn tell(&mut self, news: News) {
        self.news.push(news);
    }
}
