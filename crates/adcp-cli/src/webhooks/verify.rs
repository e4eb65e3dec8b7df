//! `adcp webhooks verify`: stored webhooks, checked step by step.

use adcp_core::{Clock as _, SystemClock};
use adcp_signing::{Message, UnixTime};
use serde_json::{Value, json};

use super::capture::{self, Capture};
use super::checklist::{Checked, event, proof};
use super::means::{Means, Mode};
use crate::args::{AsOf, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::table::moment;

pub(super) async fn run(args: &VerifyArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let captures = match (&args.saved, &args.headers, &args.body, &args.url) {
        (Some(folder), ..) => capture::read(folder)?,
        (None, Some(headers), Some(body), Some(url)) => vec![capture::parts(headers, body, url)?],
        _ => return Err(Failure::usage("name a folder, or --headers, --body and --url")),
    };
    let means = Means::find(&args.means).await?;
    if matches!(means.mode, Mode::Unverified) {
        return Err(Failure::usage(
            "there is nothing to verify by; give --agent, --jwks, --hmac-secret-file or --bearer-file",
        ));
    }
    // One memory of nonces for all: a replay among them is found.
    let verifier = means.verifier();
    let mut wrong = 0;
    let mut unknown = 0;
    let mut all = Vec::new();
    for capture in &captures {
        let now = SystemClock::new().now();
        let at = match args.at {
            Some(AsOf::At(at)) => at,
            Some(AsOf::Now) => now,
            None => capture.at.unwrap_or(now),
        };
        let headers = capture.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let message = Message::new("POST", &capture.url, &capture.body).with_headers(headers);
        let checked =
            Checked::of(&message, &means, verifier.as_ref(), UnixTime::from_micros(at.as_micros())).await;
        match (checked.failed(), checked.code()) {
            (None, _) => {}
            (Some(_), Some(_)) => wrong += 1,
            (Some(_), None) => unknown += 1,
        }
        if args.json {
            all.push(to_json(capture, &checked, &at.to_string()));
            continue;
        }
        terminal.line(&terminal.bold(&tame(&format!("{} as of {}", capture.name, moment(at)))))?;
        checked.print(terminal)?;
    }
    if args.json {
        terminal.json(&Value::Array(all), false)?;
    }
    say(&match (captures.len(), wrong + unknown) {
        (1, 0) => "verified".to_owned(),
        (1, _) => "not verified".to_owned(),
        (many, 0) => format!("all {many} verified"),
        (many, bad) => format!("{bad} of {many} not verified"),
    });
    Ok(match (wrong, unknown) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Transport,
        _ => Exit::Correctable,
    })
}

fn to_json(capture: &Capture, checked: &Checked, at: &str) -> Value {
    json!({
        "name": capture.name,
        "as_of": at,
        "verified": checked.failed().is_none(),
        "event": checked.payload.as_ref().map(|(payload, key)| event(payload, key.as_deref())),
        "signature": checked.verified.as_ref().map(proof),
        "checks": checked.to_json(),
    })
}
