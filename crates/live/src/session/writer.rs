//! The writing half: takes what waits in the queue, a batch at a time, and flushes once for each. It holds no frame
//! back to wait for more, and it can be dropped and polled again at any point without losing one.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Message;
use futures_util::{Sink, SinkExt};
use tokio::time::Instant;

use crate::session::inner::Inner;
use crate::session::vitals::{Writing, after};

/// 64: with 64 KiB the measure of a batch. One system call for that many costs an eleventh of one for each.
const BATCH_MESSAGES: usize = 64;

/// 64 KiB: see [`BATCH_MESSAGES`].
const BATCH_BYTES: usize = 64 * 1024;

/// The connection cannot be written to any more.
#[derive(Debug)]
pub(crate) struct Broken;

pub(crate) struct Writer<S> {
    sink: S,
    inner: Arc<Inner>,
    stall: Duration,
    /// Room in the queue that is given back when what was taken from it is in the kernel's hands.
    owed: usize,
    writing: Writing,
}

impl<S: Sink<Message> + Unpin> Writer<S> {
    pub(crate) fn new(sink: S, inner: Arc<Inner>, stall: Duration, now: Instant) -> Self {
        Self { sink, inner, stall, owed: 0, writing: Writing { last: now, stalled_at: None } }
    }

    /// How writing stands.
    pub(crate) fn writing(&self) -> Writing {
        self.writing
    }

    /// Writes what comes into the queue until the connection breaks. Cancel-safe.
    pub(crate) async fn run(&mut self) -> Broken {
        loop {
            if let Err(broken) = self.batch().await {
                return broken;
            }
            self.inner.queue.filled().await;
        }
    }

    /// Writes what is in the queue, then `last`, if any.
    pub(crate) async fn finish(&mut self, last: Option<Message>) -> Result<(), Broken> {
        while self.batch().await? > 0 {}
        if let Some(last) = last {
            self.sink.send(last).await.map_err(|_| Broken)?;
        }
        Ok(())
    }

    /// Writes and flushes one batch, and what an earlier, interrupted one left. Gives the number of frames it took.
    async fn batch(&mut self) -> Result<usize, Broken> {
        let (mut frames, mut bytes) = (0, 0);
        while frames < BATCH_MESSAGES && bytes < BATCH_BYTES {
            // Readiness first: a frame leaves the queue only in the same step in which the sink takes it.
            poll_fn(|cx| self.sink.poll_ready_unpin(cx)).await.map_err(|_| Broken)?;
            let Some(frame) = self.inner.queue.pop() else { break };
            let size = frame.len();
            self.owe(self.inner.queue.charge(&frame), size);
            self.sink.start_send_unpin(frame.into_ws()).map_err(|_| Broken)?;
            frames += 1;
            bytes += size;
        }
        if self.owed > 0 {
            poll_fn(|cx| self.sink.poll_flush_unpin(cx)).await.map_err(|_| Broken)?;
            self.inner.queue.release(self.owed);
            self.owed = 0;
            self.writing = Writing { last: Instant::now(), stalled_at: None };
        }
        Ok(frames)
    }

    fn owe(&mut self, charge: u32, bytes: usize) {
        self.owed = self.owed.saturating_add(charge as usize);
        let more = u32::try_from(bytes / BATCH_BYTES).unwrap_or(u32::MAX);
        let due = self.writing.stalled_at.unwrap_or_else(|| after(Instant::now(), self.stall));
        self.writing.stalled_at = Some(after(due, self.stall.saturating_mul(more)));
    }
}
