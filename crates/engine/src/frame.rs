//! What a subscription says, as frames of the contract: so that every edge (and the simulation) says the same. It names
//! no socket and no topic; the envelope around a frame is the edge's.

use riverrun_core::wire::ServerFrame;

use crate::{Commit, Event, Page};

impl Commit {
    /// The frame that carries its changes, unless they are too many to carry along.
    pub fn frame(&self) -> Option<ServerFrame> {
        let (from, cursor, digest) = (self.from, self.cursor, self.digest);
        self.changes().map(|changes| ServerFrame::Changes { from, cursor, digest, changes })
    }
}

impl From<Page> for ServerFrame {
    fn from(page: Page) -> Self {
        Self::Changes { from: page.from, cursor: page.cursor, digest: page.digest, changes: page.changes }
    }
}

impl Event {
    /// The frame that says it, in answer to the subscription with this `ref`. A commit is better rendered once for all its
    /// readers, with [`Commit::rendered`]; one that carries no changes has no frame.
    pub fn into_frame(self, reference: Option<&str>) -> Option<ServerFrame> {
        let reference = || reference.map(Into::into);
        Some(match self {
            Self::Commit(commit) => return commit.frame(),
            Self::Page(page) => page.into(),
            Self::Snapshot(snapshot) => ServerFrame::Snapshot(snapshot),
            Self::Ack { cursor, epoch, last_seq } => {
                ServerFrame::Ack { reference: reference(), cursor, epoch, last_seq }
            }
            Self::Lagged(cursor) => ServerFrame::Lagged { cursor },
            Self::Reset(code) => ServerFrame::Reset { code: code.as_str().into() },
            Self::UseHttp => ServerFrame::Reset { code: "use_http".into() },
            Self::Refused(no) => ServerFrame::Error { reference: reference(), code: no.code, error: no.error },
        })
    }
}
