//! The storage's own thread: writes one after the other and says of each that it is safe, or of the first that it is not,
//! after which nothing more is written.

use std::{sync::mpsc, thread};

use tokio::sync::oneshot;

use crate::{event::Event, saved::Write, store::Storage};

/// What the thread is told.
pub(super) enum Order {
    /// Do these writes.
    Write(u64, Vec<Write>),
    /// Everything before this is done: say so.
    Flush(oneshot::Sender<()>),
}

/// Starts the thread. It ends when the sender is gone.
pub(super) fn start(
    mut storage: Box<dyn Storage>,
    done: impl Fn(Event) + Send + 'static,
) -> std::io::Result<mpsc::Sender<Order>> {
    let (orders, ordered) = mpsc::channel();
    let work = move || {
        let mut failed = false;
        for order in ordered {
            match order {
                Order::Write(number, writes) if !failed => match storage.write(writes) {
                    Ok(()) => done(Event::Stored(number)),
                    Err(error) => {
                        failed = true;
                        done(Event::StoreFailed(number, error.to_string()));
                    }
                },
                Order::Write(..) => {}
                Order::Flush(flushed) => drop(flushed.send(())),
            }
        }
    };
    thread::Builder::new().name("riverrun-client".into()).spawn(work)?;
    Ok(orders)
}
