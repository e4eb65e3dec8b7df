//! Last: the answer is checked, recorded and wrapped.

use std::sync::Arc;

use adcp_core::{
    AdcpError, Backing, Effect, Effects, Outcome, Owner, RegistryError, SettleCall, Settlement, TaskStatus,
    Ticket, fault,
};
use adcp_schemas::Part;
use adcp_types::json::JsonObject;
use adcp_types::tools::ToolSpec;
use serde_json::Value;

use super::decide::{Asked, Decided, Said};
use super::envelope::Envelope;
use super::task::{self, Carrier, Handover};
use crate::agent::Reply;
use crate::answer;
use crate::decision::Answer;
use crate::end::retrying_while_away;
use crate::hook::Made;
use crate::parts::Parts;
use crate::scrub::{scrub, scrub_error};

pub(super) async fn settle(
    parts: &Arc<Parts>,
    decided: Decided,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let Decided { asked, owner, ticket, at_once, said } = decided;
    let spec = asked.spec;
    match said {
        Said::Answer(Answer::Done(made)) => {
            // An error that is returned as an answer is an error all the same.
            if let Some(error) = answer::error_arm(spec, &made.body) {
                give_back(parts, ticket, owner.as_ref(), &asked.effects, &error).await;
                return Err(scrub_error(error));
            }
            done(parts, &asked, Owned { owner: owner.as_ref(), ticket }, made, envelope).await
        }
        Said::Answer(Answer::Own(body)) => {
            let message = Value::Object(envelope.wrap(body));
            answer::check_message(spec, Part::Response, &message).map_err(|fault| fault.log(spec))?;
            Ok(Reply::new(object(message), false))
        }
        Said::Answer(Answer::NeedsInput(mut body)) => {
            scrub(&mut body);
            let message = checked(spec, Part::InputRequired, TaskStatus::InputRequired, body, envelope);
            give_back(parts, ticket, owner.as_ref(), &asked.effects, &AdcpError::unavailable()).await;
            message.map(|message| Reply::new(message, false))
        }
        Said::Answer(Answer::Task(work)) => {
            let over = Handover { asked, owner, ticket, at_once };
            task::start(parts, over, Carrier::Function(work), envelope).await
        }
        Said::Answer(Answer::Workflow(errand)) => {
            let over = Handover { asked, owner, ticket, at_once };
            task::start(parts, over, Carrier::Elsewhere(errand), envelope).await
        }
        Said::Answer(Answer::Job(order)) => {
            let over = Handover { asked, owner, ticket, at_once };
            task::start(parts, over, Carrier::Anybody(order), envelope).await
        }
        Said::Error(error) => {
            let error = scrub_error(error);
            give_back(parts, ticket, owner.as_ref(), &asked.effects, &error).await;
            Err(error)
        }
        Said::Panicked(error) => {
            fence(parts, ticket, owner.as_ref(), &asked.effects, &error).await;
            Err(error)
        }
    }
}

/// Whose call it is, and the claim of its key.
struct Owned<'a> {
    owner: Option<&'a Owner>,
    ticket: Option<Ticket>,
}

/// Records a success with its effects. An invalid answer is never one: its key is fenced, since the adopter acted.
async fn done(
    parts: &Arc<Parts>,
    asked: &Asked,
    owned: Owned<'_>,
    made: Made,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let Owned { owner, ticket } = owned;
    let spec = asked.spec;
    let checked = asked.hook.finish(&asked.effects, Some(&asked.request), made).and_then(|made| {
        let Made { mut body, backing } = made;
        scrub(&mut body);
        // Most answers do nothing but answer: only what has effects is looked at again.
        let kept = (asked.effects != Effects::none()).then(|| body.clone());
        let message = checked(spec, Part::Response, TaskStatus::Completed, body, envelope)?;
        Ok((kept, backing, message))
    });
    let (kept, backing, message) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            fence(parts, ticket, owner, &asked.effects, &error).await;
            return Err(error);
        }
    };
    let effects = owner.zip(kept).map_or_else(Vec::new, |(owner, body)| {
        asked.effects.on_ledger(owner, &Outcome::Completed(body), &backing, parts.clock.now())
    });
    if ticket.is_some() || !effects.is_empty() {
        let recorded = Settlement::Replied(envelope.unwrap(&message));
        let settle = SettleCall::new(ticket, recorded).applying(effects);
        fault::point("settle-before");
        let settled = retrying_while_away(|| parts.registry.settle_call(settle.clone())).await;
        fault::point("settle-after");
        settled.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "an answer was not recorded");
            match error {
                // Another request was quicker with one of the drafts.
                RegistryError::Proposal(refusal) if !asked.effects.finalizes.is_empty() => {
                    refusal.error("refine")
                }
                error => AdcpError::from(error),
            }
        })?;
    }
    Ok(Reply::new(message, false))
}

/// Frees the key of a call that failed without effect, and gives back what it reserved.
pub(super) async fn give_back(
    parts: &Arc<Parts>,
    ticket: Option<Ticket>,
    owner: Option<&Owner>,
    effects: &Effects,
    error: &AdcpError,
) {
    close(parts, ticket, Settlement::Released, failing(parts, owner, effects, error)).await;
}

/// Fences the key of a call whose effect nobody knows, and gives back what it reserved.
async fn fence(
    parts: &Arc<Parts>,
    ticket: Option<Ticket>,
    owner: Option<&Owner>,
    effects: &Effects,
    error: &AdcpError,
) {
    close(parts, ticket, Settlement::Fenced, failing(parts, owner, effects, error)).await;
}

/// Fences a key and leaves everything else as it is.
pub(super) async fn fence_key(parts: &Arc<Parts>, ticket: Option<Ticket>) {
    close(parts, ticket, Settlement::Fenced, Vec::new()).await;
}

fn failing(parts: &Arc<Parts>, owner: Option<&Owner>, effects: &Effects, error: &AdcpError) -> Vec<Effect> {
    owner.map_or_else(Vec::new, |owner| {
        effects.on_ledger(owner, &Outcome::Failed(error.clone()), &Backing::default(), parts.clock.now())
    })
}

/// The whole message, if it is one that may leave.
fn checked(
    spec: &'static ToolSpec,
    part: Part,
    status: TaskStatus,
    mut body: JsonObject,
    envelope: &Envelope,
) -> Result<JsonObject, AdcpError> {
    answer::check(spec, part, status, &body).map_err(|fault| fault.log(spec))?;
    body.insert("status".into(), status.as_str().into());
    Ok(envelope.wrap(body))
}

/// Settles what did not succeed. When even that fails, the key stays in flight until it expires, and holds run out.
async fn close(parts: &Arc<Parts>, ticket: Option<Ticket>, settlement: Settlement, effects: Vec<Effect>) {
    if ticket.is_none() && effects.is_empty() {
        return;
    }
    let settle = SettleCall::new(ticket, settlement).applying(effects);
    fault::point("release-before");
    let settled = retrying_while_away(|| parts.registry.settle_call(settle.clone())).await;
    fault::point("release-after");
    if let Err(error) = settled {
        tracing::error!(error = &error as &dyn std::error::Error, "a call was not settled");
    }
}

fn object(message: Value) -> JsonObject {
    match message {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
