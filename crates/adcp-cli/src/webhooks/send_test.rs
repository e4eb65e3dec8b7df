//! `adcp webhooks send-test`: one event, sent as a seller's worker sends it.

use std::path::{Path, PathBuf};

use adcp_core::{
    AttemptClass, CallbackAuth, Clock as _, DeadReason, EventKey, Owner, Principal, Publication, Secret,
    SystemClock, TenantId, Verdict,
};
use adcp_egress::Limits;
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::{Challenge, NotProven, SentOnce, Webhooks};
use serde_json::{Value, json};

use super::{means, reach};
use crate::args::SendTestArgs;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::keys;
use crate::output::{Terminal, say, tame};

/// The largest file that is sent: what receivers take.
const MAX_BODY: usize = adcp_webhooks::WebhookReceiver::MAX_BODY;

pub(super) async fn run(args: &SendTestArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (signer, legacy) = credentials(args)?;
    let egress = reach::egress(args.allow_loopback)?;
    let webhooks = Webhooks::builder()
        .signer(signer)
        .egress(egress)
        .limits(Limits::new().with_total(args.timeout))
        .build()
        .map_err(|error| Failure::usage("this key cannot be used").because(error))?;
    if args.challenge {
        return challenge(&webhooks, args, terminal).await;
    }
    let key = match &args.key {
        Some(key) => EventKey::stored(key.as_str()),
        None => EventKey::random()
            .map_err(|error| Failure::new(Exit::Broken, "cannot make a key").because(error))?,
    };
    let body = match &args.body {
        Some(file) => read_body(file)?,
        None => made(args, &key),
    };
    let owner = Owner::new(TenantId::single(), None, Principal::new("send-test"));
    let event = Publication::new(key, owner, "test", args.url.as_str(), body).with_authentication(legacy);
    let sent = webhooks.send_once(&event).await;
    if sent.report.class == AttemptClass::Forbidden && !args.allow_loopback && reach::is_loopback(&args.url) {
        say("note: this machine is called with --allow-loopback only");
    }
    tell(&sent, &event, args, terminal)?;
    Ok(match sent.verdict {
        Verdict::Delivered => Exit::Done,
        Verdict::Dead(_) => Exit::Terminal,
        _ => Exit::Transient,
    })
}

fn credentials(args: &SendTestArgs) -> Result<(LocalSigner, Option<CallbackAuth>), Failure> {
    let legacy = |scheme: &str, file: &Path| -> Result<CallbackAuth, Failure> {
        let secret = means::secret_of(file)?;
        let text = secret.expose_str().ok_or_else(|| Failure::usage("the secret is not text"))?;
        Ok(CallbackAuth::new(scheme, Secret::new(text)))
    };
    let legacy = match (&args.hmac_secret_file, &args.bearer_file) {
        (Some(file), _) => {
            means::hmac_key(file)?;
            legacy("HMAC-SHA256", file)?
        }
        (None, Some(file)) => {
            means::bearer_token(file)?;
            legacy("Bearer", file)?
        }
        (None, None) => {
            let files: Vec<PathBuf> = args.signing_key.iter().cloned().collect();
            let mut keys = keys::read_for_webhooks(&files)?;
            let key = keys.pop().ok_or_else(|| Failure::usage("give --signing-key FILE"))?;
            return Ok((key, None));
        }
    };
    // Nothing is signed by it; a worker cannot be without one.
    let unused = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "unused")
        .map_err(|error| Failure::new(Exit::Broken, "cannot make a key").because(error))?;
    Ok((unused, Some(legacy)))
}

fn read_body(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    let body = files::read_text(file, files::LARGE)
        .map_err(|error| Failure::usage(format!("cannot read `{name}` as text")).because(error))?;
    if body.len() > MAX_BODY {
        return Err(Failure::usage(format!(
            "`{name}` is larger than the {MAX_BODY} bytes that receivers take"
        )));
    }
    Ok(body)
}

/// The end of a task that never was.
///
/// Spec: `core/mcp-webhook-payload.json`.
fn made(args: &SendTestArgs, key: &EventKey) -> String {
    let mut body = json!({
        "idempotency_key": key.as_str(),
        "operation_id": args.operation_id,
        "task_id": "task_of_adcp_webhooks_send_test",
        "task_type": "create_media_buy",
        "protocol": "media-buy",
        "status": "failed",
        "timestamp": SystemClock::new().now().to_string(),
        "message": "This is a test of webhooks; there is no such task.",
        "result": { "errors": [{ "code": "CANCELLED", "message": "this is a test of webhooks" }] },
    });
    if let Some(token) = &args.token {
        body["token"] = token.expose().into();
    }
    body.to_string()
}

fn tell(
    sent: &SentOnce,
    event: &Publication,
    args: &SendTestArgs,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let report = &sent.report;
    let next = next(sent.verdict);
    if args.json {
        return terminal.json(
            &json!({
                "key": event.key.as_str(),
                "class": report.class.as_str(),
                "http_status": report.http_status,
                "seconds": report.took.as_secs_f64(),
                "peer": report.peer,
                "detail": report.detail,
                "answer": report.answer,
                "next": next_json(sent.verdict),
            }),
            false,
        );
    }
    let mut facts = crate::facts::Facts::default();
    facts.put("key", event.key.as_str());
    facts.put(
        "authenticated",
        event.authentication.as_ref().map_or("by a signature", |auth| auth.scheme.as_str()),
    );
    facts.put("called", report.peer.as_deref());
    facts.put("status", report.http_status);
    facts.put("class", report.class.as_str());
    facts.put("took", format!("{:.3} s", report.took.as_secs_f64()));
    facts.put("detail", report.detail.as_deref());
    facts.put("answer", report.answer.as_deref());
    facts.print(terminal)?;
    let (head, next) = (terminal.dim(&format!("{:<13}", "next")), tame(&next));
    let good = matches!(sent.verdict, Verdict::Delivered);
    terminal.line(&format!("{head} {}", if good { terminal.good(&next) } else { terminal.bad(&next) }))
}

/// What a worker would do next, in words.
fn next(verdict: Verdict) -> String {
    match verdict {
        Verdict::Delivered => "delivered; there is nothing more to do".to_owned(),
        Verdict::Again { after } | Verdict::Deferred { after } => {
            format!("a worker would try again after {:.1} s", after.as_secs_f64())
        }
        Verdict::Dead(reason) => format!("a worker would give it up: {}", reason.as_str()),
    }
}

fn next_json(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Delivered => json!({ "step": "delivered" }),
        Verdict::Again { after } | Verdict::Deferred { after } => {
            json!({ "step": "again", "after_seconds": after.as_secs_f64() })
        }
        Verdict::Dead(reason) => json!({ "step": "dead", "reason": DeadReason::as_str(reason) }),
    }
}

async fn challenge(webhooks: &Webhooks, args: &SendTestArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let agent = "https://seller.example/mcp";
    let about = Challenge::new("send-test", "send-test", agent, ["creative.status_changed"]);
    let asked = webhooks.challenge(&args.url, &about).await;
    if args.json {
        let why = asked.as_ref().err().map(ToString::to_string);
        terminal.json(&json!({ "proven": asked.is_ok(), "why": why }), false)?;
    }
    match asked {
        Ok(()) => {
            say("the address repeated the challenge: it wants webhooks");
            Ok(Exit::Done)
        }
        Err(error) => {
            let exit = match &error {
                NotProven::Silent(_) | NotProven::Unsigned(_) | NotProven::NoRandomness(_) => Exit::Transient,
                _ => Exit::Terminal,
            };
            say(&tame(&error.to_string()));
            Ok(exit)
        }
    }
}
