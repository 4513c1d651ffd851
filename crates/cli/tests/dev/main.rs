//! `riverrun dev` with an application of thirty lines that stands on nothing, so that a build takes a second: what is
//! forwarded, what is swapped, what is told, and what is left behind. What a browser makes of it stands in `e2e/dev`.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod harness;

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use harness::{App, Dev, is_running};

#[test]
fn the_real_environment_comes_before_the_file_and_an_edit_of_it_needs_no_build() {
    let app = App::new();
    app.write(".env", "GREETING=file\nOTHER=file\n");
    let dev = Dev::start(&app, &[], &[("GREETING", "real")]);
    dev.says("Ready");
    assert_eq!(dev.get("/").1, "v1 real file");
    let from = dev.said();
    app.write(".env", "GREETING=again\nOTHER=again\n");
    dev.says_after(from, "Swapped");
    assert_eq!(dev.get("/").1, "v1 real again");
    assert!(!dev.log()[from..].contains("Unchanged"), "{}", dev.log());
}

#[test]
fn a_settings_file_that_can_not_be_read_is_told_before_anything_is_built() {
    let app = App::new();
    app.write(".env", "this is no line\n");
    let (code, said) = Dev::start(&app, &[], &[]).ended();
    assert_eq!(code, Some(1));
    assert!(said.contains("this is no line"), "{said}");
    assert!(!app.path("target").exists());
}

#[test]
fn a_busy_port_makes_way_for_the_next_one_aloud_unless_it_was_insisted_upon() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let app = App::new();
    let (code, said) = Dev::start(&app, &["--port", &port], &[]).ended();
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("another program is using port {port}")), "{said}");
    assert!(!app.path("target").exists(), "it was built before it was known where to serve");

    let dev = Dev::start(&app, &[], &[("PORT", &port)]);
    let told = dev.says("in use by another program");
    dev.says("Ready");
    assert!(told.contains(&port), "{told}");
    assert!(dev.port() > port.parse().unwrap());
    assert_eq!(dev.get("/").0, 200);
}

#[test]
fn where_no_application_is_it_says_so() {
    let empty = tempfile::tempdir().unwrap();
    let (code, said) = Dev::in_dir(empty.path(), &[], &[]).ended();
    assert_eq!(code, Some(2));
    assert!(said.contains("there is no application here"), "{said}");
}

#[test]
fn pages_get_the_script_and_nothing_else_is_touched() {
    let app = App::new();
    let dev = Dev::start(&app, &[], &[]);
    dev.says("Ready");
    let (_, page) = dev.get("/page");
    assert!(page.starts_with("<!doctype html><p>v1</p>"), "{page}");
    assert_eq!(page.matches("/_dev/client.js").count(), 1, "{page}");
    assert_eq!(dev.get("/part").1, "<li>v1</li>");
    assert_eq!(dev.get("/").1, "v1 none none");
    assert_eq!(dev.post("/echo", "a=1&b=<2>").1, "a=1&b=<2>");
    assert!(dev.get("/_dev/client.js").1.contains("attachShadow"));
    // Without a debug build of riverrun's to hear of it otherwise, the address comes by the usual variables.
    assert!(dev.log().contains(&format!("listening on 127.0.0.1:{}", dev.port())), "{}", dev.log());
}

#[test]
fn only_pages_of_this_server_hear_what_goes_on() {
    let app = App::new();
    let dev = Dev::start(&app, &[], &[]);
    dev.says("Ready");
    let own = format!("127.0.0.1:{}", dev.port());
    let state = dev.events(&own, &format!("http://{own}")).unwrap();
    assert_eq!((&state["app"], &state["problem"]), (&"up".into(), &serde_json::Value::Null));
    assert_eq!(dev.events(&own, "http://other.example").unwrap_err(), 403);
    // A name of somebody else's that was made to lead here.
    assert_eq!(dev.events("other.example", "http://other.example").unwrap_err(), 403);
}

#[test]
fn while_rust_is_rebuilt_and_swapped_every_request_is_answered() {
    let app = App::new();
    let dev = Dev::start(&app, &[], &[]);
    dev.says("Ready");
    let over = Arc::new(AtomicBool::new(false));
    let asking = thread::spawn({
        let (over, ask) = (Arc::clone(&over), dev.asker());
        move || {
            let mut seen = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let (status, text) = ask("/");
                assert_eq!(status, 200, "{text}");
                if seen.last() != Some(&text) {
                    seen.push(text);
                }
                thread::sleep(Duration::from_millis(3));
            }
            seen
        }
    });
    let from = dev.said();
    app.edit("src/main.rs", "\"v1\"", "\"v2\"");
    dev.says_after(from, "Swapped");
    dev.waits_for("/", "v2 none none");
    over.store(true, Ordering::Relaxed);
    assert_eq!(asking.join().unwrap(), ["v1 none none", "v2 none none"]);
}

#[test]
fn a_compile_error_is_told_and_the_old_program_serves_on_until_it_is_mended() {
    let app = App::new();
    let dev = Dev::start(&app, &[], &[]);
    dev.says("Ready");
    app.edit("src/main.rs", "\"v1\"", "missing");
    dev.says("The old program still serves");
    let own = format!("127.0.0.1:{}", dev.port());
    let state = dev.events(&own, &format!("http://{own}")).unwrap();
    assert_eq!(state["problem"]["title"], "It does not compile: 1 error");
    assert!(state["problem"]["text"].as_str().unwrap().contains("cannot find value `missing`"), "{state}");
    assert_eq!(dev.get("/").1, "v1 none none");
    // New settings start the old program again, and what does not compile is not forgotten over that.
    let from = dev.said();
    app.write(".env", "GREETING=file\n");
    dev.says_after(from, "Swapped");
    assert_eq!(dev.get("/").1, "v1 file none");
    assert!(!dev.events(&own, &format!("http://{own}")).unwrap()["problem"].is_null());
    let from = dev.said();
    app.edit("src/main.rs", "missing", "\"v3\"");
    dev.says_after(from, "Swapped");
    assert_eq!(dev.get("/").1, "v3 file none");
    assert!(dev.events(&own, &format!("http://{own}")).unwrap()["problem"].is_null());
}

#[test]
fn what_never_compiled_is_answered_with_a_page_that_waits_and_an_error_scripts_wait_out() {
    let app = App::new();
    app.edit("src/main.rs", "\"v1\"", "missing");
    let dev = Dev::start(&app, &[], &[]);
    dev.says("It does not compile");
    let (status, page) = dev.get_html("/anything");
    assert_eq!(status, 503);
    assert!(page.contains("<script data-waiting src=\"/_dev/client.js\""), "{page}");
    let (status, error) = dev.post("/_sync/push", "{}");
    assert_eq!((status, error.contains("\"code\":\"unavailable\"")), (503, true), "{error}");
    app.edit("src/main.rs", "missing", "\"v2\"");
    dev.says("Ready");
    assert_eq!(dev.get("/").1, "v2 none none");
}

#[test]
fn nothing_is_left_of_an_application_nor_of_what_it_started() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let app = App::new();
        let dev = Dev::start(&app, &[], &[("START", "sleep")]);
        dev.says("Ready");
        let ids: Vec<u32> = dev.get("/ids").1.split(' ').map(|id| id.parse().unwrap()).collect();
        assert!(ids.len() == 2 && ids.iter().all(|id| is_running(*id)), "{ids:?}");
        dev.signal(signal);
        let (code, said) = dev.ended();
        assert_eq!(code, Some(0), "{said}");
        // Who killed them need not be who buries them.
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while ids.iter().any(|id| is_running(*id)) {
            assert!(std::time::Instant::now() < until, "{signal:?} left one of {ids:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn two_folders_of_one_application_may_share_a_target_directory() {
    let target = tempfile::tempdir().unwrap();
    let shared = [("CARGO_TARGET_DIR", target.path().to_str().unwrap())];
    // Both are written before either is built, as by a checkout: cargo takes the one for the other then.
    let (one, other) = (App::new(), App::new());
    other.edit("src/main.rs", "\"v1\"", "\"other\"");
    let run = |app: &App| {
        let dev = Dev::start(app, &[], &shared);
        dev.says("Ready");
        let (_, text) = dev.get("/");
        dev.signal(rustix::process::Signal::INT);
        (text, dev.ended().1.contains("Cleaning"))
    };
    assert_eq!(run(&one), ("v1 none none".to_owned(), false));
    assert_eq!(run(&other), ("other none none".to_owned(), true));
    // Its own is not built again.
    assert_eq!(run(&other), ("other none none".to_owned(), false));
    assert_eq!(run(&one), ("v1 none none".to_owned(), true));
}

#[test]
fn a_signal_during_a_build_ends_the_build() {
    let app = App::new();
    // A build script that never ends, and says who it is.
    app.write(
        "build.rs",
        "fn main() { std::fs::write(\"id\", std::process::id().to_string()).unwrap(); loop { std::thread::park() } }",
    );
    let dev = Dev::start(&app, &[], &[]);
    let id = app.read_when_there("id").parse().unwrap();
    assert!(is_running(id));
    dev.signal(rustix::process::Signal::INT);
    assert_eq!(dev.ended().0, Some(0));
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while is_running(id) {
        assert!(std::time::Instant::now() < until, "the build goes on");
        thread::sleep(Duration::from_millis(10));
    }
}
