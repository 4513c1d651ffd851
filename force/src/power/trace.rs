//! What the shim recorded, read back: every change of the directory, every sync and every answer, in the order in which they
//! happened. An answer counts from the moment its last byte was handed to the system.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use riverrun_core::wire::PushAnswer;

/// A file of the directory, by a small number.
pub(crate) type FileId = usize;

/// The directory itself.
pub(crate) const DIRECTORY: FileId = 0;

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Event {
    Create(FileId),
    Write(FileId, u64, Vec<u8>),
    Truncate(FileId, u64),
    Unlink(FileId),
    Sync(FileId),
    /// A sync that was made to fail.
    SyncFailed(FileId),
    /// The answer to a push was sent: this many mutations of the run have been answered by now.
    Answered(usize),
}

/// A whole run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Names by their numbers; the directory is the first.
    pub(crate) names: Vec<String>,
    pub(crate) events: Vec<Event>,
}

/// How the shim numbers what it records.
const CREATE: u32 = 1;
const WRITE: u32 = 2;
const TRUNCATE: u32 = 3;
const SYNC: u32 = 4;
const UNLINK: u32 = 5;
const SEND: u32 = 7;
const SYNC_FAILED: u32 = 8;

/// Bytes before each record's name and data.
const HEAD: usize = 24;

impl Trace {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("the shim recorded nothing in {}", path.display()))?;
        let mut trace = Self { names: vec![".".into()], events: Vec::new() };
        let mut sent: HashMap<u64, Vec<u8>> = HashMap::new();
        let (mut answered, mut rest) = (0, &bytes[..]);
        while !rest.is_empty() {
            let (kind, name, at, data);
            (kind, name, at, data, rest) = cut(rest).context("the record breaks off")?;
            let file = trace.number(name);
            trace.events.push(match kind {
                CREATE => Event::Create(file),
                WRITE => Event::Write(file, at, data.to_vec()),
                TRUNCATE => Event::Truncate(file, at),
                SYNC => Event::Sync(file),
                UNLINK => Event::Unlink(file),
                SYNC_FAILED => Event::SyncFailed(file),
                SEND => {
                    let stream = sent.entry(at).or_default();
                    stream.extend_from_slice(data);
                    let more = answers(stream);
                    if more == 0 {
                        continue;
                    }
                    answered += more;
                    Event::Answered(answered)
                }
                // The store renames nothing; should it begin to, this must learn of it.
                other => bail!("the record holds {other}, which is not known here"),
            });
        }
        Ok(trace)
    }

    fn number(&mut self, name: &str) -> FileId {
        if name.is_empty() {
            return DIRECTORY;
        }
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        })
    }
}

type Record<'a> = (u32, &'a str, u64, &'a [u8], &'a [u8]);

fn cut(bytes: &[u8]) -> Option<Record<'_>> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let kind = u32::from_ne_bytes(head[..4].try_into().ok()?);
    let name = usize::try_from(u32::from_ne_bytes(head[4..8].try_into().ok()?)).ok()?;
    let at = u64::from_ne_bytes(head[8..16].try_into().ok()?);
    let data = usize::try_from(u64::from_ne_bytes(head[16..].try_into().ok()?)).ok()?;
    let (name, rest) = rest.split_at_checked(name)?;
    let (data, rest) = rest.split_at_checked(data)?;
    Some((kind, std::str::from_utf8(name).ok()?, at, data, rest))
}

/// Takes whole answers off a stream, and says how many mutations they decided.
fn answers(stream: &mut Vec<u8>) -> usize {
    let mut decided = 0;
    while let Some(end) = stream.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&stream[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let body = end + 4..end + 4 + length.unwrap_or(0);
        if stream.len() < body.end {
            break;
        }
        if let Ok(answer) = serde_json::from_slice::<PushAnswer>(&stream[body.clone()]) {
            decided += answer.results.iter().filter(|result| result.ok || result.retry == Some(false)).count();
        }
        stream.drain(..body.end);
    }
    decided
}
