//! What an answer, or its absence, means for an event. Pure.
//!
//! | What happened | Class | Then |
//! | --- | --- | --- |
//! | 2xx, also when its body never ends | delivered | delivered |
//! | 3xx | redirected | given up; nobody follows |
//! | 401 with an error of the `webhook_` family | unauthorized | given up: signature rejected |
//! | any other 401 | unauthorized | tried again |
//! | 408, 425, 429 | throttled | tried again, when the receiver asks |
//! | 410 | gone | given up |
//! | any other 4xx | refused | given up |
//! | 5xx | server error | tried again, when the receiver asks |
//! | no answer, half an answer, or none that is HTTP | timeout, connection, tls, garbage | tried again |
//! | an address that must not be called | forbidden | given up |

use std::time::Duration;

use adcp_core::{AttemptClass, DeadReason, Timestamp};
use adcp_egress::{Cause, EgressError, Failure, Response, Stage};
use adcp_signing::code_of_challenge;

use crate::location::place_of;
use crate::retry_after::retry_after;

/// Longer codes of a receiver are none.
const LONGEST_CODE: usize = 64;

/// What follows an attempt, before the schedule has its say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The receiver has it.
    Delivered,
    /// Another attempt can go well, after a wait that the receiver asked for.
    Again(Option<Duration>),
    /// No other attempt would.
    GiveUp(DeadReason),
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) class: AttemptClass,
    pub(crate) step: Step,
    pub(crate) detail: Option<String>,
}

impl Judged {
    pub(crate) const fn new(class: AttemptClass, step: Step) -> Self {
        Self { class, step, detail: None }
    }

    pub(crate) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Says what the end of an exchange means.
pub(crate) fn classify(result: &Result<Response, EgressError>, now: Timestamp) -> Judged {
    match result {
        Ok(response) => of_response(response, now),
        Err(EgressError::Failed(failure)) => of_failure(failure),
        Err(EgressError::Refused(refusal)) => {
            Judged::new(AttemptClass::Forbidden, Step::GiveUp(DeadReason::ForbiddenAddress))
                .because(refusal.to_string())
        }
        Err(error) => Judged::new(AttemptClass::Unsent, Step::Again(None)).because(error.to_string()),
    }
}

fn of_response(response: &Response, now: Timestamp) -> Judged {
    let judged = of_status(response.status);
    match (judged.class, judged.step) {
        (_, Step::Again(_)) if response.status != 401 => {
            let asked = response.header("retry-after").and_then(|text| retry_after(text, now));
            Judged { step: Step::Again(asked), ..judged }
        }
        (AttemptClass::Unauthorized, _) => match rejection(response) {
            Some(code) => Judged { step: Step::GiveUp(DeadReason::SignatureRejected), ..judged }
                .because(format!("the receiver rejects the signature: {code}")),
            None => judged,
        },
        (AttemptClass::Redirected, _) => {
            let to = response.location().map_or_else(|| "nowhere".to_owned(), place_of);
            judged.because(format!("the receiver points to {to}"))
        }
        _ => judged,
    }
}

/// The error of the signature's family that a receiver names: a short word.
fn rejection(response: &Response) -> Option<&str> {
    let challenges = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
    let mut codes = challenges.filter_map(|(_, value)| code_of_challenge(str::from_utf8(value).ok()?));
    codes.find(|code| code.starts_with("webhook_") && code.len() <= LONGEST_CODE)
}

fn of_status(status: u16) -> Judged {
    use AttemptClass as Class;
    let (class, step) = match status {
        200..=299 => (Class::Delivered, Step::Delivered),
        300..=399 => (Class::Redirected, Step::GiveUp(DeadReason::Redirected)),
        401 => (Class::Unauthorized, Step::Again(None)),
        408 | 425 | 429 => (Class::Throttled, Step::Again(None)),
        410 => (Class::Gone, Step::GiveUp(DeadReason::Gone)),
        400..=499 => (Class::Refused, Step::GiveUp(DeadReason::Refused)),
        500..=599 => (Class::ServerError, Step::Again(None)),
        _ => (Class::Garbage, Step::Again(None)),
    };
    Judged::new(class, step)
}

fn of_failure(failure: &Failure) -> Judged {
    // The head is the answer; what went wrong with its body came later.
    if let (Stage::Body, Some(status)) = (failure.stage(), failure.status()) {
        return of_status(status).because(failure.detail());
    }
    let class = match failure.cause() {
        Cause::TimedOut => AttemptClass::Timeout,
        Cause::Untrusted | Cause::NoTls => AttemptClass::Tls,
        Cause::Closed if failure.stage() == Stage::Handshake => AttemptClass::Tls,
        Cause::Malformed | Cause::TooLarge => AttemptClass::Garbage,
        _ => AttemptClass::Connection,
    };
    Judged::new(class, Step::Again(None)).because(failure.detail())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        use AttemptClass as Class;
        let dead = |reason| Step::GiveUp(reason);
        for (status, class, step) in [
            (101, Class::Garbage, Step::Again(None)),
            (200, Class::Delivered, Step::Delivered),
            (202, Class::Delivered, Step::Delivered),
            (299, Class::Delivered, Step::Delivered),
            (300, Class::Redirected, dead(DeadReason::Redirected)),
            (308, Class::Redirected, dead(DeadReason::Redirected)),
            (400, Class::Refused, dead(DeadReason::Refused)),
            (401, Class::Unauthorized, Step::Again(None)),
            (403, Class::Refused, dead(DeadReason::Refused)),
            (404, Class::Refused, dead(DeadReason::Refused)),
            (407, Class::Refused, dead(DeadReason::Refused)),
            (408, Class::Throttled, Step::Again(None)),
            (409, Class::Refused, dead(DeadReason::Refused)),
            (410, Class::Gone, dead(DeadReason::Gone)),
            (413, Class::Refused, dead(DeadReason::Refused)),
            (425, Class::Throttled, Step::Again(None)),
            (429, Class::Throttled, Step::Again(None)),
            (499, Class::Refused, dead(DeadReason::Refused)),
            (500, Class::ServerError, Step::Again(None)),
            (503, Class::ServerError, Step::Again(None)),
            (599, Class::ServerError, Step::Again(None)),
            (600, Class::Garbage, Step::Again(None)),
        ] {
            assert_eq!(of_status(status), Judged::new(class, step), "{status}");
        }
    }
}
