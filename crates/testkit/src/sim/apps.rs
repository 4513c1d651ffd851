//! Applications to run the simulation with, for stores, engines and clients: each is small, and each would show an error
//! that the others hide. An author's own mutators are simulated the same way.

use riverrun_core::{Mutators, Reject, Scope, Tx, entity};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Sim, State};

/// What every account begins with.
const BALANCE: i64 = 10;

/// Names that are fought over.
const NAMES: u64 = 12;

/// A mark of its own for each mutation, and one entity everybody rewrites: what takes effect twice, or out of order, shows.
pub fn marks(seed: u64) -> Sim {
    Sim::new(seed)
        .mutators(|| Mutators::new().on("mark", mark).on("unmark", unmark))
        .generate(|g| match g.pick_id("mark") {
            Some(id) if g.chance(20) => ("unmark", json!(id)),
            _ => ("mark", json!({ "n": g.below(1000) })),
        })
        .invariant("every mark is made once", |state| state.all::<Mark>().iter().all(|mark| mark.n == 1))
        .invariant("writes and marks are one effect", |state| {
            state.scopes().all(|(_, rows)| {
                let last = rows.get::<Last>("last");
                last.is_none_or(|last| last.made - last.removed == rows.all::<Mark>().len() as u64)
            })
        })
}

/// Money that goes from account to account, also of another scope: the sum stays.
pub fn bank(seed: u64) -> Sim {
    Sim::new(seed)
        .mutators(|| {
            Mutators::new()
                .on("bank.open", open)
                .on("bank.move", transfer)
                .scopes(|a: &Move| Scope::new(&a.to_scope).ok().into_iter().collect())
        })
        .generate(|g| {
            let from = g.pick_id("account");
            let Some(from) = from.filter(|_| g.chance(85)) else {
                return ("bank.open", json!({ "id": format!("a{}", g.below(6)) }));
            };
            let to_scope = if g.chance(40) { g.other_scope().to_owned() } else { g.scope().to_owned() };
            let to = format!("a{}", g.below(6));
            ("bank.move", json!({ "from": from, "to": to, "to_scope": to_scope, "amount": g.below(9) }))
        })
        .invariant("the sum stays", sums_to_what_was_opened)
        .invariant("nobody owes", |state| state.all::<Account>().iter().all(|account| account.balance >= 0))
}

/// Names that are taken by whoever comes first, changed and given back: many are refused.
pub fn names(seed: u64) -> Sim {
    Sim::new(seed)
        .clients(5)
        .mutators(|| Mutators::new().on("name.take", take).on("name.give", give).on("name.sweep", sweep))
        .generate(|g| {
            let name = format!("name{}", g.below(NAMES));
            match g.below(10) {
                0..6 => ("name.take", json!({ "id": name })),
                6..9 => ("name.give", json!({ "id": name })),
                _ => ("name.sweep", json!(null)),
            }
        })
        .invariant("a name has one owner, and the list of taken names says so", |state| {
            state.scopes().all(|(_, rows)| {
                let taken = rows.get::<Taken>("all").map_or(0, |taken| taken.count);
                taken == rows.all::<Name>().len() as u64
            })
        })
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Mark {
    id: String,
    n: u64,
}
entity!(Mark, "mark", id);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Last {
    id: String,
    by: String,
    made: u64,
    removed: u64,
}
entity!(Last, "last", id);

fn mark(tx: &mut Tx<'_>, _: serde_json::Value) -> Result<(), Reject> {
    let id = tx.ctx().mutation.to_string();
    let n = tx.get::<Mark>(&id)?.map_or(0, |mark| mark.n);
    tx.put(&Mark { id: id.clone(), n: n + 1 })?;
    last(tx, |last| last.made += 1)
}

fn unmark(tx: &mut Tx<'_>, id: String) -> Result<(), Reject> {
    if !tx.delete::<Mark>(&id)? {
        return Err(Reject::not_found("there is no such mark"));
    }
    last(tx, |last| last.removed += 1)
}

fn last(tx: &mut Tx<'_>, change: impl FnOnce(&mut Last)) -> Result<(), Reject> {
    let known = tx.get::<Last>("last")?;
    let mut last = known.unwrap_or_else(|| Last { id: "last".into(), by: String::new(), made: 0, removed: 0 });
    last.by = tx.ctx().mutation.to_string();
    change(&mut last);
    tx.put(&last)
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Account {
    id: String,
    balance: i64,
}
entity!(Account, "account", id);

#[derive(Debug, Serialize, Deserialize)]
struct Open {
    id: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Move {
    from: String,
    to: String,
    to_scope: String,
    amount: i64,
}

fn open(tx: &mut Tx<'_>, a: Open) -> Result<(), Reject> {
    tx.insert(&Account { id: a.id, balance: BALANCE })
}

fn transfer(tx: &mut Tx<'_>, a: Move) -> Result<(), Reject> {
    let Some(mut from) = tx.get::<Account>(&a.from)? else { return Err(Reject::not_found("who pays?")) };
    if from.balance < a.amount {
        return Err(Reject::new("too_little", "there is not enough money"));
    }
    from.balance -= a.amount;
    tx.put(&from)?;
    let mut there = tx.at(&*a.to_scope)?;
    let Some(mut to) = there.get::<Account>(&a.to)? else { return Err(Reject::not_found("who is paid?")) };
    to.balance += a.amount;
    there.put(&to)
}

fn sums_to_what_was_opened(state: &State) -> Result<(), String> {
    let accounts = state.all::<Account>();
    let (sum, opened) = (accounts.iter().map(|account| account.balance).sum::<i64>(), accounts.len());
    let expected = BALANCE * i64::try_from(opened).unwrap_or(i64::MAX);
    if sum == expected { Ok(()) } else { Err(format!("{opened} accounts hold {sum}, not {expected}")) }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Name {
    id: String,
    owner: String,
}
entity!(Name, "name", id);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Taken {
    id: String,
    count: u64,
}
entity!(Taken, "taken", id);

fn take(tx: &mut Tx<'_>, a: Open) -> Result<(), Reject> {
    let owner = tx.principal().to_string();
    if let Some(name) = tx.get::<Name>(&a.id)? {
        return Err(Reject::new("taken", format!("{} has it", name.owner)));
    }
    tx.insert(&Name { id: a.id, owner })?;
    count(tx, 1)
}

fn give(tx: &mut Tx<'_>, a: Open) -> Result<(), Reject> {
    match tx.get::<Name>(&a.id)? {
        Some(name) if name.owner == tx.principal().as_str() => {
            tx.delete::<Name>(&a.id)?;
            count(tx, -1)
        }
        Some(_) => Err(Reject::forbidden("it is somebody else's")),
        None => Err(Reject::not_found("nobody has it")),
    }
}

fn sweep(tx: &mut Tx<'_>, (): ()) -> Result<(), Reject> {
    let names = tx.list::<Name>("name", 5)?;
    for name in &names {
        tx.delete::<Name>(&name.id)?;
    }
    count(tx, -i64::try_from(names.len()).unwrap_or(0))
}

fn count(tx: &mut Tx<'_>, by: i64) -> Result<(), Reject> {
    let count = tx.get::<Taken>("all")?.map_or(0, |taken| taken.count);
    tx.put(&Taken { id: "all".into(), count: count.saturating_add_signed(by) })
}
