//! What is known at the moment: does the application answer, which version of the pages is the newest, is something being
//! built, what is wrong. Those who follow it see the newest state, not each step; it must never be a queue of events, or a
//! page that connects late would miss one.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

/// Where requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// Nowhere: it was never built, or it ended by itself.
    Down,
    /// The old program is gone, the new one not there yet: requests wait.
    Starting,
    /// Here.
    Up(SocketAddr),
}

/// What somebody has to mend, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// One line.
    pub(crate) title: String,
    /// The compiler's words or the program's last ones, with the terminal's colours in them.
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Now {
    pub(crate) upstream: Upstream,
    /// Counts what makes a page outdated.
    pub(crate) page: u64,
    /// Counts what makes styles outdated.
    pub(crate) styles: u64,
    /// What is being built, as a person reads it.
    pub(crate) building: Option<String>,
    pub(crate) problem: Option<Problem>,
}

/// See the file's head. Shared by reference.
#[derive(Debug)]
pub(crate) struct Board {
    /// Tells this run from the one before, whose counts meant something else.
    session: String,
    now: watch::Sender<Now>,
}

impl Board {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Now { upstream: Upstream::Down, page: 0, styles: 0, building: None, problem: None };
        Self { session: format!("{:x}", since.as_millis()), now: watch::Sender::new(now) }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Now)) {
        self.now.send_modify(change);
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Now> {
        self.now.subscribe()
    }

    /// The version of a page that is made now; the page's script compares it with what it hears.
    pub(crate) fn version(&self) -> (String, u64) {
        let now = self.now.borrow();
        (format!("{}.{}", self.session, now.page), now.styles)
    }

    /// What the page's script is told.
    pub(crate) fn told(&self, now: &Now) -> Value {
        let app = match now.upstream {
            Upstream::Down => "down",
            Upstream::Starting => "starting",
            Upstream::Up(_) => "up",
        };
        let problem = now.problem.as_ref().map(|problem| json!({ "title": problem.title, "text": problem.text }));
        json!({
            "page": format!("{}.{}", self.session, now.page),
            "styles": now.styles,
            "app": app,
            "building": now.building,
            "problem": problem,
        })
    }

    /// Where requests go, once a start that is under way is over; `None` if nobody is there.
    pub(crate) async fn upstream(&self, within: Duration) -> Option<SocketAddr> {
        let mut follow = self.follow();
        let settled = timeout(within, follow.wait_for(|now| now.upstream != Upstream::Starting)).await;
        match settled.ok()?.ok()?.upstream {
            Upstream::Up(address) => Some(address),
            Upstream::Down | Upstream::Starting => None,
        }
    }

    /// Waits until requests go elsewhere than to `address`, at most for a while.
    pub(crate) async fn leaves(&self, address: SocketAddr, within: Duration) {
        let mut follow = self.follow();
        drop(timeout(within, follow.wait_for(|now| now.upstream != Upstream::Up(address))).await);
    }
}
