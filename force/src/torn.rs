//! Bytes flipped in each page of a database that was left in good order. Where a server starts on it, every answer is compared
//! with what the whole file answers. SQLite keeps no checksum of its pages, so a flipped byte in a row's own text is told by
//! riverrun's digest (the log), by `verify` (the state), or by nothing (a verdict); never may it end in a panic.

use std::{fs, path::Path, thread};

use anyhow::{Context, Result, bail, ensure};
use rand::{Rng, SeedableRng, rngs::StdRng};
use riverrun_core::{Scope, wire::SnapshotAnswer};
use riverrun_engine::{Engine, Public};
use riverrun_sqlite::Sqlite;

use crate::{
    check,
    follower::Follower,
    http::{Answer, Http},
    ledger::Ack,
    options::World,
    report::{Line, Progress},
    sender::{Pushed, Sender},
    server::{Ended, Plan, Start},
};

/// Bytes of a page.
const PAGE: usize = 4096;

/// Mutations in the database, in pushes of so many.
const PUSHES: usize = 30;
const PUSH: usize = 20;

/// Pages looked at in a short run.
const SHORT: usize = 24;

const WORKERS: usize = 2;

/// How a page is damaged.
const DAMAGES: [&str; 3] = ["one byte", "a torn half", "its header"];

/// What the answers of a damaged file came to, from the loudest to the most silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// The server did not start, and named the file.
    AtTheStart,
    /// The server did not start, and said what is wrong but not with which file.
    AtTheStartUnnamed,
    /// A read was refused.
    ByARefusal,
    /// A reader's digest does not roll, or the log has a gap.
    ByTheDigest,
    /// `verify` finds it.
    ByVerify,
    /// Every answer is as before.
    NoHarm,
    /// Log and state are as before, what is recorded of a mutation is not.
    AVerdictUntold,
    /// An answer of the log or the state differs, and nothing tells.
    Silent,
}

/// The whole file and what it answers.
struct Whole {
    bytes: Vec<u8>,
    acks: Vec<Ack>,
    scope: Scope,
    snapshot: SnapshotAnswer,
}

pub(crate) fn run(world: &World) -> Result<Line> {
    let whole = make(world)?;
    let pages = whole.bytes.len() / PAGE;
    let mut chance = world.chance("torn");
    let mut chosen: Vec<(usize, usize)> =
        (0..pages).flat_map(|page| (0..DAMAGES.len()).map(move |how| (page, how))).collect();
    if world.short {
        rand::seq::SliceRandom::shuffle(&mut chosen[..], &mut chance);
        chosen.truncate(SHORT);
    }
    let told = thread::scope(|scope| {
        let (chosen, whole) = (&chosen, &whole);
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || -> Result<Vec<Told>> {
                    let folder = world.fast_folder(&format!("torn-{worker}"))?;
                    let mut progress = Progress::new("torn");
                    let own = chosen.iter().enumerate().filter(|(at, _)| at % WORKERS == worker);
                    own.map(|(at, (page, how))| {
                        if worker == 0 {
                            progress.tell(|| format!("{at} of {} damaged files", chosen.len()));
                        }
                        let seed = world.seed ^ (page * DAMAGES.len() + how) as u64;
                        one(world, whole, *page, *how, StdRng::seed_from_u64(seed), &folder)
                            .with_context(|| format!("page {}, {}", page + 1, DAMAGES[*how]))
                    })
                    .collect()
                })
            })
            .collect();
        workers.into_iter().try_fold(Vec::new(), |mut all, worker| {
            all.extend(worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??);
            Ok::<_, anyhow::Error>(all)
        })
    })?;
    let count = |what: Told| told.iter().filter(|told| **told == what).count();
    let figures = format!(
        "{} damages to {pages} pages: {} told at the start ({} more without the file's name), {} by a refused read, {} by the digest, {} by verify, {} without \
         effect, {} in a verdict told by nothing, {} in log or state told by nothing",
        told.len(),
        count(Told::AtTheStart),
        count(Told::AtTheStartUnnamed),
        count(Told::ByARefusal),
        count(Told::ByTheDigest),
        count(Told::ByVerify),
        count(Told::NoHarm),
        count(Told::AVerdictUntold),
        count(Told::Silent)
    );
    Ok(Line::new("torn page", figures, count(Told::Silent) == 0))
}

/// Fills a database and leaves it in good order.
fn make(world: &World) -> Result<Whole> {
    let folder = world.folder("torn")?;
    let plan = Plan::new(&world.programs.server, &folder.join("app.db"), &world.env);
    let Start::Up(server) = plan.start()? else { bail!("the server does not start") };
    let http = Http::new(&server.url);
    let scope = Scope::new("list:a")?;
    let mut sender = Sender::new(scope.as_str(), Some("c-1"), world.chance("torn"))?;
    for _ in 0..PUSHES {
        ensure!(sender.push(&http, PUSH)? == Pushed::Decided(PUSH), "a push failed with nothing in its way");
    }
    let Answer::Ok(snapshot) = http.snapshot(scope.as_str())? else { bail!("no snapshot") };
    drop(http);
    ensure!(!server.stop()?.panicked(), "the server panicked");
    Ok(Whole { bytes: fs::read(&plan.database)?, acks: sender.acks, scope, snapshot })
}

fn damage(bytes: &mut [u8], how: usize, chance: &mut StdRng) {
    match how {
        0 => bytes[chance.random_range(0..PAGE)] ^= 1 << chance.random_range(0..8),
        // As a write that stopped half way, over what was zeros.
        1 => bytes[PAGE / 2..].fill(0),
        _ => bytes[chance.random_range(0..12)] ^= 0xff,
    }
}

fn one(world: &World, whole: &Whole, page: usize, how: usize, mut chance: StdRng, folder: &Path) -> Result<Told> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    let mut bytes = whole.bytes.clone();
    damage(&mut bytes[page * PAGE..(page + 1) * PAGE], how, &mut chance);
    let database = folder.join("app.db");
    fs::write(&database, &bytes)?;
    let server = match Plan::new(&world.programs.server, &database, &world.env).start()? {
        Start::Up(server) => server,
        Start::Ended(ended) => {
            no_panic(&ended)?;
            ensure!(ended.explained(), "the server does not say why it does not start: {}", ended.said);
            if !ended.said.contains(&database.display().to_string()) {
                return Ok(Told::AtTheStartUnnamed);
            }
            return Ok(Told::AtTheStart);
        }
    };
    let http = Http::new(&server.url);
    let told = read(&http, whole)?;
    drop(http);
    no_panic(&server.kill()?)?;
    if let Some(told) = told.filter(|told| *told != Told::Silent) {
        return Ok(told);
    }
    fs::write(&database, &bytes)?;
    Ok(if verify_tells(&database, &whole.scope) {
        Told::ByVerify
    } else if told == Some(Told::Silent) {
        Told::Silent
    } else if check::file(&database, &whole.acks)?.is_well() {
        Told::NoHarm
    } else {
        Told::AVerdictUntold
    })
}

fn no_panic(ended: &Ended) -> Result<()> {
    ensure!(!ended.panicked(), "the server panicked:\n{}", ended.said);
    Ok(())
}

/// What a client notices: `None` when every answer is as before.
fn read(http: &Http, whole: &Whole) -> Result<Option<Told>> {
    let snapshot = match http.snapshot(whole.scope.as_str())? {
        Answer::Ok(snapshot) => snapshot,
        Answer::Refused(_) => return Ok(Some(Told::ByARefusal)),
        Answer::Nothing => bail!("the connection broke off"),
    };
    match http.pull(&serde_json::json!({"scope": whole.scope.as_str(), "cursor": 0, "limit": 1000}))? {
        Answer::Ok(_) => {}
        Answer::Refused(_) => return Ok(Some(Told::ByARefusal)),
        Answer::Nothing => bail!("the connection broke off"),
    }
    let mut follower = Follower::new(&whole.scope);
    if follower.catch_up(http, &mut Some(whole.snapshot.epoch.clone())).is_err() {
        return Ok(Some(Told::ByTheDigest));
    }
    if snapshot == whole.snapshot && follower.missing(whole.acks.iter()).is_empty() {
        return Ok(None);
    }
    // What is wrong for a reader who knows nothing yet (a scope under another name, say) is told to one who does.
    let known = serde_json::json!({
        "scope": whole.scope.as_str(), "cursor": whole.snapshot.cursor.0, "digest": whole.snapshot.digest.to_string(),
    });
    let is_told = matches!(http.pull(&known)?, Answer::Refused(_));
    Ok(Some(if is_told { Told::ByTheDigest } else { Told::Silent }))
}

fn verify_tells(database: &Path, scope: &Scope) -> bool {
    let Ok(store) = Sqlite::open(database) else { return true };
    let rules = myapp::service::todo::mutators();
    let Ok(kernel) = Engine::builder(store).mutators(rules).access(Public).kernel() else { return true };
    kernel.verify(scope).map_or(true, |verified| !verified.damage.is_empty())
}
