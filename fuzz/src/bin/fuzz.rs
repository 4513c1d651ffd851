//! The fuzzer's program: libFuzzer around the target that `RIVERRUN_FUZZ` names. `cargo xtask fuzz` builds it with the
//! instrumentation and starts it; without that it would be blind.
#![no_main]

use std::{env, process, sync::OnceLock};

use riverrun_fuzz::{TARGETS, Target};

fn chosen() -> &'static Target {
    static CHOSEN: OnceLock<&'static Target> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let name = env::var("RIVERRUN_FUZZ").unwrap_or_default();
        TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            eprintln!("RIVERRUN_FUZZ names no target: it is one of {}", names.join(", "));
            process::exit(2);
        })
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| (chosen().run)(data));
