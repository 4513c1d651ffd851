//! What a mutator hears of rows that no mutator wrote.

#![allow(clippy::unwrap_used)]

use riverrun_core::{Code, Ctx, Journal, Json, Millis, MutationId, Principal, Scope, State, Tx, Unavailable, entity};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Todo {
    id: String,
}
entity!(Todo, "todo", id);

/// One row, whose key and value are of two minds.
struct Odd;

impl State for Odd {
    fn get(&mut self, _: &Scope, _: &str, _: &str) -> Result<Option<Json>, Unavailable> {
        Ok(Some(Json::trusted(r#"{"id":"a"}"#)))
    }

    fn put(&mut self, _: &Scope, _: &str, _: &str, _: &Json) -> Result<(), Unavailable> {
        Ok(())
    }

    fn del(&mut self, _: &Scope, _: &str, _: &str) -> Result<(), Unavailable> {
        Ok(())
    }

    fn list(
        &mut self,
        _: &Scope,
        _: &str,
        _: &str,
        after: Option<&str>,
        _: usize,
    ) -> Result<Vec<(Box<str>, Json)>, Unavailable> {
        let rows = [("b".into(), Json::trusted(r#"{"id":"a"}"#))];
        Ok(rows.into_iter().filter(|_| after.is_none_or(|after| after < "b")).collect())
    }
}

#[test]
fn an_entity_that_says_it_is_another_one_is_damage_and_no_list_goes_round_for_ever() {
    let ctx = Ctx {
        time: Millis(0),
        mutation: MutationId::new("m").unwrap(),
        name: "todo.clear".into(),
        principal: Principal::server(),
        client: None,
        scope: Scope::default(),
    };
    let (mut state, mut journal) = (Odd, Journal::new(Scope::default(), []));
    let mut tx = Tx::new(&ctx, &mut state, &mut journal);
    assert_eq!(tx.list::<Todo>("", 10).unwrap_err().code(), Code::InternalError);
    assert_eq!(tx.get::<Todo>("b").unwrap_err().code(), Code::InternalError);
    assert_eq!(tx.get::<Todo>("a").unwrap(), Some(Todo { id: "a".into() }));
}
