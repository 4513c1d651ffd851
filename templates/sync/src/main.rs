//! Entry point: reads the configuration, builds the application, serves it.

use std::process::ExitCode;

use myapp::server::{App, Config, StartError};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    prelude::*,
};

#[tokio::main]
async fn main() -> ExitCode {
    // `RUST_LOG=debug`, or by crate: `RUST_LOG=info,riverrun_engine=debug`.
    let wanted = std::env::var("RUST_LOG").ok().and_then(|wanted| wanted.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    tracing_subscriber::registry().with(fmt::layer().with_target(false)).with(filter).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence that says what to do; a trace would not help whoever starts the program.
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let config = Config::from_env()?;
    let app = App::new(&config).await?;
    let server = riverrun::Serve::bind(config.address(), app.router()).await?;
    let address = server.local_addr().map_or_else(|_| config.address(), |address| address.to_string());
    tracing::info!("listening on http://{address}");
    tracing::info!("mode: {}", config.mode);
    tracing::info!(
        "database: {}",
        std::path::absolute(&config.database).as_ref().unwrap_or(&config.database).display()
    );
    server.run().await;
    app.close().await;
    tracing::info!("stopped");
    Ok(())
}
