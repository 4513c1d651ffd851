//! A template's manifest as that of an application of its own: its name, riverrun from where it is wanted, nothing inherited
//! from the workspace the template lies in, and that workspace's profiles. Comments and order stay.

use anyhow::{Context, Result, bail};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{Name, Source};

/// How a template names a crate of the checkout it lies in.
const CHECKOUT: &str = "../../";

/// The tables of a manifest that hold dependencies.
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The profiles an application builds with.
const PROFILES: [&str; 2] = ["dev", "release"];

/// The package's name.
pub(super) fn package(manifest: &str) -> Result<String> {
    let manifest: DocumentMut = manifest.parse().context("the template's manifest")?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Item::as_str);
    Ok(name.context("the template's manifest names no package")?.to_owned())
}

/// The application's manifest.
pub(super) fn stand_alone(manifest: &str, workspace: &str, name: &Name, source: &Source) -> Result<String> {
    let mut own: DocumentMut = manifest.parse().context("the template's manifest")?;
    let workspace: DocumentMut = workspace.parse().context("the workspace's manifest")?;
    let root = workspace.get("workspace").and_then(Item::as_table_like).context("the workspace's manifest is none")?;
    let package = own.get_mut("package").and_then(Item::as_table_like_mut).context("the manifest names no package")?;
    inherit(package, root.get("package").and_then(Item::as_table_like))?;
    package.insert("name", toml_edit::value(name.as_str()));
    let shared = root.get("dependencies").and_then(Item::as_table_like);
    for kind in DEPENDENCIES {
        let Some(table) = own.get_mut(kind).and_then(Item::as_table_like_mut) else { continue };
        let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
        for dependency in names {
            let Some(item) = table.get_mut(&dependency) else { continue };
            resolve(&dependency, item, shared, source)?;
        }
    }
    if own.get("lints").and_then(|lints| lints.get("workspace")).is_some() {
        // The house's rules are the house's; an application finds its own.
        own.remove("lints");
    }
    if let Some(Item::Table(profiles)) = workspace.get("profile") {
        let mut profiles = profiles.clone();
        // Those cargo has by itself; any other is for a chore of the workspace's.
        profiles.retain(|name, _| PROFILES.contains(&name));
        own.insert("profile", Item::Table(profiles));
    }
    // Alone, wherever it is put: also inside of another workspace's directory.
    own.insert("workspace", Item::Table(Table::new()));
    let text = own.to_string();
    Ok(text.trim_start().trim_end().to_owned() + "\n")
}

/// `edition.workspace = true` and its like.
fn inherit(package: &mut dyn TableLike, shared: Option<&dyn TableLike>) -> Result<()> {
    let inherited: Vec<String> =
        package.iter().filter(|(_, item)| item.get("workspace").is_some()).map(|(key, _)| key.to_owned()).collect();
    for key in inherited {
        let item = shared.and_then(|shared| shared.get(&key)).with_context(|| format!("the workspace has no {key}"))?;
        package.insert(&key, item.clone());
    }
    Ok(())
}

/// One dependency without anything that only holds in the workspace.
fn resolve(name: &str, item: &mut Item, shared: Option<&dyn TableLike>, source: &Source) -> Result<()> {
    let Some(table) = item.as_table_like() else { return Ok(()) };
    let mut merged = InlineTable::new();
    if table.get("workspace").is_some() {
        match shared.and_then(|shared| shared.get(name)) {
            Some(item) if item.as_str().is_some() => {
                merged.insert("version", item.as_str().unwrap_or_default().into());
            }
            Some(item) => copy(item, &mut merged),
            None => bail!("the workspace has no dependency {name}"),
        }
    }
    copy(item, &mut merged);
    merged.remove("workspace");
    // Beside features of the workspace's, as cargo adds them up.
    if let Some(features) = features(table, shared.and_then(|shared| shared.get(name))) {
        merged.insert("features", features);
    }
    let path = merged.get("path").and_then(Value::as_str).map(str::to_owned);
    if let Some(path) = path {
        // In the workspace's own manifest the path begins at its root.
        let folder = path.strip_prefix(CHECKOUT).unwrap_or(&path);
        let mut from = source.dependency(folder);
        for (key, value) in merged.iter().filter(|(key, _)| !matches!(*key, "path" | "version")) {
            from.insert(key, value.clone());
        }
        merged = from;
    }
    merged.fmt();
    *item = Item::Value(Value::InlineTable(merged));
    Ok(())
}

fn copy(from: &Item, to: &mut InlineTable) {
    for (key, value) in from.as_table_like().into_iter().flat_map(TableLike::iter) {
        if let Some(value) = value.as_value() {
            to.insert(key, value.clone());
        }
    }
}

fn features(own: &dyn TableLike, shared: Option<&Item>) -> Option<Value> {
    let list = |item: Option<&Item>| -> Vec<String> {
        let array = item.and_then(Item::as_array);
        array.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut all = list(own.get("features"));
    if own.get("workspace").is_some() {
        for feature in list(shared.and_then(|shared| shared.get("features"))) {
            if !all.contains(&feature) {
                all.push(feature);
            }
        }
    }
    (!all.is_empty()).then(|| Value::Array(all.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{super::Name, Source, stand_alone};

    const WORKSPACE: &str = r#"
[workspace]
members = ["a"]

[workspace.package]
edition = "2024"

[workspace.dependencies]
riverrun-testkit = { path = "crates/testkit" }
serde = { version = "1", default-features = false, features = ["derive"] }
bytes = "1"

[profile.dev.package."*"]
debug = false
"#;

    const TEMPLATE: &str = r#"[package]
name = "myapp"
edition.workspace = true

[dependencies]
bytes.workspace = true
# The framework.
riverrun = { path = "../../crates/riverrun", features = ["view"] }
serde = { workspace = true, features = ["std"] }

[dev-dependencies]
riverrun-testkit.workspace = true

[lints]
workspace = true
"#;

    fn check(source: &Source, expected: &[&str]) {
        let made = stand_alone(TEMPLATE, WORKSPACE, &Name::new("list").unwrap(), source).unwrap();
        for part in expected {
            assert!(made.contains(part), "{part:?} is not in\n{made}");
        }
        for never in ["../..", "workspace = true", "[lints]"] {
            assert!(!made.contains(never), "{never:?} is in\n{made}");
        }
    }

    #[test]
    fn nothing_is_inherited_any_more_and_riverrun_comes_from_where_it_is_wanted() {
        let alike = [
            "name = \"list\"",
            "edition = \"2024\"",
            "# The framework.",
            "bytes = { version = \"1\" }",
            "serde = { version = \"1\", default-features = false, features = [\"std\", \"derive\"] }",
            "[profile.dev.package.\"*\"]\ndebug = false",
            "[workspace]",
        ];
        check(&Source::Version("0.1.0".into()), &alike);
        check(
            &Source::Version("0.1.0".into()),
            &[
                "riverrun = { version = \"0.1.0\", features = [\"view\"] }",
                "riverrun-testkit = { version = \"0.1.0\" }",
            ],
        );
        let git = Source::Git { url: "https://example.org/r".into(), revision: Some("abc".into()) };
        check(&git, &["riverrun = { git = \"https://example.org/r\", rev = \"abc\", features = [\"view\"] }"]);
        check(
            &Source::Path(PathBuf::from("/srv/r")),
            &[
                "riverrun = { path = \"/srv/r/crates/riverrun\"",
                "riverrun-testkit = { path = \"/srv/r/crates/testkit\" }",
            ],
        );
    }
}
