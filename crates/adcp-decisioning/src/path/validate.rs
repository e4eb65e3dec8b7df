//! Checks against the schemas: the request before anything else looks at it, the answer before it leaves.

use adcp_core::json::pointer_token;
use adcp_core::{AdcpError, Issue};
use adcp_schemas::{Part, Violation, Violations};
use adcp_types::tools::ToolSpec;
use serde_json::Value;

use super::gate::Arrived;
use super::open::Admitted;
use crate::incident::internal_error;

/// A call whose request the schema accepts.
pub(super) struct Valid {
    pub(super) admitted: Admitted,
}

pub(super) fn request(arrived: Arrived) -> Result<Valid, AdcpError> {
    let Arrived { mut admitted } = arrived;
    admitted.route.hook.adapt(&mut admitted.arguments);
    admitted.route.hook.check(&admitted.arguments)?;
    match violations(admitted.route.spec, Part::Request, &admitted.arguments)? {
        None => Ok(Valid { admitted }),
        Some(violations) => Err(AdcpError::from_issues(issues(&violations))),
    }
}

fn violations(spec: &'static ToolSpec, part: Part, body: &Value) -> Result<Option<Violations>, AdcpError> {
    let validator = adcp_schemas::tool_validator(spec.name, part)
        .map_err(|error| internal_error("loading a validator", &error))?;
    Ok(validator.validate(body).err())
}

/// The violations as the buyer sees them. A missing field is named as if it stood there.
fn issues(violations: &Violations) -> Vec<Issue> {
    let issue = |v: &Violation| {
        let (pointer, message) = match v.missing() {
            Some(name) => {
                let token = pointer_token(name);
                (format!("{}/{token}", v.pointer()), "this field is required".to_owned())
            }
            None => (v.pointer().to_owned(), format!("expected {}", v.expected())),
        };
        Issue::new(pointer, message, v.keyword()).with_schema_path(v.schema_path())
    };
    violations.iter().map(issue).collect()
}
