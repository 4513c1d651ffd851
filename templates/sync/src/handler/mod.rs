//! What answers a browser.

mod home;

pub use home::home;
