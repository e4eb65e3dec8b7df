//! A purchase keeps its proposal for as long as it runs.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use adcp_core::{Effects, Hold};
use futures_util::future::{Either, select};

use crate::parts::Parts;

/// Runs `work`, renewing the hold among `effects` at a third of its lease. A crash lets the hold run out.
pub(crate) async fn while_held<F: Future>(parts: &Arc<Parts>, effects: &Effects, work: F) -> F::Output {
    let Some(hold) = &effects.purchase else { return work.await };
    match select(pin!(work), pin!(renew(parts, hold))).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => match never {},
    }
}

async fn renew(parts: &Arc<Parts>, hold: &Hold) -> Infallible {
    let Some(lease) = parts.proposals.as_ref().map(|terms| terms.hold()) else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(lease / 3).await;
        if let Err(error) = parts.registry.renew_hold(hold, lease).await {
            tracing::warn!(
                proposal_id = %hold.key.id,
                error = &error as &dyn std::error::Error,
                "the hold of a purchase was not renewed"
            );
        }
    }
}
