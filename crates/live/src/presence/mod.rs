//! Who is here: for each topic its peers, each with a small state, told to whoever is there or looks. Everything in it is
//! gone with its connections; nothing is kept or logged, and what a state means is the layer above's business.

mod frames;
mod limits;
mod pace;
mod roll;
mod room;
mod rooms;
mod seat;
mod told;

pub use limits::{
    DELTA_BYTES, NAME_BYTES, NAMES_PER_SEAT, PEERS, PEERS_PER_TOPIC, PEERS_TOLD, PresenceRefused, STATE_BYTES,
    TELL_EVERY, TOLD_PER_SECOND,
};
pub use rooms::Presence;
pub use seat::Seat;
pub use told::Told;
