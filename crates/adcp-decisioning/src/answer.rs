//! Whether a body may be shown as a tool's answer, whoever made it and whenever.

use adcp_core::{AdcpError, TaskStatus};
use adcp_schemas::{Part, SchemaError, Violations};
use adcp_types::envelope::FIELDS;
use adcp_types::json::JsonObject;
use adcp_types::tools::ToolSpec;
use serde_json::Value;

use crate::generated::routes;
use crate::incident::{Incident, internal_error};

/// Why a body may not leave.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It contains a field of the envelope.
    Envelope(&'static str),
    /// The schema refuses it.
    Invalid(Violations),
    /// There is nothing to check it against.
    NoSchema(SchemaError),
}

/// Checks a body that will be sent with this status.
pub(crate) fn check(
    spec: &'static ToolSpec,
    part: Part,
    status: TaskStatus,
    body: &JsonObject,
) -> Result<(), Fault> {
    // A body has no say in the envelope: not by accident, and not by a buyer's echoed fields.
    let own = routes::says(spec.name);
    if let Some(name) = FIELDS.iter().find(|name| body.contains_key(**name) && !own.contains(name)) {
        return Err(Fault::Envelope(name));
    }
    let mut message = body.clone();
    message.insert("status".into(), status.as_str().into());
    check_message(spec, part, &Value::Object(message))
}

/// Checks a message that has its status.
pub(crate) fn check_message(spec: &'static ToolSpec, part: Part, message: &Value) -> Result<(), Fault> {
    let validator = adcp_schemas::tool_validator(spec.name, part).map_err(Fault::NoSchema)?;
    validator.validate(message).map_err(Fault::Invalid)
}

/// The error that an answer is, when it is the error arm of the tool's schema.
///
/// A success may carry advisory errors: it is one without them, too. An error arm is nothing without its errors.
pub(crate) fn error_arm(spec: &'static ToolSpec, body: &JsonObject) -> Option<AdcpError> {
    let first = body.get("errors")?.as_array()?.first()?.as_object()?;
    let mut rest = body.clone();
    rest.remove("errors");
    if check(spec, Part::Response, TaskStatus::Completed, &rest).is_ok() {
        return None;
    }
    check(spec, Part::Response, TaskStatus::Completed, body).ok()?;
    AdcpError::from_json(first)
}

impl Fault {
    /// Logs what is wrong with the adopter's answer. The buyer learns that something is, and its id.
    pub(crate) fn log(&self, spec: &'static ToolSpec) -> AdcpError {
        match self {
            Self::Envelope(field) => {
                let incident = Incident::new();
                tracing::error!(
                    correlation_id = incident.id(),
                    tool = spec.name,
                    field,
                    "the adopter's answer contains an envelope field"
                );
                incident.error()
            }
            Self::Invalid(violations) => {
                let incident = Incident::new();
                for violation in violations.iter() {
                    tracing::error!(
                        correlation_id = incident.id(),
                        tool = spec.name,
                        pointer = violation.pointer(),
                        expected = violation.expected(),
                        schema = violation.schema_path(),
                        "the adopter's answer is not valid"
                    );
                }
                incident.error()
            }
            Self::NoSchema(error) => internal_error("loading a validator", error),
        }
    }
}
