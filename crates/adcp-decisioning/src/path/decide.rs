//! The adopter decides.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use adcp_core::{AdcpError, Effects, Owner, Registration, Ticket, fault};
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use serde_json::Value;

use super::prepare::Ready;
use crate::ctx::Ctx;
use crate::decision::Answer;
use crate::hook::{Hook, Made, Plan};
use crate::incident::Incident;
use crate::parts::Parts;
use crate::proposal::while_held;

/// What the adopter said, with what is needed to record it.
pub(super) struct Decided {
    pub(super) asked: Asked,
    pub(super) owner: Option<Owner>,
    pub(super) ticket: Option<Ticket>,
    /// The field by which the request asked for an answer at once.
    pub(super) at_once: Option<&'static str>,
    pub(super) said: Said,
}

/// What was asked, as far as its answer depends on it.
pub(super) struct Asked {
    pub(super) spec: &'static ToolSpec,
    pub(super) hook: &'static dyn Hook,
    pub(super) request: Value,
    pub(super) effects: Effects,
}

pub(super) enum Said {
    Answer(Answer),
    Error(AdcpError),
    /// It panicked: nobody knows what it did before.
    Panicked(AdcpError),
}

pub(super) async fn decide(parts: &Arc<Parts>, ready: Ready, notify: Option<Registration>) -> Decided {
    let Ready { acting, key, ticket, plan } = ready;
    let owner = acting.owner();
    let Plan { request, effects, proposals, time } = plan;
    let effects = effects.with_notify(notify);
    let (spec, hook) = (acting.route.spec, acting.route.hook);
    let at_once = hook.at_once(&request);
    let ctx = Ctx {
        parts: Arc::clone(parts),
        tool: spec,
        caller: acting.caller,
        account: acting.account,
        idempotency_key: key,
        proposals: proposals.into(),
    };
    let (run, arguments) = (acting.route.run, request.clone());
    // The closure itself runs adopter code before its first await, so it is made inside the guard.
    let method = AssertUnwindSafe(async move { run(ctx, arguments).await }).catch_unwind();
    let method = while_held(parts, &effects, method);
    fault::point("before-decide");
    let said = match time {
        None => Some(method.await),
        Some(time) => tokio::time::timeout(time, method).await.ok(),
    };
    fault::point("after-decide");
    let said = match said {
        Some(Ok(Ok(answer))) => Said::Answer(answer),
        Some(Ok(Err(error))) => Said::Error(error),
        Some(Err(_)) => {
            let incident = Incident::new();
            tracing::error!(
                correlation_id = incident.id(),
                tool = spec.name,
                "the adopter's method panicked"
            );
            Said::Panicked(incident.error())
        }
        None => match hook.late(&request) {
            Some(body) => Said::Answer(Answer::Done(Made::new(body))),
            None => Said::Error(AdcpError::unavailable()),
        },
    };
    Decided { asked: Asked { spec, hook, request, effects }, owner, ticket, at_once, said }
}
