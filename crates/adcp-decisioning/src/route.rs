//! From a tool's name to the method that answers it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use adcp_core::{AdcpError, field_path};
use adcp_types::json::{FromJson, JsonObject};
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::ctx::Ctx;
use crate::decision::{Answer, IntoAnswer};
use crate::generated::routes;
use crate::hook::{Hook, Made};

type Run = Arc<dyn Fn(Ctx, Value) -> BoxFuture<'static, Result<Answer, AdcpError>> + Send + Sync>;

/// A mounted tool.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) spec: &'static ToolSpec,
    pub(crate) run: Run,
    /// What is special to the tool.
    pub(crate) hook: &'static dyn Hook,
    /// Answers instead of `ACCOUNT_NOT_FOUND`.
    pub(crate) no_account: Option<fn() -> JsonObject>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.spec.name).finish()
    }
}

impl Route {
    /// A route that decodes the request, calls `method` on `seller`, and erases what it answers.
    pub(crate) fn new<S, Q, A, M, Fut>(spec: &'static ToolSpec, seller: &Arc<S>, method: M) -> Self
    where
        S: Send + Sync + 'static,
        Q: FromJson,
        A: IntoAnswer,
        M: Fn(Arc<S>, Ctx, Q) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<A, AdcpError>> + Send + 'static,
    {
        let seller = Arc::clone(seller);
        let run: Run = Arc::new(move |ctx, body| {
            let seller = Arc::clone(&seller);
            match decode(body) {
                Ok(request) => method(seller, ctx, request).map(|done| done.map(A::into_answer)).boxed(),
                Err(error) => std::future::ready(Err(error)).boxed(),
            }
        });
        Self { spec, run, hook: routes::hook(spec.name), no_account: None }
    }

    /// A route that the SDK answers itself; `method` gives a body with its status.
    pub(crate) fn own<M, Fut>(spec: &'static ToolSpec, method: M) -> Self
    where
        M: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<JsonObject, AdcpError>> + Send + 'static,
    {
        let run: Run = Arc::new(move |ctx, body| method(ctx, body).map(|done| done.map(Answer::Own)).boxed());
        Self { spec, run, hook: routes::hook(spec.name), no_account: None }
    }

    /// Lets `first` answer before the method is called.
    pub(crate) fn first(mut self, first: fn(&Ctx, &Value) -> Option<JsonObject>) -> Self {
        let run = self.run;
        self.run = Arc::new(move |ctx, body| match first(&ctx, &body) {
            Some(answer) => std::future::ready(Ok(Answer::Done(Made::new(answer)))).boxed(),
            None => run(ctx, body),
        });
        self
    }

    /// Lets `answer` stand in for `ACCOUNT_NOT_FOUND`.
    pub(crate) fn no_account(mut self, answer: fn() -> JsonObject) -> Self {
        self.no_account = Some(answer);
        self
    }
}

/// Decodes a request, naming the field that does not fit.
pub(crate) fn decode<T: FromJson>(body: Value) -> Result<T, AdcpError> {
    T::from_json(body).map_err(|error| {
        let message = format!("expected {}", error.expected());
        match field_path(error.pointer()) {
            field if field.is_empty() => AdcpError::new(adcp_types::ErrorCode::INVALID_REQUEST, message),
            field => AdcpError::invalid_request(field, message),
        }
    })
}
