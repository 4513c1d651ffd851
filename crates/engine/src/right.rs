//! The right to read a scope, held over time by whatever passes on something of it that is not in its log. It is asked for
//! exactly as a subscription asks, and never believed for longer.

use std::time::Duration;

use riverrun_core::{Principal, Scope};
use tokio::sync::watch;

use crate::{Action, Engine, error::Refused, subscribe::RECHECK};

/// A right to read that was there when it was last asked for.
pub struct Right {
    engine: Engine,
    principal: Principal,
    scope: Scope,
    /// When it was last found to be there, and under which state of the rules.
    checked: (Duration, u64),
    access: watch::Receiver<u64>,
}

impl Engine {
    /// Asks whether someone may read a scope, for as long as what is given is watched.
    pub async fn right_to_read(&self, principal: &Principal, scope: &Scope) -> Result<Right, Refused> {
        let access = self.inner.access_changes.subscribe();
        // Read before the question: what changes while it is asked makes it be asked again.
        let rules = *access.borrow();
        self.allow(principal, scope, Action::Read).await?;
        let checked = (self.inner.pace.now(), rules);
        Ok(Right { engine: self.clone(), principal: principal.clone(), scope: scope.clone(), checked, access })
    }
}

impl Right {
    /// Waits until the right is gone, or can't be asked for, and says so. It is asked for every 30 s, and at once after
    /// [`Engine::access_changed`]. Can be cancelled.
    pub async fn lost(&mut self) -> Refused {
        loop {
            let rules = *self.access.borrow();
            if rules == self.checked.1 {
                tokio::select! {
                    () = self.engine.inner.pace.until(self.checked.0 + RECHECK) => {}
                    changed = self.access.changed() => if changed.is_err() {
                        return Refused::unavailable();
                    },
                }
            }
            let asked = (self.engine.inner.pace.now(), *self.access.borrow());
            if let Err(refused) = self.engine.allow(&self.principal, &self.scope, Action::Read).await {
                return refused;
            }
            self.checked = asked;
        }
    }
}
