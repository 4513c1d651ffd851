//! What the tests of the contract share: an application, a real server on a real port, and clients that speak plain HTTP
//! and WebSocket through another stack than the server's. Nothing here fakes a part of the crate under test.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod app;
mod http;
mod reader;
mod rules;
mod site;
mod socket;

use std::{future::Future, time::Duration};

pub(crate) use app::{SECRET, Todo, mutators};
pub(crate) use http::{Answer, Request};
pub(crate) use reader::{Heard, Reader};
pub(crate) use rules::{Bearer, Grants};
pub(crate) use site::{Site, engine};
pub(crate) use socket::Socket;

/// Far longer than anything here takes on a busy machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it should have come by now")
}

/// A file in the system's folder for such, gone when this is dropped.
pub(crate) struct Scratch(std::path::PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("riverrun-http-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.0.join("app.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
