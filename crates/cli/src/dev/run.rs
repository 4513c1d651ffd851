//! From what was asked for to everything running, and to its end. It must never begin to build before it is known where
//! to serve: a port that is not to be had should not cost a minute first.

use std::{env, net::IpAddr, sync::Arc};

use anyhow::Context;

use super::{
    board::Board,
    cycle::Cycle,
    front,
    port::{Wish, listen},
    project::Project,
    say::Say,
    settings::Settings,
    signals::Signals,
    watch::Watch,
};
use crate::outcome::Outcome;

/// This machine only.
const HERE: &str = "127.0.0.1";

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) port: Option<u16>,
    pub(crate) host: Option<String>,
    pub(crate) open: bool,
    pub(crate) bin: Option<String>,
}

/// Serves until it is told to stop.
pub(crate) fn run(options: Options) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(options));
    // Open connections have nobody to wait for.
    runtime.shutdown_background();
    outcome
}

async fn serve(options: Options) -> anyhow::Result<Outcome> {
    let dir = env::current_dir().context("the working directory is gone")?;
    let say = Arc::new(Say::new());
    let settings = Settings::read(&dir)?;
    let project = tokio::task::block_in_place(|| Project::find(&dir, options.bin.as_deref()))?;
    let set = |name| settings.get(name).filter(|value| !value.is_empty());
    let host = options.host.or_else(|| set("HOST")).unwrap_or_else(|| HERE.to_owned());
    let host = host.trim_matches(['[', ']']);
    let (listener, busy) = listen(host, Wish::read(options.port, set("PORT").as_deref())?).await?;
    let stop = Signals::listen().context("signals can't be listened for")?;
    let port = listener.local_addr()?.port();
    if let Some(busy) = busy {
        say.note("Port", &format!("{busy} is in use by another program: taking {port}"));
    }
    let public = format!("{}:{port}", shown(host));
    let watch = Watch::start(&project, &dir).context(
        "files can't be watched; on Linux a higher fs.inotify.max_user_watches or max_user_instances may help",
    )?;
    let board = Arc::new(Board::new());
    tokio::spawn(riverrun::Serve::new(listener, front::router(Arc::clone(&board), host)).run());
    say.did("Serving", &format!("{} at http://{public}", project.name));
    if options.open
        && let Err(error) = open::that_detached(format!("http://{public}"))
    {
        say.wrong("Browser", &format!("none could be opened: {error}"));
    }
    let cycle = Cycle::new((project, options.bin), dir, public, settings, board, Arc::clone(&say));
    cycle.run(watch, stop).await;
    say.did("Stopped", "nothing is left running");
    Ok(Outcome::Well)
}

/// An address a browser on this machine can use.
fn shown(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => HERE.to_owned(),
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => host.to_owned(),
    }
}
