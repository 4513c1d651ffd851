//! What keeps one caller from taking the whole server: how often somebody may ask, and how many bytes of requests are held at
//! a time. An honest client never meets any of it.

mod address;
mod budget;
mod limits;
mod meter;
mod rates;

pub(crate) use budget::Held;
pub use limits::{ADDRESS_RATE, BODIES_BYTES, BODIES_SHARE, BODY_IDLE, BODY_WITHIN, Limits, PRINCIPAL_RATE, Rate};
pub(crate) use meter::{Guard, Meter};
