//! One attempt: authenticated afresh, sent, judged.

use std::sync::Arc;

use adcp_core::{AttemptClass, AttemptReport, Clock, DeadReason, Event, Inadmissible};
use adcp_egress::{Egress, EgressError, Limits, Request, Response};
use adcp_signing::{
    BearerToken, HmacKey, Message, Secret, SignError, SignedHeaders, Signer, TargetUri, UnixTime,
    sign_webhook,
};
use tokio::time::Instant;

use crate::classify::{Judged, Step, classify};
use crate::redact::Secrets;

const CONTENT_TYPE: &str = "application/json";

/// Sends events, each attempt signed anew.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) egress: Egress,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
}

/// What an attempt came to, and what is kept of it.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) judged: Judged,
    pub(crate) begun: Instant,
    /// Without its times, which are counted when it is recorded.
    pub(crate) report: AttemptReport,
}

impl Sender {
    /// The canonical form of an address that can be called and signed for. What is registered is asked for more than what
    /// is sent: a legacy scheme could do without a signature, and a challenge could not.
    pub(crate) fn admits(&self, url: &str) -> Result<String, Inadmissible> {
        let url = self.egress.admits(url).map_err(Inadmissible::from)?;
        TargetUri::parse(url.as_str())
            .map_err(|bad| Inadmissible(format!("what is sent there cannot be signed: {bad}")))?;
        Ok(url.as_str().to_owned())
    }

    /// Tries once; and once more at once, when a kept connection turned out to be gone.
    pub(crate) async fn attempt(&self, event: &Event) -> Tried {
        let begun = Instant::now();
        let (judged, answer, twice) = match self.exchange(event).await {
            Ok(Exchange { result: Err(error), .. }) if is_stale(&error) => match self.exchange(event).await {
                Ok(exchange) => (classify(&exchange.result, self.clock.now()), Some(exchange), true),
                Err(unsent) => (unsent, None, true),
            },
            Ok(exchange) => (classify(&exchange.result, self.clock.now()), Some(exchange), false),
            Err(unsent) => (unsent, None, false),
        };
        let mut report = AttemptReport::new(judged.class, begun.elapsed(), begun.elapsed());
        let said = judged.detail.as_deref();
        let mut detail = Vec::new();
        if let Some(Exchange { result, url, fields }) = &answer {
            let body = result.as_ref().ok().map(|response| &*response.body);
            // Most answers are short, and nothing else is said: then there is nothing to look through.
            let secrets = match said.is_some() || body.is_some_and(Secrets::fit_into) {
                true => Secrets::of(event, url, fields.iter().map(|(_, value)| value)),
                false => Secrets::none(),
            };
            report = seen(report, result, &secrets);
            detail.extend(said.map(|said| secrets.withheld_from_words(said)));
        } else {
            detail.extend(said.map(|said| Secrets::none().withheld_from_words(said)));
        }
        detail.extend(twice.then(|| "sent twice, because a kept connection was gone".to_owned()));
        if !detail.is_empty() {
            report = report.with_detail(detail.join("; "));
        }
        Tried { judged, begun, report }
    }

    async fn exchange(&self, event: &Event) -> Result<Exchange, Judged> {
        let url = match self.egress.admits(&event.url) {
            Ok(url) => url,
            Err(refusal) => {
                let refused = Err(EgressError::Refused(refusal));
                return Err(classify(&refused, self.clock.now()));
            }
        };
        let fields = self.authenticate(event, url.as_str()).await?;
        let mut request =
            Request::post(url.as_str(), event.body.as_bytes()).with_header("content-type", CONTENT_TYPE);
        for (name, value) in fields.iter() {
            request = request.with_header(name, value);
        }
        let result = self.egress.send(request, self.limits).await;
        Ok(Exchange { result, url: url.as_str().to_owned(), fields })
    }

    /// What the registration asked for, and nothing else: a legacy scheme where it names one, a signature otherwise.
    ///
    /// Spec: `core/push-notification-config.json`, `authentication`.
    async fn authenticate(&self, event: &Event, url: &str) -> Result<SignedHeaders, Judged> {
        let (now, body) = (UnixTime::from_micros(self.clock.now().as_micros()), event.body.as_bytes());
        let Some(legacy) = &event.authentication else {
            let message = Message::new("POST", url, body).with_header("content-type", CONTENT_TYPE);
            return sign_webhook(&*self.signer, &message, now).await.map_err(|error| unsigned(&error));
        };
        let secret = Secret::new(legacy.credentials.expose());
        let unusable =
            |why: &str| Judged::new(AttemptClass::Unsent, Step::GiveUp(DeadReason::Unsealable)).because(why);
        match legacy.scheme.as_str() {
            "HMAC-SHA256" => {
                let key = HmacKey::new(secret)
                    .ok_or_else(|| unusable("the credentials are shorter than 32 bytes"))?;
                key.sign(body, now).map_err(|error| unsigned(&error))
            }
            "Bearer" => {
                let token = BearerToken::new(secret)
                    .ok_or_else(|| unusable("the credentials cannot stand in a header field"))?;
                Ok(token.sign())
            }
            _ => Err(unusable("the registration asks for a scheme that nobody knows")),
        }
    }
}

/// An answer or its absence, where it was sent, and the fields that authenticated it.
struct Exchange {
    result: Result<Response, EgressError>,
    url: String,
    fields: SignedHeaders,
}

fn is_stale(error: &EgressError) -> bool {
    error.failure().is_some_and(adcp_egress::Failure::is_stale)
}

/// Why nothing was sent. What lies with the signer may pass; a body that cannot be signed stays so.
fn unsigned(error: &SignError) -> Judged {
    let step = match error {
        error if error.is_transient() => Step::Again(None),
        SignError::Target(_) => Step::GiveUp(DeadReason::ForbiddenAddress),
        SignError::NotJson | SignError::DuplicateKey => Step::GiveUp(DeadReason::Corrupt),
        _ => Step::Again(None),
    };
    let mut detail = format!("not signed: {error}");
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        detail.push_str(": ");
        detail.push_str(&error.to_string());
        next = error.source();
    }
    Judged::new(AttemptClass::Unsent, step).because(detail)
}

/// Adds what was seen of the receiver.
fn seen(
    mut report: AttemptReport,
    result: &Result<Response, EgressError>,
    secrets: &Secrets,
) -> AttemptReport {
    match result {
        Ok(response) => {
            report = report.with_http_status(response.status).with_peer(response.peer.to_string());
            if !response.body.is_empty() {
                report = report.with_answer(secrets.withheld_from(&response.body, response.truncated));
            }
        }
        Err(error) => {
            let Some(failure) = error.failure() else { return report };
            if let Some(peer) = failure.peer() {
                report = report.with_peer(peer.to_string());
            }
            if let Some(status) = failure.status() {
                report = report.with_http_status(status);
            }
        }
    }
    report
}
