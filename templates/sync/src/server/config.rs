//! The configuration, from the environment: `HOST`, `PORT`, `DATABASE_PATH`.

use std::{env, path::PathBuf};

use anyhow::Context as _;

/// What can be set from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// The database file. Made if it is not there.
    pub database: PathBuf,
}

impl Config {
    /// Reads the environment.
    pub fn from_env() -> anyhow::Result<Self> {
        let port = match env::var("PORT") {
            Ok(port) => port.parse().with_context(|| format!("PORT must be a number up to 65535, not {port:?}"))?,
            Err(_) => 8080,
        };
        Ok(Self {
            host: env::var("HOST").unwrap_or_else(|_| "127.0.0.1".into()),
            port,
            database: env::var_os("DATABASE_PATH").map_or_else(|| "app.db".into(), PathBuf::from),
        })
    }

    /// Host and port together.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}
