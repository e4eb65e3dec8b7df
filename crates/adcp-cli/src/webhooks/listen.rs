//! `adcp webhooks listen`: a receiver on this machine that prints what arrives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock as _, SystemClock, Timestamp};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::arrival::{Desk, Judged, Verdict};
use super::capture::Folder;
use super::checklist::{Outcome, event, kind, proof};
use super::http::{self, Reply, Request, Unread};
use super::means::{Means, Mode};
use crate::address::publishable;
use crate::args::{Fail, ListenArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::seller;
use crate::table::moment;

/// Senders that are served at once; more wait.
const SENDERS: usize = 64;

/// An arrival, for whoever watches.
struct Report {
    at: Timestamp,
    from: SocketAddr,
    /// The status that was sent, or the way in which it was made to fail.
    answer: String,
    what: What,
    /// Whether it is one of those that were asked for.
    counts: bool,
    /// Whether it is still being made to fail; its end is told as well.
    lasting: bool,
}

enum Told {
    Arrival(Box<Report>),
    /// One that lasted is over.
    Ended {
        counts: bool,
    },
}

enum What {
    /// It was read and judged.
    Judged(Request, Box<Judged>),
    /// It was not: why.
    Unread(&'static str),
}

pub(super) async fn run(args: &ListenArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    publishable("--public-url", args.public_url.as_deref())?;
    let means = Means::find(&args.means).await?;
    let words = means.words.clone();
    let mut folder = args.save.as_deref().map(Folder::open).transpose()?;
    let found = seller::resolve(&args.bind)?;
    let cannot = |error| Failure::new(Exit::Broken, format!("cannot listen on {}", args.bind)).because(error);
    let listener = TcpListener::bind(&*found).await.map_err(cannot)?;
    let at = listener.local_addr().map_err(cannot)?;
    let fail = fail(args)?;
    let desk = Arc::new(Desk::new(means, at, args.public_url.clone(), args.accept_challenges, fail));
    let public = args.public_url.as_deref().map(|url| format!("as {url}; ")).unwrap_or_default();
    say(&tame(&format!("receiving webhooks at http://{at}/ ({public}{words}); Ctrl-C ends it")));

    let (tell, mut told) = mpsc::channel(SENDERS);
    let places = Arc::new(Semaphore::new(SENDERS));
    let end = args.time.map(|time| Instant::now() + time);
    let mut counted = 0;
    loop {
        tokio::select! {
            biased;
            Some(told) = told.recv() => {
                counted += match told {
                    Told::Ended { counts } => u32::from(counts),
                    Told::Arrival(report) => {
                        print(&report, folder.as_mut(), &desk, args.json, terminal)?;
                        u32::from(report.counts && !report.lasting)
                    }
                };
                if args.count.is_some_and(|count| counted >= count) {
                    return Ok(Exit::Done);
                }
            }
            () = until(end) => return Ok(ended(counted, args.count.unwrap_or(1))),
            _ = tokio::signal::ctrl_c() => return Ok(ended(counted, args.count.unwrap_or(0))),
            accepted = accept(&listener, &places) => {
                let Some((stream, from, place)) = accepted else { continue };
                let (desk, tell) = (Arc::clone(&desk), tell.clone());
                let retry_after = args.retry_after;
                tokio::spawn(async move {
                    serve(stream, from, &desk, retry_after, &tell).await;
                    drop(place);
                });
            }
        }
    }
}

fn fail(args: &ListenArgs) -> Result<Option<Fail>, Failure> {
    match (&args.fail, args.fail_first) {
        (Some(Fail { first: Some(_), .. }), Some(_)) => {
            Err(Failure::usage("--fail says how many arrivals fail; leave out --fail-first"))
        }
        (Some(fail), first) => Ok(Some(Fail { how: fail.how.clone(), first: fail.first.or(first) })),
        (None, _) => Ok(None),
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn ended(counted: u32, wanted: u32) -> Exit {
    if counted >= wanted {
        return Exit::Done;
    }
    say(&format!("{counted} arrived and verified, of {wanted}"));
    Exit::Transient
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => Some((stream, from, place)),
        Err(error) => {
            tracing::warn!(%error, "a sender could not be heard");
            // Out of descriptors, most likely: trying at once would not find any.
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Reads one request, judges and answers it, and tells of it.
async fn serve(
    mut stream: TcpStream,
    from: SocketAddr,
    desk: &Desk,
    retry_after: Option<u32>,
    tell: &mpsc::Sender<Told>,
) {
    let at = SystemClock::new().now();
    let report = |answer: String, what, counts, lasting| {
        Told::Arrival(Box::new(Report { at, from, answer, what, counts, lasting }))
    };
    let request = match http::read(&mut stream).await {
        Ok(request) if request.method == "POST" => request,
        other => {
            let (reply, why) = match other {
                Ok(_) => (Reply::error(405, "method_not_allowed"), "webhooks are posted"),
                Err(Unread::TooLarge) => (Reply::error(413, "too_large"), "it is too large"),
                Err(Unread::Malformed(why)) => (Reply::error(400, "malformed"), why),
                Err(Unread::Gone) => return,
            };
            // A sender that does not hear it has left.
            let _ = http::answer(&mut stream, &reply).await;
            let _ = tell.send(report(reply.status.to_string(), What::Unread(why), false, false)).await;
            return;
        }
    };
    let failing = desk.failing();
    let mut judged = desk.judge(&request).await;
    let is_event = matches!(judged.verdict, Verdict::New | Verdict::Again);
    match failing {
        None => {
            desk.settle(&mut judged, true).await;
            let _ = http::answer(&mut stream, &judged.reply).await;
            let status = judged.reply.status.to_string();
            let _ = tell.send(report(status, What::Judged(request, Box::new(judged)), is_event, false)).await;
        }
        Some(fail) => {
            // Others would not send again what looks taken in.
            desk.settle(&mut judged, fail.how.looks_well()).await;
            let counts = is_event && fail.first.is_none();
            let lasting = !fail.how.is_quick();
            let what = What::Judged(request, Box::new(judged));
            let told = report(fail.how.word(), what, counts, lasting);
            if lasting {
                let _ = tell.send(told).await;
                let _ = fail.how.act(stream, retry_after).await;
                let _ = tell.send(Told::Ended { counts }).await;
            } else {
                let _ = fail.how.act(stream, retry_after).await;
                let _ = tell.send(told).await;
            }
        }
    }
}

fn print(
    report: &Report,
    folder: Option<&mut Folder>,
    desk: &Desk,
    as_json: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let saved = match (folder, &report.what) {
        (Some(folder), What::Judged(request, judged)) => {
            let key = judged.checked.payload.as_ref().and_then(|(_, key)| key.as_deref());
            match folder.save(request, &judged.url, report.at, key) {
                Ok(at) => Some(at),
                Err(error) => {
                    say(&format!("this arrival was not saved: {error}"));
                    None
                }
            }
        }
        _ => None,
    };
    if as_json {
        terminal.json(&to_json(report, desk, saved.as_deref()), true)
    } else {
        terminal.line(&to_line(report, desk, saved.as_deref(), terminal))
    }
}

fn to_line(report: &Report, desk: &Desk, saved: Option<&str>, terminal: &Terminal) -> String {
    let at = terminal.dim(&moment(report.at));
    let judged = match &report.what {
        What::Unread(why) => {
            return format!("{at}  {}  {why}  -> {}", terminal.bad("refused  "), report.answer);
        }
        What::Judged(_, judged) => judged,
    };
    let verdict = format!("{:<9}", judged.verdict.word());
    let verdict = if judged.verdict.is_good() { terminal.good(&verdict) } else { terminal.bad(&verdict) };
    let mut words = Vec::new();
    if let Some((payload, key)) = &judged.checked.payload {
        words.push(kind(payload));
        if let adcp_webhooks::Payload::Task(news) = payload {
            words.push(news.task_id.clone());
        }
        words.extend(key.as_deref().map(|key| key.chars().take(12).collect()));
    }
    words.push(how(judged, desk));
    words.extend(saved.map(|saved| format!("saved as {saved}")));
    format!("{at}  {verdict}  {}  -> {}", tame(&words.join("  ")), report.answer)
}

/// How it verified, or what is wrong with it.
fn how(judged: &Judged, desk: &Desk) -> String {
    if let Some(code) = &judged.code {
        let (step, detail) = failure(judged);
        let step = step.map(|step| format!("step {step}: ")).unwrap_or_default();
        let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{step}{code}{detail}");
    }
    match (&judged.checked.verified, &desk.means.mode) {
        (Some(verified), _) => format!("verified by {} ({})", verified.keyid, verified.algorithm.name()),
        (None, Mode::Unverified) => "unverified".to_owned(),
        (None, Mode::Hmac(_)) => "verified (HMAC-SHA256)".to_owned(),
        (None, Mode::Bearer(_)) => "verified (Bearer, which proves nothing of the body)".to_owned(),
        (None, Mode::Signed) => "verified".to_owned(),
    }
}

/// The step that failed, and what was found.
fn failure(judged: &Judged) -> (Option<String>, Option<String>) {
    match judged.checked.failed().map(|check| (&check.step, &check.outcome)) {
        Some((step, Outcome::Failed { detail, .. } | Outcome::Unknown(detail))) => {
            (step.clone(), Some(detail.clone()))
        }
        // All was well but for what only the receiver's memory knows.
        _ if judged.code.as_deref() == Some("webhook_signature_replayed") => {
            (Some("12".to_owned()), Some("the nonce was seen before".to_owned()))
        }
        _ => (None, None),
    }
}

fn to_json(report: &Report, desk: &Desk, saved: Option<&str>) -> Value {
    let mut out =
        json!({ "at": report.at.to_string(), "from": report.from.to_string(), "answer": report.answer });
    let judged = match &report.what {
        What::Unread(why) => {
            out["verdict"] = "refused".into();
            out["failed"] = json!({ "step": null, "code": null, "detail": why });
            return out;
        }
        What::Judged(request, judged) => {
            out["bytes"] = request.body.len().into();
            judged
        }
    };
    out["verdict"] = judged.verdict.word().into();
    out["counts"] = report.counts.into();
    out["event"] =
        judged.checked.payload.as_ref().map(|(payload, key)| event(payload, key.as_deref())).into();
    out["mode"] = match desk.means.mode {
        Mode::Signed => "signed",
        Mode::Hmac(_) => "hmac",
        Mode::Bearer(_) => "bearer",
        Mode::Unverified => "unverified",
    }
    .into();
    out["verified"] = (judged.code.is_none() && !matches!(desk.means.mode, Mode::Unverified)).into();
    out["signature"] = judged.checked.verified.as_ref().map(proof).into();
    out["failed"] = judged
        .code
        .as_ref()
        .map(|code| {
            let (step, detail) = failure(judged);
            json!({ "step": step, "code": code, "detail": detail })
        })
        .into();
    out["saved"] = saved.into();
    out
}
