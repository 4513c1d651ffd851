//! A sender that knows its own mind: it mints mutations, numbers them, sends them in any grouping, sends what has no answer
//! again, and asks a second time about what has one. It never sends a mutation whose predecessor is unanswered alone.

use std::collections::VecDeque;

use anyhow::{Result, ensure};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use riverrun_core::{ClientId, Code, MutationId, Scope, Seq, wire::PushResult};
use serde_json::{Value, json};

use crate::{
    http::{Answer, Http},
    ledger::{Ack, outcome},
};

/// Answered mutations that are remembered whole, to be sent a second time.
const REMEMBERED: usize = 64;

/// Todos that commands other than `create` are about.
const TODOS: usize = 24;

/// A mutation without a final answer.
#[derive(Debug, Clone)]
struct Sent {
    id: MutationId,
    place: Option<(ClientId, Seq)>,
    body: Value,
}

/// What became of a push.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// So many mutations have their final answer now.
    Decided(usize),
    /// Refused as a whole; nothing has an answer.
    Refused(Code),
    /// No answer: whether it happened is not known.
    Unknown,
}

/// One sender in one scope.
pub(crate) struct Sender {
    scope: Scope,
    client: Option<ClientId>,
    seq: Seq,
    chance: StdRng,
    todos: VecDeque<String>,
    queue: VecDeque<Sent>,
    remembered: VecDeque<(Value, Ack)>,
    /// Bytes added to each mutation's arguments.
    pad: usize,
    /// All that was acknowledged, in the order of the answers.
    pub(crate) acks: Vec<Ack>,
    /// How many of them were asked for by [`Self::news`].
    told: usize,
    /// Answers that said it had been decided before.
    pub(crate) duplicates: u64,
}

impl Sender {
    /// A sender with a client id numbers its mutations; one without relies on their ids.
    pub(crate) fn new(scope: &str, client: Option<&str>, chance: StdRng) -> Result<Self> {
        Ok(Self {
            scope: Scope::new(scope)?,
            client: client.map(ClientId::new).transpose()?,
            seq: Seq(0),
            chance,
            todos: VecDeque::new(),
            queue: VecDeque::new(),
            remembered: VecDeque::new(),
            pad: 0,
            acks: Vec::new(),
            told: 0,
            duplicates: 0,
        })
    }

    /// The same with larger mutations: so many bytes are added to the arguments, and stored with them.
    pub(crate) fn padded(mut self, bytes: usize) -> Self {
        self.pad = bytes;
        self
    }

    /// The scope it writes to.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What was acknowledged since this was last asked.
    pub(crate) fn news(&mut self) -> &[Ack] {
        let from = std::mem::replace(&mut self.told, self.acks.len());
        &self.acks[from..]
    }

    /// How many mutations have been sent, or will be, and have no final answer.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn command(&mut self) -> (&'static str, Value) {
        let old = self.todos.iter().collect::<Vec<_>>().choose(&mut self.chance).map(|id| (**id).clone());
        let title = format!("todo {}", self.chance.random::<u32>());
        match (self.chance.random_range(0..10), old) {
            (0..2, Some(id)) => ("todo.toggle", json!({"id": id})),
            (2, Some(id)) => ("todo.edit", json!({"id": id, "title": title})),
            (3, Some(id)) => {
                self.todos.retain(|todo| *todo != id);
                ("todo.delete", json!({"id": id}))
            }
            (4, _) => ("todo.edit", json!({"id": "none", "title": title})),
            _ => {
                let id = uuid::Uuid::now_v7().to_string();
                self.todos.push_back(id.clone());
                if self.todos.len() > TODOS {
                    self.todos.pop_front();
                }
                ("todo.create", json!({"id": id, "title": title}))
            }
        }
    }

    fn mint(&mut self) -> Result<()> {
        let (name, mut args) = self.command();
        if self.pad > 0 {
            args["pad"] = "x".repeat(self.pad).into();
        }
        let id = MutationId::new(uuid::Uuid::now_v7().to_string())?;
        let mut body = json!({"id": id.as_str(), "type": name, "args": args});
        let place = self.client.clone().map(|client| {
            self.seq = self.seq.next();
            body["seq"] = self.seq.0.into();
            (client, self.seq)
        });
        self.queue.push_back(Sent { id, place, body });
        Ok(())
    }

    fn request(&self, mutations: Vec<Value>) -> Value {
        let mut body = json!({"scope": self.scope.as_str(), "mutations": mutations});
        if let Some(client) = &self.client {
            body["client"] = client.as_str().into();
        }
        body
    }

    /// Sends this many mutations: first those without an answer, then new ones.
    pub(crate) fn push(&mut self, http: &Http, count: usize) -> Result<Pushed> {
        while self.queue.len() < count {
            self.mint()?;
        }
        let batch: Vec<Sent> = self.queue.iter().take(count).cloned().collect();
        let request = self.request(batch.iter().map(|sent| sent.body.clone()).collect());
        let answer = match http.push(&request)? {
            Answer::Nothing => return Ok(Pushed::Unknown),
            Answer::Refused(code) => return Ok(Pushed::Refused(code)),
            Answer::Ok(answer) => answer,
        };
        ensure!(answer.results.len() == batch.len(), "{} results to {} mutations", answer.results.len(), batch.len());
        let mut decided = 0;
        let mut left = VecDeque::new();
        for (sent, result) in batch.into_iter().zip(&answer.results) {
            ensure!(sent.id == result.id, "the results are in another order");
            if self.decided(&sent, result)? {
                decided += 1;
            } else {
                left.push_back(sent);
            }
        }
        self.queue.drain(..count);
        left.extend(self.queue.drain(..));
        self.queue = left;
        Ok(Pushed::Decided(decided))
    }

    fn decided(&mut self, sent: &Sent, result: &PushResult) -> Result<bool> {
        let Some(outcome) = outcome(result)? else { return Ok(false) };
        self.duplicates += u64::from(result.duplicate);
        let ack = Ack {
            id: sent.id.clone(),
            scope: self.scope.clone(),
            place: sent.place.clone(),
            outcome,
            // A duplicate does not show its changes: of deleting what is gone there may be none.
            is_empty: result.ok && result.changes.as_ref().is_none_or(Vec::is_empty) && is_delete(&sent.body),
        };
        self.acks.push(ack.clone());
        self.remembered.push_back((sent.body.clone(), ack));
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
        Ok(true)
    }

    /// Sends one mutation that has its answer a second time; the answer has to be the same.
    pub(crate) fn ask_again(&mut self, http: &Http) -> Result<()> {
        let Some((body, ack)) = self.remembered.iter().collect::<Vec<_>>().choose(&mut self.chance).copied().cloned()
        else {
            return Ok(());
        };
        let Answer::Ok(answer) = http.push(&self.request(vec![body]))? else { return Ok(()) };
        let Some(result) = answer.results.first() else { return Ok(()) };
        let Some(again) = outcome(result)? else { return Ok(()) };
        ensure!(again == ack.outcome, "the answer was {:?}, asked again it is {result:?}", ack.outcome);
        ensure!(result.duplicate || !result.ok, "decided a second time: {result:?}");
        self.duplicates += 1;
        Ok(())
    }

    /// Sends what it has at random, until there is no answer. Refusals as a whole are told to `refused`.
    pub(crate) fn send_until_silence(&mut self, http: &Http) -> Result<()> {
        loop {
            if self.chance.random_ratio(1, 12) {
                self.ask_again(http)?;
            }
            let count = if self.chance.random_bool(0.4) { 1 } else { self.chance.random_range(2..24) };
            match self.push(http, count)? {
                Pushed::Unknown => return Ok(()),
                Pushed::Decided(_) => {}
                Pushed::Refused(code) => anyhow::bail!("a push was refused as {code} though nothing failed"),
            }
        }
    }
}

fn is_delete(body: &Value) -> bool {
    body["type"] == "todo.delete"
}
