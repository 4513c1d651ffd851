//! Bugs planted on purpose, to see that the tests would find them. Each is one wrong line somewhere in the code, asleep
//! until it is chosen at run time; without the feature `planted` none can be chosen, and the compiler drops them all.

/// One planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bug {
    /// Watermarks are written in a transaction of their own, after the commit.
    MarkApart,
    /// Verdicts are recorded in a transaction of their own, after the commit.
    VerdictApart,
    /// What was decided is answered and told whether or not the commit succeeded.
    AnswerBeforeCommit,
    /// A machine's state is published before the commit, and trusted from then on.
    FoldBeforeCommit,
    /// A subscription listens only after it has read the head it begins at.
    ListenAfterCatchUp,
    /// The epoch a reader names is not compared.
    NoEpochOnPull,
    /// The epoch a sender names is not compared.
    NoEpochOnPush,
    /// The digest a reader names is not compared.
    NoDigest,
    /// A pull's watermark is read in another transaction than its changes.
    WatermarkApart,
    /// A snapshot's cursor is read in another transaction than its data.
    SnapshotApart,
    /// A seq is taken though those before it are missing.
    SeqHole,
    /// A refusal does not consume its place.
    RefusalHole,
    /// A refusal is not recorded.
    VerdictForgotten,
    /// A page ends where the limit is, also inside a mutation.
    PageCut,
    /// What was decided so long ago that it is forgotten is run again.
    ForgottenRunsAgain,
    /// Cursors come from a sequence that no rollback takes back.
    CursorFromSequence,
    /// The writes of a refused mutation stay.
    RejectKeepsEffects,
    /// A mutation is known by its seq only, not by its id.
    SeenBySeqOnly,
    /// A mutation that came too early is refused for good.
    OutOfOrderFinal,
    /// Anybody may go on with anybody's client id.
    OwnerUnchecked,
    /// Access to the further scopes of a mutation is not asked for.
    DeclaredNotAsked,
    /// A subscription goes on after the right to read has gone.
    AccessNotRechecked,
    /// The sender is shown the changes it made where it may not read.
    UnreadableShown,
    /// Trimming does not fold what it removes into the base.
    TrimWithoutBase,
    /// Trimming keeps the old floor's digest.
    TrimKeepsDigest,
    /// What a subscription has read from the log is told again from the ring.
    CommitTwice,
    /// A subscription that fell out of the ring goes on with what comes next in it.
    OverrunSilent,
    /// After a commit whose outcome is not known, readers are not told to look at the log.
    NoLookAfterFailure,
    /// Of a mutation over several scopes, only one scope's readers are told.
    SecondScopeUntold,
    /// SQLite syncs at checkpoints only.
    SqliteNormal,
    /// A commit that SQLite could not make counts as made.
    SqliteCommitIgnored,
    /// The number of a scope is remembered before the transaction that gave it is committed.
    SqliteKeyBeforeCommit,
    /// After a failed sync the store goes on as if it could be tried again.
    SqliteSyncRetried,
    /// The client lets go of a mutation at its verdict, whether or not the base holds it.
    ClientLetGoAtVerdict,
    /// The client keeps showing what was refused.
    ClientRejectedStays,
    /// The client does not replay what is pending when the base moves.
    ClientNoRebase,
    /// The client applies changes that do not follow on its base.
    ClientGapApplied,
    /// The client sends before what it sends is stored.
    ClientSendsUnstored,
    /// The client does not store which seq it gave out.
    ClientSeqUnstored,
    /// The client throws its queue away when it is not let in.
    ClientQueueDropped,
    /// The client does not try a failed push again.
    ClientNoRetry,
    /// The client takes an older snapshot over a newer base.
    ClientGoesBack,
    /// The client does not compare the digests it is told.
    ClientNoDigest,
    /// The client takes a mutation back that was sent already.
    ClientUndoSent,
}

#[cfg(feature = "planted")]
mod chosen {
    use core::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    /// Number of the chosen bug, from 1; 0 for none.
    static CHOSEN: AtomicU8 = AtomicU8::new(0);

    /// Chooses a bug for the whole process, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.store(bug.map_or(0, |bug| bug as u8 + 1), Ordering::SeqCst);
    }

    /// Whether it is the chosen one.
    pub fn is(bug: Bug) -> bool {
        CHOSEN.load(Ordering::Relaxed) == bug as u8 + 1
    }
}

#[cfg(feature = "planted")]
pub use chosen::{is, plant};

/// Whether it is the chosen one: none is.
#[cfg(not(feature = "planted"))]
#[inline]
#[must_use]
pub const fn is(_: Bug) -> bool {
    false
}

impl Bug {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::MarkApart,
        Self::VerdictApart,
        Self::AnswerBeforeCommit,
        Self::FoldBeforeCommit,
        Self::ListenAfterCatchUp,
        Self::NoEpochOnPull,
        Self::NoEpochOnPush,
        Self::NoDigest,
        Self::WatermarkApart,
        Self::SnapshotApart,
        Self::SeqHole,
        Self::RefusalHole,
        Self::VerdictForgotten,
        Self::PageCut,
        Self::ForgottenRunsAgain,
        Self::CursorFromSequence,
        Self::RejectKeepsEffects,
        Self::SeenBySeqOnly,
        Self::OutOfOrderFinal,
        Self::OwnerUnchecked,
        Self::DeclaredNotAsked,
        Self::AccessNotRechecked,
        Self::UnreadableShown,
        Self::TrimWithoutBase,
        Self::TrimKeepsDigest,
        Self::CommitTwice,
        Self::OverrunSilent,
        Self::NoLookAfterFailure,
        Self::SecondScopeUntold,
        Self::SqliteNormal,
        Self::SqliteCommitIgnored,
        Self::SqliteKeyBeforeCommit,
        Self::SqliteSyncRetried,
        Self::ClientLetGoAtVerdict,
        Self::ClientRejectedStays,
        Self::ClientNoRebase,
        Self::ClientGapApplied,
        Self::ClientSendsUnstored,
        Self::ClientSeqUnstored,
        Self::ClientQueueDropped,
        Self::ClientNoRetry,
        Self::ClientGoesBack,
        Self::ClientNoDigest,
        Self::ClientUndoSent,
    ];

    /// The bug of this name, written as in [`Bug`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bug| alloc::format!("{bug:?}") == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Bug;

    #[test]
    fn every_bug_is_listed_once_and_found_by_its_name() {
        for (at, bug) in Bug::ALL.iter().enumerate() {
            assert_eq!(*bug as usize, at);
            assert_eq!(Bug::named(&alloc::format!("{bug:?}")), Some(*bug));
        }
        assert_eq!(Bug::ALL.len(), Bug::ClientUndoSent as usize + 1, "the last one is listed");
    }
}
