//! Entry point: reads the configuration, builds the application, serves it.

use anyhow::Context as _;
use myapp::server::{App, Config};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).init();

    let config = Config::from_env()?;
    let app = App::new(&config).await?;
    tracing::info!("listening on http://{}", config.address());
    tracing::info!("database {}", config.database.display());
    riverrun::serve(app.router(), config.address()).await.context("the server stopped")?;
    app.close().await;
    Ok(())
}
