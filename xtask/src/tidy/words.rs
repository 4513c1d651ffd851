//! The rule that the repository speaks of itself and not of where it was made: no path of one machine, and no host of a
//! package registry, of which every machine may have another. Lock files name their registry and can't do otherwise.

use super::{Finding, Findings};
use crate::repo::TextFile;

/// The beginnings of absolute paths that exist on one machine only. Put together so that this file keeps its own rule.
const MACHINE_PATHS: [&str; 3] = [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "tmp/target")];

/// Where packages come from.
const REGISTRY_HOSTS: [&str; 8] = [
    concat!("art", "ifactory"),
    concat!("crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("npmjs", ".com"),
    concat!("npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("yarnpkg", ".com"),
];

pub(super) fn check(file: &TextFile, findings: &mut Findings) {
    let is_lock = file.path.rsplit('/').next() == Some("Cargo.lock");
    for (number, line) in (1..).zip(file.text.lines()) {
        let mut report = |text| findings.broken.push(Finding { place: file.path.clone(), line: Some(number), text });
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| has_path(line, path)) {
            report(format!("names a path of one machine, {path}"));
        }
        let names_source = is_lock && line.starts_with("source = \"registry+");
        if let Some(host) = REGISTRY_HOSTS.into_iter().find(|host| line.contains(host) && !names_source) {
            report(format!("names a package registry, {host}"));
        }
    }
}

/// `path` where an absolute path begins, not in the middle of a relative one or of a URL.
fn has_path(line: &str, path: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '*' | '/');
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(goes_on) || line[..at].ends_with("file://"))
}

#[cfg(test)]
mod tests {
    use super::{MACHINE_PATHS, REGISTRY_HOSTS, check};
    use crate::{repo::TextFile, tidy::Findings};

    fn broken(path: &str, text: &str) -> usize {
        let mut findings = Findings::default();
        check(&TextFile { path: path.to_owned(), text: text.to_owned() }, &mut findings);
        findings.broken.len()
    }

    #[test]
    fn a_path_of_one_machine_is_found_wherever_it_begins() {
        for path in MACHINE_PATHS {
            for before in ["", "cd ", "\"", "(", "=", "file://"] {
                assert_eq!(broken("README.md", &format!("see\n{before}{path}x\n")), 1, "{before}{path}");
            }
            for before in ["src", "a.b/c", "https://example.org", "${HOME}", ".."] {
                assert_eq!(broken("README.md", &format!("{before}{path}x\n")), 0, "{before}{path}");
            }
        }
    }

    #[test]
    fn a_registry_is_found_in_any_file_but_not_as_a_source_in_cargo_s_lock_file() {
        for host in REGISTRY_HOSTS {
            let source = format!("source = \"registry+https://index.{host}/index\"\n");
            assert_eq!(broken("Cargo.lock", &source), 0, "{host}");
            assert_eq!(broken("Cargo.lock", &format!("# {source}")), 1, "{host}");
            assert_eq!(broken("packages/client/package-lock.json", &source), 1, "{host}");
        }
    }
}
