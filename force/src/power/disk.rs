//! What is on a disk when the power goes. What was synced is there; of what was not, any part may be: all, nothing, some of
//! the writes in any order, single sectors of a write, a file's name without its data or its data without its name. It is
//! stricter than any real disk, and never kinder.

use std::{fs, path::Path};

use anyhow::Result;
use rand::{Rng, rngs::StdRng};

use super::trace::{DIRECTORY, Event};

/// The units a torn write is torn into: an old disk's sector, a new one's.
const SECTORS: [usize; 2] = [512, 4096];

/// What to keep of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All, as if only the process had ended.
    All,
    /// Nothing.
    Nothing,
    /// What chance says.
    Some,
}

/// One change of a file that was not synced yet.
#[derive(Clone, Debug)]
enum Change<'t> {
    Write(u64, &'t [u8]),
    Truncate(u64),
}

/// A file, as the disk has it and as the system has it.
#[derive(Clone, Debug, Default)]
struct File<'t> {
    /// What a power cut can't take.
    synced: Vec<u8>,
    /// What it can, in order.
    pending: Vec<Change<'t>>,
    /// What the system shows.
    current: Vec<u8>,
    /// Whether the name is there: on the disk, and for the system.
    named: (bool, bool),
}

/// A directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk<'t> {
    files: Vec<File<'t>>,
    /// Counts what can't be taken back: two moments with one number have the same synced state.
    pub(crate) version: u64,
}

impl<'t> Disk<'t> {
    pub(crate) fn new(files: usize) -> Self {
        Self { files: vec![File::default(); files], version: 0 }
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &'t Event) {
        match event {
            Event::Create(file) => {
                let file = &mut self.files[*file];
                file.named.1 = true;
                file.restart();
            }
            Event::Write(file, at, data) => self.files[*file].change(Change::Write(*at, data)),
            Event::Truncate(file, length) => self.files[*file].change(Change::Truncate(*length)),
            Event::Unlink(file) => self.files[*file].named.1 = false,
            Event::Sync(file) => {
                self.version += 1;
                if *file == DIRECTORY {
                    self.files.iter_mut().for_each(|file| file.named.0 = file.named.1);
                } else {
                    let file = &mut self.files[*file];
                    file.synced.clone_from(&file.current);
                    file.pending.clear();
                }
            }
            // The system may call these pages clean now: no later sync brings them to the disk.
            Event::SyncFailed(file) => {
                let file = &mut self.files[*file];
                file.pending.clear();
                file.current.clone_from(&file.synced);
            }
            Event::Answered(_) => {}
        }
    }

    /// Writes what is left to an empty folder.
    pub(crate) fn cut(&self, names: &[String], keep: Keep, chance: &mut StdRng, folder: &Path) -> Result<()> {
        for (name, file) in names.iter().zip(&self.files).skip(DIRECTORY + 1) {
            let is_named = match keep {
                Keep::All => file.named.1,
                Keep::Nothing => file.named.0,
                Keep::Some if file.named.0 == file.named.1 => file.named.1,
                Keep::Some => chance.random(),
            };
            if is_named {
                fs::write(folder.join(name), &*file.left(keep, chance))?;
            }
        }
        Ok(())
    }
}

impl<'t> File<'t> {
    /// A new file under an old name: what an earlier one held is not its own.
    fn restart(&mut self) {
        self.synced.clear();
        self.current.clear();
        self.pending.clear();
    }

    fn change(&mut self, change: Change<'t>) {
        change.apply(&mut self.current);
        self.pending.push(change);
    }

    fn left(&self, keep: Keep, chance: &mut StdRng) -> std::borrow::Cow<'_, [u8]> {
        match keep {
            Keep::All => (&self.current).into(),
            Keep::Nothing => (&self.synced).into(),
            Keep::Some => {
                let mut bytes = self.synced.clone();
                // Each cut has its own mood: nearly nothing kept, nearly all, or anything between.
                let kept = [0.05, 0.3, 0.5, 0.7, 0.95][chance.random_range(0..5)];
                for change in &self.pending {
                    if chance.random_bool(kept) {
                        change.apply(&mut bytes);
                    } else if chance.random_bool(0.3) {
                        change.tear(&mut bytes, chance);
                    }
                }
                bytes.into()
            }
        }
    }
}

impl Change<'_> {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, data) => put(bytes, usize::try_from(*at).unwrap_or(usize::MAX), data),
            Self::Truncate(length) => bytes.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0),
        }
    }

    /// Does a part of itself: some sectors of a write.
    fn tear(&self, bytes: &mut Vec<u8>, chance: &mut StdRng) {
        let Self::Write(at, data) = self else { return };
        let (mut at, mut rest) = (usize::try_from(*at).unwrap_or(usize::MAX), *data);
        let sector = SECTORS[chance.random_range(0..SECTORS.len())];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(sector - at % sector));
            if chance.random() {
                put(bytes, at, now);
            }
            (at, rest) = (at + now.len(), later);
        }
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn left(disk: &Disk<'_>, keep: Keep, seed: u64) -> Vec<u8> {
        disk.files[1].left(keep, &mut StdRng::seed_from_u64(seed)).into_owned()
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_go() {
        let events = [
            Event::Create(1),
            Event::Write(1, 0, b"aaaa".to_vec()),
            Event::Sync(1),
            Event::Write(1, 2, b"bbbb".to_vec()),
            Event::Truncate(1, 3),
        ];
        let mut disk = Disk::new(2);
        for event in &events {
            disk.take(event);
        }
        assert_eq!(left(&disk, Keep::All, 0), b"aab");
        assert_eq!(left(&disk, Keep::Nothing, 0), b"aaaa");
        let seen: std::collections::BTreeSet<_> = (0..200).map(|seed| left(&disk, Keep::Some, seed)).collect();
        for expected in [&b"aaaa"[..], b"aab", b"aabbbb", b"aaa"] {
            assert!(seen.contains(expected), "{:?}", String::from_utf8_lossy(expected));
        }
    }

    #[test]
    fn a_name_is_there_for_good_once_the_directory_was_synced() {
        let events = [Event::Create(1), Event::Write(1, 0, b"a".to_vec()), Event::Sync(1), Event::Sync(DIRECTORY)];
        let names = |disk: &Disk<'_>| disk.files[1].named;
        let mut disk = Disk::new(2);
        for event in &events[..3] {
            disk.take(event);
        }
        assert_eq!(names(&disk), (false, true));
        disk.take(&events[3]);
        assert_eq!(names(&disk), (true, true));
    }

    #[test]
    fn what_a_failed_sync_left_behind_is_never_synced_later() {
        let events = [
            Event::Create(1),
            Event::Write(1, 0, b"a".to_vec()),
            Event::SyncFailed(1),
            Event::Write(1, 1, b"b".to_vec()),
            Event::Sync(1),
        ];
        let mut disk = Disk::new(2);
        for event in &events {
            disk.take(event);
        }
        assert_eq!(left(&disk, Keep::Nothing, 0), b"\0b");
    }

    #[test]
    fn a_torn_write_leaves_whole_sectors() {
        let data: Vec<u8> = (0..4096_u32).map(|at| u8::try_from(at / 512 + 1).unwrap()).collect();
        let event = Event::Write(1, 0, data);
        let mut disk = Disk::new(2);
        disk.take(&event);
        let torn = (0..100).map(|seed| left(&disk, Keep::Some, seed)).filter(|bytes| bytes.contains(&0)).count();
        assert!(torn > 0);
        for seed in 0..100 {
            let bytes = left(&disk, Keep::Some, seed);
            assert!(bytes.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        }
    }
}
