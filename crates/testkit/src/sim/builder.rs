//! How a simulation is put together and run: the public face. What happens in a run stands elsewhere.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
};

use riverrun_core::{Mutators, Scope};
use riverrun_engine::{Memory, Store};

use super::{
    Command, Failure, Faults, Gen, Observer, Outcome, Rows, State, Summary,
    broken::{Broken, Promise},
    plan::{Plan, plan},
    report::{failure, shorten},
    spec::{Spec, said},
    world::World,
};

/// Clients of a run, if nothing else is said.
const CLIENTS: usize = 4;

/// Steps of a run, if nothing else is said: enough for several faults to meet.
const STEPS: usize = 120;

/// A simulation to be run; see the [module](super).
#[must_use = "a simulation does nothing until it is run"]
#[derive(Clone)]
pub struct Sim {
    seed: u64,
    spec: Spec,
    traced: bool,
    observer: Option<Rc<RefCell<dyn Observer>>>,
}

impl Sim {
    /// A simulation of this seed: four clients of the scopes `list:1` and `list:2`, 120 steps, all faults, over the
    /// memory store. The environment's `SEED` takes the place of this one, to see a failure again.
    ///
    /// # Panics
    /// Never for the scopes it names itself.
    pub fn new(seed: u64) -> Self {
        let scope = |name: &str| Scope::new(name).expect("a short name is a scope");
        let spec = Spec {
            clients: CLIENTS,
            scopes: vec![scope("list:1"), scope("list:2")],
            steps: STEPS,
            faults: Faults::default(),
            mutators: Rc::new(Mutators::new),
            generate: Rc::new(|_| Command::from(("sim.one", serde_json::Value::Null))),
            invariants: Vec::new(),
            views: Vec::new(),
            store_name: "memory".into(),
            store: Rc::new(|| Arc::new(Memory::new())),
        };
        Self { seed, spec, traced: false, observer: None }
    }

    /// How many clients there are, at least 1. They share the scopes out among them in turn.
    pub fn clients(mut self, clients: usize) -> Self {
        self.spec.clients = clients.max(1);
        self
    }

    /// The scopes clients are in, instead of `list:1` and `list:2`.
    ///
    /// # Panics
    /// If there are none, or one is not a scope.
    pub fn scopes<'n>(mut self, scopes: impl IntoIterator<Item = &'n str>) -> Self {
        let scopes = scopes.into_iter().map(|name| Scope::new(name).expect("1 to 255 bytes, no control characters"));
        self.spec.scopes = scopes.collect();
        assert!(!self.spec.scopes.is_empty(), "a simulation needs a scope");
        self
    }

    /// How many steps are drawn from the seed.
    pub fn steps(mut self, steps: usize) -> Self {
        self.spec.steps = steps;
        self
    }

    /// The application: makes its mutators anew for every start of the server, every client, and for running decided
    /// mutations again. Those of the simulation itself (`sim.…`) are added.
    pub fn mutators(mut self, make: impl Fn() -> Mutators + 'static) -> Self {
        self.spec.mutators = Rc::new(make);
        self
    }

    /// What clients do: a command's name and its arguments, drawn from what the client sees.
    pub fn generate<C: Into<Command>>(mut self, choose: impl Fn(&mut Gen<'_>) -> C + 'static) -> Self {
        self.spec.generate = Rc::new(move |choice| choose(choice).into());
        self
    }

    /// What may go wrong.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.spec.faults = faults;
        self
    }

    /// Something that must hold for the server's state after every commit. The check returns whether it holds, or why
    /// not, or asserts.
    pub fn invariant<O: Outcome>(mut self, name: &str, check: impl Fn(&State) -> O + 'static) -> Self {
        self.spec.invariants.push((name.to_owned(), Rc::new(move |state| check(state).outcome())));
        self
    }

    /// Something that must hold for every client's view once everybody agrees.
    pub fn view_invariant<O: Outcome>(mut self, name: &str, check: impl Fn(&Rows) -> O + 'static) -> Self {
        self.spec.views.push((name.to_owned(), Rc::new(move |rows| check(rows).outcome())));
        self
    }

    /// Another store than the one in memory: its name, and what makes an empty one.
    pub fn store<S: Store>(mut self, name: &str, make: impl Fn() -> S + 'static) -> Self {
        name.clone_into(&mut self.spec.store_name);
        self.spec.store = Rc::new(move || Arc::new(make()));
        self
    }

    /// Keeps the lines of the run in its summary: the same for the same seed, byte for byte.
    pub fn traced(mut self) -> Self {
        self.traced = true;
        self
    }

    /// Somebody who sees every event given to a client, and the client after it. Not told of the runs that shorten a
    /// failure.
    pub fn observer(mut self, observer: Rc<RefCell<dyn Observer>>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Runs it, for a test.
    ///
    /// # Panics
    /// If a promise or an invariant is broken, with the whole report.
    pub fn run(self) -> Summary {
        match self.check() {
            Ok(summary) => summary,
            Err(failure) => panic!("\n{failure}"),
        }
    }

    /// Runs it, and shortens what broke a promise.
    pub fn check(mut self) -> Result<Summary, Box<Failure>> {
        if let Some(seed) = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
            self.seed = seed;
        }
        let whole = plan(self.seed, &self.spec.faults, self.spec.steps);
        let first = match self.once(&whole, self.traced, self.observer.clone()) {
            Ok(summary) => return Ok(summary),
            Err((broken, _)) => broken,
        };
        let short =
            shorten(&whole, &first.promise, &|plan| self.once(plan, false, None).err().map(|(broken, _)| broken));
        let (broken, trace) = match self.once(&short, true, None) {
            Err(told) => told,
            // It breaks at times: what was seen first stands.
            Ok(summary) => (first, summary.trace),
        };
        Err(Box::new(failure(&whole, &short, &self.spec.store_name, broken, trace)))
    }

    fn once(
        &self,
        plan: &Plan,
        traced: bool,
        observer: Option<Rc<RefCell<dyn Observer>>>,
    ) -> Result<Summary, (Broken, Vec<String>)> {
        let mut world = None;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let world = world.insert(World::new(&self.spec, plan, traced, observer)?);
            for step in &plan.steps {
                world.act(step)?;
            }
            world.quiet()
        }));
        let ran = ran.unwrap_or_else(|panic| Err(Broken { promise: Promise::NoPanic, seen: said(&*panic) }));
        let Some(world) = world else {
            let nothing = || Broken { promise: Promise::Durable, seen: "the world did not begin".into() };
            return Err((ran.err().unwrap_or_else(nothing), Vec::new()));
        };
        let mut sums = world.sums;
        (sums.commits, sums.millis) = (world.ledger.commits, world.now);
        match ran {
            Ok(()) => Ok(Summary { trace: world.trace.into_lines(), ..sums }),
            Err(broken) => Err((broken, world.trace.into_lines())),
        }
    }
}
