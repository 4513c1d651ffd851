//! What arrives on a connection, and where it goes. A frame that can't be read takes nothing down: what it carried is
//! pulled.

use riverrun_core::{Seq, wire::SnapshotAnswer};

use super::{
    Core,
    cx::Cx,
    read::read,
    standing::About,
    timers::Timer,
    verb::{Applied, Page},
};
use crate::{
    wire::{Ack, Arrived, Changes, Head},
    words::Failed,
};

impl Core {
    /// A text frame of the connection there is.
    pub(super) fn frame(&mut self, text: &str, cx: &mut Cx<'_>) {
        self.link.hears(cx.now);
        let Ok(Arrived { topic, data }) = serde_json::from_str(text) else { return };
        let data = data.get();
        let Ok(head) = serde_json::from_str::<Head>(data) else { return };
        if topic == "sys" {
            return self.sys(&head, cx);
        }
        if topic != self.topic {
            return;
        }
        if let Some(ask) = head.reference.as_ref().and_then(|reference| reference.parse().ok()) {
            let answer = if head.kind == "error" { Err(failed(&head)) } else { Ok(data.into()) };
            return self.answered(ask, answer, cx);
        }
        if self.sync_frame(&head, data, cx).is_err() {
            self.catch_up();
        }
    }

    fn sys(&mut self, head: &Head, cx: &mut Cx<'_>) {
        match head.kind.as_str() {
            "hello" => self.greeted(head.ping, cx),
            "ping" => self.say("pong", cx),
            "error" if head.code.as_deref() == Some("unauthenticated") => {
                self.standing.heard(About::Reading, Some(&failed(head)));
            }
            _ => {}
        }
    }

    fn sync_frame(&mut self, head: &Head, data: &str, cx: &mut Cx<'_>) -> Result<(), Failed> {
        match head.kind.as_str() {
            "snapshot" => {
                let snapshot: SnapshotAnswer = read(data)?;
                if self.link.client != self.replica.client {
                    // Another client's watermark does not say what of this one's is in it: asked again, as who it is now.
                    self.hang_up(cx);
                    return Ok(());
                }
                let last_seq = snapshot.last_seq.unwrap_or_default();
                self.replica.reset(snapshot, Some(last_seq), &mut cx.news);
            }
            "ack" => {
                let ack: Ack = read(data)?;
                if head.reference.as_ref() != Some(&self.link.reference) {
                    return Ok(());
                }
                self.timers.cancel(Timer::Subscribe);
                self.link.goes_live();
                if !self.replica.valid || self.replica.epoch.as_ref() != Some(&ack.epoch) {
                    self.reset("epoch_changed", cx);
                    return Ok(());
                }
                self.standing.live(true);
                let last_seq = self.counted(ack.last_seq);
                self.replica.watermark(ack.cursor, last_seq);
                // What another history accepted is let go of by a page from the head, which does not come by itself.
                self.expect_changes(cx);
            }
            "changes" => {
                if !self.link.is_live() {
                    // Of a subscription that is over: the next one begins at the base.
                    return Ok(());
                }
                let Changes { from, cursor, digest, list: changes } = read(data)?;
                let page = Page { from, cursor, digest, epoch: None, changes, last_seq: None, is_last_word: false };
                match self.replica.apply(page, &mut cx.news) {
                    Applied::Gap => {
                        // What is missing would have to be asked for until it is there; the subscription does that.
                        let wait = self.pause(cx);
                        self.unsubscribed(cx);
                        self.subscribe_in(wait, cx);
                    }
                    Applied::Foreign => self.reset("epoch_changed", cx),
                    Applied::Yes | Applied::Invalid => {}
                }
            }
            "lagged" => {
                self.unsubscribed(cx);
                let wait = self.reader.resets.next(0, cx.rng);
                self.subscribe_in(wait, cx);
            }
            "reset" => self.reset(head.code.as_deref().unwrap_or("epoch_changed"), cx),
            // Without a ref it ends the subscription; with another's it is not this one's.
            "error" if head.reference.as_ref().is_none_or(|reference| *reference == self.link.reference) => {
                self.subscription_refused(&failed(head), cx);
            }
            _ => {}
        }
        Ok(())
    }

    /// A watermark that came with the subscription, if it was asked for under the client id there is now.
    fn counted(&self, last_seq: Option<Seq>) -> Seq {
        last_seq.filter(|_| self.link.client == self.replica.client).unwrap_or_default()
    }

    fn subscription_refused(&mut self, failed: &Failed, cx: &mut Cx<'_>) {
        if failed.is_reset() {
            return self.reset(&failed.code, cx);
        }
        self.unsubscribed(cx);
        self.denied(failed);
        let wait = self.link.reconnects.next(0, cx.rng);
        self.subscribe_in(wait, cx);
    }

    /// The base can't be continued. The first time at once; a loop of resets waits longer and longer.
    fn reset(&mut self, code: &str, cx: &mut Cx<'_>) {
        self.unsubscribed(cx);
        let wait = self.lose(code, cx);
        if code == "use_http" {
            self.timers.set(Timer::Poll, cx.after(wait));
        } else {
            self.subscribe_in(wait, cx);
        }
    }
}

/// An `error` frame as the failure it is.
fn failed(head: &Head) -> Failed {
    let code = head.code.as_deref().unwrap_or("unavailable");
    Failed::of_code(code, head.error.as_deref().unwrap_or(code))
}
