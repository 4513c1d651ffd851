//! What was answered, kept outside of the server: the ledger a restarted server is held against. An answer is written down
//! word for word and never corrected later; a second answer to the same mutation has to be the same.

use anyhow::{Result, bail, ensure};
use riverrun_core::{ClientId, Code, Cursor, Digest, MutationId, Scope, Seq, wire::PushResult};

/// An answer that is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has its effect, up to this cursor.
    Accepted { cursor: Cursor, digest: Digest },
    /// It has none, for this reason.
    Rejected { code: Code, reason: Option<String> },
}

/// One acknowledged mutation.
#[derive(Debug, Clone)]
pub(crate) struct Ack {
    pub(crate) id: MutationId,
    pub(crate) scope: Scope,
    pub(crate) place: Option<(ClientId, Seq)>,
    pub(crate) outcome: Outcome,
    /// Accepted without any change: it stands in no log.
    pub(crate) is_empty: bool,
}

/// What a result says: an outcome, or (`None`) that it has to come again.
pub(crate) fn outcome(result: &PushResult) -> Result<Option<Outcome>> {
    if result.ok {
        let (Some(cursor), Some(digest)) = (result.cursor, result.digest) else {
            bail!("an acceptance without cursor and digest: {result:?}");
        };
        return Ok(Some(Outcome::Accepted { cursor, digest }));
    }
    match (result.code, result.retry) {
        (Some(code), Some(false)) => Ok(Some(Outcome::Rejected { code, reason: result.reason.clone() })),
        (Some(code), Some(true)) => {
            let expected = matches!(code, Code::Unavailable | Code::OutOfOrder);
            ensure!(expected, "sent again as it was told to, in order, and refused: {result:?}");
            Ok(None)
        }
        _ => bail!("neither accepted nor refused: {result:?}"),
    }
}
