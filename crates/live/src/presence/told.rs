//! What one connection is told, a frame at a time and as fast as it takes them. One that takes them too slowly is told the
//! whole list anew instead of all it missed, so nothing is kept for it but its place.

use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::roll::Place;
use super::seat::Owed;
use super::{Seat, frames};
use crate::Frame;

/// The frames for one connection. Dropping it gives its [`Seat`] up.
#[derive(Debug)]
pub struct Told {
    seat: Seat,
    /// How far a list is that is under way.
    rest: Option<Place>,
    frames: Option<Receiver<Frame>>,
    /// The list waits for what is about to be told, which is in it then.
    begins: bool,
}

impl Told {
    pub(super) fn new(seat: Seat) -> Self {
        Self { seat, rest: None, frames: None, begins: false }
    }

    /// The next frame; `None` once the seat was given up. Cancel-safe. A frame of texts can always be written; should one not
    /// be, this ends.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if self.seat.is_gone() {
                return None;
            }
            if let Some(after) = self.rest {
                let page = self.seat.room().further(after);
                self.rest = page.rest;
                if page.peers.is_empty() {
                    continue;
                }
                return frames::further(&self.seat.room().topic, &page.peers);
            }
            let Some(frames) = self.frames.as_mut() else {
                let (frames, news) = self.seat.room().listen();
                self.frames = Some(frames);
                self.begins = news;
                if !news {
                    return self.list();
                }
                continue;
            };
            match self.seat.owed() {
                Owed::End => return None,
                Owed::Nothing => {}
                // The list that is about to begin brings all of it along.
                Owed::Ids | Owed::List if self.begins => {}
                Owed::List => return self.list(),
                Owed::Ids => return frames::you(&self.seat.room().topic, &self.seat.take_ids()),
            }
            tokio::select! {
                () = self.seat.said() => {}
                told = frames.recv() => match told {
                    Ok(frame) if !self.begins => return Some(frame),
                    // Behind, or at the beginning: the list holds all that was told so far.
                    Ok(_) | Err(RecvError::Lagged(_)) => return self.list(),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Begins the list anew, and listens from there.
    fn list(&mut self) -> Option<Frame> {
        let room = self.seat.room();
        let ((page, more, frames), ids) = (room.list(), self.seat.take_ids());
        self.rest = page.rest;
        self.frames = Some(frames);
        self.begins = false;
        frames::list(&room.topic, &ids, &page.peers, more)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.seat.give_up();
    }
}
