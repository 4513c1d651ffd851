//! `riverrun doctor`: a look at what an application needs, with what to do about each thing that is amiss.

use clap::Args;

use crate::{
    database::Database,
    doctor::{Finding, Health, database, ports, server, tools},
    http::Server,
    outcome::Outcome,
    print::{BOLD, GREEN, Out, RED, YELLOW, plain},
};

const EXAMPLES: &str = "Examples:
  riverrun doctor                               this machine and this directory
  riverrun doctor --url https://app.example.org  a server too, as a browser reaches it: through its proxy";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Look at this running server too
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where its sync routes are mounted
    #[arg(long, value_name = "PATH", default_value = "/_sync")]
    prefix: String,
    /// A header to send to it; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = crate::http::header)]
    headers: Vec<(String, String)>,
    /// The address an application would listen on
    #[arg(long, env = "HOST", hide_env_values = true)]
    host: Option<String>,
    /// The port an application would listen on
    #[arg(long, env = "PORT", hide_env_values = true)]
    port: Option<u16>,
    /// Answer in JSON Lines, a finding each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

impl Doctor {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut findings = tools::look();
        findings.push(ports::look(self.host.as_deref(), self.port));
        findings.extend(database::look(&self.database));
        if let Some(url) = self.url {
            findings.extend(server::look(&Server { url, prefix: self.prefix, headers: self.headers }));
        }
        let mut out = Out::new();
        for finding in &findings {
            if self.json {
                out.json(finding)?;
            } else {
                show(&mut out, finding)?;
            }
        }
        out.flush()?;
        let wrong = findings.iter().any(|finding| finding.health == Health::Wrong);
        Ok(if wrong { Outcome::Found } else { Outcome::Well })
    }
}

fn show(out: &mut Out, finding: &Finding) -> anyhow::Result<()> {
    let (style, word) = match finding.health {
        Health::Well => (GREEN, "well"),
        Health::Note => (YELLOW, "note"),
        Health::Wrong => (RED, "wrong"),
    };
    Ok(out.line(format_args!("{style}{word:<5}{style:#}  {BOLD}{}{BOLD:#}: {}", finding.what, plain(&finding.text)))?)
}
