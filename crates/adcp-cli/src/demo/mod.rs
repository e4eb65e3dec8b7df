//! `adcp demo`: a seller and a buyer in one process, over real HTTP.

mod first;
mod hook;
mod order;
mod stage;
mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use adcp_core::{Principal, Secret};
use adcp_decisioning::Tokens;
use adcp_mcp::McpConfig;
use adcp_reference_seller::SellerConfig;
use tokio::sync::watch;

use self::hook::Hook;
use self::stage::Stage;
use self::world::World;
use crate::args::{DemoArgs, SigningArgs};
use crate::delivering::Delivering;
use crate::exit::{Exit, Failure};
use crate::output::Terminal;
use crate::registry::Opened;
use crate::{credential, log, seller};

/// Guaranteed orders from this total on wait for the reviewer, in US dollars.
const THRESHOLD: u64 = 20_000;

/// Runs the command.
pub(crate) async fn run(args: &DemoArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("error")?;
    let begin = Instant::now();
    let token = Secret::new(credential::generate()?);
    let tokens = Tokens::new().with_token(Principal::new("buyer"), &token);
    let opened = Opened::in_memory();
    let delivering = Delivering::of(&SigningArgs::of_this_machine(), None, true)?;
    let agent = |url: &str| {
        let config = SellerConfig::new(url)
            .with_sandbox(true)
            .with_review_threshold(THRESHOLD)
            .with_review_delay(args.review_delay);
        seller::agent(config, tokens.clone(), &[], &opened, delivering.as_ref())
    };
    let (stop, stopped) = watch::channel(());
    let config = |bind| {
        let mut stopped = stopped.clone();
        let config = McpConfig::bind(bind)
            .with_name("adcp-reference-seller")
            .with_grace(Duration::from_secs(5))
            .with_shutdown(async move {
                // It changes never: the buyer has left when it is dropped.
                let _ = stopped.changed().await;
            });
        match &delivering {
            Some(it) => it.publish(config),
            None => config,
        }
    };
    let server = seller::open(SocketAddr::from(([127, 0, 0, 1], 0)), None, agent, config).await?;
    let url = server.url();
    terminal.line(
        &terminal
            .bold(&format!("A seller and a buyer, AdCP {} over MCP, at {url}", adcp_types::ADCP_VERSION)),
    )?;
    let serving = tokio::spawn(server.run());

    let mut stage = Stage::new(&url, &token, terminal, args.verbose).await?;
    let told = tell(&mut stage, &url).await;
    drop(stop);
    let ended = serving.await;
    told?;
    ended.map_err(|error| Failure::new(Exit::Broken, "the seller did not end well").because(error))?;
    stage.verdict(begin.elapsed())
}

/// The whole story.
async fn tell(stage: &mut Stage<'_>, seller: &str) -> Result<(), Failure> {
    let mut world = World::new();
    let mut hook = Hook::open(seller).await?;
    first::capabilities(stage).await?;
    first::tools(stage).await?;
    first::stranger(stage).await?;
    first::brief(stage).await?;
    first::catalogue(stage, &mut world).await?;
    order::instant(stage, &mut world).await?;
    order::again(stage, &world).await?;
    order::refused(stage, &world).await?;
    order::reviewed(stage, &mut world, &hook.url).await?;
    order::told(stage, &world, &mut hook).await?;
    order::delivered(stage, &world).await?;
    order::paused(stage, &world).await?;
    order::canceled(stage, &world).await
}
