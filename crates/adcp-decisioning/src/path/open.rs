//! First: which tool, and may a stranger call it.

use std::sync::Arc;

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::envelope::MAX_CONTEXT_BYTES;
use crate::agent::{Call, canonical_name};
use crate::caller::{AuthFailure, Caller};
use crate::parts::Parts;
use crate::route::Route;

/// A call of a tool that is mounted.
pub(super) struct Opened {
    route: Route,
    arguments: JsonObject,
    caller: Option<Caller>,
    public: bool,
}

impl Opened {
    pub(super) const fn fields(&self) -> &JsonObject {
        &self.arguments
    }
}

/// A call whose caller may make it.
pub(super) struct Admitted {
    pub(super) route: Route,
    pub(super) arguments: Value,
    pub(super) caller: Option<Caller>,
}

pub(super) fn open(parts: &Arc<Parts>, call: Call) -> Result<Opened, AdcpError> {
    let name = canonical_name(&call.tool);
    let Some(route) = parts.routes.get(name) else {
        return Err(AdcpError::new(ErrorCode::UNSUPPORTED_FEATURE, "this agent does not offer that tool")
            .with_suggestion("read get_adcp_capabilities, or the list of tools, for what it offers"));
    };
    if let Some(context) = call.arguments.get("context") {
        let bytes = serde_json::to_vec(context).map_or(usize::MAX, |text| text.len());
        if bytes > MAX_CONTEXT_BYTES {
            return Err(AdcpError::invalid_request(
                "context",
                format!("the context has {bytes} bytes; the limit is {MAX_CONTEXT_BYTES}"),
            ));
        }
    }
    let public = name == adcp_types::tools::GET_ADCP_CAPABILITIES.name;
    Ok(Opened { route: route.clone(), arguments: call.arguments, caller: call.caller, public })
}

pub(super) fn admit(opened: Opened) -> Result<Admitted, AdcpError> {
    let Opened { route, arguments, caller, public } = opened;
    if caller.is_none() && !public {
        return Err(AuthFailure::Missing.error());
    }
    Ok(Admitted { route, arguments: Value::Object(arguments), caller })
}
