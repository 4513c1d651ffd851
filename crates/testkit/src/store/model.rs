//! The contract once more, as naively as it can be written: lists that are searched from end to end. It is what random work
//! on a store is compared with, so it must stay too simple to be wrong in the same way.

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};
use riverrun_engine::store::{
    Entry, Forgotten, Head, Layer, Origin, Range, ReadTx, Record, StoreError, StoreResult, Survey, Watermark, WriteTx,
};

/// All rows as lists, in no order.
#[derive(Clone)]
pub(super) struct Model {
    epoch: Epoch,
    forgotten_before: Millis,
    heads: Vec<(Scope, Head)>,
    log: Vec<(Scope, Entry, Origin)>,
    rows: Vec<Row>,
    owners: Vec<(ClientId, Principal)>,
    marks: Vec<(Scope, ClientId, Watermark)>,
    verdicts: Vec<(Scope, Principal, Record)>,
    savepoint: Option<Box<Model>>,
}

#[derive(Clone)]
struct Row {
    scope: Scope,
    layer: Layer,
    collection: String,
    id: String,
    json: Json,
}

impl Model {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            forgotten_before: Millis(0),
            heads: Vec::new(),
            log: Vec::new(),
            rows: Vec::new(),
            owners: Vec::new(),
            marks: Vec::new(),
            verdicts: Vec::new(),
            savepoint: None,
        }
    }

    fn sorted_rows(&self, scope: &Scope, layer: Layer) -> Vec<Row> {
        let mut rows: Vec<Row> =
            self.rows.iter().filter(|row| row.scope == *scope && row.layer == layer).cloned().collect();
        rows.sort_by_key(|row| (row.collection.as_bytes().to_vec(), row.id.as_bytes().to_vec()));
        rows
    }
}

impl ReadTx for Model {
    fn epoch(&mut self) -> StoreResult<Epoch> {
        Ok(self.epoch.clone())
    }

    fn head(&mut self, scope: &Scope) -> StoreResult<Option<Head>> {
        Ok(self.heads.iter().find(|(of, _)| of == scope).map(|(_, head)| *head))
    }

    fn entry_at(&mut self, scope: &Scope, cursor: Cursor) -> StoreResult<Option<Entry>> {
        let holds = |entry: &Entry| (0..entry.changes.len() as u64).any(|place| entry.first.0 + place == cursor.0);
        Ok(self.log.iter().find(|(of, entry, _)| of == scope && holds(entry)).map(|(_, entry, _)| entry.clone()))
    }

    fn entries(&mut self, scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> StoreResult<()> {
        let mut entries: Vec<Entry> =
            self.log.iter().filter(|(of, _, _)| of == scope).map(|(_, entry, _)| entry.clone()).collect();
        entries.retain(|entry| entry.last() > after);
        entries.sort_by_key(|entry| entry.first);
        let _enough = entries.into_iter().all(sink);
        Ok(())
    }

    fn origin(&mut self, scope: &Scope, last: Cursor) -> StoreResult<Option<Origin>> {
        let found = self.log.iter().find(|(of, entry, _)| of == scope && entry.last() == last);
        Ok(found.map(|(_, _, origin)| origin.clone()))
    }

    fn entity(&mut self, scope: &Scope, collection: &str, id: &str) -> StoreResult<Option<Json>> {
        let rows = self.sorted_rows(scope, Layer::Current);
        Ok(rows.into_iter().find(|row| row.collection == collection && row.id == id).map(|row| row.json))
    }

    fn entities(&mut self, scope: &Scope, collection: &str, range: Range<'_>) -> StoreResult<Vec<(Box<str>, Json)>> {
        let mut rows = self.sorted_rows(scope, Layer::Current);
        rows.retain(|row| row.collection == collection && row.id.starts_with(range.prefix));
        rows.retain(|row| range.after.is_none_or(|after| row.id.as_bytes() > after.as_bytes()));
        rows.truncate(range.limit);
        Ok(rows.into_iter().map(|row| (row.id.into(), row.json)).collect())
    }

    fn each_entity(
        &mut self,
        scope: &Scope,
        layer: Layer,
        sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>,
    ) -> StoreResult<()> {
        self.sorted_rows(scope, layer).iter().try_for_each(|row| sink(&row.collection, &row.id, row.json.as_str()))
    }

    fn owner(&mut self, client: &ClientId) -> StoreResult<Option<Principal>> {
        Ok(self.owners.iter().find(|(of, _)| of == client).map(|(_, owner)| owner.clone()))
    }

    fn watermark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>> {
        Ok(self.marks.iter().find(|(at, of, _)| at == scope && of == client).map(|(_, _, mark)| *mark))
    }

    fn verdict(&mut self, scope: &Scope, principal: &Principal, id: &MutationId) -> StoreResult<Option<Record>> {
        let found = self.verdicts.iter().find(|(at, of, record)| at == scope && of == principal && record.id == *id);
        Ok(found.map(|(_, _, record)| record.clone()))
    }

    fn decided_at(&mut self, scope: &Scope, client: &ClientId, seq: Seq) -> StoreResult<bool> {
        let place = Some((client.clone(), seq));
        Ok(self.verdicts.iter().any(|(at, _, record)| at == scope && record.place == place))
    }

    fn forgotten_before(&mut self) -> StoreResult<Millis> {
        Ok(self.forgotten_before)
    }

    fn scopes(&mut self, after: Option<&Scope>, limit: usize) -> StoreResult<Vec<Scope>> {
        let mut scopes: Vec<Scope> = self.heads.iter().map(|(scope, _)| scope.clone()).collect();
        scopes.retain(|scope| after.is_none_or(|after| scope.as_str().as_bytes() > after.as_str().as_bytes()));
        scopes.sort_by_key(|scope| scope.as_str().as_bytes().to_vec());
        scopes.truncate(limit);
        Ok(scopes)
    }
}

impl Survey for Model {
    fn logged(
        &mut self,
        scope: &Scope,
        after: Cursor,
        sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>,
    ) -> StoreResult<()> {
        let mut log: Vec<_> = self.log.iter().filter(|(of, entry, _)| of == scope && entry.last() > after).collect();
        log.sort_by_key(|(_, entry, _)| entry.first);
        for (_, entry, origin) in log {
            if !sink(entry.clone(), origin.clone())? {
                break;
            }
        }
        Ok(())
    }

    fn verdicts(
        &mut self,
        scope: &Scope,
        after: Option<(&Principal, &MutationId)>,
        limit: usize,
    ) -> StoreResult<Vec<(Principal, Record)>> {
        let key = |who: &Principal, id: &MutationId| (who.as_str().to_string(), id.as_str().to_string());
        let mut all: Vec<_> = self.verdicts.iter().filter(|(at, ..)| at == scope).collect();
        all.sort_by_key(|(_, who, record)| key(who, &record.id));
        all.retain(|(_, who, record)| after.is_none_or(|(after, id)| key(who, &record.id) > key(after, id)));
        all.truncate(limit);
        Ok(all.into_iter().map(|(_, who, record)| (who.clone(), record.clone())).collect())
    }

    fn watermarks(
        &mut self,
        scope: &Scope,
        after: Option<&ClientId>,
        limit: usize,
    ) -> StoreResult<Vec<(ClientId, Watermark)>> {
        let mut all: Vec<_> = self.marks.iter().filter(|(at, ..)| at == scope).collect();
        all.sort_by_key(|(_, client, _)| client.as_str());
        all.retain(|(_, client, _)| after.is_none_or(|after| client.as_str() > after.as_str()));
        all.truncate(limit);
        Ok(all.into_iter().map(|(_, client, mark)| (client.clone(), *mark)).collect())
    }

    fn owners(&mut self, after: Option<&ClientId>, limit: usize) -> StoreResult<Vec<(ClientId, Principal)>> {
        let mut all = self.owners.clone();
        all.sort_by_key(|(client, _)| client.as_str().to_string());
        all.retain(|(client, _)| after.is_none_or(|after| client.as_str() > after.as_str()));
        all.truncate(limit);
        Ok(all)
    }

    fn defects(&mut self, _: &mut dyn FnMut(&str)) -> StoreResult<()> {
        Ok(())
    }
}

impl WriteTx for Model {
    fn savepoint(&mut self) -> StoreResult<()> {
        self.savepoint = Some(Box::new(self.clone()));
        Ok(())
    }

    fn rollback(&mut self) -> StoreResult<()> {
        let savepoint = self.savepoint.take().ok_or_else(|| StoreError::Other("no savepoint".into()))?;
        *self = *savepoint;
        Ok(())
    }

    fn release(&mut self) -> StoreResult<()> {
        self.savepoint = None;
        Ok(())
    }

    fn lock(&mut self, scope: &Scope) -> StoreResult<Head> {
        Ok(self.head(scope)?.unwrap_or_default())
    }

    fn set_head(&mut self, scope: &Scope, head: &Head) -> StoreResult<()> {
        self.heads.retain(|(of, _)| of != scope);
        self.heads.push((scope.clone(), *head));
        Ok(())
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, origin: &Origin) -> StoreResult<()> {
        self.log.push((scope.clone(), entry.clone(), origin.clone()));
        Ok(())
    }

    fn put(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> StoreResult<()> {
        self.del(scope, layer, collection, id)?;
        let (collection, id) = (collection.to_string(), id.to_string());
        self.rows.push(Row { scope: scope.clone(), layer, collection, id, json: value.clone() });
        Ok(())
    }

    fn del(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str) -> StoreResult<()> {
        self.rows
            .retain(|row| !(row.scope == *scope && row.layer == layer && row.collection == collection && row.id == id));
        Ok(())
    }

    fn set_owner(&mut self, client: &ClientId, principal: &Principal) -> StoreResult<()> {
        self.owners.push((client.clone(), principal.clone()));
        Ok(())
    }

    fn set_watermark(&mut self, scope: &Scope, client: &ClientId, watermark: &Watermark) -> StoreResult<()> {
        self.marks.retain(|(at, of, _)| at != scope || of != client);
        self.marks.push((scope.clone(), client.clone(), *watermark));
        Ok(())
    }

    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()> {
        self.verdicts.push((scope.clone(), principal.clone(), record.clone()));
        Ok(())
    }

    fn trim(&mut self, scope: &Scope, up_to: Cursor) -> StoreResult<()> {
        self.log.retain(|(of, entry, _)| of != scope || entry.last() > up_to);
        Ok(())
    }

    fn forget_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> StoreResult<Forgotten> {
        let mut forgotten = Forgotten::default();
        let marks = self.marks.clone();
        self.verdicts.retain(|(at, _, record)| {
            let last_place = record.place.as_ref().is_some_and(|(client, seq)| {
                let mark = marks.iter().find(|(scope, of, _)| scope == at && of == client);
                mark.is_some_and(|(_, _, mark)| mark.last_seq.0 < seq.0.saturating_add(keep))
            });
            let goes = record.time < before && !last_place && forgotten.verdicts < limit;
            forgotten.verdicts += usize::from(goes);
            forgotten.by_id_alone += usize::from(goes && record.place.is_none());
            !goes
        });
        Ok(forgotten)
    }

    fn forget_clients(&mut self, before: Millis, limit: usize) -> StoreResult<usize> {
        let mut gone = Vec::new();
        self.marks.retain(|(_, client, mark)| {
            let goes = mark.seen < before && gone.len() < limit;
            if goes {
                gone.push(client.clone());
            }
            !goes
        });
        let marks = &self.marks;
        let left = |client: &ClientId| marks.iter().any(|(_, of, _)| of == client);
        self.owners.retain(|(client, _)| !gone.contains(client) || left(client));
        Ok(gone.len())
    }

    fn set_forgotten_before(&mut self, moment: Millis) -> StoreResult<()> {
        self.forgotten_before = moment;
        Ok(())
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> StoreResult<()> {
        self.epoch = epoch.clone();
        Ok(())
    }
}
