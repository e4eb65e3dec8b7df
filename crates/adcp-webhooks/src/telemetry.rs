//! What is counted and measured beside what an agent counts of its registry: how long the queue is, and which writes came
//! too late. No name holds a url, a key or a tenant: their number has no bound.

use std::time::Duration;

use adcp_core::{AttemptClass, DeadReason, Verdict};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::attempt::Tried;

const ATTEMPTS: &str = "adcp_webhook_attempts_total";
const TOOK: &str = "adcp_webhook_attempt_seconds";
const WAITED: &str = "adcp_webhook_first_attempt_delay_seconds";
const DELIVERED: &str = "adcp_webhook_delivered_total";
const DEAD: &str = "adcp_webhook_dead_letters_total";
const PAUSED: &str = "adcp_webhook_endpoints_paused";

/// What attempts come to here: all that is known.
const CLASSES: [AttemptClass; 13] = [
    AttemptClass::Delivered,
    AttemptClass::Unauthorized,
    AttemptClass::Gone,
    AttemptClass::Refused,
    AttemptClass::Redirected,
    AttemptClass::Throttled,
    AttemptClass::ServerError,
    AttemptClass::Timeout,
    AttemptClass::Connection,
    AttemptClass::Tls,
    AttemptClass::Garbage,
    AttemptClass::Forbidden,
    AttemptClass::Unsent,
];

/// Why events are given up here.
const REASONS: [DeadReason; 8] = [
    DeadReason::Exhausted,
    DeadReason::Gone,
    DeadReason::Refused,
    DeadReason::SignatureRejected,
    DeadReason::Redirected,
    DeadReason::ForbiddenAddress,
    DeadReason::Unsealable,
    DeadReason::Corrupt,
];

/// Says what each is, for exporters that show it, and begins every counter at zero.
pub(crate) fn describe() {
    describe_counter!(ATTEMPTS, "attempts to deliver a webhook, by what they came to");
    describe_histogram!(TOOK, Unit::Seconds, "how long an attempt took");
    describe_histogram!(WAITED, Unit::Seconds, "from queueing an event to its first attempt");
    describe_counter!(DELIVERED, "events that their receivers have");
    describe_counter!(DEAD, "events that were given up, by reason");
    describe_gauge!(PAUSED, "endpoints that are left in peace, of tenants with recent events");
    // A counter that comes into being with its first event shows no rise then.
    for class in CLASSES {
        counter!(ATTEMPTS, "class" => class.as_str()).increment(0);
    }
    for reason in REASONS {
        dead(reason, 0);
    }
    counter!(DELIVERED).increment(0);
}

pub(crate) fn recorded(tried: Option<&Tried>, verdict: Verdict) {
    if let Some(tried) = tried {
        counter!(ATTEMPTS, "class" => tried.report.class.as_str()).increment(1);
        histogram!(TOOK).record(tried.report.took.as_secs_f64());
    }
    match verdict {
        Verdict::Delivered => counter!(DELIVERED).increment(1),
        Verdict::Dead(reason) => dead(reason, 1),
        Verdict::Again { .. } | Verdict::Deferred { .. } => {}
    }
}

pub(crate) fn dead(reason: DeadReason, count: u64) {
    counter!(DEAD, "reason" => reason.as_str()).increment(count);
}

pub(crate) fn first_attempt(waited: Duration) {
    histogram!(WAITED).record(waited.as_secs_f64());
}

pub(crate) fn paused(endpoints: usize) {
    gauge!(PAUSED).set(to_f64(endpoints));
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// As much of a key as logs may show.
pub(crate) fn short(key: &str) -> &str {
    key.get(..12).unwrap_or(key)
}
