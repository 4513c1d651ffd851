//! A small application in a folder of its own, and `riverrun dev` over it as a process.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tungstenite::{client::IntoClientRequest as _, http};

/// A build on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) struct App(tempfile::TempDir);

impl App {
    pub(crate) fn new() -> Self {
        let app = Self(tempfile::tempdir().unwrap());
        fs::create_dir(app.path("src")).unwrap();
        app.write("Cargo.toml", "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n");
        app.write("src/main.rs", include_str!("app.rs.txt"));
        app
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}");
        self.write(name, &text.replace(from, to));
    }

    pub(crate) fn read_when_there(&self, name: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match fs::read_to_string(self.path(name)) {
                Ok(text) if !text.is_empty() => return text,
                _ => assert!(Instant::now() < until, "{name} is not there"),
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

pub(crate) struct Dev {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Dev {
    /// Over an application, at any port unless one is asked for.
    pub(crate) fn start(app: &App, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::in_dir(app.0.path(), args, variables)
    }

    pub(crate) fn in_dir(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riverrun"));
        command.arg("dev").args(args).current_dir(dir).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Nothing of how these tests are built or run is the application's.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("CARGO_")))
        {
            if name != "CARGO_HOME" {
                command.env_remove(name);
            }
        }
        command.env_remove("HOST").env("NO_COLOR", "1");
        // Some port for each test, so that they don't meet.
        command.env("PORT", free_port().to_string()).envs(variables.iter().copied());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                for line in BufReader::new(output).lines() {
                    *log.lock().unwrap() += &(line.unwrap() + "\n");
                }
            });
        }
        Self { child, log }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// How much was said so far.
    pub(crate) fn said(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    pub(crate) fn says(&self, what: &str) -> String {
        self.says_after(0, what)
    }

    /// Waits for a line with `what` in it.
    pub(crate) fn says_after(&self, from: usize, what: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if let Some(line) = log[from..].lines().find(|line| line.contains(what)) {
                return line.to_owned();
            }
            assert!(Instant::now() < until, "{what:?} was not said:\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The port it says it serves at.
    pub(crate) fn port(&self) -> u16 {
        self.says("Serving").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.asker()(path)
    }

    pub(crate) fn asker(&self) -> impl Fn(&str) -> (u16, String) + Send + use<> {
        let (agent, port) = (agent(), self.port());
        move |path| answer(agent.get(format!("http://127.0.0.1:{port}{path}")).call())
    }

    /// As a browser asks for a page.
    pub(crate) fn get_html(&self, path: &str) -> (u16, String) {
        let request = agent().get(format!("http://127.0.0.1:{}{path}", self.port()));
        answer(request.header("accept", "text/html,*/*").call())
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        answer(agent().post(format!("http://127.0.0.1:{}{path}", self.port())).send(body))
    }

    pub(crate) fn waits_for(&self, path: &str, text: &str) {
        let until = Instant::now() + PATIENCE;
        while self.get(path).1 != text {
            assert!(Instant::now() < until, "{text:?} did not come");
        }
    }

    /// What a page is told first, or the status it is refused with.
    pub(crate) fn events(&self, host: &str, origin: &str) -> Result<serde_json::Value, u16> {
        let mut request = format!("ws://127.0.0.1:{}/_dev/events", self.port()).into_client_request().unwrap();
        request.headers_mut().insert(http::header::HOST, host.parse().unwrap());
        request.headers_mut().insert(http::header::ORIGIN, origin.parse().unwrap());
        match tungstenite::connect(request) {
            Ok((mut socket, _)) => Ok(serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap()),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its exit code and all it said.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Its last lines may still be on their way.
                thread::sleep(Duration::from_millis(200));
                return (status.code(), self.log());
            }
            assert!(Instant::now() < until, "it did not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut answer = result.unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether a process is there and not only waiting to be buried.
pub(crate) fn is_running(id: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
    !status.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}
