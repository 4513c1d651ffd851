//! A program with everything it starts, as one group that is ended as one. None of it may outlive this program, whichever
//! way that one ends; where the system has no groups, only the program itself is ended.

use std::{io, process::ExitStatus, time::Duration};

use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// What cargo tells a program it runs about that program's own package. Passed on, it would reach build scripts, and
/// some of them run anew when it changes.
const OWN_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// See the file's head. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) child: Child,
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Asked,
    Killed,
}

/// A command whose environment says nothing of how this program was started.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OWN_PACKAGE.iter().any(|own| name.starts_with(own))) {
            command.env_remove(name);
        }
    }
    command
}

impl Group {
    /// Starts a program as the leader of a group of its own, so that the terminal's Ctrl-C is this program's to pass on.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        Ok(Self {
            #[cfg(unix)]
            id: child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())),
            child,
        })
    }

    /// Waits for the program itself. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to end, waits for a while, and then no longer.
    pub(crate) async fn end(mut self, within: Duration) {
        self.signal(How::Asked);
        if timeout(within, self.child.wait()).await.is_err() {
            self.signal(How::Killed);
            drop(self.child.wait().await);
        }
    }

    #[cfg(unix)]
    fn signal(&self, how: How) {
        use rustix::process::{Signal, kill_process_group};
        let signal = match how {
            How::Asked => Signal::TERM,
            How::Killed => Signal::KILL,
        };
        if let Some(id) = self.id {
            // An error means that nobody is left.
            let _ = kill_process_group(id, signal);
        }
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _: How) {
        drop(self.child.start_kill());
    }
}

impl Drop for Group {
    /// Also after the leader ended: what it started may still be there.
    fn drop(&mut self) {
        self.signal(How::Killed);
    }
}
