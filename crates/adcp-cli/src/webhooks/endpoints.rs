//! `adcp webhooks endpoints`: which receivers are left in peace.

use adcp_console::endpoint_json;
use adcp_core::{
    AttemptClass, BreakerState, Clock as _, EndpointRecord, ListEndpoints, SystemClock, Timestamp,
};

use super::{open, span};
use crate::args::EndpointsArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::{registry, table};

pub(super) async fn run(args: &EndpointsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (registry, tenant) = open(&args.outbox).await?;
    let limit = usize::from(args.limit);
    // One more than asked for tells whether more follow.
    let mut request = ListEndpoints::new(tenant).with_limit(limit + 1);
    if args.paused {
        request = request.paused();
    }
    if let Some(after) = &args.after {
        request = request.after(after.clone());
    }
    let mut found = registry.endpoints(request).await.map_err(registry::failure)?;
    let more = found.len() > limit;
    found.truncate(limit);
    if args.json {
        terminal.json(&found.iter().map(endpoint_json).collect(), false)?;
        return Ok(Exit::Done);
    }
    let Some(last) = found.last() else {
        say("no receiver is like that");
        return Ok(Exit::Done);
    };
    let now = SystemClock::new().now();
    let rows: Vec<[String; 6]> = found.iter().map(|endpoint| row(endpoint, now)).collect();
    table::print(["ENDPOINT", "BREAKER", "FAILURES", "NEXT", "LAST", "CHANGED"], &rows, terminal)?;
    if more {
        say(&format!("more follow; go on with --after {}", tame(last.endpoint.as_str())));
    }
    Ok(Exit::Done)
}

fn row(record: &EndpointRecord, now: Timestamp) -> [String; 6] {
    let breaker = &record.breaker;
    let next = match (breaker.state, breaker.until) {
        (BreakerState::Closed, _) => "-".to_owned(),
        (_, Some(until)) if until > now => format!("in {}", span(until.since(now).as_secs())),
        _ => "now".to_owned(),
    };
    [
        record.endpoint.to_string(),
        breaker.state.as_str().to_owned(),
        breaker.failures.to_string(),
        next,
        record.last.map_or("-", AttemptClass::as_str).to_owned(),
        format!("{} ago", span(now.since(record.changed_at).as_secs())),
    ]
}
