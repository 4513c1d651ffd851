//! One client under test: a core, its storage with writes that are not confirmed yet, and what it was told. Every step is
//! followed by the checks that hold for every client at every moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use rand::{Rng, rngs::StdRng};
use riverrun_client::{Config, Core, Effect, Event, News, Refused, Saved, Verb, Verdict, Write, mint};
use riverrun_core::{Cursor, Epoch, Json, Millis, MutationId, Mutators};

use super::{
    app::{self, App, Mark},
    server::scope,
};

/// What is known of one mutation.
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
#[derive(Debug, Clone, Default)]
pub struct Fate {
    /// The client said that it survives a crash.
    pub saved: bool,
    /// It was in the hands of a core that crashed before it was saved, and was not found again.
    pub lost: bool,
    pub bad: bool,
    pub undone: bool,
    /// Every verdict told, with the server's history at that time.
    pub verdicts: Vec<(u64, Verdict)>,
}

pub struct Node {
    pub core: Core,
    /// What is on disk.
    pub disk: Saved,
    /// Handed over, not confirmed.
    pub stores: Vec<(u64, Vec<Write>)>,
    /// Which life this is: what is on its way to an earlier one goes nowhere.
    pub life: u64,
    pub live: bool,
    /// Its storage has failed.
    pub volatile: bool,
    /// What was read here may no longer be, or was forgotten.
    pub blind: bool,
    pub news: Vec<News>,
    pub fates: BTreeMap<MutationId, Fate>,
    pub wake_at: Option<Millis>,
    /// How often the view was checked while something was pending.
    pub looks: u64,
    seen: (Option<Epoch>, Cursor),
    mutators: Arc<Mutators>,
    /// Everything that was done to the replicas of its lives; `None` where one begins.
    pub heard: Option<Recording>,
}

pub type Recording = Arc<Mutex<Vec<Option<Verb>>>>;

impl Node {
    pub fn new(live: bool, app: &App) -> Self {
        let (mutators, heard) = (app.client.clone(), app.records.then(Recording::default));
        Self {
            core: core(live, Saved::default(), &mutators, heard.as_ref()),
            mutators,
            heard,
            disk: Saved::default(),
            stores: Vec::new(),
            life: 0,
            live,
            volatile: false,
            blind: false,
            news: Vec::new(),
            fates: BTreeMap::new(),
            wake_at: None,
            looks: 0,
            seen: (None, Cursor::ZERO),
        }
    }

    /// One step with its checks, in the history of the server the event comes from and the one there is now.
    pub fn step(&mut self, event: Event, now: Millis, (said, history): (u64, u64), rng: &mut StdRng) -> Vec<Effect> {
        let before = view(&self.core);
        let shown_event: String = format!("{event:?}").chars().take(600).collect();
        let effects = self.core.step(event, now, rng);
        if std::env::var_os("RIVERRUN_TRACE").is_some() {
            let short = |text: String| text.chars().take(600).collect::<String>();
            let shown: Vec<_> = effects.iter().map(|effect| short(format!("{effect:?}"))).collect();
            eprintln!("{} {now} {} -> {shown:#?}", self.life, shown_event);
        }
        let mut told = 0;
        for effect in &effects {
            match effect {
                Effect::WakeAt(moment) => self.wake_at = *moment,
                Effect::Tell(news) => {
                    told += u32::from(*news == News::Changed);
                    self.hear(news, said);
                }
                _ => {}
            }
        }
        assert!(told <= 1, "one notification a step");
        assert!(told == 1 || view(&self.core) == before, "the view changed and nobody was told");
        self.check(history);
        effects
    }

    fn hear(&mut self, news: &News, history: u64) {
        self.news.push(news.clone());
        match news {
            News::Saved(id) => self.fates.entry(id.clone()).or_default().saved = true,
            News::Refused(id, _) => drop(self.fates.remove(id)),
            News::StorageFailed(_) => self.volatile = true,
            News::Undo(id, true) => self.fates.entry(id.clone()).or_default().undone = true,
            News::Decided { id, verdict, .. } => {
                let fate = self.fates.entry(id.clone()).or_default();
                for (earlier, said) in &fate.verdicts {
                    assert!(*earlier != history || said == verdict, "two verdicts for {id}: {said:?} and {verdict:?}");
                }
                fate.verdicts.push((history, verdict.clone()));
            }
            _ => {}
        }
    }

    fn check(&mut self, history: u64) {
        // Never back, but where the history itself is another one.
        let (epoch, cursor) = (self.core.epoch().cloned(), self.core.cursor());
        if epoch == self.seen.0 && history == 0 && cursor != Cursor::ZERO {
            assert!(cursor >= self.seen.1, "the cursor went back from {} to {cursor}", self.seen.1);
        }
        self.seen = (epoch, cursor);
        let marks = view(&self.core);
        let mut pending = 0;
        let shown: BTreeSet<_> = self.core.pending().filter(|p| p.shown).map(|p| p.entry.id.clone()).collect();
        for item in self.core.pending().filter(|p| p.entry.name == "mark") {
            pending += 1;
            let id = &item.entry.id;
            let mark = marks.iter().find(|mark| mark.id == id.as_str());
            let bad = item.entry.args.read::<app::Args>().unwrap().bad;
            let visible = mark.is_some();
            assert!(visible || bad || !item.shown, "{id} is pending and can't be seen: {:?}", item.entry);
            // One it can't see is in doubt only where the history went away underneath it.
            assert!(
                visible || bad || history > 0 || self.blind,
                "{id} is let go and not in the base: {:?}",
                item.entry
            );
        }
        for mark in &marks {
            assert_eq!(
                mark.n,
                1,
                "{} is in the view twice, shown: {}",
                mark.id,
                shown.contains(&MutationId::new(&mark.id).unwrap())
            );
        }
        // One's own write does not vanish between its verdict and the change that carries it, nor over a crash.
        for (id, fate) in self.fates.iter().filter(|_| history == 0 && !self.blind && self.heard.is_none()) {
            let accepted = fate.verdicts.last().is_some_and(|(_, verdict)| verdict.is_accepted());
            let seen = marks.iter().any(|mark| mark.id == id.as_str());
            assert!(seen || !accepted, "{id} was accepted and can't be seen");
        }
        self.looks += u64::from(pending > 0);
    }

    /// The machine stops and starts again: of what was not confirmed, a beginning is on disk.
    pub fn crash(&mut self, rng: &mut StdRng) {
        let done = rng.random_range(0..=self.stores.len());
        for (_, writes) in self.stores.drain(..).take(done) {
            for write in writes {
                self.disk.apply(write);
            }
        }
        self.stores.clear();
        self.life += 1;
        self.core = core(self.live, self.disk.clone(), &self.mutators, self.heard.as_ref());
        self.wake_at = None;
        self.seen = (None, Cursor::ZERO);
        let there: BTreeSet<_> = self.disk.entries.values().map(|entry| entry.id.clone()).collect();
        for (id, fate) in &mut self.fates {
            if there.contains(id) || !fate.verdicts.is_empty() || fate.undone {
                continue;
            }
            assert!(!fate.saved, "{id} was saved, has no verdict and is gone");
            fate.lost = true;
        }
    }

    /// The confirmed writes reach the disk.
    pub fn confirm(&mut self, store: u64) {
        let at = self.stores.iter().position(|(number, _)| *number == store).unwrap();
        assert_eq!(at, 0, "writes are confirmed in order");
        let (_, writes) = self.stores.remove(0);
        for write in writes {
            self.disk.apply(write);
        }
    }

    /// A new mutation as an event.
    pub fn intend(&mut self, name: &str, args: &app::Args, now: Millis, rng: &mut StdRng) -> (MutationId, Event) {
        let id = mint(now, rng);
        let fate = self.fates.entry(id.clone()).or_default();
        fate.bad = args.bad;
        (id.clone(), Event::Mutate { id, name: name.into(), args: Json::of(args).unwrap() })
    }

    pub fn pending(&self) -> usize {
        self.core.pending().count()
    }

    pub fn verdict(&self, id: &MutationId) -> Option<&Verdict> {
        self.fates.get(id)?.verdicts.last().map(|(_, verdict)| verdict)
    }

    pub fn refusal(&self, id: &MutationId) -> Option<&Refused> {
        match self.verdict(id)? {
            Verdict::Refused(no) => Some(no),
            Verdict::Accepted(_) => None,
        }
    }
}

/// The marks of the view.
pub fn view(core: &Core) -> Vec<Mark> {
    core.list("mark", "", None, usize::MAX).iter().map(|(_, json)| json.read().unwrap()).collect()
}

fn core(live: bool, saved: Saved, mutators: &Arc<Mutators>, heard: Option<&Recording>) -> Core {
    let config = Config { live, ..Config::new(scope()) };
    let Some(heard) = heard.cloned() else { return Core::new(config, mutators.clone(), saved) };
    heard.lock().unwrap().push(None);
    let recorder = Box::new(move |verb: &Verb| heard.lock().unwrap().push(Some(verb.clone())));
    Core::recorded(config, mutators.clone(), saved, recorder)
}
