//! What is special to single tools: a hook is attached to a tool's row, and dispatch never learns its name.
//!
//! Every station has a default that does nothing, so a hook says only what its tool needs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, Backing, Effects, Owner, ProposalRecord};
use adcp_types::json::JsonObject;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::parts::Parts;

/// What an adopter's method or task made: the body for the buyer, and what stands behind it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    pub(crate) body: JsonObject,
    pub(crate) backing: Backing,
}

impl Made {
    pub(crate) fn new(body: JsonObject) -> Self {
        Self { body, backing: Backing::default() }
    }
}

/// What a call is about to do, as its hook changes it before the adopter's method runs.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The request as the method will see it.
    pub(crate) request: Value,
    /// What the end of the call does in the store, whichever way and whenever it ends.
    pub(crate) effects: Effects,
    /// The proposals that the request is about, for [`Ctx`](crate::Ctx).
    pub(crate) proposals: Vec<ProposalRecord>,
    /// How long the method may take; [`Hook::late`] answers instead of it.
    pub(crate) time: Option<Duration>,
}

/// Where a hook prepares a call.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) parts: &'a Arc<Parts>,
    /// Whose call it is; `None` for strangers.
    pub(crate) owner: Option<&'a Owner>,
}

/// The stations of a call at which a tool may do something special, in order.
pub(crate) trait Hook: fmt::Debug + Send + Sync {
    /// Changes a request before it is checked, for callers of older releases.
    fn adapt(&self, _request: &mut Value) {}

    /// Refuses what must be refused before the schema is asked and before anything exists.
    fn check(&self, _request: &Value) -> Result<(), AdcpError> {
        Ok(())
    }

    /// Names the field by which a request asks for an answer at once, so that it cannot become a task.
    fn at_once(&self, _request: &Value) -> Option<&'static str> {
        None
    }

    /// Reads and reserves what the call needs, after its key was claimed. On an error, what the plan's effects
    /// name by then is given back.
    fn prepare<'a>(&'a self, _site: Site<'a>, _plan: &'a mut Plan) -> BoxFuture<'a, Result<(), AdcpError>> {
        std::future::ready(Ok(())).boxed()
    }

    /// Answers in place of a method that took longer than the plan's time.
    fn late(&self, _request: &Value) -> Option<JsonObject> {
        None
    }

    /// Checks and completes what was made, at once or by a task, before it is validated and recorded. A task that
    /// is ended from outside the process has no request any more, only the effects it was issued with.
    fn finish(&self, _effects: &Effects, _request: Option<&Value>, made: Made) -> Result<Made, AdcpError> {
        Ok(made)
    }
}

/// The hook of tools that need none.
#[derive(Debug)]
pub(crate) struct NoHook;

impl Hook for NoHook {}
