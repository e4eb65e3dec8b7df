//! What is special to `get_signals`: discovery modes.

use adcp_core::{AdcpError, Effects};
use serde_json::Value;

use super::discovery;
use crate::hook::{Hook, Made};

/// What is special to `get_signals`.
pub(crate) static HOOK: GetSignals = GetSignals;

#[derive(Debug)]
pub(crate) struct GetSignals;

impl Hook for GetSignals {
    /// Callers of releases without discovery modes have a brief.
    ///
    /// Spec: `signals/get-signals-request.json`, `discovery_mode`.
    fn adapt(&self, request: &mut Value) {
        if let Value::Object(fields) = request {
            fields.entry("discovery_mode").or_insert_with(|| "brief".into());
        }
    }

    fn check(&self, request: &Value) -> Result<(), AdcpError> {
        discovery::refuse_push(request, "discovery_mode")
    }

    fn at_once(&self, request: &Value) -> Option<&'static str> {
        discovery::is_wholesale(request, "discovery_mode").then_some("discovery_mode")
    }

    fn finish(&self, _effects: &Effects, _request: Option<&Value>, made: Made) -> Result<Made, AdcpError> {
        discovery::refuse_own_status(&made.body)?;
        Ok(made)
    }
}
