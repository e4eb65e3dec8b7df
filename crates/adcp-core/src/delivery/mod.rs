//! How queued events are delivered: claimed, sent, recorded, given up and sent again. What sends is elsewhere.

mod attempt;
mod breaker;
mod changes;
mod claim;
mod endpoint;
mod list;
mod plan;
mod record;
mod redeliver;

pub use attempt::{Attempt, AttemptClass, AttemptReport, Health, MAX_ANSWER, MAX_ATTEMPTS_KEPT};
pub use breaker::{Admission, Breaker, BreakerPolicy, BreakerState};
pub use changes::{Changes, Signal};
pub use claim::{
    ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery, DeliveryHold, ExpireDeliveries, RecordAttempt,
    RecordAttempts, Recorded, RenewDeliveries, Settled, Verdict,
};
pub use endpoint::Endpoint;
pub use list::{
    DeliveryDetail, DeliveryFilter, DeliveryPage, DeliveryPlace, EndpointRecord, ListDeliveries,
    ListEndpoints,
};
pub use plan::{ClaimPlan, DeliveryCursor, Lane, Take, Visit, plan_claims};
pub use record::{DeadReason, DeliveryRecord, DeliveryState, MAX_REDELIVERIES_KEPT, Redelivery};
pub use redeliver::{Redeliver, Redelivered, Which};
