//! The adopter decides.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use adcp_core::{AdcpError, Owner, Ticket};
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;

use super::claim::First;
use crate::ctx::Ctx;
use crate::decision::Answer;
use crate::parts::Parts;

/// What the adopter said, with what is needed to record it.
pub(super) struct Decided {
    pub(super) spec: &'static ToolSpec,
    pub(super) owner: Option<Owner>,
    pub(super) ticket: Option<Ticket>,
    /// The field by which the request asked for an answer at once.
    pub(super) at_once: Option<&'static str>,
    pub(super) said: Said,
}

pub(super) enum Said {
    Answer(Answer),
    Error(AdcpError),
    /// It panicked: nobody knows what it did before.
    Panicked,
}

pub(super) async fn decide(parts: &Arc<Parts>, first: First) -> Decided {
    let First { acting, key, ticket } = first;
    let owner = acting.owner();
    let spec = acting.route.spec;
    let at_once = acting.route.at_once.and_then(|field_of| field_of(&acting.arguments));
    let ctx = Ctx {
        parts: Arc::clone(parts),
        tool: spec,
        caller: acting.caller,
        account: acting.account,
        idempotency_key: key,
    };
    let (run, arguments) = (acting.route.run, acting.arguments);
    // The closure itself runs adopter code before its first await, so it is made inside the guard.
    let said = AssertUnwindSafe(async move { run(ctx, arguments).await }).catch_unwind().await;
    let said = match said {
        Ok(Ok(answer)) => Said::Answer(answer),
        Ok(Err(error)) => Said::Error(error),
        Err(_) => {
            tracing::error!(tool = spec.name, "the adopter's method panicked");
            Said::Panicked
        }
    };
    Decided { spec, owner, ticket, at_once, said }
}
