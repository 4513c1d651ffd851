//! The application's program while it runs: where it listens, what it said last, how it ended. It is told to listen at a
//! private address of this machine; it must never be known under another than the one a browser uses, so its own lines
//! name that one.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    net::TcpListener,
    process::ChildStdin,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::{
    group::{Group, command},
    proxy,
    say::Say,
    settings::Settings,
};

/// Where a program listens that asks nobody: riverrun's `serve` reads it in debug builds.
const ADDRESS: &str = "RIVERRUN_DEV_ADDR";

/// How long a program that is told to end may take: requests in flight need less, and an edit waits for it.
const END_WITHIN: Duration = Duration::from_secs(2);

/// After so long a program that does not listen is worth a word.
const SLOW: Duration = Duration::from_secs(10);

/// Lines kept of what it said, to show when it ends by itself: a panic's words come before its whole backtrace.
const LAST_LINES: usize = 200;

/// What it said last may still be under way when it has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// See the file's head.
#[derive(Debug)]
pub(crate) struct App {
    group: Group,
    pub(crate) address: SocketAddr,
    listens: bool,
    slow_at: Option<Instant>,
    said: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
    /// Closed when this program is gone, however it went: riverrun's `serve` ends then.
    _alive: Option<ChildStdin>,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Event {
    Listens,
    /// It has not, for a while.
    Slow,
    Ended(ExitStatus),
}

impl App {
    /// Starts it in `dir`. `public` is the address a browser uses, without the scheme.
    pub(crate) async fn start(
        program: &Path,
        manifest_dir: &Path,
        dir: &Path,
        settings: &Settings,
        public: &str,
        say: &Arc<Say>,
    ) -> anyhow::Result<Self> {
        let address = free().await.context("no port of this machine is free for the application")?;
        let mut command = command(program);
        command.current_dir(dir).env("CARGO_MANIFEST_DIR", manifest_dir).envs(settings.iter());
        command.env("HOST", address.ip().to_string()).env("PORT", address.port().to_string());
        command.env(ADDRESS, address.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::start(command).with_context(|| format!("{} can't be started", program.display()))?;
        let said = Arc::default();
        let hand = Hand { private: address.to_string(), public: public.to_owned(), said: Arc::clone(&said) };
        let mut readers = Vec::new();
        if let Some(output) = group.child.stdout.take() {
            readers.push(tokio::spawn(hand.clone().pass(output, Arc::clone(say), false)));
        }
        if let Some(output) = group.child.stderr.take() {
            readers.push(tokio::spawn(hand.pass(output, Arc::clone(say), true)));
        }
        let alive = group.child.stdin.take();
        let slow_at = Some(Instant::now() + SLOW);
        Ok(Self { group, address, listens: false, slow_at, said, readers, _alive: alive })
    }

    /// Waits for the next thing that becomes of it. Cancel-safe. After its end there is nothing more to wait for.
    pub(crate) async fn event(&mut self) -> std::io::Result<Event> {
        let (is_starting, slow_at) = (!self.listens, self.slow_at);
        tokio::select! {
            status = self.group.wait() => Ok(Event::Ended(status?)),
            () = proxy::listens(self.address), if is_starting => {
                self.listens = true;
                Ok(Event::Listens)
            }
            () = sleep_until(slow_at.unwrap_or_else(Instant::now)), if is_starting && slow_at.is_some() => {
                self.slow_at = None;
                Ok(Event::Slow)
            }
        }
    }

    /// What it said last.
    pub(crate) async fn last_words(&mut self) -> String {
        let readers = self.readers.drain(..);
        drop(timeout(LAST_WORDS, futures_util::future::join_all(readers)).await);
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().map(String::as_str).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
    }

    /// Ends it, with all it started.
    pub(crate) async fn end(self) {
        self.group.end(END_WITHIN).await;
    }
}

/// A port that was free a moment ago.
async fn free() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()
}

/// Hands on what it says.
#[derive(Clone)]
struct Hand {
    private: String,
    public: String,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Hand {
    async fn pass(self, output: impl AsyncRead + Unpin, say: Arc<Say>, is_error: bool) {
        let mut output = BufReader::new(output);
        let mut bytes = Vec::new();
        while output.read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().replace(&self.private, &self.public);
            bytes.clear();
            say.passes(&line, is_error);
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() == LAST_LINES {
                said.pop_front();
            }
            said.push_back(line);
        }
    }
}
