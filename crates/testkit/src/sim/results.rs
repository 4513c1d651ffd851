//! The checks on the answer to a push: what it says was recorded, with the same words each time, and what is refused for
//! good is recorded too.

use riverrun_core::{
    Change, Code, Principal, Scope, Verdict,
    wire::{PushAnswer, PushRequest, PushResult},
};
use riverrun_engine::Action;

use super::{
    broken::{Held, Promise, broken, hold},
    leave::{GRACE, Leaving},
};

impl Leaving<'_> {
    pub(crate) fn pushed(&mut self, who: &Principal, push: &PushRequest, answer: &PushAnswer) -> Held {
        self.same_epoch(&answer.epoch)?;
        hold(push.epoch.as_ref().is_none_or(|meant| *meant == answer.epoch), Promise::History, || {
            format!("a push meant for the epoch {:?} was decided in {}", push.epoch, answer.epoch)
        })?;
        let asked = push.mutations.iter().map(|mutation| &mutation.id);
        hold(asked.eq(answer.results.iter().map(|result| &result.id)), Promise::Settles, || {
            format!("a push of {:?} was answered with {:?}", push.mutations, answer.results)
        })?;
        for (mutation, result) in push.mutations.iter().zip(&answer.results) {
            self.result(who, &mutation.scope, result)?;
        }
        Ok(())
    }

    fn result(&mut self, who: &Principal, scope: &Scope, result: &PushResult) -> Held {
        let key = (scope.clone(), who.clone(), result.id.clone());
        let recorded = self.ledger.verdicts.get(&key);
        let fits = match recorded {
            Some(Verdict::Accepted(yes)) => {
                result.ok
                    && (result.cursor, result.digest) == (Some(yes.cursor), Some(yes.digest))
                    && result.cursors == yes.cursors
            }
            Some(Verdict::Rejected(no)) => {
                !result.ok
                    && result.retry == Some(false)
                    && (result.code, &result.reason, &result.error)
                        == (Some(no.code), &no.reason, &Some(no.error.clone()))
            }
            None => false,
        };
        if fits {
            if let Some(verdict) = recorded.cloned() {
                let first = self.ledger.told.entry(key).or_insert_with(|| verdict.clone());
                hold(*first == verdict, Promise::OneEffect, || format!("{} was told as {first:?} before", result.id))?;
            }
            return result.changes.as_deref().map_or(Ok(()), |changes| self.own_changes(who, result, changes));
        }
        let forgotten = self.ledger.forgotten.contains(&key) || recorded.is_none();
        match result.code {
            _ if result.ok => broken(Promise::Durable, format!("{result:?} is answered; recorded is {recorded:?}")),
            Some(Code::Expired | Code::ClientUnknown) => {
                hold(forgotten && (self.ledger.forgot || self.ledger.history > 0), Promise::Settles, || {
                    format!("{result:?} is answered; recorded is {recorded:?}, and nothing was forgotten")
                })
            }
            _ if result.retry == Some(true) => Ok(()),
            _ => broken(Promise::Settles, format!("{result:?} is answered for good; recorded is {recorded:?}")),
        }
    }

    /// The changes a sender is shown are those it made, in scopes it may read.
    fn own_changes(&self, who: &Principal, result: &PushResult, changes: &[Change]) -> Held {
        for change in changes {
            let log = self.ledger.log(&change.scope);
            let entry = log.and_then(|log| log.cursor_of(who, &result.id));
            let logged = entry.and_then(|entry| {
                let place = usize::try_from(change.cursor.0.checked_sub(entry.first)?).ok()?;
                entry.changes.get(place)
            });
            hold(logged == Some(&change.data), Promise::Cursors, || {
                format!("{} is shown {change:?}, and the log has {entry:?}", result.id)
            })?;
            if let (Some(denial), Some(entry)) = (self.rules.denied(who, &change.scope, Action::Read), entry) {
                hold(entry.found <= denial.at + GRACE, Promise::Access, || {
                    format!("{who} may not read {} and is shown {change:?}", change.scope)
                })?;
            }
        }
        Ok(())
    }
}
