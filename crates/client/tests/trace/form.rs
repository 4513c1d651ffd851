//! The lines of a trace file, read and written. A line that does not read as the format says is an error, never a guess.

use riverrun_client::{Accepted, Entry, Mark, Numbered, Page, Refused, Replica, Saved, SavedBase, Verb, Verdict};
use riverrun_core::{Change, ClientId, Cursor, Digest, Epoch, Json, Millis, MutationId, Seq, wire::SnapshotAnswer};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// One line: a step, or the beginning of a trace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Begins a trace of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Cursors of changes that are no collection's, as they were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<u64>,
    /// What of the state is another one than after the step before.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub then: serde_json::Map<String, Value>,
}

/// One step: a new life, or a verb.
#[derive(Debug, Clone)]
pub enum Act {
    Open,
    Do(Verb),
}

#[derive(Serialize, Deserialize)]
struct EntryForm {
    id: MutationId,
    #[serde(rename = "type")]
    name: String,
    args: Json,
    created: i64,
    order: Option<u64>,
    seq: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<AcceptedForm>,
}

#[derive(Serialize, Deserialize)]
struct AcceptedForm {
    cursor: Cursor,
    epoch: Epoch,
}

#[derive(Serialize, Deserialize)]
struct Entries {
    entries: Vec<EntryForm>,
}

#[derive(Serialize, Deserialize)]
struct RestoreForm {
    client: Option<ClientId>,
    last: Seq,
    epoch: Option<Epoch>,
    entries: Vec<EntryForm>,
    base: Option<BaseForm>,
}

#[derive(Serialize, Deserialize)]
struct BaseForm {
    data: BTreeMap<String, BTreeMap<String, Json>>,
    cursor: Cursor,
    digest: Digest,
    epoch: Epoch,
    last_seq: Seq,
    held: Vec<MutationId>,
}

#[derive(Serialize, Deserialize)]
struct PlaceForm {
    placed: Vec<(MutationId, u64)>,
}

#[derive(Serialize, Deserialize)]
struct NumberForm {
    given: Vec<(MutationId, Seq)>,
    last: Seq,
    epoch: Option<Epoch>,
    watermark: Option<Seq>,
}

#[derive(Serialize, Deserialize)]
struct DecidedForm {
    id: MutationId,
    ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<Cursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
}

#[derive(Serialize, Deserialize)]
struct DecideForm {
    decided: Vec<DecidedForm>,
}

#[derive(Serialize, Deserialize)]
struct IdForm {
    id: MutationId,
}

#[derive(Serialize, Deserialize)]
struct PageForm {
    from: Cursor,
    cursor: Cursor,
    digest: Digest,
    epoch: Option<Epoch>,
    last_seq: Option<Seq>,
    last_word: bool,
    changes: Vec<Change>,
}

#[derive(Serialize, Deserialize)]
struct WatermarkForm {
    at: Cursor,
    last_seq: Seq,
}

#[derive(Serialize, Deserialize)]
struct ResetForm {
    snapshot: SnapshotAnswer,
    last_seq: Option<Seq>,
}

#[derive(Serialize, Deserialize)]
struct InvalidateForm {
    other_history: bool,
}

#[derive(Serialize, Deserialize)]
struct RenewForm {
    client: ClientId,
}

#[derive(Serialize, Deserialize)]
struct None_ {}

fn entry_out(entry: &Entry) -> EntryForm {
    let Entry { id, name, args, created, order, seq, accepted, .. } = entry.clone();
    let order = (order != Replica::UNPLACED).then_some(order);
    let accepted = accepted.map(|Accepted { cursor, epoch }| AcceptedForm { cursor, epoch });
    EntryForm { id, name, args, created: created.0, order, seq, accepted }
}

fn entry_in(form: EntryForm) -> Entry {
    let EntryForm { id, name, args, created, order, seq, accepted } = form;
    let accepted = accepted.map(|AcceptedForm { cursor, epoch }| Accepted { cursor, epoch });
    let (order, created) = (order.unwrap_or(Replica::UNPLACED), Millis(created));
    Entry { id, name, args, created, order, seq, accepted, schema: None }
}

fn saved_out(saved: &Saved) -> RestoreForm {
    let Saved { client, last, epoch, entries, base } = saved.clone();
    let base = base.map(|SavedBase { mark, rows }| {
        let mut data: BTreeMap<String, BTreeMap<String, Json>> = BTreeMap::new();
        for ((collection, id), value) in rows {
            data.entry(collection).or_default().insert(id, value);
        }
        let Mark { cursor, digest, epoch, last_seq, held } = mark;
        BaseForm { data, cursor, digest, epoch, last_seq, held }
    });
    RestoreForm { client, last, epoch, entries: entries.values().map(entry_out).collect(), base }
}

fn saved_in(form: RestoreForm) -> Saved {
    let RestoreForm { client, last, epoch, entries, base } = form;
    let base = base.map(|BaseForm { data, cursor, digest, epoch, last_seq, held }| SavedBase {
        mark: Mark { cursor, digest, epoch, last_seq, held },
        rows: data
            .into_iter()
            .flat_map(|(collection, rows)| rows.into_iter().map(move |(id, v)| ((collection.clone(), id), v)))
            .collect(),
    });
    let entries = entries.into_iter().map(entry_in).map(|entry| (entry.order, entry)).collect();
    Saved { client, last, epoch, entries, base }
}

fn verdict_in(form: DecidedForm) -> (MutationId, Verdict) {
    let verdict = match (form.ok, form.cursor, form.epoch) {
        (true, Some(cursor), Some(epoch)) => Verdict::Accepted(Accepted { cursor, epoch }),
        _ => Verdict::Refused(Refused { code: "rejected".into(), reason: None, error: "no".into() }),
    };
    (form.id, verdict)
}

fn verdict_out((id, verdict): &(MutationId, Verdict)) -> DecidedForm {
    match verdict.clone() {
        Verdict::Accepted(Accepted { cursor, epoch }) => {
            DecidedForm { id: id.clone(), ok: true, cursor: Some(cursor), epoch: Some(epoch) }
        }
        Verdict::Refused(_) => DecidedForm { id: id.clone(), ok: false, cursor: None, epoch: None },
    }
}

fn json(form: &impl Serialize) -> Json {
    Json::of(form).unwrap()
}

impl Act {
    /// The verb's name and its input.
    pub fn out(&self) -> (&'static str, Json) {
        let Self::Do(verb) = self else { return ("open", json(&None_ {})) };
        match verb {
            Verb::Restore(saved) => ("restore", json(&saved_out(saved))),
            Verb::Mutate(entry) => ("mutate", json(&entry_out(entry))),
            Verb::Adopt(entries) => ("adopt", json(&Entries { entries: entries.iter().map(entry_out).collect() })),
            Verb::Place(placed) => ("place", json(&PlaceForm { placed: placed.clone() })),
            Verb::Number(numbered) => {
                let Numbered { given, last, epoch, watermark } = numbered.clone();
                ("number", json(&NumberForm { given, last, epoch, watermark }))
            }
            Verb::Decide(decided) => {
                ("decide", json(&DecideForm { decided: decided.iter().map(verdict_out).collect() }))
            }
            Verb::Undo(id) => ("undo", json(&IdForm { id: id.clone() })),
            Verb::Apply(page) => {
                let Page { from, cursor, digest, epoch, changes, last_seq, is_last_word: last_word } = page.clone();
                ("apply", json(&PageForm { from, cursor, digest, epoch, last_seq, last_word, changes }))
            }
            Verb::Watermark(at, last_seq) => ("watermark", json(&WatermarkForm { at: *at, last_seq: *last_seq })),
            Verb::Reset(snapshot, last_seq) => {
                let snapshot = SnapshotAnswer { last_seq: None, ..snapshot.clone() };
                ("reset", json(&ResetForm { snapshot, last_seq: *last_seq }))
            }
            Verb::Invalidate(other_history) => ("invalidate", json(&InvalidateForm { other_history: *other_history })),
            Verb::Drop => ("drop", json(&None_ {})),
            Verb::Renew(client) => ("renew", json(&RenewForm { client: client.clone() })),
        }
    }

    /// The step a line tells.
    pub fn read(verb: &str, input: &Json) -> Self {
        fn form<T: DeserializeOwned>(input: &Json) -> T {
            input.read().unwrap_or_else(|error| panic!("{error}: {input}"))
        }
        Self::Do(match verb {
            "open" => return Self::Open,
            "restore" => Verb::Restore(saved_in(form(input))),
            "mutate" => Verb::Mutate(entry_in(form(input))),
            "adopt" => Verb::Adopt(form::<Entries>(input).entries.into_iter().map(entry_in).collect()),
            "place" => Verb::Place(form::<PlaceForm>(input).placed),
            "number" => {
                let NumberForm { given, last, epoch, watermark } = form(input);
                Verb::Number(Numbered { given, last, epoch, watermark })
            }
            "decide" => Verb::Decide(form::<DecideForm>(input).decided.into_iter().map(verdict_in).collect()),
            "undo" => Verb::Undo(form::<IdForm>(input).id),
            "apply" => {
                let PageForm { from, cursor, digest, epoch, last_seq, last_word: is_last_word, changes } = form(input);
                Verb::Apply(Page { from, cursor, digest, epoch, changes, last_seq, is_last_word })
            }
            "watermark" => {
                let WatermarkForm { at, last_seq } = form(input);
                Verb::Watermark(at, last_seq)
            }
            "reset" => {
                let ResetForm { snapshot, last_seq } = form(input);
                Verb::Reset(snapshot, last_seq)
            }
            "invalidate" => Verb::Invalidate(form::<InvalidateForm>(input).other_history),
            "drop" => Verb::Drop,
            "renew" => Verb::Renew(form::<RenewForm>(input).client),
            other => panic!("no verb is called {other}"),
        })
    }
}
