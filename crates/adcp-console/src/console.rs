//! Which request is which.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use adcp_core::{EventKey, Registry, TenantId, json};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tower_service::Service;

use crate::operator::{Operator, Operators};
use crate::problem::{Problem, json_answer};
use crate::query::{FILTERS, Query, decode};
use crate::{deliveries, endpoints, redeliver};

/// The largest body, in bytes. None says anything yet.
const MAX_BODY: usize = 4096;

/// Answers operators, from a registry.
///
/// It is a tower service over whole requests, and [`answer`](Self::answer) is the same as a plain function. Clones share
/// everything.
#[derive(Debug, Clone)]
pub struct Console {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Arc<dyn Registry>,
    operators: Operators,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Deliveries,
    Delivery(EventKey),
    Endpoints,
    Redeliver(EventKey),
    RedeliverMatching,
}

impl Console {
    /// Where it is mounted: every path that it answers begins so.
    pub const PREFIX: &str = "/admin";

    /// Shows these operators what is in a registry.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>, operators: Operators) -> Self {
        Self { inner: Arc::new(Inner { registry, operators }) }
    }

    /// Answers one request, whatever it is.
    ///
    /// # Cancel safety
    ///
    /// A redelivery whose future is dropped is queued or is not; asking again tells which.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        match self.inner.answer(&request).await {
            Ok((status, body)) => json_answer(status, "application/json", &body),
            Err(problem) => problem.answer(),
        }
    }
}

impl Service<Request<Bytes>> for Console {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let console = self.clone();
        Box::pin(async move { Ok(console.answer(request).await) })
    }
}

impl Inner {
    async fn answer(&self, request: &Request<Bytes>) -> Result<(StatusCode, Value), Problem> {
        let operator = self.operators.of_request(request.headers()).map_err(|stranger| {
            tracing::debug!(?stranger, "refused a request that is no operator's");
            Problem::Unauthenticated(stranger)
        })?;
        let asked = Asked::of(request)?;
        if asked.writes() && !operator.may_write() {
            tracing::warn!(operator = operator.name(), "refused a write of an operator who may only read");
            return Err(Problem::ReadOnly { operator: operator.name().to_owned() });
        }
        check_body(request.body())?;
        let query = Query::parse(request.uri().query(), asked.names())?;
        let tenant = asked.tenant(operator, &query)?;
        let registry = &*self.registry;
        Ok(match asked {
            Asked::Deliveries => (StatusCode::OK, deliveries::list(registry, tenant, &query).await?),
            Asked::Delivery(key) => (StatusCode::OK, deliveries::read(registry, tenant, &key).await?),
            Asked::Endpoints => (StatusCode::OK, endpoints::list(registry, tenant, &query).await?),
            Asked::Redeliver(key) => {
                (StatusCode::ACCEPTED, redeliver::one(registry, operator, tenant, &key).await?)
            }
            Asked::RedeliverMatching => {
                (StatusCode::ACCEPTED, redeliver::matching(registry, operator, tenant, &query).await?)
            }
        })
    }
}

impl Asked {
    /// Reads path and method. An id is one segment, decoded after the path was cut, so that it may hold anything.
    fn of(request: &Request<Bytes>) -> Result<Self, Problem> {
        let path = request.uri().path().strip_prefix(Console::PREFIX).ok_or(Problem::NoSuchPath)?;
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let key = |segment: &str| decode(segment).map(EventKey::stored).ok_or(Problem::UnknownDelivery);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let writes = request.method() == Method::POST;
        match segments[..] {
            ["deliveries"] if reads => Ok(Self::Deliveries),
            ["endpoints"] if reads => Ok(Self::Endpoints),
            ["deliveries" | "endpoints"] => Err(Problem::Method { allow: "GET, HEAD" }),
            ["deliveries", "redeliver"] if writes => Ok(Self::RedeliverMatching),
            ["deliveries", ""] | ["deliveries", "", _] => Err(Problem::NoSuchPath),
            ["deliveries", id] if reads => Ok(Self::Delivery(key(id)?)),
            ["deliveries", "redeliver"] => Err(Problem::Method { allow: "GET, HEAD, POST" }),
            ["deliveries", _] => Err(Problem::Method { allow: "GET, HEAD" }),
            ["deliveries", id, "redeliver"] if writes => Ok(Self::Redeliver(key(id)?)),
            ["deliveries", _, "redeliver"] => Err(Problem::Method { allow: "POST" }),
            _ => Err(Problem::NoSuchPath),
        }
    }

    const fn writes(&self) -> bool {
        matches!(self, Self::Redeliver(_) | Self::RedeliverMatching)
    }

    /// What the query may hold.
    const fn names(&self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Deliveries => &[&["tenant"], &FILTERS, &["limit", "cursor"]],
            Self::Endpoints => &[&["tenant", "paused", "limit", "cursor"]],
            Self::RedeliverMatching => &[&["tenant"], &FILTERS, &["all", "limit"]],
            Self::Delivery(_) | Self::Redeliver(_) => &[&["tenant"]],
        }
    }

    /// Whose things are meant. Another tenant's read as unknown, whether there is such a tenant or not.
    fn tenant(&self, operator: &Operator, query: &Query) -> Result<TenantId, Problem> {
        let Some(tenant) = query.one("tenant")?.map(TenantId::new) else {
            let several = || Problem::field("tenant", "must say which of the operator's tenants is meant");
            return operator.own_tenant().ok_or_else(several);
        };
        if operator.is_of(&tenant) {
            return Ok(tenant);
        }
        Err(match self {
            Self::Delivery(_) | Self::Redeliver(_) => Problem::UnknownDelivery,
            Self::Deliveries | Self::Endpoints | Self::RedeliverMatching => Problem::UnknownTenant,
        })
    }
}

/// What is meant stands in the path and the query. Whoever says it in a body would otherwise mean more than is done.
fn check_body(body: &Bytes) -> Result<(), Problem> {
    if body.len() > MAX_BODY {
        return Err(Problem::TooLarge { limit: MAX_BODY });
    }
    if body.is_empty() {
        return Ok(());
    }
    match json::parse(body, &json::Limits::new().with_max_bytes(MAX_BODY).with_max_depth(1)) {
        Ok(Value::Object(fields)) if fields.is_empty() => Ok(()),
        _ => Err(Problem::field("body", "is empty or {}: what is meant stands in the path and the query")),
    }
}
