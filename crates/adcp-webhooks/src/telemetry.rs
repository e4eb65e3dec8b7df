//! What is counted and measured beside what an agent counts of its registry: how long the queue is, and which writes came
//! too late. No name holds a url, a key or a tenant: their number has no bound.

use std::time::Duration;

use adcp_core::{DeadReason, Verdict};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::attempt::Tried;

const ATTEMPTS: &str = "adcp_webhook_attempts_total";
const TOOK: &str = "adcp_webhook_attempt_seconds";
const WAITED: &str = "adcp_webhook_first_attempt_delay_seconds";
const DELIVERED: &str = "adcp_webhook_delivered_total";
const DEAD: &str = "adcp_webhook_dead_letters_total";
const PAUSED: &str = "adcp_webhook_endpoints_paused";

/// Says what each is, for exporters that show it.
pub(crate) fn describe() {
    describe_counter!(ATTEMPTS, "attempts to deliver a webhook, by what they came to");
    describe_histogram!(TOOK, Unit::Seconds, "how long an attempt took");
    describe_histogram!(WAITED, Unit::Seconds, "from queueing an event to its first attempt");
    describe_counter!(DELIVERED, "events that their receivers have");
    describe_counter!(DEAD, "events that were given up, by reason");
    describe_gauge!(PAUSED, "endpoints that are left in peace, of tenants with recent events");
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
