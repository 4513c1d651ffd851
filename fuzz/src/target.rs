//! The list of targets: what each is called and what it is about. What a target demands stands in its own file; how much
//! of a run each gets, in `targets.txt`.

use crate::targets::{core, engine, ids, json, live, page, pull, push, records, snapshot, storage};

/// A function that takes any bytes, and panics where something reads them as it must not.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `corpus/`.
    pub name: &'static str,
    /// What it reads, for people.
    pub about: &'static str,
    /// Runs it on one input.
    pub run: fn(&[u8]),
}

/// All of them, in the order of `targets.txt`.
pub const TARGETS: [Target; 11] = [
    Target { name: "push", about: "the body of a push", run: push::run },
    Target { name: "pull", about: "the body of a pull", run: pull::run },
    Target { name: "snapshot", about: "the body of a snapshot", run: snapshot::run },
    Target { name: "live", about: "a frame on the WebSocket", run: live::run },
    Target { name: "json", about: "the strict door", run: json::run },
    Target { name: "page", about: "JSON inside of a page", run: page::run },
    Target { name: "ids", about: "ids, times, digests, names, origins", run: ids::run },
    Target { name: "engine", about: "mutations, to their effects", run: engine::run },
    Target { name: "core", about: "what a client hears", run: core::run },
    Target { name: "records", about: "a damaged database", run: records::run },
    Target { name: "storage", about: "a client's damaged file", run: storage::run },
];
