//! Tests to run on what others write: [`store`] holds every sentence of the store contract against a store. It is a
//! development dependency only; nothing that production code needs may live here.

pub mod store;
