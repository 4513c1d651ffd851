//! Whether it is a mutation's turn: its client's numbers without holes, one client id one owner, and nothing from beyond the
//! spans in which verdicts are remembered. It reads and moves watermarks; it never runs anything.

use riverrun_core::{ClientId, Code, Millis, Mutation, Principal, Rejected, Scope, Seq};

use crate::{
    decide::{Decision, refusal},
    planted::{Bug, is},
    settle::Batch,
    store::{Record, StoreResult, Watermark},
};

/// Whether it is a mutation's turn.
pub(crate) enum Turn {
    Now,
    Not(Decision),
    /// It is, and it is never run: refused at its place.
    Never(Rejected),
}

impl Batch<'_> {
    pub(crate) fn turn(&mut self, mutation: &Mutation, place: Option<&(ClientId, Seq)>) -> StoreResult<Turn> {
        let retention = &self.kernel.retention;
        // A moment still to come was noted by a clock that was ahead: believed, it would expire all that is new for as long.
        let forgotten = match self.forgotten_before {
            ahead if ahead > self.now => self.now.minus(retention.verdicts),
            past => past,
        };
        let older = "this mutation is older than verdicts are kept: it may have been decided and is not run again";
        let expired = || Turn::Not(Decision::last(Code::Expired, older));
        let Some((client, seq)) = place else {
            return Ok(if made_before(mutation, forgotten) { expired() } else { Turn::Now });
        };
        let mark = self.mark(&mutation.scope, client)?;
        Ok(match mark {
            // Clients are remembered longer than verdicts by id alone, by the difference of the two spans.
            None if *seq == Seq(1)
                && made_before(mutation, forgotten.minus(retention.clients - retention.verdicts)) =>
            {
                expired()
            }
            None if *seq == Seq(1) => Turn::Now,
            None if self.waiting.contains(&(mutation.scope.clone(), client.clone())) => Turn::Not(Decision::again(
                Code::OutOfOrder,
                "a mutation of this client before this one has to come again",
            )),
            None => {
                let error = "this client is not known here (any more), so its mutations can't go on in the middle";
                Turn::Not(Decision::last(Code::ClientUnknown, error))
            }
            Some(mark) if *seq <= mark.last_seq => {
                if is(Bug::ForgottenRunsAgain) {
                    Turn::Now
                } else if self.tx.decided_at(&mutation.scope, client, *seq)?
                    || (mark.last_seq.0 - seq.0 < retention.verdicts_per_client && made_since(mutation, forgotten))
                {
                    // Also where the place was taken by a mutation that had its verdict under another one: it has none of
                    // its own, and what surely was not decided must not be told that it was.
                    let next = mark.last_seq.next();
                    let error = format!("seq {seq} was decided for another mutation: go on with {next}");
                    Turn::Not(Decision::again(Code::SeqConflict, error))
                } else {
                    Turn::Not(Decision::last(Code::Expired, "decided long ago, the outcome is forgotten"))
                }
            }
            Some(mark) if *seq > mark.last_seq.next() && !is(Bug::SeqHole) => {
                let error = format!("seq {seq} is not next: {} is", mark.last_seq.next());
                if is(Bug::OutOfOrderFinal) {
                    return Ok(Turn::Not(Decision::last(Code::OutOfOrder, error)));
                }
                Turn::Not(Decision::again(Code::OutOfOrder, error))
            }
            // A client sends what it makes in that order. What is older than something it sent before comes from a storage
            // that failed or was copied; where its verdict may be forgotten it could have been decided under another place.
            Some(mark) if made_before(mutation, mark.made.min(forgotten)) => Turn::Never(refusal(Code::Expired, older)),
            Some(_) => Turn::Now,
        })
    }

    pub(crate) fn waits(&mut self, mutation: &Mutation, place: Option<(ClientId, Seq)>) {
        if let Some((client, _)) = place {
            self.waiting.insert((mutation.scope.clone(), client));
        }
    }

    /// A mutation decided before that comes under another number must leave no hole there: if it is that number's turn, it
    /// is taken, and nothing else happens. Not so under its own number: of a client that was forgotten it would make a
    /// known one again, whose old mutations could then follow.
    pub(crate) fn take_place(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        record: &Record,
    ) -> StoreResult<()> {
        let Some((client, seq)) = mutation.place.as_ref().filter(|place| record.place.as_ref() != Some(place)) else {
            return Ok(());
        };
        if self.owner(client)?.is_some_and(|owner| owner != principal) {
            return Ok(());
        }
        let last = self.mark(&mutation.scope, client)?.map_or(Seq::ZERO, |mark| mark.last_seq);
        if *seq == last.next() { self.decided(principal, mutation, client, *seq) } else { Ok(()) }
    }

    /// Moves a client's watermark; its first mutation makes the client its sender's.
    pub(crate) fn decided(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        client: &ClientId,
        seq: Seq,
    ) -> StoreResult<()> {
        let scope = &mutation.scope;
        if self.owner(client)?.is_none() {
            self.tx.set_owner(client, principal)?;
            self.owners.insert(client.clone(), Some(principal.clone()));
        }
        let before = self.mark(scope, client)?.map_or(Millis(0), |mark| mark.made);
        let mark = Watermark { last_seq: seq, seen: self.now, made: before.max(made_at(mutation).unwrap_or_default()) };
        self.marks.insert((scope.clone(), client.clone()), Some(mark));
        Ok(())
    }

    pub(crate) fn owner(&mut self, client: &ClientId) -> StoreResult<Option<&Principal>> {
        if !self.owners.contains_key(client) {
            let owner = self.tx.owner(client)?;
            self.owners.insert(client.clone(), owner);
        }
        Ok(self.owners.get(client).and_then(Option::as_ref))
    }

    fn mark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>> {
        let key = (scope.clone(), client.clone());
        if let Some(mark) = self.marks.get(&key) {
            return Ok(*mark);
        }
        let mark = self.tx.watermark(scope, client)?;
        self.marks.insert(key, mark);
        Ok(mark)
    }
}

/// Whether an id that tells its time was made before a moment. Other ids tell nothing.
fn made_before(mutation: &Mutation, moment: Millis) -> bool {
    !is(Bug::ForgottenRunsAgain) && made_at(mutation).is_some_and(|made| made < moment)
}

/// Whether an id that tells its time was made at a moment or later. Other ids tell nothing.
fn made_since(mutation: &Mutation, moment: Millis) -> bool {
    made_at(mutation).is_some_and(|made| made >= moment)
}

/// When an id was made, if it is one that tells (UUIDv7).
fn made_at(mutation: &Mutation) -> Option<Millis> {
    let id = uuid::Uuid::parse_str(mutation.id.as_str()).ok().filter(|id| id.get_version_num() == 7)?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let millis = seconds.saturating_mul(1000).saturating_add(u64::from(nanos / 1_000_000));
    Some(Millis(i64::try_from(millis).unwrap_or(i64::MAX)))
}
