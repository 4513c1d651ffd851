//! The template application at `synchronous=NORMAL`: what a power cut may take from it shows that the test of power cuts
//! sees a loss where there is one. It must differ from the application's own start in that one option only.

use std::process::ExitCode;

use myapp::server::{App, Config, StartError};
use riverrun_http::Serve;
use riverrun_sqlite::{Sqlite, Synchronous};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), StartError> {
    let config = Config::from_env()?;
    let store = Sqlite::options(&config.database).synchronous(Synchronous::Normal).open()?;
    let app = App::over(store, &config).await?;
    let server = Serve::bind(config.address(), app.router()).await?;
    let address = server.local_addr().map_or_else(|_| config.address(), |address| address.to_string());
    println!("listening on http://{address}");
    server.run().await;
    app.close().await;
    Ok(())
}
