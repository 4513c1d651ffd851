//! The configuration, from the environment: `HOST`, `PORT`, `DATABASE_PATH` and `APP_ENV`. It never guesses what a wrong
//! setting may have meant.

use std::{env, ffi::OsString, fmt, path::PathBuf};

/// How the application runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Templates and assets are re-read when they change, and a mistake in a template is shown with its source.
    Development,
    /// Templates and assets are checked and read once. A release build carries them in the binary.
    Release,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "development (templates and assets are re-read when they change)",
            Self::Release => "release",
        })
    }
}

/// What can be set from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on. 0 takes any that is free.
    pub port: u16,
    /// The database file. Made if it is not there.
    pub database: PathBuf,
    /// How the application runs.
    pub mode: Mode,
}

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a port.
    #[error("PORT must be a number up to 65535, not {0:?}")]
    Port(String),
    /// Not a mode.
    #[error("APP_ENV must be development or release, not {0:?}")]
    Mode(String),
    /// Not text.
    #[error("{0} is not UTF-8 text")]
    NotText(&'static str),
}

impl Config {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| env::var_os(name))
    }

    /// Reads settings by their names. One that is empty counts as left out.
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &'static str| {
            set(name).map(|value| value.into_string().map_err(|_| ConfigError::NotText(name))).transpose()
        };
        let port = match text("PORT")? {
            Some(port) => port.parse().map_err(|_| ConfigError::Port(port))?,
            None => 8080,
        };
        let mode = match text("APP_ENV")?.as_deref() {
            Some("development") => Mode::Development,
            Some("release") => Mode::Release,
            Some(other) => return Err(ConfigError::Mode(other.into())),
            None if cfg!(debug_assertions) => Mode::Development,
            None => Mode::Release,
        };
        Ok(Self {
            host: text("HOST")?.unwrap_or_else(|| "127.0.0.1".into()),
            port,
            database: set("DATABASE_PATH").map_or_else(|| "app.db".into(), PathBuf::from),
            mode,
        })
    }

    /// Host and port together.
    pub fn address(&self) -> String {
        if self.host.contains(':') && !self.host.starts_with('[') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn without_settings_it_listens_on_this_machine_only() {
        let config = read(&[("PORT", "")]).unwrap();
        assert_eq!((config.address().as_str(), config.database.to_str()), ("127.0.0.1:8080", Some("app.db")));
    }

    #[test]
    fn every_setting_is_heard() {
        let settings = [("HOST", "::1"), ("PORT", "9000"), ("DATABASE_PATH", "a/b.db"), ("APP_ENV", "release")];
        let config = read(&settings).unwrap();
        assert_eq!((config.address().as_str(), config.mode), ("[::1]:9000", Mode::Release));
        assert_eq!(config.database.to_str(), Some("a/b.db"));
        assert_eq!(read(&[("APP_ENV", "development")]).unwrap().mode, Mode::Development);
    }

    #[test]
    fn a_wrong_setting_is_named() {
        assert_eq!(read(&[("PORT", "http")]).unwrap_err(), ConfigError::Port("http".into()));
        assert_eq!(read(&[("PORT", "65536")]).unwrap_err(), ConfigError::Port("65536".into()));
        assert_eq!(read(&[("APP_ENV", "prod")]).unwrap_err(), ConfigError::Mode("prod".into()));
    }
}
