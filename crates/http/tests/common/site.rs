//! A running server: the routes of the contract over an engine, behind the accept loop an application would use.

use std::net::SocketAddr;

use axum::Router;
use riverrun_engine::{Engine, Memory, Public, Store};
use riverrun_http::{Live, Routes, Serve};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{Answer, Request, Socket, mutators, soon};

/// An engine of the test application, open to everyone.
pub(crate) async fn engine(store: impl Store) -> Engine {
    Engine::builder(store).mutators(mutators()).access(Public).start().await.unwrap()
}

pub(crate) struct Site {
    pub(crate) addr: SocketAddr,
    pub(crate) engine: Engine,
    pub(crate) live: Live,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Site {
    /// The test application over a store in memory, open to everyone.
    pub(crate) async fn open() -> Self {
        Self::of(engine(Memory::new()).await).await
    }

    /// The default routes over an engine.
    pub(crate) async fn of(engine: Engine) -> Self {
        Self::with(engine, |routes| routes).await
    }

    pub(crate) async fn with(engine: Engine, configure: impl FnOnce(Routes) -> Routes) -> Self {
        let (routes, live) = configure(Routes::new(&engine)).split::<()>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = Serve::new(listener, Router::new().merge(routes)).shutdown(async { drop(stopped.await) });
        Self { addr, engine, live, stop: Some(stop), ended: tokio::spawn(serve.run()) }
    }

    /// Begins the drain.
    pub(crate) fn drain(&mut self) {
        drop(self.stop.take());
    }

    /// Drains to the end.
    pub(crate) async fn end(mut self) {
        self.drain();
        soon(&mut self.ended).await.unwrap();
        self.engine.close().await;
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Request {
        Request::post(self.addr, path, body.to_string())
    }

    pub(crate) async fn push(&self, body: Value) -> Answer {
        self.post("/_sync/push", &body).send().await
    }

    /// Pushes one mutation and gives its result.
    pub(crate) async fn push_one(&self, scope: &str, id: &str, name: &str, args: Value) -> Value {
        let mutation = json!({"id": id, "type": name, "args": args, "scope": scope});
        self.push(json!({"mutations": [mutation]})).await.ok()["results"][0].clone()
    }

    /// Creates a todo in a scope and gives the result.
    pub(crate) async fn todo(&self, scope: &str, id: &str) -> Value {
        let done = self.push_one(scope, &format!("m-{id}"), "todo.create", json!({"id": id, "title": "Milk"})).await;
        assert_eq!(done["ok"], true, "{done}");
        done
    }

    pub(crate) async fn pull(&self, body: Value) -> Answer {
        self.post("/_sync/pull", &body).send().await
    }

    pub(crate) async fn snapshot(&self, body: Value) -> Answer {
        self.post("/_sync/snapshot", &body).send().await
    }

    /// A session past its hello.
    pub(crate) async fn socket(&self) -> Socket {
        Socket::open(self.addr, &[]).await.unwrap()
    }

    /// A session of this principal, by its token, past its hello.
    pub(crate) async fn socket_of(&self, who: &str) -> Socket {
        let token = format!("Bearer token-of-{who}");
        Socket::open(self.addr, &[("authorization", token.as_str())]).await.unwrap()
    }
}
