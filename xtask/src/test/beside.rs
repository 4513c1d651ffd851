//! The steps that run beside the others, one at a time, each a process of its own, mostly at a low priority. What one says goes
//! into a file and is shown in one piece when it is over, so that the lines of two steps never mix.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result};

use super::{
    board::Board,
    counts::Counts,
    plan::Step,
    summary::{Done, Outcome},
};
use crate::{
    metadata::Metadata,
    process::{command, find},
};

/// How far the steps here make way for the others: far enough that a test that waits for something is not kept waiting.
const NICE: &str = "10";

/// See the file's head.
pub(super) struct Beside {
    pub(super) steps: Vec<Step>,
    /// What they say.
    folder: PathBuf,
    /// This program. It may be built anew while it runs, so it is asked for once.
    own: PathBuf,
    dir: PathBuf,
}

impl Beside {
    pub(super) fn new(metadata: &Metadata, steps: Vec<Step>) -> Result<Self> {
        let folder = metadata.target_directory.join("xtask/beside");
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        Ok(Self { steps, folder, own: env::current_exe()?, dir: env::current_dir()? })
    }

    /// Runs them all, each when what it needs is over.
    pub(super) fn run(&self, board: &Board) {
        for &step in &self.steps {
            loop {
                let seen = board.done().len();
                if board.missing(step.means_nothing_without()).is_none() {
                    break;
                }
                board.wait(seen);
            }
            board.put(match board.spoiled(step) {
                Some(why) => Done::skipped(step, why),
                None => self.one(step, board.was_built()),
            });
        }
    }

    /// Shows what those said that were not `shown` yet.
    pub(super) fn show(&self, board: &Board, shown: &mut Vec<Step>) -> Result<()> {
        for done in board.done().iter() {
            if self.steps.contains(&done.step) && !shown.contains(&done.step) {
                shown.push(done.step);
                println!("\n=== {}: {} (ran beside others)", done.step, done.step.about());
                if let Ok(mut words) = File::open(self.words(done.step)) {
                    io::copy(&mut words, &mut io::stdout())?;
                }
                println!("{}", done.line());
            }
        }
        Ok(())
    }

    fn one(&self, step: Step, built: bool) -> Done {
        let start = Instant::now();
        self.attempt(step, built).unwrap_or_else(|error| Done {
            step,
            outcome: Outcome::Failed(format!("{error:#}")),
            tests: Counts::default(),
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    fn attempt(&self, step: Step, built: bool) -> Result<Done> {
        let told = self.folder.join(format!("{step}.json"));
        // What an earlier run left must not be taken for this one's.
        if told.exists() {
            fs::remove_file(&told)?;
        }
        let words = File::create(self.words(step))?;
        let mut command = if is_urgent(step) { command(&self.own, &self.dir, &[]) } else { nice(&self.own, &self.dir) };
        command.args(["test", "--only", &step.to_string(), "--tell"]).arg(&told).args(built.then_some("--built"));
        command.stdin(Stdio::null()).stdout(words.try_clone()?).stderr(words);
        let status = command.status().context("it can't be started")?;
        let told = fs::read(&told).with_context(|| format!("it ended without a word on how ({status})"))?;
        serde_json::from_slice(&told).context("what it told can't be read")
    }

    /// The file of what a step says.
    pub(super) fn words(&self, step: Step) -> PathBuf {
        self.folder.join(format!("{step}.txt"))
    }
}

/// What a step that ran beside others leaves for the run it belongs to.
pub(super) fn tell(file: &Path, done: &Done) -> Result<()> {
    fs::write(file, serde_json::to_vec(done)?).with_context(|| format!("failed to write {}", file.display()))
}

/// Everything waits for the build, so it makes way for nothing.
fn is_urgent(step: Step) -> bool {
    matches!(step, Step::Purity | Step::Build)
}

fn nice(program: &Path, dir: &Path) -> Command {
    let Some(nice) = find("nice") else { return command(program, dir, &[]) };
    let mut command = command(nice, dir, &["-n", NICE]);
    command.arg(program);
    command
}
