//! No room on the disk. Pushes are refused as `unavailable`, reads go on, and when there is room again writing goes on
//! without a restart. The disk is a small one in memory where this program may mount one; else the shim refuses every write
//! that makes a file longer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail, ensure};
use rand::{SeedableRng, rngs::StdRng};
use riverrun_core::{Code, Scope};

use crate::{
    check,
    follower::Follower,
    http::{Answer, Http},
    options::World,
    report::Line,
    sender::{Pushed, Sender},
    server::{Plan, Start},
};

/// How often the disk fills and is emptied.
const ROUNDS: usize = 8;
const SHORT_ROUNDS: usize = 2;

/// The disk, in MiB: room for a log that was never emptied, and some rounds.
const DISK: usize = 96;

/// Pushes that have to be refused on a full disk before it counts as one that stays full.
const REFUSALS: usize = 10;

/// Pushes that may be taken before the disk is full: what is in the log's file already can be used again.
const PATIENCE: usize = 500;

/// Bytes of padding in each mutation.
const PAD: usize = 4_000;

/// Room that can be taken and given back.
enum Room {
    Disk(PathBuf),
    Shim(PathBuf),
}

impl Room {
    fn new(world: &World, folder: &Path) -> Result<Self> {
        let size = format!("size={DISK}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).stderr(Stdio::null()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Ok(Self::Disk(folder.into()));
        }
        Ok(Self::Shim(world.folder("full-flag")?.join("full")))
    }

    fn take(&self) -> Result<()> {
        match self {
            Self::Disk(folder) => {
                let mut bytes = DISK << 20;
                let mut held = 0;
                while bytes > 0 {
                    match fs::write(folder.join(format!("ballast-{held}")), vec![0; bytes]) {
                        Ok(()) => held += 1,
                        Err(_) => bytes /= 2,
                    }
                }
            }
            Self::Shim(flag) => fs::write(flag, "")?,
        }
        Ok(())
    }

    fn give_back(&self) -> Result<()> {
        match self {
            Self::Disk(folder) => {
                for entry in fs::read_dir(folder)? {
                    let path = entry?.path();
                    if path.to_string_lossy().contains("ballast-") {
                        fs::remove_file(path)?;
                    }
                }
            }
            Self::Shim(flag) => fs::remove_file(flag)?,
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Self::Disk(folder) = self {
            let _ = Command::new("umount").arg(folder).status();
        }
    }
}

pub(crate) fn run(world: &World) -> Result<Line> {
    let folder = world.folder("full")?;
    let room = Room::new(world, &folder)?;
    let mut plan = Plan::new(&world.programs.server, &folder.join("app.db"), &world.env);
    if let Room::Shim(flag) = &room {
        plan = plan.shim(&world.programs.shim).env("RIVERRUN_FORCE_FULL", flag.display());
    }
    let server = match plan.start()? {
        Start::Up(server) => server,
        Start::Ended(ended) => bail!("the server does not start:\n{}", ended.said),
    };
    let http = Http::new(&server.url);
    let mut chance = world.chance("full");
    let scope = Scope::new("list:a")?;
    let mut sender = Sender::new(scope.as_str(), Some("c-1"), StdRng::from_rng(&mut chance))?.padded(PAD);
    let (mut follower, mut epoch) = (Follower::new(&scope), None);
    let (mut refused, mut reads) = (0, 0);
    for _ in 0..if world.short { SHORT_ROUNDS } else { ROUNDS } {
        let before = sender.acks.len();
        ensure!(sender.push(&http, 20)? != Pushed::Unknown, "the connection broke off");
        ensure!(sender.acks.len() > before, "there is room again, and a push was refused");
        room.take()?;
        let (mut in_a_row, mut pushes) = (0, 0);
        while in_a_row < REFUSALS {
            pushes += 1;
            ensure!(pushes < PATIENCE, "the disk is full, and {pushes} pushes were taken");
            match sender.push(&http, 20)? {
                Pushed::Decided(_) => in_a_row = 0,
                Pushed::Refused(Code::Unavailable) => in_a_row += 1,
                other => bail!("on a full disk a push came to {other:?}"),
            }
            refused += usize::from(in_a_row > 0);
        }
        follower.catch_up(&http, &mut epoch)?;
        ensure!(follower.missing(sender.news().iter()).is_empty(), "what was answered can't be read");
        ensure!(matches!(http.snapshot(scope.as_str())?, Answer::Ok(_)), "no snapshot on a full disk");
        ensure!(http.page("/lists/a") == Some(200), "no page on a full disk");
        reads += 3;
        room.give_back()?;
    }
    ensure!(matches!(sender.push(&http, 20)?, Pushed::Decided(20)), "there is room again, and a push was refused");
    drop(http);
    let ended = server.kill()?;
    ensure!(!ended.panicked(), "the server panicked:\n{}", ended.said);
    let found = check::file(&plan.database, &sender.acks)?;
    let how = if matches!(room, Room::Disk(_)) { "a small disk" } else { "the shim" };
    let figures = format!(
        "by {how}: {} acknowledged, {refused} pushes refused as unavailable, {reads} reads meanwhile; {} lost",
        sender.acks.len(),
        found.lost
    );
    Ok(Line::new("full disk", figures, found.is_well()).because(found.why))
}
