//! What a clock that was wrong for a while leaves behind.

#![allow(clippy::unwrap_used, reason = "what can't be unwrapped fails the test")]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use riverrun_core::{ClientId, Json, Millis, Mutation, MutationId, Mutators, Principal, Reject, Scope, Seq, Tx};
use riverrun_engine::{Clock, Decision, Edge, Engine, Kernel, Memory, Push, PushItem, SystemClock};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The machine's clock, put forward by some milliseconds.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Millis {
        Millis(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

/// Whether a new mutation is decided.
fn decides(kernel: &Kernel, place: Option<(ClientId, Seq)>) -> bool {
    let mutation = Mutation {
        id: MutationId::new(uuid::Uuid::now_v7().to_string()).unwrap(),
        name: "nothing".into(),
        args: Json::null(),
        scope: Scope::default(),
        place,
        schema: None,
    };
    let item = PushItem { mutation, declared: Vec::new(), edge: Edge::Go };
    let push = Push { principal: Principal::anonymous(), epoch: None, items: vec![item] };
    let settled = kernel.settle(&[push]).unwrap();
    matches!(settled.pushes[0].as_deref(), Ok([Decision::Decided { .. }]))
}

#[test]
fn a_clock_that_was_ahead_for_a_while_does_not_expire_what_comes_after_it_was_put_right() {
    let clock = Ahead::default();
    let nothing = |_: &mut Tx<'_>, (): ()| -> Result<(), Reject> { Ok(()) };
    let rules = Mutators::new().on("nothing", nothing);
    let kernel = Engine::builder(Memory::new()).mutators(rules).clock(clock.clone()).kernel().unwrap();
    assert!(decides(&kernel, None));

    clock.0.store(400 * DAY, Ordering::SeqCst);
    assert!(!kernel.forget().unwrap());
    clock.0.store(0, Ordering::SeqCst);

    assert!(decides(&kernel, None));
    assert!(decides(&kernel, Some((ClientId::new("c").unwrap(), Seq(1)))));
}
