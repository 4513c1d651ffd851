//! A collaborative todo list on riverrun: what it stores and decides is in `service`, what it shows in `handler`, `views`
//! and `assets`, and `server` puts it together.

pub mod handler;
pub mod server;
pub mod service;
