//! The one path of every call. Each phase returns what the next one needs, so none can be skipped.

mod account;
mod claim;
mod decide;
mod envelope;
mod gate;
mod guard;
mod job;
mod open;
mod prepare;
mod push;
mod settle;
mod task;
mod validate;
mod work;
mod workflow;

use std::sync::Arc;

use adcp_core::{AdcpError, fault};
use adcp_types::ErrorCode;
use tracing::Instrument;

use crate::agent::{Call, Reply};
use crate::parts::Parts;
use claim::Claimed;
use envelope::Envelope;

/// Answers a call in a task of its own, so that a buyer who hangs up leaves nothing half-done.
pub(crate) async fn call(parts: Arc<Parts>, call: Call) -> Reply {
    let mut envelope = Envelope::of(&call.arguments, &parts);
    let lost = envelope.clone();
    let span = tracing::info_span!("call", tool = %call.tool.chars().take(64).collect::<String>());
    let open = parts.background.call();
    let answered = tokio::spawn(
        async move {
            let _open = open;
            match run(&parts, call, &mut envelope).await {
                Ok(reply) => reply,
                Err(error) => envelope.refuse(&error),
            }
        }
        .instrument(span),
    );
    match answered.await {
        Ok(reply) => {
            // Whoever ends the process here waits until the transport has sent it.
            fault::point("after-reply");
            reply
        }
        Err(error) => {
            tracing::error!(%error, "a call was lost to a panic outside the adopter's code");
            lost.refuse(&AdcpError::unavailable())
        }
    }
}

async fn run(parts: &Arc<Parts>, call: Call, envelope: &mut Envelope) -> Result<Reply, AdcpError> {
    let opened = open::open(parts, call)?;
    envelope.serve(parts.versions.negotiate(opened.fields())?);
    let admitted = open::admit(opened)?;
    let arrived = gate::arrive(parts, admitted).await?;
    let valid = validate::request(arrived)?;
    let no_account = valid.admitted.route.no_account;
    let resolved = match (account::resolve(parts, valid).await, no_account) {
        (Err(error), Some(answer)) if *error.code() == ErrorCode::ACCOUNT_NOT_FOUND => {
            return Ok(envelope.complete(answer()));
        }
        (resolved, _) => resolved?,
    };
    let acting = gate::permit(resolved)?;
    let guarded = guard::guard(parts, acting)?;
    let claimed = match claim::claim(parts, guarded.acting).await? {
        Claimed::First(claimed) => claimed,
        Claimed::Before(reply) => return Ok(envelope.replay(reply)),
    };
    fault::point("claimed");
    let ready = prepare::prepare(parts, *claimed).await?;
    let decided = decide::decide(parts, ready, guarded.notify).await;
    settle::settle(parts, decided, envelope).await
}
