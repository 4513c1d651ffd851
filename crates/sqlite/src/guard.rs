//! What an application's SQL may do on the store's connections. While it runs, SQLite asks here about each thing a
//! statement would do: the transaction, other files, the connection's settings and the engine's tables are out of its
//! reach. The hook is set once and switched by a flag, because setting it anew would expire every prepared statement.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
};

/// How every table of the engine's begins.
const PREFIX: &str = "rr_";

/// Settings that may be asked for, though never set: full-text and spatial indexes ask for the first two.
const READABLE: [&str; 4] = ["data_version", "page_size", "user_version", "application_id"];

/// Settings that only describe a table; their value is its name.
const DESCRIBING: [&str; 8] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
];

/// The switch of one connection's guard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard(Arc<AtomicBool>);

/// The guard is on for as long as this lives.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Guard);

impl Guard {
    /// A guard on this connection, switched off.
    pub(crate) fn install(conn: &mut Connection) -> rusqlite::Result<Self> {
        let guard = Self::default();
        let on = Arc::clone(&guard.0);
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            if on.load(Ordering::Relaxed) && denied(&context.action) {
                Authorization::Deny
            } else {
                Authorization::Allow
            }
        }))?;
        Ok(guard)
    }

    /// Switches it on.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.0.store(true, Ordering::Relaxed);
        Held(self)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

fn denied(action: &AuthAction<'_>) -> bool {
    use AuthAction as A;
    match action {
        // Temporary tables are in no log, and could hide a table of the engine's behind their name.
        A::CreateTempIndex { .. }
        | A::CreateTempTable { .. }
        | A::CreateTempTrigger { .. }
        | A::CreateTempView { .. }
        | A::Transaction { .. }
        | A::Savepoint { .. }
        | A::Attach { .. }
        | A::Detach { .. }
        | A::Analyze { .. }
        | A::Unknown { .. } => true,
        A::Pragma { pragma_name, pragma_value } => {
            let among = |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            !(among(&DESCRIBING) || (pragma_value.is_none() && among(&READABLE)))
        }
        A::Function { function_name } => function_name.eq_ignore_ascii_case("load_extension"),
        A::Insert { table_name }
        | A::Update { table_name, .. }
        | A::Delete { table_name }
        | A::CreateTable { table_name }
        | A::DropTable { table_name }
        | A::AlterTable { table_name, .. }
        | A::CreateVtable { table_name, .. }
        | A::DropVtable { table_name, .. }
        | A::CreateIndex { table_name, .. }
        | A::DropIndex { table_name, .. }
        | A::CreateTrigger { table_name, .. }
        | A::DropTrigger { table_name, .. } => is_the_engines(table_name),
        A::CreateView { view_name } | A::DropView { view_name } => is_the_engines(view_name),
        _ => false,
    }
}

/// Whether a table belongs to the engine.
pub(crate) fn is_the_engines(table: &str) -> bool {
    table.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
