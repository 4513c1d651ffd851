//! `cargo xtask fuzz`: builds the fuzz targets with LLVM's coverage instrumentation, which stable Rust passes through, and
//! drives them with libFuzzer. It judges nothing itself: a target panics, or it doesn't.

use std::{
    collections::VecDeque,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{
    metadata::Metadata,
    process::{cargo, command, output, stream},
    repo::Repo,
};

/// What cargo-fuzz sets, less the sanitizers, which need a nightly compiler.
const INSTRUMENTED: [&str; 12] = [
    "-C",
    "passes=sancov-module",
    "-C",
    "llvm-args=-sanitizer-coverage-level=4",
    "-C",
    "llvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-C",
    "llvm-args=-sanitizer-coverage-pc-table",
    "-C",
    "llvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
];

/// Set for the compilers of a fuzz build, which are started through this program.
const COMPILES: &str = "RIVERRUN_FUZZ_COMPILES";

/// Seconds after which one input counts as one that never ends: the slowest target needs milliseconds.
const INPUT_SECONDS: u32 = 20;

/// Bytes of one target's inputs that a fuzzer found and that are kept: eleven of them stay below what the corpus may have.
const KEPT_BYTES: u64 = 12 << 10;

/// Files of the same: everybody who has the repository has them.
const KEPT_FILES: usize = 60;

/// Bytes of one input above which it is not kept.
const INPUT_BYTES: u64 = 1 << 10;

/// Inputs that people wrote, and those that once broke a target, begin so; they are never thrown away.
const WRITTEN: [&str; 2] = ["bug-", "seed-"];

/// Lines of the fuzzer's words that are shown when it found something.
const SHOWN: usize = 150;

/// How much to run, and of what.
#[derive(Args)]
pub(crate) struct FuzzOptions {
    /// Executions of all chosen targets together, shared out as fuzz/targets.txt says.
    #[arg(long, default_value_t = 1_000_000)]
    execs: u64,
    /// Seconds for each target at most.
    #[arg(long)]
    seconds: Option<u64>,
    /// Afterwards keep what the run found worth keeping in fuzz/corpus, and of all that only what adds something.
    #[arg(long)]
    minimise: bool,
    /// Only these targets (see fuzz/targets.txt).
    targets: Vec<String>,
}

impl FuzzOptions {
    /// What every test run does: the kept inputs, and a short look for new ones.
    pub(crate) fn short() -> Self {
        Self { execs: u64::MAX, seconds: Some(2), minimise: false, targets: Vec::new() }
    }
}

/// A line of fuzz/targets.txt.
struct Share {
    name: String,
    part: u64,
    max_len: u64,
}

struct Run {
    program: PathBuf,
    corpus: PathBuf,
    /// What this machine's runs have found, kept between them.
    found: PathBuf,
    dictionary: PathBuf,
    share: Share,
}

/// Builds and runs; an error names the input that broke a target.
pub(crate) fn run(repo: &Repo, options: &FuzzOptions) -> Result<()> {
    let shares = chosen(&fs::read_to_string(repo.path("fuzz/targets.txt"))?, &options.targets)?;
    let metadata = Metadata::load(&repo.root)?;
    let folder = metadata.target_directory.join("fuzz");
    let program = build(repo, &folder)?;
    let all: u64 = shares.iter().map(|share| share.part).sum();
    let mut executed = 0;
    for share in shares {
        let execs = options.execs / all.max(1) * share.part;
        let run = Run {
            program: program.clone(),
            corpus: repo.path("fuzz/corpus").join(&share.name),
            found: folder.join("found").join(&share.name),
            dictionary: repo.path("fuzz/dict/riverrun.dict"),
            share,
        };
        executed += run.fuzz(execs.max(1), options.seconds)?;
        if options.minimise {
            run.minimise(&folder.join("merged").join(&run.share.name))?;
        }
    }
    println!("{executed} executions, nothing found");
    Ok(())
}

fn chosen(text: &str, names: &[String]) -> Result<Vec<Share>> {
    let mut shares = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [name, share, max_len] = line.split(' ').collect::<Vec<_>>()[..] else { bail!("not a target: {line}") };
        shares.push(Share { name: name.to_owned(), part: share.parse()?, max_len: max_len.parse()? });
    }
    if let Some(unknown) = names.iter().find(|name| shares.iter().all(|share| share.name != **name)) {
        bail!("there is no target {unknown:?}; see fuzz/targets.txt");
    }
    shares.retain(|share| names.is_empty() || names.contains(&share.name));
    Ok(shares)
}

/// Starts the compiler that cargo asked for, where this program was started as its wrapper. Only crates of this
/// repository come through here: the fuzzer looks at each counter after each input, and those of other crates would make
/// it several times slower. What runs on the host (build scripts, macros) has no runtime to count with.
pub(crate) fn compile() -> Option<ExitCode> {
    env::var_os(COMPILES)?;
    let mut args = env::args_os().skip(1);
    let mut rustc = Command::new(args.next()?);
    let args: Vec<_> = args.collect();
    if args.iter().any(|arg| arg == "--target") {
        rustc.args(INSTRUMENTED);
    }
    let done = rustc.args(args).status();
    Some(if done.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build(repo: &Repo, folder: &Path) -> Result<PathBuf> {
    let version = output(command("rustc", &repo.root, &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its host")?;
    let args = ["build", "-p", "riverrun-fuzz", "--features", "libfuzzer", "--bin", "fuzz", "--profile", "fuzz"];
    let mut build = cargo(&repo.root, &args);
    build.args(["--target", host]).env("CARGO_TARGET_DIR", folder);
    build.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?).env(COMPILES, "1");
    stream(build)?;
    Ok(folder.join(host).join("fuzz").join("fuzz"))
}

impl Run {
    fn command(&self) -> Command {
        let mut fuzz = Command::new(&self.program);
        fuzz.env("RIVERRUN_FUZZ", &self.share.name).stdin(Stdio::null());
        fuzz
    }

    /// Runs the kept inputs and new ones, and says how many in all.
    fn fuzz(&self, execs: u64, seconds: Option<u64>) -> Result<u64> {
        fs::create_dir_all(&self.found)?;
        let mut fuzz = self.command();
        // libFuzzer counts its runs in 31 bits, and takes -1 for "no end".
        let runs = i32::try_from(execs).unwrap_or(-1);
        fuzz.args([
            format!("-runs={runs}"),
            format!("-max_len={}", self.share.max_len),
            format!("-timeout={INPUT_SECONDS}"),
            format!("-dict={}", self.dictionary.display()),
            format!("-artifact_prefix={}/", self.found.parent().unwrap_or(&self.found).display()),
            format!("-max_total_time={}", seconds.unwrap_or(0)),
            "-print_final_stats=1".into(),
            "-reload=0".into(),
        ]);
        fuzz.arg(&self.found).arg(&self.corpus).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = fuzz.spawn().with_context(|| format!("failed to start {}", self.program.display()))?;
        let (mut last, mut executed, mut speed) = (VecDeque::new(), 0, 0);
        for line in BufReader::new(child.stderr.take().context("the fuzzer has no words")?).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            executed = stat(&line, "stat::number_of_executed_units:").unwrap_or(executed);
            speed = stat(&line, "stat::average_exec_per_sec:").unwrap_or(speed);
            last.push_back(line);
            if last.len() > SHOWN {
                last.pop_front();
            }
        }
        if !child.wait()?.success() {
            let words: Vec<_> = last.into();
            bail!("{} was broken:\n{}", self.share.name, words.join("\n"));
        }
        println!("{:9} {executed:>10} executions, {speed} a second", self.share.name);
        Ok(executed)
    }

    /// Of all inputs, those that add something, up to the limit; the larger ones first, which reach the most.
    fn minimise(&self, merged: &Path) -> Result<()> {
        if merged.exists() {
            fs::remove_dir_all(merged)?;
        }
        fs::create_dir_all(merged)?;
        let mut merge = self.command();
        merge.args(["-set_cover_merge=1", &format!("-max_len={}", self.share.max_len)]).args([
            merged,
            &self.corpus,
            &self.found,
        ]);
        let done = merge.output()?;
        ensure!(done.status.success(), "the merge failed:\n{}", String::from_utf8_lossy(&done.stderr));
        let mut inputs: Vec<(u64, PathBuf)> = Vec::new();
        for file in fs::read_dir(merged)? {
            let file = file?;
            inputs.push((file.metadata()?.len(), file.path()));
        }
        inputs.retain(|(length, _)| *length <= INPUT_BYTES);
        inputs.sort_by(|a, b| b.cmp(a));
        for file in fs::read_dir(&self.corpus)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if !WRITTEN.iter().any(|written| name.starts_with(written)) {
                fs::remove_file(file.path())?;
            }
        }
        let mut bytes = 0;
        for (length, path) in inputs.into_iter().take(KEPT_FILES) {
            bytes += length;
            if bytes > KEPT_BYTES {
                break;
            }
            let name = path.file_name().context("a file has a name")?.to_string_lossy().into_owned();
            fs::copy(&path, self.corpus.join(&name[..name.len().min(12)]))?;
        }
        Ok(())
    }
}

fn stat(line: &str, name: &str) -> Option<u64> {
    line.strip_prefix(name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{chosen, stat};

    #[test]
    fn a_target_is_chosen_by_its_name_and_an_unknown_one_is_refused() {
        let text = "# words\npush 20 4096\ncore 10 512\n";
        assert_eq!(chosen(text, &[]).unwrap().len(), 2);
        let one = chosen(text, &["core".to_owned()]).unwrap();
        assert_eq!((one.len(), one[0].part, one[0].max_len), (1, 10, 512));
        assert!(chosen(text, &["nonsense".to_owned()]).is_err());
        assert!(chosen("push 20\n", &[]).is_err());
    }

    #[test]
    fn the_fuzzer_s_own_counts_are_read() {
        assert_eq!(stat("stat::number_of_executed_units: 4012", "stat::number_of_executed_units:"), Some(4012));
        assert_eq!(stat("#4012 DONE", "stat::number_of_executed_units:"), None);
    }
}
