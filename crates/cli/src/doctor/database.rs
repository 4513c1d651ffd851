//! Whether the database can be opened, what it holds, and who has it open.

use riverrun::{
    engine::store,
    sqlite::{OpenError, Options},
};

use super::Finding;
use crate::{
    database::{Database, scopes},
    print::of,
};

/// A write-ahead log this large was not moved into its database for long.
const LARGE_LOG: u64 = 256 << 20;

pub(crate) fn look(database: &Database) -> Vec<Finding> {
    const WHAT: &str = "database";
    let path = match database.file() {
        Ok(path) => path,
        Err(error) => return vec![Finding::wrong(WHAT, error.to_string())],
    };
    let shown = path.display();
    let opened = match Options::at(path).open_to_read() {
        Ok(opened) => opened,
        Err(OpenError::Missing { .. }) => {
            return vec![Finding::note(
                WHAT,
                format!("{shown} is not there; the server makes it when it first starts"),
            )];
        }
        Err(error) => return vec![Finding::wrong(WHAT, error.to_string())],
    };
    let looked = store::read(&opened, |tx| tx.epoch())
        .map_err(anyhow::Error::from)
        .and_then(|epoch| Ok((epoch, scopes(&opened)?)));
    let (epoch, all) = match looked {
        Ok(found) => found,
        Err(error) => return vec![Finding::wrong(WHAT, format!("{shown}: {error}; look with `riverrun verify`"))],
    };
    let changes = all.iter().map(|(_, head)| head.cursor.0.saturating_sub(head.floor.0)).sum();
    let held = format!(
        "{shown} holds {} with {}, epoch {epoch}",
        of(all.len() as u64, "scope", "scopes"),
        of(changes, "change", "changes")
    );
    let mut findings = vec![Finding::well(WHAT, held)];
    let mut log = path.clone().into_os_string();
    log.push("-wal");
    if let Some(bytes) = std::fs::metadata(log).ok().map(|log| log.len()).filter(|bytes| *bytes > LARGE_LOG) {
        findings.push(Finding::note(
            WHAT,
            format!("its write-ahead log has {} MiB; a reader that never ends holds it", bytes >> 20),
        ));
    }
    findings
}
