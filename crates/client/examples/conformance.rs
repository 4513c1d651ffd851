//! Writes conformance traces: `conformance OUT FIRST WALKS RANDOM` puts those of `WALKS` recorded walks (a trace for each
//! of the three clients) and of `RANDOM` random sequences into files in the folder `OUT`, and replays each file.
//! `cargo xtask conformance` calls it; the format is told in `conformance/README.md`.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/trace/mod.rs"]
mod trace;

use std::{fs, path::Path};

/// Traces in one file: large enough to be few files, small enough to look into.
const PER_FILE: u64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, first, walks, random] = &args[..] else {
        return Err("usage: conformance OUT FIRST WALKS RANDOM".into());
    };
    let (first, walks, random): (u64, u64, u64) = (first.parse()?, walks.parse()?, random.parse()?);
    let out = Path::new(out);
    fs::create_dir_all(out)?;
    let (mut traces, mut steps) = (0, 0);
    let mut keep = |name: String, lines: Vec<String>| -> Result<(), Box<dyn std::error::Error>> {
        let text = lines.join("\n") + "\n";
        let agreed = trace::player::replay(&text)?;
        traces += agreed.0;
        steps += agreed.1;
        fs::write(out.join(name), text)?;
        Ok(())
    };
    let mut seed = first;
    while seed < first + walks {
        let until = (seed + PER_FILE / 3).min(first + walks);
        let all = (seed..until).flat_map(trace::record::traces);
        let lines = all.flat_map(|(name, acts)| trace::player::write(&name, acts)).collect();
        keep(format!("walk-{seed}.jsonl"), lines)?;
        seed = until;
    }
    let mut seed = first;
    while seed < first + random {
        let until = (seed + PER_FILE).min(first + random);
        let lines = (seed..until).map(trace::random::trace).flat_map(|(name, acts)| trace::player::write(&name, acts));
        keep(format!("random-{seed}.jsonl"), lines.collect())?;
        seed = until;
    }
    println!("{traces} traces, {steps} steps: the Rust replica agrees");
    Ok(())
}
