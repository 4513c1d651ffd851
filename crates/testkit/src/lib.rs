//! Tests to run on what others write: [`store`] holds every sentence of the store contract against a store,
//! [`protocol`] every promise of the protocol against the engine over it. It is a
//! development dependency only; nothing that production code needs may live here.

pub mod protocol;
pub mod sim;
pub mod store;
