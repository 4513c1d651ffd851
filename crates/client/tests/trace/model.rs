//! The third opinion: a replica without any cleverness. It keeps facts in plain maps, works the view out from nothing after
//! each step. It shares no code with the replica it is compared with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    app::COLLECTIONS,
    naive::{Rows, run},
};

#[derive(Clone)]
struct Item {
    id: String,
    name: String,
    args: Value,
    order: u64,
    arrival: u64,
    seq: Option<u64>,
    /// Where it was accepted: cursor and history.
    accepted: Option<(u64, String)>,
    named: bool,
    below_mark: bool,
    doubted: bool,
}

// Each of its bools is a fact of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Default)]
pub struct Model {
    rows: Rows,
    items: Vec<Item>,
    arrivals: u64,
    cursor: u64,
    digest: String,
    epoch: Option<String>,
    valid: bool,
    mark: u64,
    ahead: Option<(u64, u64)>,
    lost_history: bool,
    suspicious: bool,
    doubts: bool,
    places: Option<String>,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(Into::into)
}

impl Model {
    fn held(&self, item: &Item) -> bool {
        let here = item.accepted.as_ref().is_some_and(|(at, of)| Some(of) == self.epoch.as_ref() && *at <= self.cursor);
        item.named || item.below_mark || here
    }

    fn ordered(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.iter().collect();
        items.sort_by_key(|item| (item.order, item.arrival));
        items
    }

    fn view(&self) -> Rows {
        let shown = self.ordered().into_iter().filter(|item| !item.doubted && !self.held(item));
        shown.fold(self.rows.clone(), |rows, item| run(&item.name, &item.args, &item.id, &rows).unwrap_or(rows))
    }

    /// What follows from the facts: who is below the watermark, and who is over.
    fn conclude(&mut self) {
        if !self.lost_history && !self.suspicious {
            for item in &mut self.items {
                item.below_mark = item.seq.is_some_and(|seq| seq <= self.mark);
            }
        }
        let over: BTreeSet<String> =
            self.items.iter().filter(|i| i.accepted.is_some() && self.held(i)).map(|i| i.id.clone()).collect();
        self.items.retain(|item| !over.contains(&item.id));
    }

    fn hear_mark(&mut self, at: u64, mark: Option<u64>) {
        if let Some(mark) = mark.filter(|_| self.ahead.is_none_or(|(ahead, _)| ahead <= at)) {
            self.ahead = Some((at, mark));
        }
        let Some((_, mark)) = self.ahead.filter(|(at, _)| *at <= self.cursor) else { return };
        self.ahead = None;
        self.mark = self.mark.max(mark);
        self.doubts = false;
        self.items.iter_mut().for_each(|item| item.doubted = false);
        if self.places.is_none() || self.places == self.epoch {
            self.suspicious = false;
        }
    }

    fn take(&mut self, entry: &Value, doubted: bool) {
        let id = text(&entry["id"]).unwrap();
        if self.items.iter().any(|item| item.id == id) {
            return;
        }
        let accepted = entry.get("accepted").map(|a| (a["cursor"].as_u64().unwrap(), text(&a["epoch"]).unwrap()));
        let seq = entry["seq"].as_u64();
        self.arrivals += 1;
        self.items.push(Item {
            id,
            name: text(&entry["type"]).unwrap(),
            args: entry["args"].clone(),
            order: entry["order"].as_u64().unwrap_or(u64::MAX),
            arrival: self.arrivals,
            seq,
            accepted,
            named: false,
            below_mark: false,
            doubted: doubted && seq.is_some(),
        });
    }

    fn named(&mut self, ids: &BTreeSet<String>) {
        self.items.iter_mut().filter(|item| ids.contains(&item.id)).for_each(|item| item.named = true);
    }

    fn fill(&mut self, data: &Value) {
        self.rows.clear();
        for (collection, rows) in data.as_object().into_iter().flatten() {
            for (id, value) in rows.as_object().into_iter().flatten() {
                self.rows.insert((collection.clone(), id.clone()), value.clone());
            }
        }
    }

    fn restore(&mut self, input: &Value) {
        self.places = text(&input["epoch"]);
        let base = &input["base"];
        let (epoch, cursor) = (text(&base["epoch"]), base["cursor"].as_u64().unwrap_or_default());
        let usable = !base.is_null() && (self.epoch.is_none() || self.epoch == epoch && cursor >= self.cursor);
        let doubts = self.doubts && !usable;
        for entry in input["entries"].as_array().unwrap() {
            self.take(entry, doubts);
        }
        if usable {
            if !self.valid || cursor > self.cursor {
                self.fill(&base["data"]);
                (self.cursor, self.epoch, self.valid) = (cursor, epoch, true);
                self.digest = text(&base["digest"]).unwrap();
            }
            self.suspicious = self.places.is_some() && self.places != self.epoch;
            self.hear_mark(cursor, base["last_seq"].as_u64());
            let held = base["held"].as_array().unwrap().iter().filter_map(text).collect();
            self.named(&held);
        }
    }

    fn apply(&mut self, input: &Value, told: &mut Vec<u64>) -> &'static str {
        let number = |of: &Value| of.as_u64().unwrap();
        let (from, until) = (number(&input["from"]), number(&input["cursor"]));
        let epoch = text(&input["epoch"]);
        if !self.valid {
            return "invalid";
        }
        if epoch.is_some() && epoch != self.epoch {
            return "foreign";
        }
        if from > self.cursor || from < self.cursor && until > self.cursor {
            return "gap";
        }
        if until == self.cursor && text(&input["digest"]).unwrap() != self.digest {
            return "foreign";
        }
        let changes = input["changes"].as_array().unwrap();
        let new: Vec<&Value> = changes.iter().filter(|c| number(&c["cursor"]) > self.cursor).collect();
        let cursors: Vec<u64> = new.iter().map(|change| number(&change["cursor"])).collect();
        let expected: Vec<u64> = if new.is_empty() { Vec::new() } else { (self.cursor + 1..=until).collect() };
        if cursors != expected || (new.is_empty() && until > self.cursor) {
            return "gap";
        }
        if input["last_word"] == json!(true) && !input["last_seq"].is_null() {
            let here = self.epoch.clone();
            let beyond = |at: u64, of: &String| Some(of) == here.as_ref() && at > until;
            if self.items.iter().any(|item| item.accepted.as_ref().is_some_and(|(at, of)| beyond(*at, of))) {
                return "foreign";
            }
            self.items.retain(|item| item.accepted.as_ref().is_none_or(|(_, of)| Some(of) == here.as_ref()));
        }
        for change in &new {
            let data = &change["data"];
            match (data["op"].as_str(), text(&data["collection"]), text(&data["id"]), data.get("value")) {
                (Some("put"), Some(collection), Some(id), Some(value)) => {
                    self.rows.insert((collection, id), value.clone());
                }
                (Some("del"), Some(collection), Some(id), None) => drop(self.rows.remove(&(collection, id))),
                _ => told.push(number(&change["cursor"])),
            }
        }
        if !new.is_empty() {
            (self.cursor, self.digest) = (until, text(&input["digest"]).unwrap());
        }
        self.named(&new.iter().filter_map(|change| text(&change["mutation"])).collect());
        if until == self.cursor {
            self.hear_mark(until, input["last_seq"].as_u64());
        }
        "applied"
    }

    fn reset(&mut self, input: &Value) -> &'static str {
        let (snapshot, mark) = (&input["snapshot"], input["last_seq"].as_u64());
        let (epoch, cursor) = (text(&snapshot["epoch"]).unwrap(), snapshot["cursor"].as_u64().unwrap());
        let same = self.epoch.as_ref() == Some(&epoch);
        if self.valid && same && cursor <= self.cursor {
            self.hear_mark(cursor, mark);
            return "old";
        }
        if self.lost_history || (self.epoch.is_some() && !same) {
            self.mark = 0;
            self.items.retain(|item| item.accepted.as_ref().is_none_or(|(_, of)| !same && *of == epoch));
            for item in &mut self.items {
                (item.named, item.below_mark) = (false, false);
            }
        }
        self.fill(&snapshot["data"]);
        (self.cursor, self.epoch, self.valid) = (cursor, Some(epoch), true);
        self.digest = text(&snapshot["digest"]).unwrap();
        (self.lost_history, self.suspicious, self.ahead, self.doubts) = (false, false, None, mark.is_none());
        let doubts = self.doubts;
        self.items.iter_mut().for_each(|item| item.doubted = doubts && item.seq.is_some());
        self.hear_mark(cursor, mark);
        "taken"
    }

    fn number(&mut self, input: &Value) -> &'static str {
        let (epoch, mark) = (text(&input["epoch"]), input["watermark"].as_u64());
        let behind = mark.is_some_and(|mark| self.epoch.is_some() && (self.epoch != epoch || mark < self.mark));
        self.suspicious |= behind;
        self.places = epoch;
        for given in input["given"].as_array().unwrap() {
            let id = given[0].as_str().unwrap();
            self.items.iter_mut().filter(|item| item.id == id).for_each(|item| item.seq = given[1].as_u64());
        }
        if behind { "behind" } else { "fine" }
    }

    fn decide(&mut self, input: &Value) {
        for one in input["decided"].as_array().unwrap() {
            let id = one["id"].as_str().unwrap();
            let Some(at) = self.items.iter().position(|item| item.id == id && item.accepted.is_none()) else {
                continue;
            };
            if one["ok"] == json!(true) {
                self.items[at].accepted = Some((one["cursor"].as_u64().unwrap(), text(&one["epoch"]).unwrap()));
            } else {
                self.items.remove(at);
            }
        }
    }

    /// Does one step, and gives back its result and what it told.
    pub fn act(&mut self, verb: &str, input: &Value) -> (Option<&'static str>, Vec<u64>) {
        let mut told = Vec::new();
        let mut result = None;
        match verb {
            "open" => *self = Self::default(),
            "restore" => self.restore(input),
            "mutate" => {
                let id = input["id"].as_str().unwrap();
                let known = self.items.iter().any(|item| item.id == id);
                let runs = run(input["type"].as_str().unwrap(), &input["args"], id, &self.view()).is_some();
                result = Some(if runs && !known { "pending" } else { "refused" });
                if runs && !known {
                    self.take(input, false);
                }
                // A new mutation says nothing of the others.
                return (result, told);
            }
            "adopt" => {
                let doubts = self.doubts;
                input["entries"].as_array().unwrap().iter().for_each(|entry| self.take(entry, doubts));
            }
            "place" => {
                for placed in input["placed"].as_array().unwrap() {
                    let id = placed[0].as_str().unwrap();
                    for item in self.items.iter_mut().filter(|item| item.id == id) {
                        item.order = placed[1].as_u64().unwrap();
                    }
                }
            }
            "number" => result = Some(self.number(input)),
            "decide" => self.decide(input),
            "undo" => self.items.retain(|item| item.id != input["id"].as_str().unwrap()),
            "apply" => result = Some(self.apply(input, &mut told)),
            "watermark" => self.hear_mark(input["at"].as_u64().unwrap(), input["last_seq"].as_u64()),
            "reset" => result = Some(self.reset(input)),
            "invalidate" | "drop" => {
                (self.valid, self.ahead) = (false, None);
                self.lost_history |= input["other_history"] == json!(true);
                if verb == "drop" {
                    self.rows.clear();
                    (self.cursor, self.digest) = (0, String::new());
                }
            }
            "renew" => {
                (self.mark, self.ahead, self.places) = (0, None, None);
                self.items.iter_mut().for_each(|item| item.seq = None);
            }
            other => panic!("no verb is called {other}"),
        }
        self.conclude();
        (result, told)
    }

    /// All that is compared, by name.
    pub fn state(&self) -> Map<String, Value> {
        let rows = self.view();
        let mut view = Map::new();
        for collection in COLLECTIONS {
            let values: Vec<_> = rows.iter().filter(|((of, _), _)| of == collection).map(|(_, v)| v.clone()).collect();
            if !values.is_empty() {
                view.insert(collection.into(), values.into());
            }
        }
        let stands = |item: &Item| match (self.held(item), item.doubted) {
            (true, _) => "held",
            (false, true) => "doubted",
            (false, false) => "shown",
        };
        let verdict = |item: &Item| if item.accepted.is_some() { "accepted" } else { "open" };
        let pending: Vec<_> =
            self.ordered().iter().map(|item| json!([item.id, item.seq, stands(item), verdict(item)])).collect();
        let state = json!({
            "view": view, "pending": pending, "cursor": self.cursor, "epoch": self.epoch, "valid": self.valid,
        });
        state.as_object().cloned().unwrap_or_default()
    }
}
