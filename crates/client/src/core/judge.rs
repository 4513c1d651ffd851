//! Reads the answer to a push: which mutations have a verdict now, and what is to be done about the others. It is pure;
//! the sender does what it says.

use std::collections::{BTreeMap, BTreeSet};

use riverrun_core::MutationId;

use crate::{
    wire::{PushAnswer, PushResult},
    words::{Accepted, Failed, Refused, Verdict},
};

/// What an answer means for a batch.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// These have their verdict.
    pub(super) decided: Vec<(MutationId, Verdict)>,
    /// Their places belong to other mutations: they need new ones.
    pub(super) conflicts: BTreeSet<MutationId>,
    /// The server has forgotten this client, or never knew it.
    pub(super) client_unknown: bool,
    /// The first mutation without a verdict, and why; the ones behind it wait for it.
    pub(super) open: Option<Failed>,
}

/// Why the server refused to read a mutation that was then sent as a void one.
pub(super) type Voids = BTreeMap<MutationId, Refused>;

/// See the file's head.
pub(super) fn judge(batch: &[MutationId], answer: PushAnswer, voids: &Voids) -> Judgement {
    let PushAnswer { epoch, results } = answer;
    let mut results: BTreeMap<MutationId, PushResult> =
        results.into_iter().map(|result| (result.id.clone(), result)).collect();
    let mut judgement = Judgement::default();
    for id in batch {
        let Some(result) = results.remove(id) else {
            judgement.open.get_or_insert_with(|| Failed::of_code("unavailable", "no result"));
            continue;
        };
        let code = result.code.as_deref().unwrap_or("rejected");
        // Behind the client's very first mutation, put off, the server may know of no client yet: that is no verdict.
        let unknown = code == "client_unknown";
        if result.ok {
            let accepted = Accepted { cursor: result.cursor, epoch: epoch.clone() };
            judgement.decided.push((id.clone(), Verdict::Accepted(accepted)));
        } else if code == "seq_conflict" {
            judgement.conflicts.insert(id.clone());
        } else if !(unknown && judgement.open.is_some()) && is_final(code, result.retry) {
            judgement.client_unknown |= unknown;
            judgement.decided.push((id.clone(), Verdict::Refused(refused(&result, code, voids.get(id)))));
        } else {
            let error = result.error.as_deref().unwrap_or(code);
            judgement.open.get_or_insert_with(|| Failed::of_code(code, error));
        }
    }
    judgement
}

/// It ends the mutation: by its verdict, or by a code that says there will be none.
fn is_final(code: &str, retry: Option<bool>) -> bool {
    retry == Some(false) || matches!(code, "expired" | "client_unknown")
}

/// A void one is told with the reason it was not read for: its own is of no use to anybody.
fn refused(result: &PushResult, code: &str, void: Option<&Refused>) -> Refused {
    void.cloned().unwrap_or_else(|| Refused {
        code: code.into(),
        reason: result.reason.clone(),
        error: result.error.clone().unwrap_or_else(|| code.into()),
    })
}
