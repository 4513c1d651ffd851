//! The rule of arrows: which of riverrun's crates may stand on which, and what may never enter a crate, however deep. A
//! crate without a row here fails, so that a new room is given its walls when it is built.

use std::path::Path;

use anyhow::Result;

use super::{Finding, Findings};
use crate::metadata::{Metadata, Package, tree};

/// One room and its walls.
struct Wall {
    room: &'static str,
    /// The rooms it may stand on. Its tests may stand on others too.
    on: &'static [&'static str],
    /// Crates that must not be anywhere below it.
    never: &'static [&'static str],
}

const TESTKIT: &str = "riverrun-testkit";

/// Speaking HTTP or WebSocket.
const NETWORK: &[&str] = &["axum", "hyper", "hyper-util", "tokio-tungstenite", "tungstenite"];
/// Databases.
const DATABASES: &[&str] = &["libsqlite3-sys", "rusqlite", "tokio-postgres"];
/// Both, for the rooms that know of neither.
const NETWORK_AND_DATABASES: &[&str] = &[
    "axum",
    "hyper",
    "hyper-util",
    "tokio-tungstenite",
    "tungstenite",
    "libsqlite3-sys",
    "rusqlite",
    "tokio-postgres",
];

/// The house, from the ground up. What riverrun-core may be made of at all is the `purity` chore's list.
const WALLS: [Wall; 11] = [
    Wall { room: "riverrun-core", on: &[], never: NETWORK_AND_DATABASES },
    Wall { room: "riverrun-engine", on: &["riverrun-core"], never: NETWORK_AND_DATABASES },
    Wall { room: "riverrun-sqlite", on: &["riverrun-core", "riverrun-engine"], never: NETWORK },
    Wall { room: "riverrun-postgres", on: &["riverrun-core", "riverrun-engine"], never: NETWORK },
    Wall { room: "riverrun-client", on: &["riverrun-core"], never: DATABASES },
    Wall { room: "riverrun-live", on: &[], never: DATABASES },
    Wall { room: "riverrun-view", on: &[], never: DATABASES },
    Wall { room: "riverrun-http", on: &["riverrun-core", "riverrun-engine", "riverrun-live"], never: DATABASES },
    Wall {
        room: TESTKIT,
        on: &["riverrun-core", "riverrun-engine", "riverrun-client", "riverrun-live", "riverrun-http"],
        never: &[],
    },
    Wall {
        room: "riverrun",
        on: &[
            "riverrun-core",
            "riverrun-engine",
            "riverrun-sqlite",
            "riverrun-postgres",
            "riverrun-live",
            "riverrun-view",
            "riverrun-http",
        ],
        never: &[],
    },
    Wall { room: "riverrun-cli", on: &["riverrun"], never: &[] },
];

pub(super) fn check(root: &Path, metadata: &Metadata, findings: &mut Findings) -> Result<()> {
    for package in &metadata.packages {
        if package.name != TESTKIT && declared(package).any(|name| name == TESTKIT) {
            report(package, format!("{TESTKIT} is for tests: make it a dev-dependency"), findings);
        }
    }
    for package in metadata.under(root, "crates") {
        let Some(wall) = WALLS.iter().find(|wall| wall.room == package.name) else {
            report(package, "has no walls: give it a row in xtask/src/tidy/walls.rs".to_owned(), findings);
            continue;
        };
        arrows(wall, package, metadata, findings);
        if !wall.never.is_empty() {
            let below = tree(root, &package.name, "normal,build", None)?;
            strangers(wall, package, below.iter().map(|resolved| resolved.name.as_str()), findings);
        }
    }
    Ok(())
}

/// The normal and build dependencies that the manifest declares.
fn declared(package: &Package) -> impl Iterator<Item = &str> {
    let shipped = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
    shipped.map(|dependency| dependency.name.as_str())
}

/// Arrows to members of the workspace that the room's row does not draw.
fn arrows(wall: &Wall, package: &Package, metadata: &Metadata, findings: &mut Findings) {
    for name in declared(package) {
        let is_member = metadata.packages.iter().any(|member| member.name == name);
        if is_member && name != TESTKIT && !wall.on.contains(&name) {
            report(package, format!("must not depend on {name}"), findings);
        }
    }
}

/// Crates below the room that may not enter it.
fn strangers<'a>(wall: &Wall, package: &Package, below: impl Iterator<Item = &'a str>, findings: &mut Findings) {
    for name in below.filter(|name| wall.never.contains(name)) {
        report(package, format!("must not stand on {name} (see `cargo tree -p {} -i {name}`)", package.name), findings);
    }
}

fn report(package: &Package, text: String, findings: &mut Findings) {
    findings.broken.push(Finding { place: package.name.clone(), line: None, text });
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::{WALLS, arrows, check, strangers};
    use crate::{metadata::Metadata, tidy::Findings};

    /// The workspace of one crate with one dependency beside the crates it may name, in the form cargo tells it.
    fn workspace(room: &str, dependency: &str, kind: &str) -> Metadata {
        let packages: Vec<_> = WALLS
            .iter()
            .map(|wall| {
                let needs = if wall.room == room {
                    serde_json::json!([{ "name": dependency, "kind": if kind == "normal" { None } else { Some(kind) } }])
                } else {
                    serde_json::json!([])
                };
                let manifest = format!("/srv/app/crates/{}/Cargo.toml", wall.room);
                serde_json::json!({
                    "name": wall.room, "manifest_path": manifest, "dependencies": needs, "features": {},
                })
            })
            .collect();
        let whole = serde_json::json!({ "packages": packages, "target_directory": "/srv/app/target" });
        serde_json::from_value(whole).unwrap()
    }

    fn broken_arrows(room: &str, dependency: &str, kind: &str) -> usize {
        let metadata = workspace(room, dependency, kind);
        let wall = WALLS.iter().find(|wall| wall.room == room).unwrap();
        let package = metadata.packages.iter().find(|package| package.name == room).unwrap();
        let mut findings = Findings::default();
        arrows(wall, package, &metadata, &mut findings);
        findings.broken.len()
    }

    #[test]
    fn an_arrow_that_points_up_or_aside_is_found() {
        assert_eq!(broken_arrows("riverrun-engine", "riverrun-core", "normal"), 0);
        assert_eq!(broken_arrows("riverrun-engine", "riverrun-sqlite", "normal"), 1);
        assert_eq!(broken_arrows("riverrun-engine", "riverrun-sqlite", "build"), 1);
        assert_eq!(broken_arrows("riverrun-core", "riverrun-engine", "normal"), 1);
        assert_eq!(broken_arrows("riverrun-live", "riverrun-core", "normal"), 1);
        assert_eq!(broken_arrows("riverrun-http", "riverrun-live", "normal"), 0);
        assert_eq!(broken_arrows("riverrun-http", "riverrun-sqlite", "normal"), 1);
    }

    #[test]
    fn tests_may_look_up() {
        assert_eq!(broken_arrows("riverrun-http", "riverrun-sqlite", "dev"), 0);
    }

    #[test]
    fn a_crate_that_is_no_member_is_no_arrow() {
        assert_eq!(broken_arrows("riverrun-live", "tokio", "normal"), 0);
    }

    #[test]
    fn the_testkit_is_for_tests_only_also_outside_the_house() {
        let broken = |kind| {
            let mut metadata = workspace("riverrun-http", "riverrun-testkit", kind);
            metadata.packages.retain(|package| package.name == "riverrun-http");
            metadata.packages[0].name = "an-app".to_owned();
            let mut findings = Findings::default();
            check(Path::new("/elsewhere"), &metadata, &mut findings).unwrap();
            findings.broken.len()
        };
        assert_eq!(broken("normal"), 1);
        assert_eq!(broken("build"), 1);
        assert_eq!(broken("dev"), 0);
    }

    #[test]
    fn a_crate_without_walls_is_found() {
        let mut metadata = workspace("riverrun-live", "tokio", "normal");
        metadata.packages.retain(|package| package.name == "riverrun-live");
        metadata.packages[0].name = "riverrun-cellar".to_owned();
        let mut findings = Findings::default();
        check(Path::new("/srv/app"), &metadata, &mut findings).unwrap();
        assert_eq!(findings.broken.len(), 1);
    }

    #[test]
    fn a_stranger_is_found_however_deep() {
        let metadata = workspace("riverrun-engine", "tokio", "normal");
        let wall = &WALLS[1];
        assert_eq!(wall.room, "riverrun-engine");
        let mut findings = Findings::default();
        strangers(wall, &metadata.packages[1], ["tokio", "tower", "hyper"].into_iter(), &mut findings);
        assert_eq!(findings.broken.len(), 1);
        assert!(findings.broken[0].text.contains("hyper"));
    }

    #[test]
    fn the_walls_have_no_circle_because_each_room_stands_on_earlier_ones() {
        let mut earlier = HashSet::new();
        for wall in &WALLS {
            assert!(wall.on.iter().all(|room| earlier.contains(room)), "{}", wall.room);
            earlier.insert(wall.room);
        }
    }
}
