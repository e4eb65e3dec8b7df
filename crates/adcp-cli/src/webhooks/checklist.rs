//! Every check of a receiver, one by one: for people who ask which of them failed.

use adcp_signing::{
    HmacKey, HmacRejection, Message, Secret, Step, UnixTime, Verified, VerifyError, WebhookMode,
};
use adcp_webhooks::{BadPayload, Payload, TaskNews, WebhookReceiver};
use serde_json::{Value, json};

use super::means::{Means, Mode};
use crate::exit::Failure;
use crate::output::{Terminal, tame};

/// One check, and how it went.
#[derive(Debug)]
pub(super) struct Check {
    /// The number in the checklist of signatures.
    pub(super) step: Option<String>,
    pub(super) what: &'static str,
    pub(super) outcome: Outcome,
}

/// How a check went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed(String),
    Failed {
        code: String,
        detail: String,
    },
    /// Something of ours did not answer, so that nothing is known.
    Unknown(String),
    /// One before it failed, or nothing was given to check it by.
    Skipped,
}

/// What came of all checks.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) checks: Vec<Check>,
    pub(super) verified: Option<Verified>,
    pub(super) payload: Option<(Payload, Option<String>)>,
}

/// The checklist of a signed webhook. Spec: the verifier's checklist of AdCP, steps 1 to 14.
const SIGNED: [(Step, &str); 15] = [
    (Step::Presence, "there is a signature"),
    (Step::Headers, "its fields read in one way only"),
    (Step::Params, "all six parameters"),
    (Step::Tag, "the tag of webhooks"),
    (Step::Algorithm, "an algorithm that is allowed"),
    (Step::Window, "created and expires around now"),
    (Step::Components, "covers all that it must"),
    (Step::Key, "the key is published"),
    (Step::KeyPurpose, "the key is for webhooks"),
    (Step::Revocation, "the key is not revoked: no list is asked"),
    (Step::RateAbuse, "the key has not too many nonces"),
    (Step::Signature, "the address, and the signature"),
    (Step::Digest, "the digest of the body"),
    (Step::Replay, "the nonce is new"),
    (Step::Body, "no key of the body twice"),
];

impl Checked {
    /// Runs all checks until one fails.
    pub(super) async fn of(
        message: &Message<'_>,
        means: &Means,
        verifier: Option<&adcp_signing::Verifier>,
        now: UnixTime,
    ) -> Self {
        let mut all = Self::default();
        all.form(message);
        let json = serde_json::from_slice::<Value>(message.body()).ok();
        let is_challenge = json.as_ref().is_some_and(is_challenge);
        match (&means.mode, verifier) {
            (Mode::Signed, Some(verifier)) => all.signed(message, verifier, now).await,
            // A challenge is signed, whatever the mode of what follows it.
            (Mode::Hmac(_) | Mode::Bearer(_), Some(verifier)) if is_challenge && message.has("signature") => {
                all.signed(message, verifier, now).await;
            }
            (Mode::Hmac(key), _) => {
                all.mode(message, WebhookMode::Hmac);
                all.hmac(message, key, now);
            }
            (Mode::Bearer(token), _) => {
                all.mode(message, WebhookMode::Bearer);
                all.put(None, "the token of the header", || match token.verify(message) {
                    true => Ok(String::new()),
                    false => Err(("unauthorized", "another token, or none".to_owned())),
                });
            }
            _ => {}
        }
        all.content(message, json.as_ref(), means);
        all
    }

    /// The first check that did not pass.
    pub(super) fn failed(&self) -> Option<&Check> {
        self.checks.iter().find(|check| matches!(check.outcome, Outcome::Failed { .. } | Outcome::Unknown(_)))
    }

    /// The code of the first check that failed.
    pub(super) fn code(&self) -> Option<&str> {
        match &self.failed()?.outcome {
            Outcome::Failed { code, .. } => Some(code),
            _ => None,
        }
    }

    fn put<C: Into<String>>(
        &mut self,
        step: Option<Step>,
        what: &'static str,
        check: impl FnOnce() -> Result<String, (C, String)>,
    ) {
        let outcome = match self.failed() {
            Some(_) => Outcome::Skipped,
            None => match check() {
                Ok(words) => Outcome::Passed(words),
                Err((code, detail)) => Outcome::Failed { code: code.into(), detail },
            },
        };
        self.checks.push(Check { step: step.map(|step| step.to_string()), what, outcome });
    }

    /// What a receiver looks at before it verifies anything.
    fn form(&mut self, message: &Message<'_>) {
        let size = message.body().len();
        self.put(None, "the size", || match size <= WebhookReceiver::MAX_BODY {
            true => Ok(format!("{size} bytes")),
            false => Err(("too_large", format!("{size} bytes"))),
        });
        self.put(None, "the content type", || {
            let mut found = message.header("content-type");
            let (Some(value), None) = (found.next(), found.next()) else {
                return Err(("content_type_invalid", "there is none, or several".to_owned()));
            };
            let media = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let words = String::from_utf8_lossy(value).into_owned();
            if media.eq_ignore_ascii_case(b"application/json") {
                Ok(words)
            } else {
                Err(("content_type_invalid", words))
            }
        });
    }

    fn mode(&mut self, message: &Message<'_>, mode: WebhookMode) {
        self.put(None, "the mode that was agreed", || {
            mode.check(message).map(|()| String::new()).map_err(|it| (it.code(), it.detail.to_owned()))
        });
    }

    async fn signed(&mut self, message: &Message<'_>, verifier: &adcp_signing::Verifier, now: UnixTime) {
        self.mode(message, WebhookMode::Signed);
        let result = match self.failed() {
            Some(_) => None,
            None => Some(verifier.verify(message, now).await),
        };
        let (reached, outcome) = match &result {
            None => (None, Outcome::Skipped),
            Some(Ok(_)) => (None, Outcome::Passed(String::new())),
            Some(Err(VerifyError::Rejected(it))) => (
                Some(it.step()),
                Outcome::Failed { code: it.code().to_owned(), detail: it.detail.to_owned() },
            ),
            // The key source is the one part that asks others.
            Some(Err(error)) => (Some(Step::Key), Outcome::Unknown(chain(error))),
        };
        let mut outcome = Some(outcome);
        for (step, what) in SIGNED {
            let this = match reached {
                Some(failed) if step == failed => outcome.take().unwrap_or(Outcome::Skipped),
                Some(failed) if step > failed => Outcome::Skipped,
                None if result.is_none() => Outcome::Skipped,
                // Nothing here knows of revoked keys.
                _ if step == Step::Revocation => Outcome::Skipped,
                _ => Outcome::Passed(String::new()),
            };
            self.checks.push(Check { step: Some(step.to_string()), what, outcome: this });
        }
        if let Some(Ok(verified)) = result {
            self.verified = Some(verified);
        }
    }

    fn hmac(&mut self, message: &Message<'_>, key: &HmacKey, now: UnixTime) {
        let failed = key.verify(message, now).err();
        let steps: [(&'static str, &[HmacRejection]); 4] = [
            ("the signature and its time are there", &[HmacRejection::Missing, HmacRejection::Timestamp]),
            ("its time is around now", &[HmacRejection::Window]),
            ("the keyed hash of the body", &[HmacRejection::Invalid]),
            ("no key of the body twice", &[HmacRejection::Body]),
        ];
        for (what, rejections) in steps {
            self.put(None, what, || match failed {
                Some(rejection) if rejections.contains(&rejection) => {
                    let code = match rejection {
                        HmacRejection::Body => "webhook_body_malformed",
                        _ => "unauthorized",
                    };
                    Err((code, rejection.to_string()))
                }
                _ => Ok(String::new()),
            });
        }
    }

    /// What the body says, and whether it is what was agreed.
    fn content(&mut self, message: &Message<'_>, json: Option<&Value>, means: &Means) {
        let read = json.map(Payload::read);
        self.put(None, "the envelope", || match &read {
            None => Err(("webhook_body_malformed".to_owned(), "the body is not JSON".to_owned())),
            Some(Err(bad)) => Err((bad.to_string(), envelope_words(*bad).to_owned())),
            Some(Ok((payload, _))) => Ok(kind(payload)),
        });
        let Some(Ok((payload, key))) = read else {
            self.skip(&["the token", "the operation id"]);
            return;
        };
        let is_challenge = matches!(payload, Payload::Challenge(_));
        match &means.token {
            Some(agreed) if !is_challenge => self.put(None, "the token", || {
                let own = json.and_then(|json| json.get("token")).and_then(Value::as_str).map(Secret::new);
                let shown =
                    own.or_else(|| message.header("x-a2a-notification-token").next().map(Secret::new));
                match shown {
                    Some(shown) if shown == *agreed => Ok(String::new()),
                    Some(_) => Err(("token_mismatch", "another token".to_owned())),
                    None => Err(("token_mismatch", "no token".to_owned())),
                }
            }),
            _ => self.skip(&["the token"]),
        }
        match (&means.operation_id, &payload) {
            (Some(agreed), Payload::Task(TaskNews { operation_id: Some(id), .. })) => {
                self.put(None, "the operation id", || match id == agreed {
                    true => Ok(String::new()),
                    false => Err(("operation_id_mismatch", id.clone())),
                });
            }
            _ => self.skip(&["the operation id"]),
        }
        self.payload = Some((payload, key));
    }

    fn skip(&mut self, names: &[&'static str]) {
        self.checks.extend(names.iter().map(|what| Check { step: None, what, outcome: Outcome::Skipped }));
    }

    /// A line a check.
    pub(super) fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        for Check { step, what, outcome } in &self.checks {
            let step = step.as_deref().unwrap_or_default();
            let (mark, words) = match outcome {
                Outcome::Passed(words) if words.is_empty() => (terminal.good("ok     "), String::new()),
                Outcome::Passed(words) => (terminal.good("ok     "), format!(": {words}")),
                Outcome::Failed { code, detail } => (terminal.bad("FAILED "), format!(": {code} ({detail})")),
                Outcome::Unknown(words) => (terminal.bad("UNKNOWN"), format!(": {words}")),
                Outcome::Skipped => (terminal.dim("-      "), String::new()),
            };
            terminal.line(&format!("  {mark} {step:>3}  {}", tame(&format!("{what}{words}"))))?;
        }
        Ok(())
    }

    /// The same for programs.
    pub(super) fn to_json(&self) -> Value {
        let check = |check: &Check| {
            let (outcome, code, detail) = match &check.outcome {
                Outcome::Passed(words) => ("passed", None, Some(words.as_str()).filter(|it| !it.is_empty())),
                Outcome::Failed { code, detail } => ("failed", Some(code.as_str()), Some(detail.as_str())),
                Outcome::Unknown(words) => ("unknown", None, Some(words.as_str())),
                Outcome::Skipped => ("skipped", None, None),
            };
            json!({ "step": check.step, "what": check.what, "outcome": outcome, "code": code, "detail": detail })
        };
        self.checks.iter().map(check).collect()
    }
}

/// Whether a body asks for consent instead of telling something.
pub(super) fn is_challenge(body: &Value) -> bool {
    body.get("type").and_then(Value::as_str) == Some("webhook.challenge")
}

/// What a payload is, in a word or two.
pub(super) fn kind(payload: &Payload) -> String {
    match payload {
        Payload::Task(news) => {
            let kind = news.task_type.as_deref().unwrap_or("task");
            format!("{kind} {}", news.status.as_deref().unwrap_or("artifact"))
        }
        Payload::Notification(news) => news.kind.clone().unwrap_or_else(|| "notification".to_owned()),
        Payload::Challenge(_) => "challenge".to_owned(),
        _ => "something newer".to_owned(),
    }
}

/// What is known of the event, as JSON.
pub(super) fn event(payload: &Payload, key: Option<&str>) -> Value {
    let mut out = json!({ "kind": kind(payload), "key": key });
    if let Payload::Task(news) = payload {
        out["task_id"] = news.task_id.as_str().into();
        out["status"] = news.status.as_deref().into();
        out["operation_id"] = news.operation_id.as_deref().into();
    }
    if let Payload::Notification(news) = payload {
        out["subscriber_id"] = news.subscriber_id.as_deref().into();
    }
    out
}

/// What a signature proved, as JSON.
pub(super) fn proof(verified: &Verified) -> Value {
    json!({
        "keyid": verified.keyid,
        "algorithm": verified.algorithm.name(),
        "created": verified.created.as_secs(),
        "expires": verified.expires.as_secs(),
        "nonce": verified.nonce,
    })
}

fn envelope_words(bad: BadPayload) -> &'static str {
    match bad {
        BadPayload::Envelope => "it has not the fields of an envelope",
        BadPayload::NoKey => "it has no idempotency_key",
        BadPayload::Key => "its idempotency_key is not 16 to 255 letters, digits and `_.:-`",
        BadPayload::Status => "its status is not one of a task",
        BadPayload::Challenge => "its challenge is not 32 to 255 letters, digits and `_.:-`",
        _ => "it is no webhook",
    }
}

/// An error and its causes.
fn chain(error: &VerifyError) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        words.push_str(&format!(": {error}"));
        next = error.source();
    }
    words
}
