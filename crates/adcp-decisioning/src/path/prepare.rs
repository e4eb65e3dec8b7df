//! What the call needs before the adopter decides: read, reserved and written into one plan.

use std::sync::Arc;

use adcp_core::{AdcpError, Effects, Ticket};
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::claim::First;
use super::gate::Acting;
use super::settle;
use crate::hook::{Plan, Site};
use crate::parts::Parts;

/// A call that is ready for the adopter's method.
pub(super) struct Ready {
    pub(super) acting: Acting,
    pub(super) key: Option<String>,
    pub(super) ticket: Option<Ticket>,
    pub(super) plan: Plan,
}

pub(super) async fn prepare(parts: &Arc<Parts>, first: First) -> Result<Ready, AdcpError> {
    let First { mut acting, key, ticket } = first;
    let request = std::mem::replace(&mut acting.arguments, Value::Object(JsonObject::new()));
    let mut plan = Plan { request, effects: Effects::none(), proposals: Vec::new(), time: None };
    let owner = acting.owner();
    let site = Site { parts, owner: owner.as_ref() };
    match acting.route.hook.prepare(site, &mut plan).await {
        Ok(()) => Ok(Ready { acting, key, ticket, plan }),
        Err(error) => {
            settle::give_back(parts, ticket, owner.as_ref(), &plan.effects, &error).await;
            Err(error)
        }
    }
}
