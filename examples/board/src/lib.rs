//! A shared board. Each lane is a scope; a move writes to two of them in one mutation; and a table of the board's own counts
//! who moved how many cards, in the transaction that moves them.

use axum::{Json, Router, extract::State, http::StatusCode, response::Html, routing::get};
use riverrun::{
    prelude::*,
    sqlite::{self, rusqlite::params},
};
use serde::{Deserialize, Serialize};

/// The lanes of every board. Their scopes are `lane:<name>`.
pub const LANES: [&str; 3] = ["todo", "doing", "done"];

const SCHEMA: &str =
    "CREATE TABLE IF NOT EXISTS moves (who TEXT PRIMARY KEY, count INTEGER NOT NULL CHECK (count <= 1000))";

/// A card; it is in the lane whose scope holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Unique on the board.
    pub id: String,
    /// What it says.
    pub text: String,
}
entity!(Card, "card", id);

#[derive(Deserialize)]
struct Move {
    id: String,
    to: String,
}

fn create(tx: &mut Tx<'_>, card: Card) -> Result<(), Reject> {
    if card.text.trim().is_empty() {
        return Err(Reject::new("text_empty", "a card says something"));
    }
    tx.insert(&card)
}

fn carry(tx: &mut Tx<'_>, a: Move) -> Result<(), Reject> {
    let card: Card = tx.get(&a.id)?.ok_or_else(|| Reject::not_found("this card has left the lane"))?;
    tx.at(lane(&a.to))?.insert(&card)?;
    tx.delete::<Card>(&a.id)?;
    let who = tx.principal().to_string();
    let count = "INSERT INTO moves VALUES (?1, 1) ON CONFLICT DO UPDATE SET count = count + 1";
    sqlite::tx(tx)?.execute(count, params![who]).map(drop)
}

fn lane(name: &str) -> String {
    format!("lane:{name}")
}

/// Only lanes that exist are anybody's business, and whoever is called `guest` only looks.
struct Rules;

impl Authorize for Rules {
    async fn authorize(&self, who: &Principal, scope: &Scope, action: Action) -> Result<bool, AccessFailed> {
        let known = scope.as_str().strip_prefix("lane:").is_some_and(|name| LANES.contains(&name));
        Ok(known && (action == Action::Read || who.as_str() != "guest"))
    }
}

/// People say their name in the query of the page, and in a header of its requests. A real board would ask for more.
struct ByName;

impl Authenticate for ByName {
    async fn authenticate(&self, request: &axum::http::request::Parts) -> Result<Identity, AuthFailed> {
        let name = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        self.token(name.and_then(|value| value.strip_prefix("Bearer ")).ok_or(AuthFailed::Missing)?).await
    }

    async fn token(&self, name: &str) -> Result<Identity, AuthFailed> {
        Ok(Principal::new(name).map_err(|error| AuthFailed::Invalid(error.to_string()))?.into())
    }
}

/// The engine over a database file, and the store for reading the board's own table.
pub async fn engine(database: &str) -> Result<(Engine, Sqlite), Box<dyn std::error::Error>> {
    let store = Sqlite::options(database).schema(SCHEMA).open()?;
    let mutators = Mutators::new()
        .on("card.create", create)
        .on("card.move", carry)
        .scopes(|a: &Move| Scope::new(lane(&a.to)).into_iter().collect());
    let engine = Engine::builder(store.clone()).mutators(mutators).access(Rules).start().await?;
    Ok((engine, store))
}

/// Every route of the board.
pub fn app(engine: &Engine, store: Sqlite) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("../board.html"))))
        .route("/moves", get(moves))
        .merge(Routes::new(engine).authenticate(ByName).router())
        .with_state(store)
}

async fn moves(State(store): State<Sqlite>) -> Result<Json<Vec<(String, i64)>>, StatusCode> {
    let all = |conn: &sqlite::rusqlite::Connection| {
        let mut rows = conn.prepare("SELECT who, count FROM moves ORDER BY count DESC, who LIMIT 100")?;
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let read = tokio::task::spawn_blocking(move || store.query(all)).await;
    read.ok().and_then(Result::ok).map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}
