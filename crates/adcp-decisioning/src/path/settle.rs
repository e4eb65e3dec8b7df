//! Last: the answer is checked, recorded and wrapped.

use std::sync::Arc;

use adcp_core::{AdcpError, SettleCall, Settlement, TaskStatus, Ticket};
use adcp_schemas::Part;
use adcp_types::envelope::FIELDS;
use adcp_types::json::JsonObject;
use adcp_types::tools::ToolSpec;
use serde_json::Value;

use super::decide::{Decided, Said};
use super::envelope::Envelope;
use super::{task, validate};
use crate::agent::Reply;
use crate::decision::Answer;
use crate::generated::routes;
use crate::parts::Parts;

pub(super) async fn settle(
    parts: &Arc<Parts>,
    decided: Decided,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let Decided { spec, owner, ticket, at_once, said } = decided;
    match said {
        Said::Answer(Answer::Done(body)) => {
            let message = checked(spec, Part::Response, TaskStatus::Completed, body, envelope);
            record(parts, ticket, message, envelope).await
        }
        Said::Answer(Answer::Own(body)) => {
            let message = Value::Object(envelope.wrap(body));
            validate::answer(spec, Part::Response, &message)?;
            Ok(Reply::new(object(message), false))
        }
        Said::Answer(Answer::NeedsInput(body)) => {
            let message = checked(spec, Part::InputRequired, TaskStatus::InputRequired, body, envelope);
            close(parts, ticket, Settlement::Released).await;
            message.map(|message| Reply::new(message, false))
        }
        Said::Answer(Answer::Task(work)) => {
            if let Some(field) = at_once {
                tracing::error!(tool = spec.name, field, "a request for an answer at once was handed off");
                close(parts, ticket, Settlement::Released).await;
                return Err(AdcpError::invalid_request(field, "this cannot be answered at once")
                    .with_suggestion("ask in brief mode, or narrow the request"));
            }
            let Some(owner) = owner else {
                tracing::error!(tool = spec.name, "a call without a caller cannot become a task");
                return Err(AdcpError::unavailable());
            };
            task::start(parts, task::Start { spec, owner, ticket, work }, envelope).await
        }
        Said::Error(error) => {
            close(parts, ticket, Settlement::Released).await;
            Err(error)
        }
        Said::Panicked => {
            close(parts, ticket, Settlement::Fenced).await;
            Err(AdcpError::unavailable())
        }
    }
}

/// The whole message, if it is one that may leave.
fn checked(
    spec: &'static ToolSpec,
    part: Part,
    status: TaskStatus,
    mut body: JsonObject,
    envelope: &Envelope,
) -> Result<JsonObject, AdcpError> {
    refuse_envelope_names(spec, &body)?;
    body.insert("status".into(), status.as_str().into());
    let message = Value::Object(envelope.wrap(body));
    validate::answer(spec, part, &message)?;
    Ok(object(message))
}

/// An adopter's answer has no say in the envelope: not by accident, and not by a buyer's echoed fields.
pub(super) fn refuse_envelope_names(spec: &'static ToolSpec, body: &JsonObject) -> Result<(), AdcpError> {
    let own = routes::says(spec.name);
    match FIELDS.iter().find(|name| body.contains_key(**name) && !own.contains(name)) {
        None => Ok(()),
        Some(name) => {
            tracing::error!(
                tool = spec.name,
                field = name,
                "the adopter's answer contains an envelope field"
            );
            Err(AdcpError::unavailable())
        }
    }
}

/// Records a success. An invalid answer is never one: its key is fenced, since the adopter has acted.
async fn record(
    parts: &Arc<Parts>,
    ticket: Option<Ticket>,
    message: Result<JsonObject, AdcpError>,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let message = match message {
        Ok(message) => message,
        Err(error) => {
            close(parts, ticket, Settlement::Fenced).await;
            return Err(error);
        }
    };
    if let Some(ticket) = ticket {
        let recorded = envelope.unwrap(&message);
        parts.registry.settle_call(SettleCall::new(ticket, Settlement::Replied(recorded))).await.map_err(
            |error| {
                tracing::error!(error = &error as &dyn std::error::Error, "an answer was not recorded");
                AdcpError::from(error)
            },
        )?;
    }
    Ok(Reply::new(message, false))
}

/// Releases or fences a key. When even that fails, the key stays in flight until it expires.
pub(super) async fn close(parts: &Arc<Parts>, ticket: Option<Ticket>, settlement: Settlement) {
    let Some(ticket) = ticket else { return };
    if let Err(error) = parts.registry.settle_call(SettleCall::new(ticket, settlement)).await {
        tracing::error!(error = &error as &dyn std::error::Error, "an idempotency key was not settled");
    }
}

pub(super) fn object(message: Value) -> JsonObject {
    match message {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
