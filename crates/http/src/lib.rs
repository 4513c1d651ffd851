//! riverrun on axum: the routes of the contract, who is asking, the join of engine and live connections, and an accept loop
//! that times out and drains. It translates and decides nothing; it knows no SQL.
//!
//! [`router`] gives an `axum::Router` with everything; [`Routes`] the same with an application's own ways.

mod answer;
mod auth;
mod client;
mod door;
mod guard;
mod handlers;
mod here;
mod join;
mod push;
mod routes;
mod serve;
mod topics;

pub use auth::{Anonymous, AuthFailed, Authenticate, Identity};
pub use door::SameOrigin;
pub use guard::{ADDRESS_RATE, BODIES_BYTES, BODIES_SHARE, BODY_IDLE, BODY_WITHIN, Limits, PRINCIPAL_RATE, Rate};
pub use join::Member;
pub use routes::{Live, Routes, router};
pub use serve::{DRAIN_WITHIN, HEADER_TIMEOUT, MAX_CONNECTIONS, SEND_BUFFER, Serve, ServeError, WRITE_STALL, serve};
pub use topics::Topics;
