//! What an adopter's method may answer.

use std::fmt;
use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::json::{JsonObject, ToJson};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::ctx::TaskHandle;
use crate::hook::Made;
use crate::proposal::Offer;

/// An answer now, or a task that will have it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Decision<T> {
    /// The answer.
    Done(T),
    /// A task whose result is the answer; made by [`Ctx::handoff_to_task`](crate::Ctx::handoff_to_task).
    Task(Handoff<T>),
}

/// An answer now, or a question back to the buyer; never a task.
#[derive(Debug)]
#[non_exhaustive]
pub enum Asking<T, P> {
    /// The answer.
    Done(T),
    /// The buyer must say more first.
    NeedsInput(P),
}

/// An answer now, a task, or a question back to the buyer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Interactive<T, P> {
    /// The answer.
    Done(T),
    /// A task whose result is the answer.
    Task(Handoff<T>),
    /// The buyer must say more first.
    NeedsInput(P),
}

/// What a discovery tool may answer: an alias per tool, found by its response type.
pub type Discovery<T> = <T as Discover>::Answer;

/// The response of a discovery tool.
pub trait Discover {
    /// What its method may answer.
    type Answer;
}

impl Discover for adcp_types::media_buy::GetProductsResponse {
    type Answer = Interactive<Offer, adcp_types::media_buy::GetProductsInputRequired>;
}

impl Discover for adcp_types::signals::GetSignalsResponse {
    type Answer = Decision<Self>;
}

impl<T> From<T> for Decision<T> {
    fn from(answer: T) -> Self {
        Self::Done(answer)
    }
}

impl<T> From<Handoff<T>> for Decision<T> {
    fn from(handoff: Handoff<T>) -> Self {
        Self::Task(handoff)
    }
}

impl<T, P> From<T> for Asking<T, P> {
    fn from(answer: T) -> Self {
        Self::Done(answer)
    }
}

impl<T, P> From<T> for Interactive<T, P> {
    fn from(answer: T) -> Self {
        Self::Done(answer)
    }
}

impl<T, P> From<Handoff<T>> for Interactive<T, P> {
    fn from(handoff: Handoff<T>) -> Self {
        Self::Task(handoff)
    }
}

type Work<T> = Box<dyn FnOnce(TaskHandle) -> BoxFuture<'static, Result<T, AdcpError>> + Send>;

/// Work that continues after the buyer was told `submitted`. Only [`Ctx`](crate::Ctx) makes one.
pub struct Handoff<T>(Work<T>);

impl<T> Handoff<T> {
    pub(crate) fn new<F, Fut>(work: F) -> Self
    where
        F: FnOnce(TaskHandle) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, AdcpError>> + Send + 'static,
    {
        Self(Box::new(|task| work(task).boxed()))
    }
}

impl<T> fmt::Debug for Handoff<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handoff(…)")
    }
}

/// A decision without its type: what dispatch carries.
pub(crate) enum Answer {
    Done(Made),
    /// A tool of the SDK itself, which decides its own status.
    Own(JsonObject),
    NeedsInput(JsonObject),
    Task(Work<Made>),
}

/// A method's return value, on its way to an [`Answer`].
pub(crate) trait IntoAnswer {
    fn into_answer(self) -> Answer;
}

/// Plain tools answer with their response and nothing else.
pub(crate) struct Plain<T>(pub(crate) T);

impl<T: ToJson> IntoAnswer for Plain<T> {
    fn into_answer(self) -> Answer {
        Answer::Done(self.0.made())
    }
}

impl<T: Makes + 'static> IntoAnswer for Decision<T> {
    fn into_answer(self) -> Answer {
        match self {
            Self::Done(answer) => Answer::Done(answer.made()),
            Self::Task(handoff) => Answer::Task(erase(handoff)),
        }
    }
}

impl<T: Makes, P: ToJson> IntoAnswer for Asking<T, P> {
    fn into_answer(self) -> Answer {
        match self {
            Self::Done(answer) => Answer::Done(answer.made()),
            Self::NeedsInput(question) => Answer::NeedsInput(encode(&question)),
        }
    }
}

impl<T: Makes + 'static, P: ToJson> IntoAnswer for Interactive<T, P> {
    fn into_answer(self) -> Answer {
        match self {
            Self::Done(answer) => Answer::Done(answer.made()),
            Self::Task(handoff) => Answer::Task(erase(handoff)),
            Self::NeedsInput(question) => Answer::NeedsInput(encode(&question)),
        }
    }
}

fn erase<T: Makes + 'static>(handoff: Handoff<T>) -> Work<Made> {
    Box::new(move |task| (handoff.0)(task).map(|done| done.map(|answer| answer.made())).boxed())
}

/// A result on its way to the buyer and the store. Answers that have something behind them say what.
pub(crate) trait Makes {
    fn made(&self) -> Made;
}

impl<T: ToJson> Makes for T {
    fn made(&self) -> Made {
        Made::new(encode(self))
    }
}

/// A struct as its JSON object. The generated types encode to nothing else.
fn encode<T: ToJson>(value: &T) -> JsonObject {
    match value.to_json() {
        Value::Object(object) => object,
        other => JsonObject::from_iter([("value".to_owned(), other)]),
    }
}
