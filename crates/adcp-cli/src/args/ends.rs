//! The command line of both ends of a delivery: a receiver to try a seller with, and a sender to try a receiver with.

use std::path::PathBuf;
use std::time::Duration;

use adcp_core::{Secret, Timestamp};
use clap::Args as ClapArgs;

use super::{seconds, secret};

/// What a webhook is verified by.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct MeansArgs {
    /// The seller's agent: its keys are found as `adcp keys check` finds them.
    #[arg(long, value_name = "URL", conflicts_with = "jwks", help_heading = "Verifying")]
    pub(crate) agent: Option<String>,
    /// The seller's keys: a file, or where they are published.
    #[arg(long, value_name = "FILE|URL", help_heading = "Verifying")]
    pub(crate) jwks: Option<String>,
    /// A file with the secret of a registration that asks for HMAC-SHA256. Keys are then for challenges alone.
    #[arg(long, value_name = "FILE", conflicts_with = "bearer_file", help_heading = "Verifying")]
    pub(crate) hmac_secret_file: Option<PathBuf>,
    /// A file with the token of a registration that asks for Bearer. Keys are then for challenges alone.
    #[arg(long, value_name = "FILE", help_heading = "Verifying")]
    pub(crate) bearer_file: Option<PathBuf>,
    /// The token of the registration, which bodies repeat. Visible in the process list.
    #[arg(long, value_name = "TOKEN", value_parser = secret, help_heading = "Verifying")]
    pub(crate) token: Option<Secret>,
    /// The operation id of the registration.
    #[arg(long, value_name = "ID", help_heading = "Verifying")]
    pub(crate) operation_id: Option<String>,
}

/// Run a receiver on this machine that prints and verifies what arrives, and fails if told to.
///
/// It speaks plain HTTP and answers every path. Nothing is kept but with --save. Register its url as the address of
/// your webhooks with an agent that may call this machine.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks listen --agent http://127.0.0.1:3000/mcp
  adcp webhooks listen --jwks seller.jwks.json --fail 503:3 --save arrived
  adcp webhooks listen --hmac-secret-file hmac.secret --count 1 --for 60 --json
  adcp webhooks listen --public-url https://my.tunnel.example --agent https://seller.example/mcp

Ways to fail: a status such as 503, reset, slow-headers, slow-body, endless, hang, redirect:URL.
Each may end in `:N`, for the first N arrivals only; redirect takes --fail-first.

With --count or --for it ends by itself: with 0 when so many arrived and verified (one, without
--count), with 4 when its time was over first. Without anything to verify by, well-formed arrivals
count. A duplicate never counts, nor does an arrival that was made to fail, unless all are.")]
pub(crate) struct ListenArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4000")]
    pub(crate) bind: String,
    /// The origin that senders know, behind a tunnel or a proxy: signatures are over it.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    #[command(flatten)]
    pub(crate) means: MeansArgs,
    /// Say yes to whoever asks whether webhooks may be sent here.
    #[arg(long)]
    pub(crate) accept_challenges: bool,
    /// Fail in this way instead of answering 200.
    #[arg(long, value_name = "HOW", value_parser = fail, help_heading = "Failing")]
    pub(crate) fail: Option<Fail>,
    /// Fail the first arrivals only.
    #[arg(long, value_name = "NUMBER", requires = "fail", help_heading = "Failing")]
    pub(crate) fail_first: Option<u32>,
    /// Ask senders to wait so many seconds, where --fail is a status.
    #[arg(long, value_name = "SECONDS", requires = "fail", help_heading = "Failing")]
    pub(crate) retry_after: Option<u32>,
    /// End when so many have arrived and verified.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) time: Option<Duration>,
    /// Write each arrival into a folder of its own below this one, for `adcp webhooks verify`.
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// Print a JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check webhooks that were stored, step by step.
///
/// Prints every step of the checklist. Exits with 0 when nothing was wrong, and with 3 when something was.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks verify arrived --agent https://seller.example/mcp
  adcp webhooks verify arrived/0001-whk_01234567 --jwks seller.jwks.json
  adcp webhooks verify --headers h.txt --body b.json --url https://buyer.example/hook \\
    --jwks seller.jwks.json --at 2026-05-01T12:00:00Z

Saved webhooks are judged as of their arrival, others as of now, unless --at says otherwise.")]
pub(crate) struct VerifyArgs {
    /// A folder that `adcp webhooks listen --save` wrote, or one of the folders in it.
    #[arg(value_name = "DIR", required_unless_present = "headers", conflicts_with_all = ["headers", "body", "url"])]
    pub(crate) saved: Option<PathBuf>,
    /// The header fields: lines of `name: value`, perhaps below a request line.
    #[arg(long, value_name = "FILE", requires_all = ["body", "url"])]
    pub(crate) headers: Option<PathBuf>,
    /// The body, byte for byte.
    #[arg(long, value_name = "FILE", requires = "headers")]
    pub(crate) body: Option<PathBuf>,
    /// The address it was sent to, as the sender knows it.
    #[arg(long, value_name = "URL", requires = "headers")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) means: MeansArgs,
    /// Judge as of this instant; `now` is the present.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<AsOf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send one test event to a receiver, once, and say what a seller's worker would do next.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks send-test http://127.0.0.1:4000/hook --signing-key hooks.jwk --allow-loopback
  adcp webhooks send-test https://buyer.example/hook --hmac-secret-file hmac.secret --token token-of-the-buyer
  adcp webhooks send-test https://buyer.example/hook --signing-key hooks.jwk --challenge

Exits with 0 when it was delivered, with 4 when it would be tried again, and with 5 when it would be given up.")]
pub(crate) struct SendTestArgs {
    /// The receiver's address.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The private key that signs webhooks: a JWK or PEM file, as `adcp serve` takes it.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["hmac_secret_file", "bearer_file"])]
    pub(crate) signing_key: Option<PathBuf>,
    /// A file with the secret of a registration that asks for HMAC-SHA256.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["signing_key", "bearer_file"])]
    pub(crate) hmac_secret_file: Option<PathBuf>,
    /// A file with the token of a registration that asks for Bearer.
    #[arg(long, value_name = "FILE", conflicts_with = "signing_key")]
    pub(crate) bearer_file: Option<PathBuf>,
    /// Also call this machine, and without TLS.
    #[arg(long)]
    pub(crate) allow_loopback: bool,
    /// Ask whether the receiver wants webhooks, instead of sending one.
    #[arg(long, conflicts_with_all = ["body", "token", "operation_id", "key", "hmac_secret_file", "bearer_file"])]
    pub(crate) challenge: bool,
    /// Send this file, byte for byte, instead of the end of a task that never was.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token", "operation_id", "key"])]
    pub(crate) body: Option<PathBuf>,
    /// The token of the registration, repeated in the body. Visible in the process list.
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub(crate) token: Option<Secret>,
    /// The operation id of the registration.
    #[arg(long, value_name = "ID", default_value = "adcp-webhooks-send-test")]
    pub(crate) operation_id: String,
    /// How long the receiver may take, in seconds, at most 30.
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = attempt)]
    pub(crate) timeout: Duration,
    /// The idempotency key, to send an event again; a fresh one when not given.
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(crate) key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a receiver fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) how: Failing,
    /// The first arrivals only.
    pub(crate) first: Option<u32>,
}

/// What a receiver does instead of answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failing {
    Status(u16),
    Reset,
    SlowHeaders,
    SlowBody,
    Endless,
    Hang,
    Redirect(String),
}

/// The instant by which a webhook is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    Now,
    At(Timestamp),
}

fn fail(text: &str) -> Result<Fail, String> {
    if let Some(to) = text.strip_prefix("redirect:") {
        if to.is_empty() || !to.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("redirect: is followed by a url".to_owned());
        }
        return Ok(Fail { how: Failing::Redirect(to.to_owned()), first: None });
    }
    let (how, first) = match text.split_once(':') {
        Some((how, first)) => {
            let first = first.parse().map_err(|_| "what follows the colon is how many arrivals fail")?;
            (how, Some(first))
        }
        None => (text, None),
    };
    let how = match how {
        "reset" => Failing::Reset,
        "slow-headers" => Failing::SlowHeaders,
        "slow-body" => Failing::SlowBody,
        "endless" => Failing::Endless,
        "hang" => Failing::Hang,
        _ => {
            match how.parse() {
                Ok(status @ 200..=599) => Failing::Status(status),
                _ => {
                    return Err("expected a status from 200 to 599, reset, slow-headers, slow-body, endless, hang or \
                            redirect:URL"
                    .to_owned());
                }
            }
        }
    };
    Ok(Fail { how, first })
}

fn moment(text: &str) -> Result<AsOf, String> {
    match text {
        "now" => Ok(AsOf::Now),
        _ => Timestamp::parse(text).map(AsOf::At).map_err(|error| error.to_string()),
    }
}

fn attempt(text: &str) -> Result<Duration, String> {
    let most = Duration::from_secs(30);
    let time = seconds(text)?;
    if !time.is_zero() && time <= most { Ok(time) } else { Err("expected up to 30 seconds".to_owned()) }
}

fn key(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    if (16..=255).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err("expected 16 to 255 letters, digits and `_.:-`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_fail_are_read() {
        for (text, how, first) in [
            ("503", Failing::Status(503), None),
            ("503:3", Failing::Status(503), Some(3)),
            ("reset:1", Failing::Reset, Some(1)),
            ("hang", Failing::Hang, None),
            ("redirect:http://10.0.0.1:80/", Failing::Redirect("http://10.0.0.1:80/".to_owned()), None),
        ] {
            assert_eq!(fail(text), Ok(Fail { how, first }), "{text}");
        }
        for wrong in
            ["", "99", "600", "503:", "503:x", "sulk", "redirect:", "redirect:a b", "redirect:a\r\nb"]
        {
            assert!(fail(wrong).is_err(), "{wrong}");
        }
    }
}
