//! The steps of `cargo xtask test` by name, their order, and what each needs. Nothing is run here.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A step. Where they run one by one they do so in this order: quick ones first, and what others build upon before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(super) enum Step {
    Fmt,
    Tidy,
    Purity,
    ClientDeps,
    ClientCheck,
    ClientFresh,
    ClientTest,
    BrowserDeps,
    Build,
    RustTest,
    Force,
    Clippy,
    Features,
    Tutorial,
    NewApp,
    ClientBrowser,
    BrowserTest,
    Dev,
    Conformance,
    Sim,
    Fuzz,
}

impl Step {
    /// For the progress line: what is being done.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Fmt => "the Rust sources are formatted",
            Self::Tidy => "the rules of the house are kept",
            Self::Purity => "riverrun-core has no std, no runtime and no clock",
            Self::ClientDeps => "what the browser client's tools need is installed",
            Self::ClientCheck => "the browser client's types hold",
            Self::ClientFresh => "the committed build of the browser client is not stale",
            Self::ClientTest => "the browser client's tests",
            Self::BrowserDeps => "a browser and what drives it are installed",
            Self::Build => "everything compiles",
            Self::RustTest => "the Rust tests, doc tests and the fuzz targets' kept inputs included",
            Self::Force => "the release server, killed, cut from power, on failing and full disks",
            Self::Clippy => "no lint has anything to say",
            Self::Features => "each library crate alone, and its features one by one",
            Self::Tutorial => "docs/tutorial.md does what it says",
            Self::NewApp => "an application of each template, made as a newcomer would",
            Self::ClientBrowser => "the browser client's tests, in a real browser",
            Self::BrowserTest => "the application in a real browser",
            Self::Dev => "`riverrun dev`, with real edits in a real browser",
            Self::Conformance => "both clients say the same of 1,000 fresh traces",
            Self::Sim => "500 seeds of the simulation, over both stores",
            Self::Fuzz => "the fuzz targets, for two seconds each",
        }
    }

    /// The steps that install what this one runs with; `--only` brings them along.
    fn installed_by(self) -> &'static [Self] {
        match self {
            Self::ClientCheck | Self::ClientFresh | Self::ClientTest | Self::Conformance => &[Self::ClientDeps],
            // One of its pages is built with React, by the client's bundler.
            Self::BrowserTest | Self::ClientBrowser => &[Self::ClientDeps, Self::BrowserDeps],
            Self::Dev => &[Self::BrowserDeps],
            _ => &[],
        }
    }

    /// Steps that come first, and after whose failure this one would only fail again, for the same reason.
    pub(super) fn means_nothing_without(self) -> &'static [Self] {
        match self {
            Self::ClientCheck | Self::ClientFresh | Self::ClientTest => &[Self::ClientDeps],
            Self::Conformance => &[Self::ClientDeps, Self::Build],
            Self::RustTest | Self::Tutorial | Self::NewApp => &[Self::Build],
            Self::ClientBrowser => &[Self::ClientDeps, Self::BrowserDeps],
            Self::BrowserTest => &[Self::ClientDeps, Self::BrowserDeps, Self::Build],
            Self::Dev => &[Self::BrowserDeps, Self::Build],
            _ => &[],
        }
    }

    /// Steps that must be over, however they ended: `riverrun dev` throws away what other copies of the template have built
    /// under the names of its own parts, and theirs may be running.
    pub(super) fn comes_after(self) -> &'static [Self] {
        match self {
            Self::Dev => &[Self::Features, Self::Tutorial, Self::NewApp],
            _ => &[],
        }
    }

    /// Steps that compile, or compute without looking at a clock: they run beside the others, which mostly wait, and
    /// leave them the processor when they want it. The first after the build does not build for development, so that the
    /// Rust tests get cargo's lock.
    pub(super) fn is_beside(self) -> bool {
        matches!(
            self,
            Self::Purity
                | Self::Build
                | Self::Force
                | Self::Clippy
                | Self::Features
                | Self::Tutorial
                | Self::NewApp
                | Self::Conformance
                | Self::Sim
                | Self::Fuzz
        )
    }

    /// Run only when it is asked for: the fuzzer compiles everything once more, to look for two seconds; what its longer
    /// runs have found worth keeping is replayed by the Rust tests.
    fn is_extra(self) -> bool {
        self == Self::Fuzz
    }

    fn is_browser(self) -> bool {
        matches!(self, Self::BrowserDeps | Self::ClientBrowser | Self::BrowserTest | Self::Dev)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.pad(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// The steps to run, in order. An empty `only` means all but the extra ones.
pub(super) fn plan(only: &[Step], no_browser: bool) -> Vec<Step> {
    let is_asked = |step: &Step| {
        only.contains(step)
            || only.iter().any(|asked| asked.installed_by().contains(step))
            || only.is_empty() && !step.is_extra()
    };
    Step::value_variants().iter().copied().filter(is_asked).filter(|step| !(no_browser && step.is_browser())).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::{Step, plan};

    #[test]
    fn everything_but_the_long_search_of_the_fuzzer_runs_unless_asked_otherwise() {
        let expected: Vec<_> = Step::value_variants().iter().copied().filter(|step| *step != Step::Fuzz).collect();
        assert_eq!(plan(&[], false), expected);
        assert_eq!(plan(&[Step::Fuzz], false), [Step::Fuzz]);
    }

    #[test]
    fn without_a_browser_all_else_still_runs() {
        let steps = plan(&[], true);
        assert_eq!(steps.len(), plan(&[], false).len() - 4);
        assert!(
            ![Step::ClientBrowser, Step::BrowserTest, Step::BrowserDeps, Step::Dev]
                .iter()
                .any(|step| steps.contains(step))
        );
    }

    #[test]
    fn a_single_step_brings_along_what_installs_it() {
        assert_eq!(plan(&[Step::Fmt], false), [Step::Fmt]);
        assert_eq!(plan(&[Step::ClientTest, Step::Fmt], false), [Step::Fmt, Step::ClientDeps, Step::ClientTest]);
        assert_eq!(plan(&[Step::BrowserTest], false), [Step::ClientDeps, Step::BrowserDeps, Step::BrowserTest]);
        assert_eq!(plan(&[Step::BrowserTest], true), [Step::ClientDeps]);
    }

    #[test]
    fn what_a_step_is_spoiled_by_runs_before_it() {
        let all = Step::value_variants();
        let place = |step: &Step| all.iter().position(|other| other == step);
        for step in all {
            for earlier in step.means_nothing_without().iter().chain(step.comes_after()) {
                assert!(place(earlier) < place(step), "{earlier} before {step}");
            }
        }
    }

    #[test]
    fn a_step_prints_as_the_name_it_is_asked_for_by() {
        assert_eq!(format!("[{:<12}]", Step::ClientTest), "[client-test ]");
    }
}
