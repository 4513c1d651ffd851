//! What waits to be written to one session, bounded in bytes and in number. A sender either waits for room or is told
//! there is none; nothing is dropped and nothing is reordered here.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, TryAcquireError};

use crate::Frame;

/// 256: a frame counts for at least this part of the queue's bytes, so that many tiny frames, whose cost is not in
/// their bytes, are bounded by the same number.
pub const QUEUE_MESSAGES: usize = 256;

/// A queue that was once deep gives its room back when it is empty and larger than this many frames.
const KEPT_CAPACITY: usize = 16;

/// The session has ended, or is about to: nothing more can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is closed")]
pub struct Closed;

/// Why a frame could not be queued at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The queue is full: the reader is slower than the sender.
    #[error("the session's queue is full")]
    Full,
    /// The session has ended, or is about to.
    #[error("the session is closed")]
    Closed,
}

#[derive(Debug)]
pub(crate) struct Queue {
    frames: Mutex<VecDeque<Frame>>,
    filled: Notify,
    /// One permit is one byte; taken at entry, given back when the frame is in the kernel's hands. Fair: a large frame
    /// that waits is not overtaken by small ones.
    room: Semaphore,
    limit: u32,
    least: u32,
}

impl Queue {
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes.clamp(QUEUE_MESSAGES, u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let limit = u32::try_from(bytes).unwrap_or(u32::MAX);
        let least = u32::try_from(bytes.div_ceil(QUEUE_MESSAGES)).unwrap_or(u32::MAX);
        Self { frames: Mutex::default(), filled: Notify::new(), room: Semaphore::new(bytes), limit, least }
    }

    /// What a frame takes of the room. One that is larger than the whole takes all of it: it enters an empty queue only.
    pub(crate) fn charge(&self, frame: &Frame) -> u32 {
        u32::try_from(frame.len()).unwrap_or(u32::MAX).clamp(self.least, self.limit)
    }

    pub(crate) async fn send(&self, frame: Frame) -> Result<(), Closed> {
        self.room.acquire_many(self.charge(&frame)).await.map_err(|_| Closed)?.forget();
        self.push(frame);
        Ok(())
    }

    pub(crate) fn try_send(&self, frame: Frame) -> Result<(), SendError> {
        match self.room.try_acquire_many(self.charge(&frame)) {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::NoPermits) => return Err(SendError::Full),
            Err(TryAcquireError::Closed) => return Err(SendError::Closed),
        }
        self.push(frame);
        Ok(())
    }

    fn push(&self, frame: Frame) {
        self.frames().push_back(frame);
        self.filled.notify_one();
    }

    pub(crate) fn pop(&self) -> Option<Frame> {
        let mut frames = self.frames();
        let frame = frames.pop_front();
        if frames.is_empty() && frames.capacity() > KEPT_CAPACITY {
            frames.shrink_to(KEPT_CAPACITY);
        }
        frame
    }

    /// Resolves when something waits. For one waiter only; cancel-safe.
    pub(crate) async fn filled(&self) {
        while self.frames().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Gives back what [`charge`](Self::charge) took.
    pub(crate) fn release(&self, charge: usize) {
        self.room.add_permits(charge);
    }

    /// What is queued or being written, in charged bytes: never above the limit.
    pub(crate) fn taken(&self) -> usize {
        (self.limit as usize).saturating_sub(self.room.available_permits())
    }

    /// Refuses what comes from now on, also of those who wait for room. What is in the queue stays.
    pub(crate) fn close(&self) {
        self.room.close();
    }

    fn frames(&self) -> MutexGuard<'_, VecDeque<Frame>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn frame(bytes: usize) -> Frame {
        Frame::from_text("x".repeat(bytes))
    }

    #[test]
    fn tiny_frames_are_bounded_by_number() {
        let queue = Queue::new(64 * 1024);
        for _ in 0..QUEUE_MESSAGES {
            queue.try_send(frame(1)).unwrap();
        }
        assert_eq!(queue.try_send(frame(1)), Err(SendError::Full));
    }

    #[test]
    fn a_frame_larger_than_the_queue_enters_when_it_is_empty_and_alone() {
        let queue = Queue::new(1024);
        queue.try_send(frame(1)).unwrap();
        assert_eq!(queue.try_send(frame(5000)), Err(SendError::Full));
        let first = queue.pop().unwrap();
        queue.release(queue.charge(&first) as usize);
        queue.try_send(frame(5000)).unwrap();
        assert_eq!(queue.taken(), 1024);
        assert_eq!(queue.try_send(frame(1)), Err(SendError::Full));
    }

    #[test]
    fn a_large_frame_that_waits_is_not_overtaken() {
        let queue = Queue::new(1024);
        queue.try_send(frame(1000)).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut large = pin!(queue.send(frame(5000)));
        assert!(large.as_mut().poll(&mut cx).is_pending());
        let mut small = pin!(queue.send(frame(1)));
        assert!(small.as_mut().poll(&mut cx).is_pending());

        let first = queue.pop().unwrap();
        queue.release(queue.charge(&first) as usize);
        assert!(small.as_mut().poll(&mut cx).is_pending());
        assert!(large.as_mut().poll(&mut cx).is_ready());
        assert_eq!(queue.pop().map(|frame| frame.len()), Some(5000));
    }

    #[test]
    fn closing_refuses_those_who_wait_and_keeps_what_is_queued() {
        let queue = Queue::new(1024);
        queue.try_send(frame(1024)).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut waiting = pin!(queue.send(frame(1)));
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        queue.close();
        assert_eq!(waiting.as_mut().poll(&mut cx), std::task::Poll::Ready(Err(Closed)));
        assert_eq!(queue.try_send(frame(1)), Err(SendError::Closed));
        assert!(queue.pop().is_some());
    }
}
