//! When a topic's news is told: the first at once, then no more often than its readers can bear. One task for each topic
//! that somebody is in; it holds the topic only while it tells.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::room::Room;
use super::{TELL_EVERY, TOLD_PER_SECOND};

/// Tells a room's news until the room is gone.
pub(super) async fn run(room: Weak<Room>) {
    let Some(news) = room.upgrade().map(|room| Arc::clone(&room.news)) else { return };
    loop {
        news.notified().await;
        let readers = match room.upgrade() {
            Some(room) => room.tell(),
            None => return,
        };
        sleep(pause(readers)).await;
    }
}

/// How long to be silent after this many were told.
fn pause(readers: usize) -> Duration {
    let fair = Duration::from_secs(1).saturating_mul(u32::try_from(readers).unwrap_or(u32::MAX)) / TOLD_PER_SECOND;
    fair.max(TELL_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_less_often_than_a_few() {
        assert_eq!((pause(0), pause(2), pause(500)), (TELL_EVERY, TELL_EVERY, TELL_EVERY));
        assert_eq!(pause(5_000), Duration::from_secs(1));
    }
}
