//! The checks on a client after every step: its base is a state the log had, its view is that base with what is pending on
//! top, by the simulation's own model of both. It asks the core, and believes it nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use riverrun_client::{Effect, Entry, News, Pending, Verdict};
use riverrun_core::{Ctx, Cursor, Journal, Json, Mutators, Scope, State, Tx, Unavailable};

use super::{
    broken::{Held, Promise, broken, hold},
    ledger::Ledger,
    node::Node,
    rows::Rows,
};

/// After a step with these effects.
pub(crate) fn after_step(node: &mut Node, effects: &[Effect], ledger: &Ledger, mutators: &Mutators) -> Held {
    let mut told = 0;
    for effect in effects {
        if let Effect::Tell(news) = effect {
            told += u32::from(*news == News::Changed);
            true_verdict(node, news, ledger)?;
            node.hear(news, ledger.history)?;
        }
    }
    hold(told <= 1, Promise::View, || format!("the page was told {told} times in one step"))?;
    never_back(node, ledger)?;
    if told > 0 {
        view(node, ledger, mutators)?;
        own_writes(node, ledger)?;
    }
    Ok(())
}

/// A verdict the client tells was recorded once.
fn true_verdict(node: &Node, news: &News, ledger: &Ledger) -> Held {
    let News::Decided { id, verdict, .. } = news else { return Ok(()) };
    let key = (node.scope().clone(), node.who().clone(), id.clone());
    let recorded = ledger.ever.get(&key).map(Vec::as_slice).unwrap_or_default();
    let is_one = |one: &riverrun_core::Verdict| match (one, verdict) {
        (riverrun_core::Verdict::Accepted(one), Verdict::Accepted(told)) => one.cursor == told.cursor,
        (riverrun_core::Verdict::Rejected(one), Verdict::Refused(told)) => {
            (one.code.as_str(), &one.reason, &one.error) == (&*told.code, &told.reason, &told.error)
        }
        _ => false,
    };
    if recorded.iter().any(is_one) {
        return Ok(());
    }
    if let Verdict::Refused(no) = verdict
        && matches!(no.code.as_str(), "expired" | "client_unknown")
    {
        return hold(ledger.forgot || ledger.history > 0, Promise::Settles, || {
            format!("{id} is told as {}, and nothing was ever forgotten", no.code)
        });
    }
    broken(Promise::OneEffect, format!("{id} is told as {verdict:?}; recorded was {recorded:?}"))
}

fn never_back(node: &mut Node, ledger: &Ledger) -> Held {
    let now = (node.core.epoch().cloned(), node.core.cursor(), node.core.digest());
    let (epoch, cursor, digest) = std::mem::replace(&mut node.seen, now);
    let back = epoch.as_ref() == node.core.epoch() && node.core.cursor() < cursor && node.core.cursor() != Cursor::ZERO;
    hold(!back || !ledger.is_current(node.scope(), cursor, digest), Promise::History, || {
        format!("the cursor went back from {cursor} to {}", node.core.cursor())
    })
}

fn view(node: &Node, ledger: &Ledger, mutators: &Mutators) -> Held {
    let core = &node.core;
    let Some(base) = ledger.state_at(node.scope(), core.digest()) else {
        return broken(Promise::History, format!("the base at {} is of no history there ever was", core.cursor()));
    };
    let same = core.base_rows().filter(|(collection, id, json)| base.json(collection, id) == Some(json)).count();
    hold(same == base.len() && core.base_rows().count() == same, Promise::View, || {
        let mut rows = Rows::default();
        core.base_rows().for_each(|(collection, id, json)| rows.set(collection, id, Some(json.clone())));
        format!("the base at {} is not the log's state there: {}", core.cursor(), rows.difference(base))
    })?;
    let mut model: Rows = (**base).clone();
    for pending in core.pending().filter(|pending| pending.shown) {
        let entry = pending.entry;
        model = replayed(node, entry, &model, mutators);
        // What the base holds is not replayed on top of it.
        let log = ledger.log(node.scope());
        let known = log.and_then(|log| log.cursor_of(node.who(), &entry.id));
        let current = ledger.is_current(node.scope(), core.cursor(), core.digest());
        // A copied queue may be sent by its other holder.
        let fate = node.fates.get(&entry.id);
        let twice = fate.is_some_and(|fate| fate.inherited);
        // A storage that failed gave back what was decided long ago, and the server has forgotten the client since: nobody
        // can tell it before the push is answered.
        let risen = ledger.forgot && fate.is_some_and(|fate| !fate.verdicts.is_empty());
        hold(
            !current || twice || risen || known.is_none_or(|known| known.last > core.cursor().0),
            Promise::View,
            || format!("{} is pending and in the base at {} too", entry.id, core.cursor()),
        )?;
    }
    let mut collections = ledger.collections.clone();
    collections.extend(model.names().map(Into::into));
    let seen = node.view(&collections);
    if seen == model {
        return Ok(());
    }
    same_twice(node, base, mutators)?;
    let shown = |p: Pending<'_>| format!("{}{}", p.entry.id, if p.shown { "" } else { " (hidden)" });
    let pending: Vec<_> = core.pending().map(shown).collect();
    let (at, difference) = (core.cursor(), seen.difference(&model));
    broken(Promise::View, format!("the view at {at} with {pending:?} pending is not base + pending: {difference}"))
}

/// What the view becomes with one more mutation on top, by the model. One that says no, or panics, changes nothing.
fn replayed(node: &Node, entry: &Entry, on: &Rows, mutators: &Mutators) -> Rows {
    let ctx = Ctx {
        time: entry.created,
        mutation: entry.id.clone(),
        name: entry.name.clone(),
        principal: node.who().clone(),
        client: node.core.client().cloned(),
        scope: node.scope().clone(),
    };
    let others = mutators.declared(&entry.name, node.scope(), &entry.args).unwrap_or_default();
    let mut journal = Journal::new(node.scope().clone(), others);
    let mut state = Local { own: node.scope(), rows: on.clone() };
    let ran = catch_unwind(AssertUnwindSafe(|| {
        mutators.run(&entry.name, &mut Tx::new(&ctx, &mut state, &mut journal), &entry.args)
    }));
    if matches!(ran, Ok(Ok(()))) { state.rows } else { on.clone() }
}

/// A view may also differ because a mutator does something else each time: then that is what is told.
fn same_twice(node: &Node, base: &Rows, mutators: &Mutators) -> Held {
    for pending in node.core.pending().filter(|pending| pending.shown) {
        let again = || replayed(node, pending.entry, base, mutators);
        let (first, second) = (again(), again());
        hold(first == second, Promise::Deterministic, || {
            let (name, args) = (&pending.entry.name, &pending.entry.args);
            format!(
                "{name} {args} was run twice in a client's view, and did not the same: {}",
                first.difference(&second)
            )
        })?;
    }
    Ok(())
}

/// One's own write is visible until a verdict says no.
fn own_writes(node: &Node, ledger: &Ledger) -> Held {
    let (core, scope) = (&node.core, node.scope());
    // Elsewhere the base may lack what another history holds, or what may no longer be read.
    if ledger.history > 0 || node.shared || !core.is_valid() || core.cursor() == Cursor::ZERO {
        return Ok(());
    }
    let Some(log) = ledger.log(scope) else { return Ok(()) };
    for (id, fate) in node.fates.iter().filter(|(_, fate)| !fate.lost && !fate.undone) {
        let refused = fate.verdicts.iter().any(|(_, verdict)| !verdict.is_accepted());
        // What was sent in an earlier life may be in the base or not: it waits unseen until that is known.
        let shown = core.pending().any(|pending| pending.entry.id == *id && pending.shown);
        hold(!(refused && shown), Promise::View, || format!("{id} was refused, and is still seen: {fate:?}"))?;
        if refused || core.pending().any(|pending| pending.entry.id == *id && (pending.shown || pending.doubted)) {
            continue;
        }
        let key = (scope.clone(), node.who().clone(), id.clone());
        let in_base = log.cursor_of(node.who(), id).is_some_and(|entry| entry.last <= core.cursor().0);
        let without_effect = ledger.verdicts.contains_key(&key) && log.cursor_of(node.who(), id).is_none();
        hold(in_base || without_effect || ledger.forgot, Promise::View, || {
            let item = core.pending().find(|pending| pending.entry.id == *id).map(|pending| pending.entry.clone());
            format!("{id} can't be seen at {}, and no verdict says no: {fate:?}, {item:?}", core.cursor())
        })?;
    }
    Ok(())
}

/// The model's state for a mutator at a client: other scopes look empty.
struct Local<'a> {
    own: &'a Scope,
    rows: Rows,
}

impl State for Local<'_> {
    fn get(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<Option<Json>, Unavailable> {
        Ok(self.rows.json(collection, id).filter(|_| scope == self.own).cloned())
    }

    fn put(&mut self, scope: &Scope, collection: &str, id: &str, value: &Json) -> Result<(), Unavailable> {
        if scope == self.own {
            self.rows.set(collection, id, Some(value.clone()));
        }
        Ok(())
    }

    fn del(&mut self, scope: &Scope, collection: &str, id: &str) -> Result<(), Unavailable> {
        if scope == self.own {
            self.rows.set(collection, id, None);
        }
        Ok(())
    }

    fn list(
        &mut self,
        scope: &Scope,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        let rows = self.rows.collection(collection).filter(|(id, _)| scope == self.own && id.starts_with(prefix));
        let rows = rows.filter(|(id, _)| after.is_none_or(|after| *id > after)).take(limit);
        Ok(rows.map(|(id, json)| (id.into(), json.clone())).collect())
    }
}
