//! What survives a crash: the client's id, its queue with the places given out, and the base. [`Saved::apply`] is the
//! meaning of every write; a storage may hold it as it likes, as long as it gives back the same.

use std::collections::BTreeMap;

use riverrun_core::{ClientId, Cursor, Digest, Epoch, Json, MutationId, Seq};

use crate::words::{Accepted, Entry};

/// Everything a storage gives back when it is opened. Empty for a client that never was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// Under which id mutations are numbered.
    pub client: Option<ClientId>,
    /// The last place given out.
    pub last: Seq,
    /// The history the places count in.
    pub epoch: Option<Epoch>,
    /// The queue, by its order.
    pub entries: BTreeMap<u64, Entry>,
    /// The base, if there is one to go on from.
    pub base: Option<SavedBase>,
}

/// The base as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedBase {
    /// Where it stands.
    pub mark: Mark,
    /// Its entities by collection and id.
    pub rows: BTreeMap<(String, String), Json>,
}

/// Where a kept base stands. It belongs to exactly the rows it is written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Everything up to here is in it.
    pub cursor: Cursor,
    /// The digest of the log there.
    pub digest: Digest,
    /// The history the cursor belongs to.
    pub epoch: Epoch,
    /// The client's watermark the base is known to hold.
    pub last_seq: Seq,
    /// Mutations without a verdict whose effects are in the base already.
    pub held: Vec<MutationId>,
}

/// One thing to write. Those of one [`Effect::Store`](crate::Effect::Store) are done together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new client id: places of the former one mean nothing any more.
    Client(ClientId),
    /// A mutation joins the queue.
    Append(Entry),
    /// Places were given out or changed.
    Places {
        /// The last one given out.
        last: Seq,
        /// The history they count in.
        epoch: Option<Epoch>,
        /// Which mutation has which.
        given: Vec<(MutationId, Seq)>,
    },
    /// A mutation was accepted and waits for the base.
    Accepted(MutationId, Accepted),
    /// Mutations leave the queue.
    Remove(Vec<MutationId>),
    /// The base moved on.
    Base {
        /// Forget all rows first.
        clear: bool,
        /// Collection, id and value; `None` removes the row.
        rows: Vec<(String, String, Option<Json>)>,
        /// Where it stands now.
        mark: Mark,
    },
    /// The base may not be used, or not be kept, any more.
    ForgetBase,
}

impl Saved {
    /// Does one write.
    pub fn apply(&mut self, write: Write) {
        match write {
            Write::Client(client) => {
                self.client = Some(client);
                (self.last, self.epoch) = (Seq::ZERO, None);
                self.entries.values_mut().for_each(|entry| entry.seq = None);
            }
            Write::Append(entry) => drop(self.entries.insert(entry.order, entry)),
            Write::Places { last, epoch, given } => {
                (self.last, self.epoch) = (last, epoch);
                let given: BTreeMap<_, _> = given.into_iter().collect();
                for entry in self.entries.values_mut() {
                    entry.seq = given.get(&entry.id).copied().or(entry.seq);
                }
            }
            Write::Accepted(id, accepted) => {
                for entry in self.entries.values_mut().filter(|entry| entry.id == id) {
                    entry.accepted = Some(accepted.clone());
                }
            }
            Write::Remove(ids) => self.entries.retain(|_, entry| !ids.contains(&entry.id)),
            Write::Base { clear, rows, mark } => {
                let mut kept = self.base.take().map(|base| base.rows).unwrap_or_default();
                if clear {
                    kept.clear();
                }
                for (collection, id, value) in rows {
                    match value {
                        Some(value) => drop(kept.insert((collection, id), value)),
                        None => drop(kept.remove(&(collection, id))),
                    }
                }
                self.base = Some(SavedBase { mark, rows: kept });
            }
            Write::ForgetBase => self.base = None,
        }
    }
}
