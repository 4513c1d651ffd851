//! `riverrun new`: an application of a template, in a directory of its own. What was not said is asked on a terminal and
//! only there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::{Args, builder::PossibleValuesParser};

use crate::{
    new::{self, Name, Source, Template},
    outcome::{Outcome, Usage},
    print::{BOLD, Out},
};

const EXAMPLES: &str = "Examples:
  riverrun new myapp                       a todo list with pages, forms, offline: the layout to grow from
  riverrun new tiny --template minimal     the same idea in one file
  riverrun new myapp --yes --no-git        ask nothing, make no repository

riverrun itself comes from where this program came from, unless one of the --riverrun options says otherwise.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct New {
    /// The directory to make
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// What to begin with
    #[arg(short, long, value_parser = PossibleValuesParser::new(new::names()))]
    template: Option<String>,
    /// The application's name; the directory's by default
    #[arg(long)]
    name: Option<String>,
    /// Make no git repository
    #[arg(long)]
    no_git: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
    /// Take riverrun from a checkout on this machine
    #[arg(long, value_name = "DIR", group = "source")]
    riverrun_path: Option<PathBuf>,
    /// Take riverrun from a git repository
    #[arg(long, value_name = "URL", group = "source")]
    riverrun_git: Option<String>,
    /// The revision to take from it
    #[arg(long, value_name = "REVISION", requires = "riverrun_git")]
    riverrun_rev: Option<String>,
    /// Take a released version of riverrun
    #[arg(long, value_name = "VERSION", group = "source")]
    riverrun_version: Option<String>,
}

impl New {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        // Before anything is asked: an answer given for nothing is worse than no question.
        new::is_free(&self.directory)?;
        let source = self.source()?;
        let name = match &self.name {
            Some(name) => Name::new(name).map_err(Usage)?,
            None => new::ask("What is it called?", &self.own_name()?, self.yes, Name::new)?,
        };
        let template = self.template()?;
        let files = new::make(template, &name, &source)?;
        let mut repository = false;
        new::write(&self.directory, &files, |made| {
            settle(made);
            repository = !self.no_git && init(made);
            Ok(())
        })?;
        let mut out = Out::new();
        let shown = self.directory.display();
        out.line(format_args!(
            "{BOLD}{name}{BOLD:#} is made, in {shown}: {} files of the template {}",
            files.len(),
            template.name
        ))?;
        out.line(format_args!("riverrun comes from {}", source.describe()))?;
        if !repository && !self.no_git {
            out.line("no git repository was made: git was not found, or there is one around it")?;
        }
        out.line("")?;
        out.line("What to run next:")?;
        out.line(format_args!("  cd {}", quoted(&self.directory)))?;
        out.line("  riverrun dev      serve it, and follow every edit; the first build takes about a minute")?;
        out.line("  cargo test        its tests")?;
        out.flush()?;
        Ok(Outcome::Well)
    }

    fn template(&self) -> anyhow::Result<&'static Template> {
        let all: Vec<_> = new::names().collect();
        let known = |name: &str| {
            new::find(name).ok_or_else(|| format!("there are the templates {}; {name} is none", all.join(" and ")))
        };
        if let Some(name) = &self.template {
            return Ok(known(name).map_err(Usage)?);
        }
        new::ask(&format!("Which template, {}?", all.join(" or ")), all.first().unwrap_or(&""), self.yes, known)
    }

    fn source(&self) -> anyhow::Result<Source> {
        Ok(match (&self.riverrun_path, &self.riverrun_git, &self.riverrun_version) {
            (Some(path), _, _) => Source::path(path)?,
            (_, Some(url), _) => Source::Git { url: url.clone(), revision: self.riverrun_rev.clone() },
            (_, _, Some(version)) => Source::Version(version.clone()),
            _ => Source::own(),
        })
    }

    /// The directory's own name, also of `.`.
    fn own_name(&self) -> anyhow::Result<String> {
        let whole = std::path::absolute(&self.directory)?;
        let whole = whole.canonicalize().unwrap_or(whole);
        let name = whole.file_name().ok_or_else(|| Usage("the directory has no name; give one with --name".into()))?;
        Ok(name.to_string_lossy().into_owned())
    }
}

/// Lets cargo leave out of the lock file what only the workspace's own tests need. Without what it has to know for that, it
/// does so at the first build.
fn settle(directory: &Path) {
    let mut cargo = Command::new("cargo");
    cargo.args(["update", "--workspace", "--offline", "--quiet"]).current_dir(directory);
    let _ = cargo.output();
}

/// Makes a repository, unless there is one around already. Says whether it did.
fn init(directory: &Path) -> bool {
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(directory).output();
    let inside = git(&["rev-parse", "--is-inside-work-tree"]).is_ok_and(|told| told.status.success());
    !inside && git(&["init", "--quiet"]).is_ok_and(|told| told.status.success())
}

/// A path to be pasted into a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    if is_plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
