//! `riverrun dev`: a process of its own stands in front of the application and owns its port, so that programs come and go
//! behind it while a browser stays. `front` answers, `cycle` builds and swaps, `watch` sees edits, `board` is what they
//! know of each other. Nothing of it is ever a part of an application.

mod app;
mod board;
mod build;
mod csp;
mod cycle;
mod edit;
mod front;
mod group;
mod inject;
mod port;
mod project;
mod proxy;
mod run;
mod say;
mod settings;
mod shared;
mod signals;
mod waiting;
mod watch;

pub(crate) use run::{Options, run};
