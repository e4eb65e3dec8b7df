//! `adcp serve`: the reference seller, until a signal.

use std::net::SocketAddr;

use adcp_console::Operators;
use adcp_core::{Principal, Secret};
use adcp_decisioning::Tokens;
use adcp_mcp::McpConfig;
use adcp_reference_seller::SellerConfig;
use tokio::sync::watch;

use crate::address::publishable;
use crate::args::{ServeArgs, Switch};
use crate::credential;
use crate::delivering::Delivering;
use crate::exit::{Exit, Failure};
use crate::metrics::Metrics;
use crate::output::{Terminal, say};
use crate::registry::{Opened, Place};
use crate::{log, operators, seller};

/// The shortest token that guards an agent others can reach, in characters.
const SHORTEST_TOKEN: usize = 16;

/// Runs the command.
pub(crate) async fn run(args: &ServeArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("info")?;
    let at = listen_at(&args.bind)?;
    publishable("--public-url", args.public_url.as_deref())?;
    publishable("--brand-json-url", args.signing.brand_json_url.as_deref())?;
    let plan = Plan::new(args, at)?;
    let delivering = Delivering::of(&args.signing, args.public_url.as_deref(), plan.local)?;
    let stop = stop_signal()?;
    // First, so that nothing goes uncounted.
    let metrics = match &args.metrics {
        Some(bind) => Some(Metrics::open(bind).await?),
        None => None,
    };
    let opened = plan.place.open_to_serve(&args.keys, plan.local).await?;
    let tokens =
        Tokens::new().with_token(Principal::new("buyer"), plan.token.secret()).with_demo_keys(plan.demo_keys);
    let agent = |url: &str| {
        seller::agent(plan.seller(args, url), tokens.clone(), &args.also_serve, &opened, delivering.as_ref())
    };
    let config = |bind| {
        let config = mcp(args, bind).with_shutdown(stopped(stop.clone()));
        let config = operators::mount(config, plan.operators.as_ref(), &opened.registry);
        match &delivering {
            Some(it) => it.publish(config),
            None => config,
        }
    };
    let server = seller::open(at, args.public_url.as_deref(), agent, config).await?;
    // Nobody has to read it.
    let _ = greet(args, &plan, &opened, delivering.as_ref(), &server.url(), metrics.as_ref(), terminal);
    let told = metrics.map(|metrics| tokio::spawn(metrics.serve()));
    server.run().await;
    if let Some(told) = told {
        told.abort();
    }
    say("stopped");
    Ok(Exit::Done)
}

/// What follows from the flags together.
#[derive(Debug)]
struct Plan {
    place: Place,
    local: bool,
    token: Token,
    operators: Option<Operators>,
    sandbox: bool,
    demo_keys: bool,
}

#[derive(Debug)]
enum Token {
    Given(Secret),
    Made(Secret),
}

impl Token {
    fn secret(&self) -> &Secret {
        match self {
            Self::Given(secret) | Self::Made(secret) => secret,
        }
    }
}

impl Plan {
    fn new(args: &ServeArgs, at: SocketAddr) -> Result<Self, Failure> {
        let place = Place::of(&args.registry)?;
        let local = is_local(args, at);
        let token = match credential::find(args.token.as_ref(), args.token_file.as_deref())? {
            Some(token) if !local && token.expose().len() < SHORTEST_TOKEN => {
                return Err(Failure::usage(format!(
                    "the token is too short for an agent that others can reach; take at least \
                     {SHORTEST_TOKEN} characters, such as from: openssl rand -hex 24"
                )));
            }
            Some(token) => Token::Given(token),
            None if local => Token::Made(Secret::new(credential::generate()?)),
            None => return Err(no_token()),
        };
        let sandbox = args.sandbox.map_or(local, |switch| switch == Switch::On);
        let demo_keys = match args.demo_keys {
            Some(Switch::On) if !sandbox => {
                return Err(Failure::usage(
                    "demo keys are known to everybody and are only accepted in a sandbox; add --sandbox, \
                     or leave out --demo-keys",
                ));
            }
            Some(switch) => switch == Switch::On,
            None => local && sandbox,
        };
        let operators = operators::find(&args.operators, token.secret())?;
        Ok(Self { place, local, token, operators, sandbox, demo_keys })
    }

    fn seller(&self, args: &ServeArgs, url: &str) -> SellerConfig {
        let config = SellerConfig::new(url).with_sandbox(self.sandbox).with_review_delay(args.review_delay);
        match args.review_threshold.0 {
            Some(total) => config.with_review_threshold(total),
            None => config.without_review(),
        }
    }
}

/// Whether nobody but this machine is meant to call.
fn is_local(args: &ServeArgs, at: SocketAddr) -> bool {
    at.ip().is_loopback() && args.public_url.is_none() && args.allowed_hosts.is_empty()
}

fn no_token() -> Failure {
    Failure::usage(format!(
        "an agent that others can reach needs a token; give one with --token-file FILE or in {}:\n  \
         (umask 077; openssl rand -hex 24 > adcp.token)\n  \
         adcp serve --token-file adcp.token …\n\
         On a loopback address without --public-url and --allowed-host, one is made for you.",
        credential::VARIABLE
    ))
}

fn listen_at(bind: &str) -> Result<SocketAddr, Failure> {
    let found = seller::resolve(bind)?;
    // A name such as `localhost` has several addresses; IPv4 is what most clients try.
    Ok(found.iter().copied().find(SocketAddr::is_ipv4).unwrap_or(found[0]))
}

fn mcp(args: &ServeArgs, bind: String) -> McpConfig {
    let config = McpConfig::bind(bind)
        .with_name("adcp-reference-seller")
        .with_allowed_hosts(args.allowed_hosts.iter().cloned())
        .with_allowed_origins(args.allowed_origins.iter().cloned())
        .with_grace(args.grace);
    match &args.public_url {
        Some(url) => config.with_public_url(url),
        None => config,
    }
}

/// Says what is offered, to whom and on which terms. A given token is not repeated.
fn greet(
    args: &ServeArgs,
    plan: &Plan,
    opened: &Opened,
    delivering: Option<&Delivering>,
    url: &str,
    metrics: Option<&Metrics>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let row = |name: &str, text: &str| {
        terminal.line(&format!("  {}  {text}", terminal.dim(&format!("{name:<10}"))))
    };
    terminal.line(&terminal.bold(&format!("Reference seller, AdCP {}", adcp_types::ADCP_VERSION)))?;
    row("listening", url)?;
    if let Some(public) = &args.public_url {
        row("public url", public)?;
    }
    if let Some(metrics) = metrics {
        row("metrics", &metrics.url())?;
    }
    if plan.operators.is_some() {
        row("operators", &operators::address(url))?;
    }
    match &plan.token {
        Token::Made(token) => {
            row("token", &format!("{} (made for this run; --token-file brings your own)", token.expose()))?;
        }
        Token::Given(_) => row("token", "as given")?,
    }
    row("sandbox", if plan.sandbox { "on: accounts open on first use (--sandbox=off)" } else { "off" })?;
    row(
        "demo keys",
        if plan.demo_keys {
            "accepted: any demo-<name>-v<number> is a buyer of its own (--demo-keys=off)"
        } else {
            "refused"
        },
    )?;
    row("review", &review(args))?;
    if !args.also_serve.is_empty() {
        row("releases", &format!("{}, {}", adcp_types::ADCP_RELEASE, args.also_serve.join(", ")))?;
    }
    row("registry", &opened.what)?;
    if opened.refuses_credentials {
        row("sealing", "no key: callbacks with credentials are refused (--seal-key-file)")?;
    }
    match delivering {
        Some(it) => {
            for (name, text) in it.greeting(args.public_url.as_deref().unwrap_or(url)) {
                row(name, &text)?;
            }
        }
        None => row("webhooks", "none: requests for notifications are refused (--signing-key)")?,
    }
    row("orders", "in the memory of the ad server, forgotten when this ends")?;
    terminal.line(&format!("\nSee what it offers:  adcp tools {url}\nStop it with Ctrl-C."))
}

fn review(args: &ServeArgs) -> String {
    match args.review_threshold.0 {
        Some(total) => {
            format!(
                "guaranteed orders from {total} wait {} s for a reviewer",
                args.review_delay.as_secs_f64()
            )
        }
        None => "every order is confirmed at once".to_owned(),
    }
}

/// Turns true at the first signal. The second ends the process.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new(Exit::Broken, "cannot listen for signals").because(error))?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        signals.next().await;
        say("stopping: finishing what was accepted; a second signal ends it at once");
        sender.send_replace(true);
        signals.next().await;
        std::process::exit(Exit::Broken as i32);
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // The sender lives until the process ends.
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn plan(flags: &[&str]) -> Result<Plan, Failure> {
        let args = match Args::try_parse_from([&["adcp", "serve"], flags].concat()) {
            Ok(Args { command: Command::Serve(args), .. }) => args,
            other => panic!("{other:?}"),
        };
        Plan::new(&args, listen_at(&args.bind).unwrap())
    }

    #[test]
    fn a_sandbox_with_demo_keys_is_for_this_machine_only_unless_forced() {
        let token = ["--token", "a-token-of-good-length"];
        let cases: [(&[&str], bool, bool); 8] = [
            (&[], true, true),
            (&["--bind", "localhost:0"], true, true),
            (&["--bind", "0.0.0.0:0"], false, false),
            (&["--public-url", "https://ads.example.com/mcp"], false, false),
            (&["--allowed-host", "*"], false, false),
            (&["--sandbox=off"], false, false),
            (&["--bind", "0.0.0.0:0", "--sandbox"], true, false),
            (&["--bind", "0.0.0.0:0", "--sandbox", "--demo-keys"], true, true),
        ];
        for (flags, sandbox, demo_keys) in cases {
            let plan = plan(&[&token, flags].concat()).unwrap();
            assert_eq!((plan.sandbox, plan.demo_keys), (sandbox, demo_keys), "{flags:?}");
        }
    }

    #[test]
    fn what_would_be_unsafe_is_refused_with_advice() {
        let cases: [(&[&str], &str); 2] = [
            (&["--bind", "0.0.0.0:0", "--token", "tiny"], "openssl"),
            (&["--token", "local", "--sandbox=off", "--demo-keys"], "--sandbox"),
        ];
        for (flags, advice) in cases {
            let failure = plan(flags).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains(advice), "{failure}");
            assert!(!failure.to_string().contains("tiny"), "{failure}");
        }
    }
}
