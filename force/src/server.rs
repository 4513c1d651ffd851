//! One run of the server: started, asked to stop or killed, and what it said. It judges nothing but whether it panicked.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long a server may take to start, or to stop when asked: far longer than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The line of the start that names the address.
const LISTENING: &str = "listening on ";

/// How to start a server.
pub(crate) struct Plan {
    program: PathBuf,
    /// The database file.
    pub(crate) database: PathBuf,
    env: Vec<(String, String)>,
    user: Option<u32>,
}

impl Plan {
    /// This program on this file.
    pub(crate) fn new(program: &Path, database: &Path, env: &[(String, String)]) -> Self {
        Self { program: program.into(), database: database.into(), env: env.to_vec(), user: None }
    }

    /// With one more variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.push((name.into(), value.to_string()));
        self
    }

    /// As this user of the system.
    pub(crate) fn user(mut self, user: Option<u32>) -> Self {
        self.user = user;
        self
    }

    /// Under the shim, over the database's directory.
    pub(crate) fn shim(self, shim: &Path) -> Self {
        let directory = self.database.parent().unwrap_or(Path::new("/")).display().to_string();
        self.env("LD_PRELOAD", shim.display()).env("RIVERRUN_FORCE_DIR", directory)
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(&self) -> Result<Starting> {
        let mut command = Command::new(&self.program);
        command.env_clear().env("PORT", "0").env("HOST", "127.0.0.1").env("APP_ENV", "release");
        command.env("DATABASE_PATH", &self.database).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(user) = self.user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
        }
        let mut child = command.spawn().with_context(|| format!("failed to start {}", self.program.display()))?;
        let said = Arc::new(Mutex::new(String::new()));
        let (address, found) = mpsc::channel();
        let mut readers = Vec::new();
        for pipe in [child.stdout.take().map(Pipe::Out), child.stderr.take().map(Pipe::Error)].into_iter().flatten() {
            let (said, address) = (said.clone(), address.clone());
            readers.push(thread::spawn(move || listen(pipe, &said, &address)));
        }
        Ok(Starting { running: Running { child, said, readers, ended: None }, found })
    }

    /// Starts it, and waits until it listens or has ended.
    pub(crate) fn start(&self) -> Result<Start> {
        self.spawn()?.wait()
    }
}

enum Pipe {
    Out(std::process::ChildStdout),
    Error(std::process::ChildStderr),
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Out(pipe) => pipe.read(buffer),
            Self::Error(pipe) => pipe.read(buffer),
        }
    }
}

fn listen(pipe: Pipe, said: &Mutex<String>, address: &mpsc::Sender<String>) {
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        if let Some((_, url)) = line.split_once(LISTENING) {
            let _ = address.send(url.trim().to_owned());
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(&line);
        said.push('\n');
    }
}

/// A server that was just started.
pub(crate) struct Starting {
    running: Running,
    found: mpsc::Receiver<String>,
}

/// What came of a start.
pub(crate) enum Start {
    /// It listens.
    Up(Server),
    /// It ended by itself.
    Ended(Ended),
}

impl Starting {
    /// Waits until it listens or has ended.
    pub(crate) fn wait(mut self) -> Result<Start> {
        match self.found.recv_timeout(PATIENCE) {
            Ok(url) => Ok(Start::Up(Server { url, running: self.running })),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(Start::Ended(self.running.wait(PATIENCE)?)),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bail!("the server neither listens nor ends:\n{}", self.running.said())
            }
        }
    }

    /// Kills it at once, wherever it is.
    pub(crate) fn kill(self) -> Result<Ended> {
        self.running.kill()
    }
}

/// A process and what it said; killed when dropped.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

impl Running {
    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn kill(mut self) -> Result<Ended> {
        self.child.kill()?;
        self.wait(PATIENCE)
    }

    fn wait(&mut self, patience: Duration) -> Result<Ended> {
        let until = Instant::now() + patience;
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() > until => bail!("the server does not end:\n{}", self.said()),
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        self.ended = Some(status);
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
        Ok(Ended { status, said: self.said() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A server that listens.
pub(crate) struct Server {
    /// Where: `http://127.0.0.1:1234`.
    pub(crate) url: String,
    running: Running,
}

impl Server {
    /// Ends it as a power switch ends a process.
    pub(crate) fn kill(self) -> Result<Ended> {
        self.running.kill()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<Ended> {
        let pid = self.running.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("failed to start kill")?;
        self.running.wait(PATIENCE)
    }
}

/// A server that has ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// All it said.
    pub(crate) said: String,
}

impl Ended {
    /// Whether it said that code of its own panicked, or was ended by a signal other than a kill.
    pub(crate) fn panicked(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.said.contains("panicked at") || self.status.signal().is_some_and(|signal| signal != 9)
    }

    /// Whether it ended with a sentence for whoever started it.
    pub(crate) fn explained(&self) -> bool {
        self.status.code() == Some(1) && self.said.lines().any(|line| line.starts_with("error: "))
    }
}
