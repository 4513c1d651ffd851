//! How one mutation is decided, inside the transaction: was it seen, is it its turn ([`order`](crate::order)), may it, what
//! does the mutator say ([`run`](crate::run)). The rules of the protocol's "identity and order" stand here and there.

use riverrun_core::{ClientId, Code, Mutation, Principal, Rejected, Scope, Seq, Verdict};

use crate::{
    kernel::{Edge, PushItem},
    order::Turn,
    planted::{Bug, is},
    settle::Batch,
    store::{Entry, Record, StoreResult},
};

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It has its verdict, now or since before.
    Decided {
        /// The verdict.
        verdict: Verdict,
        /// It was decided before.
        duplicate: bool,
        /// Its effects, if it was accepted just now: one entry per scope it changed.
        effects: Vec<(Scope, Entry)>,
    },
    /// No verdict, but final all the same: never executed, nothing recorded.
    Final {
        /// Why.
        code: Code,
        /// A sentence for people.
        error: String,
    },
    /// Nothing was recorded; send it again.
    Again {
        /// Why.
        code: Code,
        /// A sentence for people.
        error: String,
    },
}

impl Decision {
    pub(crate) fn again(code: Code, error: impl Into<String>) -> Self {
        Self::Again { code, error: error.into() }
    }

    pub(crate) fn last(code: Code, error: impl Into<String>) -> Self {
        Self::Final { code, error: error.into() }
    }
}

impl Batch<'_> {
    /// Decides one mutation.
    pub(crate) fn decide(&mut self, principal: &Principal, item: &PushItem) -> StoreResult<Decision> {
        let mutation = &item.mutation;
        let fingerprint = fingerprint(mutation);
        if let Some(record) =
            self.tx.verdict(&mutation.scope, principal, &mutation.id)?.filter(|_| !is(Bug::SeenBySeqOnly))
        {
            self.take_place(principal, mutation, &record)?;
            return Ok(known(record, fingerprint));
        }
        // Another's client id must not consume its place: the refusal is recorded under the id alone.
        let place = match &mutation.place {
            Some((client, seq)) => {
                if self.owner(client)?.is_some_and(|owner| owner != principal) && !is(Bug::OwnerUnchecked) {
                    let no = refusal(Code::Forbidden, "this client id belongs to somebody else");
                    return self.record(principal, mutation, None, fingerprint, Verdict::Rejected(no), Vec::new());
                }
                Some((client.clone(), *seq))
            }
            None => None,
        };
        match self.turn(mutation, place.as_ref())? {
            Turn::Now => {}
            Turn::Not(decision) => return Ok(decision),
            Turn::Never(no) => {
                return self.record(principal, mutation, place, fingerprint, Verdict::Rejected(no), Vec::new());
            }
        }
        let verdict = match &item.edge {
            _ if mutation.is_void() => Err(refusal(Code::InvalidMutation, "the server could not read this mutation")),
            _ if mutation.schema.is_some_and(|schema| schema > *self.kernel.schemas.end()) => {
                self.waits(mutation, place);
                let error = "this server does not know that schema yet: try again once it is updated";
                return Ok(Decision::again(Code::SchemaMismatch, error));
            }
            _ if mutation.schema.is_some_and(|schema| schema < *self.kernel.schemas.start()) => {
                Err(refusal(Code::SchemaMismatch, "this mutation was written for a version that is no longer taken"))
            }
            Edge::Unknown => {
                self.waits(mutation, place);
                return Ok(Decision::again(Code::Unavailable, "access could not be checked right now: try again"));
            }
            Edge::No(no) => Err(no.clone()),
            Edge::Go => self.run(principal, item)?,
        };
        match verdict {
            Ok((accepted, effects)) => {
                self.record(principal, mutation, place, fingerprint, Verdict::Accepted(accepted), effects)
            }
            Err(no) => self.record(principal, mutation, place, fingerprint, Verdict::Rejected(no), Vec::new()),
        }
    }

    fn record(
        &mut self,
        principal: &Principal,
        mutation: &Mutation,
        place: Option<(ClientId, Seq)>,
        fingerprint: u64,
        verdict: Verdict,
        effects: Vec<(Scope, Entry)>,
    ) -> StoreResult<Decision> {
        let refused = matches!(verdict, Verdict::Rejected(_));
        if let Some((client, seq)) = place.as_ref().filter(|_| !(refused && is(Bug::RefusalHole))) {
            self.decided(principal, mutation, client, *seq)?;
        }
        let record = Record { id: mutation.id.clone(), place, fingerprint, time: self.now, verdict };
        if !(refused && is(Bug::VerdictForgotten) || is(Bug::VerdictApart)) {
            self.tx.record(&mutation.scope, principal, &record)?;
        }
        Ok(Decision::Decided { verdict: record.verdict, duplicate: false, effects })
    }
}

fn known(record: Record, fingerprint: u64) -> Decision {
    // A void stands for a mutation that could not be read, so it can't be compared with it.
    if record.fingerprint != fingerprint && record.fingerprint != 0 && fingerprint != 0 {
        return Decision::last(
            Code::InvalidMutation,
            "this id was used before for a mutation with another type or args",
        );
    }
    Decision::Decided { verdict: record.verdict, duplicate: true, effects: Vec::new() }
}

/// What a mutation is, beside its id: equal for equal type and meaning of args. 0 is kept for a void.
pub(crate) fn fingerprint(mutation: &Mutation) -> u64 {
    if mutation.is_void() {
        return 0;
    }
    let text = format!("{}\0{}", mutation.name, mutation.args.canonical());
    xxhash_rust::xxh3::xxh3_64(text.as_bytes()).max(1)
}

pub(crate) fn refusal(code: Code, error: &str) -> Rejected {
    Rejected { code, reason: None, error: error.into() }
}
