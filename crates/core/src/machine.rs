//! State of an application's own: it proposes changes and folds them, and the log is where the state lives. The engine
//! keeps it in memory and rebuilds it by replay; nothing here may reach outside its arguments.

use alloc::vec::Vec;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Ctx, Json, Mutation, Reject};

/// An application that keeps a state of its own per scope instead of collections.
///
/// `state(c) = fold(base, changes 1..c)`: whatever `apply` wants to be true must be in the changes it returns.
///
/// ```
/// use riverrun_core::{Ctx, Json, Machine, Mutation, Reject};
///
/// struct Counter;
///
/// impl Machine for Counter {
///     type State = i64;
///     fn apply(&self, total: &i64, mutation: &Mutation, _: &Ctx) -> Result<Vec<Json>, Reject> {
///         let by: i64 = mutation.args.read().map_err(|e| Reject::invalid(e.to_string()))?;
///         if total + by < 0 {
///             return Err(Reject::new("below_zero", "the counter can't go below zero"));
///         }
///         Ok(vec![mutation.args.clone()])
///     }
///     fn fold(&self, total: &mut i64, change: &Json) {
///         *total += change.read::<i64>().unwrap_or(0);
///     }
/// }
/// ```
pub trait Machine: Send + Sync + 'static {
    /// The state of one scope. Its JSON is the snapshot readers receive and the base a trimmed log starts from.
    type State: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Reads the state and proposes changes, or says no. Deterministic.
    fn apply(&self, state: &Self::State, mutation: &Mutation, ctx: &Ctx) -> Result<Vec<Json>, Reject>;

    /// The only thing that changes the state. Total and deterministic: it also reads changes written by earlier versions.
    fn fold(&self, state: &mut Self::State, change: &Json);
}
