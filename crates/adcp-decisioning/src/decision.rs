//! What an adopter's method may answer.

use adcp_types::json::{JsonObject, ToJson};
use serde_json::Value;

use crate::handoff::{Errand, Handoff, Work, Workflow};
use crate::hook::Made;
use crate::job::{JobHandoff, Order};
use crate::proposal::Offer;

/// An answer now, or a task that will have it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Decision<T> {
    /// The answer.
    Done(T),
    /// A task whose result is the answer; made by [`Ctx::handoff_to_task`](crate::Ctx::handoff_to_task).
    Task(Handoff<T>),
    /// A task that another system ends; made by [`Ctx::handoff_to_workflow`](crate::Ctx::handoff_to_workflow).
    Workflow(Workflow<T>),
    /// A task that any replica can do; made by [`Ctx::handoff_to_job`](crate::Ctx::handoff_to_job).
    Job(JobHandoff<T>),
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
    /// A task that another system ends.
    Workflow(Workflow<T>),
    /// A task that any replica can do.
    Job(JobHandoff<T>),
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

impl<T> From<Workflow<T>> for Decision<T> {
    fn from(workflow: Workflow<T>) -> Self {
        Self::Workflow(workflow)
    }
}

impl<T> From<JobHandoff<T>> for Decision<T> {
    fn from(job: JobHandoff<T>) -> Self {
        Self::Job(job)
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

impl<T, P> From<Workflow<T>> for Interactive<T, P> {
    fn from(workflow: Workflow<T>) -> Self {
        Self::Workflow(workflow)
    }
}

impl<T, P> From<JobHandoff<T>> for Interactive<T, P> {
    fn from(job: JobHandoff<T>) -> Self {
        Self::Job(job)
    }
}

/// A decision without its type: what dispatch carries.
pub(crate) enum Answer {
    Done(Made),
    /// A tool of the SDK itself, which decides its own status.
    Own(JsonObject),
    NeedsInput(JsonObject),
    Task(Work),
    Workflow(Errand),
    Job(Order),
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

impl<T: Makes + Send + Sync + 'static> IntoAnswer for Decision<T> {
    fn into_answer(self) -> Answer {
        match self {
            Self::Done(answer) => Answer::Done(answer.made()),
            Self::Task(handoff) => Answer::Task(handoff.erase()),
            Self::Workflow(workflow) => Answer::Workflow(workflow.erase()),
            Self::Job(job) => Answer::Job(job.erase()),
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

impl<T: Makes + Send + Sync + 'static, P: ToJson> IntoAnswer for Interactive<T, P> {
    fn into_answer(self) -> Answer {
        match self {
            Self::Done(answer) => Answer::Done(answer.made()),
            Self::Task(handoff) => Answer::Task(handoff.erase()),
            Self::Workflow(workflow) => Answer::Workflow(workflow.erase()),
            Self::Job(job) => Answer::Job(job.erase()),
            Self::NeedsInput(question) => Answer::NeedsInput(encode(&question)),
        }
    }
}

/// A result on its way to the buyer and the store. Answers that have something behind them say what.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no answer of a tool",
    label = "expected the success struct of a tool"
)]
pub(crate) trait Makes {
    fn made(&self) -> Made;
}

impl<T: ToJson> Makes for T {
    fn made(&self) -> Made {
        Made::new(encode(self))
    }
}

/// A struct as its JSON object. The generated types encode to nothing else.
pub(crate) fn encode<T: ToJson>(value: &T) -> JsonObject {
    match value.to_json() {
        Value::Object(object) => object,
        other => JsonObject::from_iter([("value".to_owned(), other)]),
    }
}
