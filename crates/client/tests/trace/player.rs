//! Does a trace's steps to a real replica and reads off what is seen. One state is compared as a whole, in one canonical
//! form, so that nothing differs unnoticed.

use riverrun_client::{Applied, News, Replica, Verb};
use riverrun_core::{Principal, Scope};
use serde_json::{Map, Value, json};

use super::{
    app::{COLLECTIONS, mutators},
    form::{Act, Line},
    model::Model,
};

/// What is seen after a step, and what the step said.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub result: Option<&'static str>,
    pub told: Vec<u64>,
    pub state: Map<String, Value>,
}

pub struct Player {
    pub replica: Replica,
    state: Map<String, Value>,
}

fn fresh() -> Replica {
    Replica::new(mutators(), Scope::new("s").unwrap(), Principal::anonymous())
}

impl Player {
    pub fn new() -> Self {
        let replica = fresh();
        let state = state(&replica);
        Self { replica, state }
    }

    /// Does a step. The view and the pending mutations may only change with a notification.
    pub fn act(&mut self, act: Act) -> Seen {
        let replica = &mut self.replica;
        let mut news = Vec::new();
        let result = match act {
            Act::Open => {
                *replica = fresh();
                self.state = state(replica);
                None
            }
            Act::Do(Verb::Restore(saved)) => {
                replica.restore(saved);
                None
            }
            Act::Do(Verb::Mutate(entry)) => Some(if replica.mutate(entry).is_ok() { "pending" } else { "refused" }),
            Act::Do(Verb::Adopt(entries)) => {
                replica.adopt(entries);
                None
            }
            Act::Do(Verb::Place(placed)) => {
                replica.place(placed);
                None
            }
            Act::Do(Verb::Number(numbered)) => Some(if replica.number(numbered) { "behind" } else { "fine" }),
            Act::Do(Verb::Decide(decided)) => {
                replica.decide(decided);
                None
            }
            Act::Do(Verb::Undo(id)) => {
                replica.undo(&id);
                None
            }
            Act::Do(Verb::Apply(page)) => Some(match replica.apply(page, &mut news) {
                Applied::Yes => "applied",
                Applied::Gap => "gap",
                Applied::Foreign => "foreign",
                Applied::Invalid => "invalid",
            }),
            Act::Do(Verb::Watermark(at, last_seq)) => {
                replica.watermark(at, last_seq);
                None
            }
            Act::Do(Verb::Reset(snapshot, last_seq)) => {
                Some(if replica.reset(snapshot, last_seq, &mut news) { "taken" } else { "old" })
            }
            Act::Do(Verb::Invalidate(other)) => {
                replica.invalidate(other);
                None
            }
            Act::Do(Verb::Drop) => {
                replica.drop_base();
                None
            }
            Act::Do(Verb::Renew(client)) => {
                replica.renew(client);
                None
            }
        };
        let told = news.iter().filter_map(|news| if let News::Change(c) = news { Some(c.cursor.0) } else { None });
        let told = told.collect();
        let changed = self.replica.refresh();
        let state = state(&self.replica);
        let view = |of: &Map<String, Value>| of["view"].clone();
        assert!(changed || view(&state) == view(&self.state), "the view changed and nobody was told");
        self.state.clone_from(&state);
        Seen { result, told, state }
    }
}

/// All that is compared, by name.
pub fn state(replica: &Replica) -> Map<String, Value> {
    let mut view = Map::new();
    for collection in COLLECTIONS {
        let rows = replica.list(collection, "", None, usize::MAX);
        if !rows.is_empty() {
            let values: Vec<Value> = rows.iter().map(|(_, json)| json.read().unwrap()).collect();
            view.insert(collection.into(), values.into());
        }
    }
    let pending: Vec<Value> = replica
        .pending()
        .map(|item| {
            let stands = match (item.shown, item.doubted) {
                (true, _) => "shown",
                (false, true) => "doubted",
                (false, false) => "held",
            };
            let accepted = item.entry.accepted.is_some();
            json!([item.entry.id, item.entry.seq, stands, if accepted { "accepted" } else { "open" }])
        })
        .collect();
    let Value::Object(state) = json!({
        "view": view,
        "pending": pending,
        "cursor": replica.cursor(),
        "epoch": replica.epoch(),
        "valid": replica.is_valid(),
    }) else {
        unreachable!("an object literal")
    };
    state
}

/// The lines of a trace: its name, and each step with what this replica says to it.
pub fn write(name: &str, acts: Vec<Act>) -> Vec<String> {
    let text = |line: &Line| serde_json::to_string(line).unwrap();
    let mut lines = vec![text(&Line {
        trace: Some(name.into()),
        verb: None,
        input: None,
        result: None,
        told: Vec::new(),
        then: Map::new(),
    })];
    let mut player = Player::new();
    let mut before = Map::new();
    for act in acts {
        let (verb, input) = act.out();
        let seen = player.act(act);
        let then = seen.state.iter().filter(|(key, value)| before.get(*key) != Some(*value));
        lines.push(text(&Line {
            trace: None,
            verb: Some(verb.into()),
            input: Some(input),
            result: seen.result.map(Into::into),
            told: seen.told.clone(),
            then: then.map(|(key, value)| (key.clone(), value.clone())).collect(),
        }));
        before = seen.state;
    }
    lines
}

/// Replays what a file holds, through the replica and through the model beside it. Returns traces and steps that agreed,
/// or says where one does not.
pub fn replay(text: &str) -> Result<(usize, usize), String> {
    let (mut traces, mut steps, mut name) = (0, 0, String::new());
    let mut player = Player::new();
    let mut model = Model::default();
    let mut expected = Map::new();
    for (at, line) in text.lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))?;
        if let Some(trace) = line.trace {
            (player, model, expected, name) = (Player::new(), Model::default(), Map::new(), trace);
            traces += 1;
            continue;
        }
        let verb = line.verb.ok_or_else(|| format!("line {}: neither a trace nor a step", at + 1))?;
        let input = line.input.unwrap_or_else(riverrun_core::Json::null);
        let seen = player.act(Act::read(&verb, &input));
        let (result, also_told) = model.act(&verb, &input.read().map_err(|error| format!("line {}: {error}", at + 1))?);
        expected.extend(line.then);
        let told = (line.result.as_deref(), &line.told, &expected);
        if told != (seen.result, &seen.told, &seen.state) {
            return Err(format!("{name}, line {}, {verb}:\nexpected {told:?}\n    seen {seen:?}", at + 1));
        }
        let third = (result, &also_told, &model.state());
        if third != (seen.result, &seen.told, &seen.state) {
            return Err(format!("{name}, line {}, {verb}:\nthe model says {third:?}\n        seen {seen:?}", at + 1));
        }
        steps += 1;
    }
    Ok((traces, steps))
}
