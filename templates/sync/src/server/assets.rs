//! The files of `assets`: each is served under a name that holds its fingerprint, so that a browser may keep it for ever
//! and still never shows an old one. In development they are read from disk each time; it never serves what lies outside
//! of the folder.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::Bytes,
    extract::{Path as Segment, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use riverrun::view::minijinja::Value;

use super::Mode;

/// Where the browser client is: part of the library, and of the page's scripts.
const CLIENT: &str = "/_sync/client.js";
/// Where its inspector is, which only a page in development can open.
const INSPECTOR: &str = "/_sync/inspector.js";

/// A year: browsers take no longer time for "for ever".
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Kept, but asked for again each time.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The files by their names below `assets`.
#[derive(Debug, Clone)]
pub struct Assets(Arc<Source>);

#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    Fixed(BTreeMap<String, Bytes>),
}

impl Assets {
    /// From the folder in development, from memory otherwise.
    pub fn open(mode: Mode) -> Self {
        Self(Arc::new(match mode {
            Mode::Development => Source::Folder(folder()),
            Mode::Release => Source::Fixed(fixed()),
        }))
    }

    /// The bytes of `css/style.css`; `None` if there is no such file.
    fn read(&self, name: &str) -> Option<Bytes> {
        let hidden = |part: &str| part.is_empty() || part.starts_with('.') || part.contains(['\\', ':', '\0']);
        if name.split('/').any(hidden) {
            return None;
        }
        match &*self.0 {
            Source::Folder(root) => fs::read(root.join(name)).ok().map(Bytes::from),
            Source::Fixed(files) => files.get(name).cloned(),
        }
    }

    /// Where `css/style.css` is served: `/static/css/style.0123456789abcdef.css`.
    pub fn url(&self, name: &str) -> Option<String> {
        let print = fingerprint(&self.read(name)?);
        let (stem, ending) = name.rsplit_once('.')?;
        Some(format!("/static/{stem}.{print}.{ending}"))
    }

    /// The names the page's scripts import each other by: an import map, because an address with a fingerprint can't be
    /// written into a script that is fingerprinted itself.
    pub fn scripts(&self) -> Value {
        let mut imports = BTreeMap::from([("riverrun".to_owned(), CLIENT.to_owned())]);
        if matches!(*self.0, Source::Folder(_)) {
            imports.insert("riverrun/inspector".to_owned(), INSPECTOR.to_owned());
        }
        for name in self.names("js") {
            if let (Some(url), Some(bare)) = (self.url(&format!("js/{name}")), name.strip_suffix(".js")) {
                imports.insert(format!("app/{bare}"), url);
            }
        }
        Value::from_pairs([("imports", Value::from_pairs(imports))])
    }

    /// The files of a folder, without those in folders below it.
    fn names(&self, folder: &str) -> Vec<String> {
        match &*self.0 {
            Source::Folder(root) => {
                let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
                let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
                names.sort();
                names
            }
            Source::Fixed(files) => {
                let below = files.keys().filter_map(|file| file.strip_prefix(folder)?.strip_prefix('/'));
                below.filter(|name| !name.contains('/')).map(str::to_owned).collect()
            }
        }
    }

    /// What is served under `name`, with or without a fingerprint, and whether it may be kept for ever. An old
    /// fingerprint finds nothing: a page never runs with files it was not made for.
    fn find(&self, name: &str) -> Option<(Bytes, bool)> {
        if let Some(bytes) = self.read(name) {
            return Some((bytes, false));
        }
        let (rest, ending) = name.rsplit_once('.')?;
        let (stem, print) = rest.rsplit_once('.')?;
        let bytes = self.read(&format!("{stem}.{ending}"))?;
        (fingerprint(&bytes) == print).then_some((bytes, true))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

/// A release build carries the files; a debug build reads them once, so that a changed file never causes a compile.
fn fixed() -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    #[cfg(debug_assertions)]
    from_disk(&folder(), "", &mut files);
    #[cfg(not(debug_assertions))]
    from_binary(&EMBEDDED, &mut files);
    files
}

#[cfg(not(debug_assertions))]
static EMBEDDED: include_dir::Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/assets");

#[cfg(not(debug_assertions))]
fn from_binary(dir: &'static include_dir::Dir<'static>, files: &mut BTreeMap<String, Bytes>) {
    for file in dir.files() {
        if let Some(name) = file.path().to_str() {
            files.insert(name.replace('\\', "/"), Bytes::from_static(file.contents()));
        }
    }
    dir.dirs().for_each(|dir| from_binary(dir, files));
}

#[cfg(debug_assertions)]
fn from_disk(root: &Path, below: &str, files: &mut BTreeMap<String, Bytes>) {
    for entry in fs::read_dir(root.join(below)).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            from_disk(root, &name, files);
        } else if let Ok(bytes) = fs::read(entry.path()) {
            files.insert(name, bytes.into());
        }
    }
}

/// 16 hexadecimal digits that differ when the bytes do. Nobody gains by making two files that share one.
fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Answers `GET /static/…`.
pub async fn serve(State(assets): State<Assets>, Segment(name): Segment<String>) -> Response {
    match assets.find(&name) {
        Some((bytes, for_ever)) => answer(&name, bytes, if for_ever { FOR_EVER } else { ASK_AGAIN }),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Answers `GET /service-worker.js`: at the root, because a worker only serves what lies below it.
pub async fn service_worker(State(assets): State<Assets>) -> Response {
    const NAME: &str = "service-worker.js";
    match assets.read(NAME) {
        Some(bytes) => answer(NAME, bytes, ASK_AGAIN),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(name: &str, bytes: Bytes, cache: HeaderValue) -> Response {
    let kind = HeaderValue::from_static(media_type(name));
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_served_under_its_fingerprint_and_under_its_own_name() {
        for mode in [Mode::Development, Mode::Release] {
            let assets = Assets::open(mode);
            let url = assets.url("css/style.css").unwrap();
            let (bytes, for_ever) = assets.find(url.strip_prefix("/static/").unwrap()).unwrap();
            assert!(for_ever && !bytes.is_empty(), "{url}");
            assert_eq!(assets.find("css/style.css"), Some((bytes, false)));
            assert_eq!(assets.find("css/style.0123456789abcdef.css"), None);
        }
    }

    #[test]
    fn nothing_outside_of_the_folder_is_served() {
        let assets = Assets::open(Mode::Development);
        for name in ["../Cargo.toml", "css/../../Cargo.toml", "/etc/passwd", "", "css", ".hidden", "css//style.css"] {
            assert_eq!(assets.find(name), None, "{name}");
        }
    }

    #[test]
    fn both_modes_give_the_scripts_the_same_names_and_only_development_has_the_inspector() {
        let of = |mode| Assets::open(mode).scripts().to_string();
        let inspector = format!(", 'riverrun/inspector': '{INSPECTOR}'");
        assert!(of(Mode::Development).contains(&inspector), "{}", of(Mode::Development));
        assert_eq!(of(Mode::Development).replace(&inspector, ""), of(Mode::Release));
        assert!(of(Mode::Release).contains("app/"), "{}", of(Mode::Release));
    }
}
