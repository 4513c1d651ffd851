//! Which database is meant, and how it is opened: to read beside a running server, or to write in its absence. What kind of
//! database it is, is known here alone; every command sees the store's contract.

use std::path::PathBuf;

use clap::Args;
use riverrun::{
    core::{Epoch, Scope},
    engine::{
        Store,
        store::{self, Head},
    },
    sqlite::{Options, Sqlite},
};

use crate::outcome::Usage;

/// Scopes read at a time.
const PAGE: usize = 1000;

#[derive(Debug, Clone, Args)]
pub(crate) struct Database {
    /// The database file
    #[arg(
        short = 'd',
        long = "database",
        env = "DATABASE_PATH",
        hide_env_values = true,
        default_value = "app.db",
        value_name = "FILE"
    )]
    pub(crate) path: PathBuf,
}

impl Database {
    /// The store, to read, also while a server has it open.
    pub(crate) fn read(&self) -> anyhow::Result<Box<dyn Store>> {
        Ok(Box::new(Options::at(self.there()?).open_to_read()?))
    }

    /// The store, to write; refused while a server has it open.
    pub(crate) fn write(&self) -> anyhow::Result<Box<dyn Store>> {
        let path = self.there()?;
        // Opening to write makes a file that is not there, and here none is meant to be made.
        Options::at(path).open_to_read()?;
        Ok(Box::new(Sqlite::open(path)?))
    }

    /// A new, empty store.
    pub(crate) fn create(&self) -> anyhow::Result<Box<dyn Store>> {
        Ok(Box::new(Sqlite::open(self.file()?)?))
    }

    /// The file of a database that is there already: what is only missing must not read as something to be made.
    fn there(&self) -> anyhow::Result<&PathBuf> {
        let path = self.file()?;
        if path.is_dir() {
            anyhow::bail!("{} is a directory; name the database in it", path.display());
        }
        if !path.exists() {
            let path = path.display();
            anyhow::bail!(
                "{path} does not exist; name the application's database with --database, or with DATABASE_PATH"
            );
        }
        Ok(path)
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> anyhow::Result<&PathBuf> {
        match self.path.to_str().and_then(|text| text.split_once("://")) {
            Some((scheme, _)) => {
                Err(Usage(format!("{scheme}:// is no store of this build; --database takes an SQLite file")).into())
            }
            None => Ok(&self.path),
        }
    }
}

/// All scopes, in order, each with its head.
pub(crate) fn scopes(store: &dyn Store) -> anyhow::Result<Vec<(Scope, Head)>> {
    let all = store::read(store, |tx| {
        let mut all: Vec<(Scope, Head)> = Vec::new();
        loop {
            let page = tx.scopes(all.last().map(|(scope, _)| scope), PAGE)?;
            let last = page.len() < PAGE;
            for scope in page {
                let head = tx.head(&scope)?.unwrap_or_default();
                all.push((scope, head));
            }
            if last {
                return Ok(all);
            }
        }
    })?;
    Ok(all)
}

/// A scope's head and the log's identity; fails if there is no such scope.
pub(crate) fn head(store: &dyn Store, scope: &Scope) -> anyhow::Result<(Head, Epoch)> {
    let (head, epoch) = store::read(store, |tx| Ok((tx.head(scope)?, tx.epoch()?)))?;
    let head =
        head.ok_or_else(|| anyhow::anyhow!("there is no scope {scope}; `riverrun scopes` lists those there are"))?;
    Ok((head, epoch))
}

/// A scope given on the command line.
pub(crate) fn scope(text: &str) -> Result<Scope, String> {
    Scope::new(text).map_err(|error| error.to_string())
}
