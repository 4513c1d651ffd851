//! The commands that read and move a log, run as a user runs them, on a database an engine wrote.
#![allow(clippy::unwrap_used)]

mod common;

use common::{command, database, directory, ok, run};
use riverrun::sqlite::rusqlite::Connection;

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn scopes_are_listed_with_where_their_logs_stand() {
    let directory = directory();
    let all = lines(&ok(directory.path(), &["scopes", "--json"]));
    let stands =
        |at: usize| (all[at]["scope"].as_str().unwrap(), all[at]["cursor"].as_u64(), all[at]["floor"].as_u64());
    assert_eq!(all.len(), 2);
    assert_eq!(stands(0), ("list:a", Some(9), Some(2)));
    assert_eq!(stands(1), ("list:b", Some(1), Some(0)));
    let shown = ok(directory.path(), &["scopes"]);
    assert!(shown.lines().nth(1).unwrap().starts_with("list:a  "), "{shown}");
}

#[test]
fn a_log_tells_each_mutation_with_its_changes_and_its_sender() {
    let directory = directory();
    let all = lines(&ok(directory.path(), &["log", "list:a", "--json"]));
    let cursors: Vec<_> = all.iter().map(|line| line["cursor"].as_u64().unwrap()).collect();
    assert_eq!(cursors, [3, 4, 6, 7, 8, 9]);
    assert_eq!(
        (all[2]["type"].as_str(), all[2]["client"].as_str(), all[2]["seq"].as_u64()),
        (Some("todo.pair"), Some("c2"), Some(1))
    );
    assert_eq!(all[2]["changes"].as_array().unwrap().len(), 2);
    assert_eq!(all[5]["mutation"], "by-the-server");
    assert!(all[5]["client"].is_null());
    let from = lines(&ok(directory.path(), &["log", "list:a", "--from", "6", "--json"]));
    assert_eq!(from[0]["first"], 5, "it begins with the mutation that holds cursor 6");
    let shown = ok(directory.path(), &["log", "list:a", "--from", "8"]);
    assert!(shown.contains("todo.create") && shown.contains("    put todo t5 {"), "{shown}");
}

#[test]
fn a_state_is_shown_as_it_is_and_as_it_was() {
    let directory = directory();
    let state = |args: &[&str]| {
        let args: Vec<_> = ["state", "list:a", "--json"].iter().chain(args).copied().collect();
        lines(&ok(directory.path(), &args)).remove(0)
    };
    let now = state(&[]);
    assert_eq!(now["cursor"], 9);
    assert_eq!(now["data"]["todo"]["t3"]["title"], "Two eggs");
    assert_eq!(state(&["--at", "9"]), now);
    let before = state(&["--at", "3"]);
    assert_eq!(before["data"]["todo"]["t3"]["title"], "Eggs");
    assert_eq!(before["data"]["todo"]["t2"]["title"], "Bread", "deleted later");
    for (at, why) in [("1", "was trimmed up to cursor 2"), ("10", "10 is not there yet")] {
        let ran = run(directory.path(), &["state", "list:a", "--at", at]);
        assert!(ran.code == 1 && ran.err.contains(why), "{}", ran.err);
    }
}

#[test]
fn a_diff_tells_what_was_added_changed_and_removed() {
    let directory = directory();
    let shown = ok(directory.path(), &["diff", "list:a", "3", "7"]);
    let signs: Vec<_> = shown.lines().map(|line| line.split(" {").next().unwrap()).collect();
    assert_eq!(signs, ["- todo t2", "~ todo t3", "+ todo t4", "+ todo t4-2"]);
    let back = lines(&ok(directory.path(), &["diff", "list:a", "7", "3", "--json"]));
    assert_eq!((back[0]["id"].as_str(), back[0]["before"].is_null()), (Some("t2"), true));
    assert_eq!(ok(directory.path(), &["diff", "list:a", "5", "5"]), "");
}

#[test]
fn a_trimmed_log_is_shorter_and_its_state_the_same() {
    let directory = directory();
    let home = directory.path();
    let before = ok(home, &["state", "list:a"]);
    let said = ok(home, &["trim", "list:a", "--to", "6"]);
    assert!(said.contains("4 changes cut off, 3 are kept"), "{said}");
    assert_eq!(ok(home, &["state", "list:a"]), before);
    ok(home, &["trim", "--keep", "1"]);
    assert_eq!(lines(&ok(home, &["log", "list:a", "--json"])).len(), 1);
    assert_eq!(ok(home, &["state", "list:a"]), before);
    ok(home, &["verify"]);
    ok(home, &["trim", "--older-than", "1"]);
    assert_eq!(lines(&ok(home, &["log", "list:a", "--json"])).len(), 1, "nothing is older than a day");
}

#[test]
fn what_trimming_could_lose_is_not_trimmed() {
    let directory = directory();
    let home = directory.path();
    let conn = Connection::open(database(&directory)).unwrap();
    conn.execute_batch("UPDATE rr_entity SET value = '{}' WHERE id = 't5'").unwrap();
    drop(conn);
    let log = ok(home, &["log", "list:a", "--json"]);
    let ran = run(home, &["trim", "--keep", "1"]);
    assert!(ran.code == 1 && ran.err.contains("list:a: left as it is"), "{}{}", ran.out, ran.err);
    assert_eq!(ok(home, &["log", "list:a", "--json"]), log);
}

#[test]
fn an_export_is_the_same_log_again_in_another_database() {
    let directory = directory();
    let home = directory.path();
    ok(home, &["export", "a.jsonl"]);
    let said = ok(home, &["import", "a.jsonl", "--database", "b.db", "--keep-epoch"]);
    assert!(said.contains("8 changes of 2 scopes, verified"), "{said}");
    for args in [&["scopes", "--json"][..], &["log", "list:a", "--json"], &["state", "list:a"], &["state", "list:b"]] {
        let mut other = args.to_vec();
        other.extend(["--database", "b.db"]);
        assert_eq!(ok(home, args), ok(home, &other), "{args:?}");
    }
    ok(home, &["verify", "--database", "b.db"]);
    // The verdicts, watermarks and owners came along: the same export comes out again, byte for byte.
    ok(home, &["export", "b.jsonl", "--database", "b.db"]);
    let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
    assert_eq!(read("a.jsonl"), read("b.jsonl"));
    // Through a pipe, as another history.
    let piped = command(home)
        .args(["import", "-", "--database", "c.db"])
        .stdin(std::fs::File::open(home.join("a.jsonl")).unwrap())
        .output()
        .unwrap();
    assert!(piped.status.success());
    assert_ne!(ok(home, &["export", "-", "--database", "c.db"]).lines().next(), read("a.jsonl").lines().next());
}

#[test]
fn half_an_export_or_a_damaged_one_is_imported_not_at_all() {
    let directory = directory();
    let home = directory.path();
    ok(home, &["export", "a.jsonl"]);
    let whole = std::fs::read_to_string(home.join("a.jsonl")).unwrap();
    let half = whole.lines().take(9).collect::<Vec<_>>().join("\n") + "\n";
    let cases = [
        ("cut off", half, "it is not whole"),
        (
            "a line less",
            whole.replacen(whole.lines().nth(8).unwrap(), "", 1).replace("\n\n", "\n"),
            "lines before its end",
        ),
        ("a title changed", whole.replace("Salt", "Sugar"), "the export is damaged"),
        ("another file", "hello\n".into(), "line 1: no line of an export"),
        ("empty", String::new(), "it is not whole"),
    ];
    for (what, text, why) in cases {
        std::fs::write(home.join("bad.jsonl"), text).unwrap();
        let ran = run(home, &["import", "bad.jsonl", "--database", "d.db"]);
        assert_eq!(ran.code, 1, "{what}");
        assert!(ran.err.contains(why) || ran.err.contains("damaged"), "{what}: {}", ran.err);
        assert!(!home.join("d.db").exists(), "{what}");
    }
    let ran = run(home, &["import", "a.jsonl"]);
    assert!(ran.code == 1 && ran.err.contains("is not empty"), "{}", ran.err);
    assert!(run(home, &["export", "a.jsonl"]).err.contains("can't be written"), "an export overwrites nothing");
}

#[test]
fn a_reader_sees_what_a_running_server_commits_and_a_writer_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(common::engine(&home.join("app.db")));
    runtime.block_on(common::push(&engine, "list:a", "c1", 1, &[("todo.create", common::todo("t1", "Milk"))]));
    let mut following = command(home)
        .args(["log", "list:a", "--follow", "--json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut read = std::io::BufRead::lines(std::io::BufReader::new(following.stdout.take().unwrap()));
    assert!(read.next().unwrap().unwrap().contains("Milk"));
    runtime.block_on(common::push(&engine, "list:a", "c1", 2, &[("todo.create", common::todo("t2", "Bread"))]));
    assert!(read.next().unwrap().unwrap().contains("Bread"));
    following.kill().unwrap();
    following.wait().unwrap();
    for args in [&["scopes"][..], &["state", "list:a"], &["verify"], &["export", "-"], &["doctor"]] {
        ok(home, args);
    }
    let refused = run(home, &["trim", "--keep", "0"]);
    assert!(refused.code == 1 && refused.err.contains("is open in another server"), "{}", refused.err);
    // And the server was never in the way of anything.
    runtime.block_on(common::push(&engine, "list:a", "c1", 3, &[("todo.create", common::todo("t3", "Eggs"))]));
    runtime.block_on(engine.close());
}

#[test]
fn the_exit_code_says_how_it_went() {
    let directory = directory();
    let home = directory.path();
    let code = |args: &[&str]| run(home, args).code;
    assert_eq!(code(&["scopes"]), 0);
    assert_eq!(code(&["--version"]), 0);
    assert_eq!(code(&["log", "list:none"]), 1, "it failed");
    assert_eq!(code(&["scopes", "--database", "none.db"]), 1);
    assert_eq!(code(&["log"]), 2, "it was asked wrongly");
    assert_eq!(code(&["trim"]), 2);
    assert_eq!(code(&["trim", "--to", "3"]), 2);
    assert_eq!(code(&["scopes", "--database", "postgres://localhost/app"]), 2);
    assert_eq!(code(&["nonsense"]), 2);
    assert!(!home.join("none.db").exists(), "reading makes no database");
}

#[test]
fn a_database_that_is_not_there_is_nothing_to_create_first() {
    let directory = directory();
    for (path, says) in [
        ("none.db", "none.db does not exist; name the application's database"),
        ("none/app.db", "none/app.db does not exist; name the application's database"),
        (".", ". is a directory; name the database in it"),
    ] {
        for command in ["verify", "scopes"] {
            let ran = run(directory.path(), &[command, "--database", path]);
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{command} {path}: {}", ran.err);
            assert!(ran.err.contains(says), "{command} {path}: {}", ran.err);
        }
    }
    assert!(!directory.path().join("none").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let directory = directory();
    let mut child = command(directory.path())
        .args(["log", "list:a", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn colours_are_shown_where_they_are_wanted_and_nowhere_else() {
    let directory = directory();
    let colourful = |set: &[(&str, &str)]| {
        let out = command(directory.path()).args(["scopes"]).envs(set.iter().copied()).output().unwrap();
        String::from_utf8(out.stdout).unwrap().contains('\u{1b}')
    };
    assert!(!colourful(&[]), "it is no terminal");
    assert!(colourful(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colourful(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn the_database_may_be_named_by_the_environment() {
    let directory = directory();
    let elsewhere = tempfile::tempdir().unwrap();
    let out = command(elsewhere.path()).arg("scopes").env("DATABASE_PATH", database(&directory)).output().unwrap();
    assert!(out.status.success());
}

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = ok(directory.path(), &["completions", shell]);
        assert!(script.contains("verify") && script.contains("doctor"), "{shell}");
    }
}
