//! What users do: a client or a plain sender mutates, as the application's generator says, or as the simulation itself does
//! now and then. It writes down what was meant.

use std::sync::Arc;

use rand::Rng;
use riverrun_client::{Event, mint};
use riverrun_core::{Json, Millis, MutationId, Scope};

use super::{
    broken::Held,
    form::sender,
    ledger::Intent,
    random::{Command, Gen},
    world::{BEGINNING, World},
};

impl World<'_> {
    /// A client mutates, as the application's generator says, or as the simulation itself does now and then.
    pub(crate) fn mutate(&mut self, at: usize) -> Held {
        let scope = self.nodes[at].scope().clone();
        let view = Arc::new(self.nodes[at].view(&self.ledger.collections));
        let Command { name, args } = self.command(at, &scope, view);
        let node = &mut self.nodes[at];
        let now = Millis(BEGINNING + self.now + node.skew);
        let id = mint(now, &mut self.rng);
        let args = Json::of(&args).unwrap_or_else(|_| Json::null());
        let (principal, intent) = (node.who().clone(), (name.clone(), args.clone()));
        node.fates.entry(id.clone()).or_default();
        let (name, args) = intent;
        self.ledger.intents.insert(id.clone(), Intent { name: name.clone(), args: args.clone(), scope, principal });
        self.sums.mutations += 1;
        self.step(at, Event::Mutate { id, name, args })
    }

    fn command(&mut self, client: usize, scope: &Scope, view: Arc<super::rows::Rows>) -> Command {
        let own = self.rng.random_range(0..100);
        let named = match own {
            0..2 => Some("sim.large"),
            2..3 => Some("sim.silent"),
            3..4 => Some("sim.no"),
            4..5 => Some("sim.panics"),
            5..6 => Some("sim.unknown"),
            _ => None,
        };
        if let Some(name) = named {
            return Command { name: name.into(), args: serde_json::Value::Null };
        }
        let mut choice =
            Gen { rng: &mut self.rng, view, client, scope, scopes: &self.spec.scopes, minted: &mut self.minted };
        (self.spec.generate)(&mut choice)
    }

    /// A plain sender mutates.
    pub(crate) fn form(&mut self) {
        let scope = self.spec.scopes[self.rng.random_range(0..self.spec.scopes.len())].clone();
        let view = self.ledger.log(&scope).map(|log| log.state.clone()).unwrap_or_default();
        let Command { name, args } = self.command(self.nodes.len(), &scope, view);
        self.add_command(&scope, name, &args);
    }

    pub(crate) fn add_command(&mut self, scope: &Scope, name: String, args: &serde_json::Value) {
        let id = self.intend(scope, name.clone(), args);
        let body = serde_json::json!({ "mutations": [{ "id": id, "type": name, "args": args, "scope": scope }] });
        self.add_form(id, body.to_string());
    }

    /// A plain sender means something.
    pub(crate) fn intend(&mut self, scope: &Scope, name: String, args: &serde_json::Value) -> MutationId {
        // An id alone, made by a clock that is ahead, may outlive its verdict by as much; where verdicts are kept for minutes
        // that is no longer little, and beyond what is promised.
        let skew = match (self.plan.skewed, self.plan.short_memory) {
            (true, false) => self.rng.random_range(-90_000..90_000),
            (_, true) => self.server_skew - self.rng.random_range(120_000..200_000),
            (false, false) => 0,
        };
        let id = mint(Millis(BEGINNING + self.now + skew), &mut self.rng);
        let args = Json::of(args).unwrap_or_else(|_| Json::null());
        let intent = Intent { name, args, scope: scope.clone(), principal: sender() };
        self.ledger.intents.insert(id.clone(), intent);
        self.sums.mutations += 1;
        id
    }
}
