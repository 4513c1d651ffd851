//! The commands, a file each: its arguments with their help, and what it does. No command knows another.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod dev;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod new;
pub(crate) mod push;
pub(crate) mod restore;
pub(crate) mod scopes;
pub(crate) mod state;
pub(crate) mod trim;
pub(crate) mod verify;
