//! The file `.env`: variables for the application, below the real environment. It must never change the environment of
//! this program, and never guess what a line that can't be read may have meant.

use std::{collections::BTreeMap, env, io::ErrorKind, path::Path};

use anyhow::anyhow;

/// The file's name.
pub(crate) const FILE: &str = ".env";

/// Variables that the environment does not have itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads the file of a directory; none is as good as an empty one.
    pub(crate) fn read(dir: &Path) -> anyhow::Result<Self> {
        Self::below(dir, |name| env::var_os(name).is_some())
    }

    fn below(dir: &Path, is_set: impl Fn(&str) -> bool) -> anyhow::Result<Self> {
        let pairs = match dotenvy::from_path_iter(dir.join(FILE)) {
            Ok(pairs) => pairs,
            Err(dotenvy::Error::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(anyhow!("{FILE} can't be read: {error}")),
        };
        let mut all = BTreeMap::new();
        for pair in pairs {
            let (name, value) = pair.map_err(|error| match error {
                dotenvy::Error::LineParse(line, _) => anyhow!("{FILE} has a line that is not NAME=value: {line}"),
                error => anyhow!("{FILE} can't be read: {error}"),
            })?;
            if !is_set(&name) {
                all.insert(name, value);
            }
        }
        Ok(Self(all))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// A variable as the application sees it: the environment's, else the file's.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        env::var(name).ok().or_else(|| self.0.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Settings> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), text).unwrap();
        Settings::below(dir.path(), |name| name == "TAKEN")
    }

    #[test]
    fn the_real_environment_comes_first() {
        let settings = read("TAKEN=file\nFREE='two words' # why\n# nothing\nexport ALSO=1\n").unwrap();
        let pairs: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("ALSO", "1"), ("FREE", "two words")]);
    }

    #[test]
    fn no_file_is_no_variables_and_a_broken_line_is_named() {
        assert_eq!(Settings::read(tempfile::tempdir().unwrap().path()).unwrap(), Settings::default());
        let error = read("A=1\nthis is no line\n").unwrap_err().to_string();
        assert!(error.contains("this is no line"), "{error}");
    }
}
