//! An engine without threads and without a runtime, for simulations: its driver polls the futures it gives, in whatever
//! order, and says when the writer takes a turn. Everything that decides is the same code as in production.

use std::{sync::Arc, time::Duration};

use crate::{engine::Inner, writer::Writer};

/// The hands of an [`Engine`](crate::Engine) that [`Builder::inline`](crate::Builder::inline) made.
///
/// ```
/// use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// use riverrun_core::{Mutators, Principal, Reject, Tx};
/// use riverrun_engine::{Engine, Memory, Public};
///
/// fn ping(_: &mut Tx<'_>, (): ()) -> Result<(), Reject> {
///     Ok(())
/// }
///
/// let mutators = Mutators::new().on("ping", ping);
/// let (engine, mut hands) = Engine::builder(Memory::new()).mutators(mutators).access(Public).inline()?;
/// let server = Principal::server();
/// let mut mutate = pin!(engine.mutate(&server, "list:42", "ping", &()));
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(mutate.as_mut().poll(&mut cx).is_pending(), "nothing is written before the writer's turn");
/// assert!(hands.turn());
/// assert!(matches!(mutate.poll(&mut cx), Poll::Ready(Ok(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Inline {
    inner: Arc<Inner>,
    writer: Writer,
}

impl Inline {
    pub(crate) fn new(inner: Arc<Inner>, writer: Writer) -> Self {
        Self { inner, writer }
    }

    /// One turn of the writer: what waits is settled in one commit (a batch at most), answered and told to readers; then one
    /// step of upkeep, if any is due. `false`: there was nothing to do, or the engine was closed.
    pub fn turn(&mut self) -> bool {
        self.writer.turn()
    }

    /// A round of upkeep is due: ages are looked at in the turns that follow.
    pub fn round(&mut self) {
        self.writer.round();
    }

    /// How much time has passed since the driver's beginning, which is not what the clock says: that one may jump. Whoever
    /// waits for a moment looks at it again when polled next.
    pub fn tick(&self, passed: Duration) {
        self.inner.pace.tick(passed);
    }
}
