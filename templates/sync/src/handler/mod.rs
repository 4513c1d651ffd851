//! What answers a browser.

mod filter;
mod form;
mod home;
mod page;
pub mod todo;

pub use home::{find, home, list, not_found};
