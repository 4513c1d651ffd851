//! The client without its world: events in, effects out. The same events, moments and randomness give the same effects,
//! on every machine; there is no clock here, no thread, no socket and no file.

mod backoff;
mod base;
mod cx;
mod frames;
mod item;
mod judge;
mod keep;
mod layer;
mod link;
mod mutate;
mod push;
mod read;
mod replica;
mod run;
mod standing;
mod step;
mod timers;
mod verb;
mod view;

use std::{collections::BTreeMap, sync::Arc};

use riverrun_core::{Millis, MutationId, Mutators, Principal, Scope};

use self::{link::Link, push::Sender, read::Reader, standing::Standing, timers::Timers};
use crate::saved::Saved;

pub use self::{
    replica::Replica,
    verb::{Applied, Numbered, Page, Recorder, Verb},
    view::Pending,
};

/// What a core is made for.
#[derive(Debug, Clone)]
pub struct Config {
    /// The partition to be in sync with. A client id and a queue belong to one scope: two scopes are two clients.
    pub scope: Scope,
    /// Who the mutators believe is asking, as the server's authentication will say.
    pub principal: Principal,
    /// The schema that arguments are written under, if the application counts them.
    pub schema: Option<u64>,
    /// Whether to try a WebSocket. Without one the server is asked, and holds the answer back until there is news.
    pub live: bool,
    /// The application's snapshot is not made of collections: it keeps its state itself, and no base is stored.
    pub own_state: bool,
}

impl Config {
    /// The usual: live, collections, no schema, nobody in particular.
    pub fn new(scope: Scope) -> Self {
        Self { scope, principal: Principal::anonymous(), schema: None, live: true, own_state: false }
    }
}

/// One client of one scope.
///
/// ```
/// use std::sync::Arc;
/// use rand::{SeedableRng, rngs::StdRng};
/// use riverrun_client::{Config, Core, Effect, Event, Saved, mint};
/// use riverrun_core::{Json, Millis, Mutators, Scope};
///
/// let config = Config::new(Scope::new("list:42")?);
/// let mut core = Core::new(config, Arc::new(Mutators::new()), Saved::default());
/// let mut rng = StdRng::seed_from_u64(1);
/// let effects = core.step(Event::Start, Millis(0), &mut rng);
/// assert!(effects.iter().any(|effect| matches!(effect, Effect::Connect(_))));
///
/// let id = mint(Millis(5), &mut rng);
/// let mutate = Event::Mutate { id, name: "todo.create".into(), args: Json::parse(r#"{"id":"t1"}"#)? };
/// let effects = core.step(mutate, Millis(5), &mut rng);
/// assert!(matches!(effects[0], Effect::Store(..)), "nothing is sent before it is safe");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Core {
    config: Config,
    topic: String,
    replica: Replica,
    sender: Sender,
    reader: Reader,
    link: Link,
    standing: Standing,
    timers: Timers,
    now: Millis,
    next_ask: u64,
    next_store: u64,
    /// Mutations that are saved once a storing is confirmed.
    storing: BTreeMap<u64, Vec<MutationId>>,
    /// The storage failed: everything is kept in memory only.
    volatile: bool,
    /// It is time to keep the base.
    keep: bool,
    woken_at: Option<Millis>,
}

impl Core {
    /// A client that goes on from what its storage holds. It does nothing before [`Event::Start`](crate::Event::Start).
    pub fn new(config: Config, mutators: Arc<Mutators>, saved: Saved) -> Self {
        Self::begin(config, mutators, saved, None)
    }

    /// The same, and everything that is done to the replica inside is heard: what a conformance trace is made of.
    pub fn recorded(config: Config, mutators: Arc<Mutators>, saved: Saved, recorder: Recorder) -> Self {
        Self::begin(config, mutators, saved, Some(recorder))
    }

    fn begin(config: Config, mutators: Arc<Mutators>, mut saved: Saved, recorder: Option<Recorder>) -> Self {
        let mut replica = Replica::new(mutators, config.scope.clone(), config.principal.clone());
        if let Some(recorder) = recorder {
            replica.record(recorder);
        }
        saved.base = saved.base.filter(|_| !config.own_state);
        replica.restore(saved);
        replica.rebase();
        Self {
            topic: format!("sync:{}", config.scope),
            config,
            replica,
            sender: Sender::default(),
            reader: Reader::default(),
            link: Link::default(),
            standing: Standing::default(),
            timers: Timers::default(),
            now: Millis(i64::MIN),
            next_ask: 1,
            next_store: 1,
            storing: BTreeMap::new(),
            volatile: false,
            keep: false,
            woken_at: None,
        }
    }
}
