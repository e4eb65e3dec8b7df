//! A task whose work is a job: issued with its input, and claimed by whoever has a handler for it.

use std::sync::Arc;

use adcp_core::{AdcpError, fault};

use super::envelope::Envelope;
use super::task::Start;
use crate::agent::Reply;
use crate::background::Open;
use crate::job::Ordered;
use crate::parts::Parts;

/// Issues the task with its recorded reply. It is nobody's yet, so that jobs begin in the order of the store, here
/// and elsewhere; this process is told to look.
pub(super) async fn start(
    parts: &Arc<Parts>,
    start: Start,
    _open: Open,
    ordered: Ordered,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let reply = start.reply();
    let issue = start.issue(envelope).with_deadline(ordered.deadline).as_job(ordered.order);
    start.write(parts, issue, Some(&reply)).await?;
    fault::point("after-issue");
    parts.jobs.wake();
    Ok(Reply::new(envelope.wrap(reply), false))
}
