//! What the grants of the credential and of the account allow.

use adcp_core::json::pointer_token;
use adcp_core::{AdcpError, field_path};
use adcp_types::core::AccountAuthorization;
use adcp_types::tools::{self, ToolSpec};
use serde_json::Value;

use super::access;
use crate::path::account::Resolved;

/// Fields that say who calls what, not what is wanted; a grant never withholds them.
const FREE: [&str; 5] = ["account", "adcp_major_version", "adcp_version", "context", "idempotency_key"];

/// Both grants must allow the call: the credential's, and the caller's on the account.
///
/// Spec: `core/account-authorization.json`.
pub(super) fn check(resolved: &Resolved) -> Result<(), AdcpError> {
    let spec = resolved.route.spec;
    if access::of(spec).ungranted {
        return Ok(());
    }
    let by_credential = resolved.caller.as_ref().and_then(|caller| caller.authorization.as_ref());
    let by_account = resolved.account.as_ref().and_then(|account| account.authorization.as_ref());
    for grant in [by_credential, by_account].into_iter().flatten() {
        allows(grant, spec, &resolved.arguments)?;
    }
    Ok(())
}

fn allows(grant: &AccountAuthorization, spec: &'static ToolSpec, arguments: &Value) -> Result<(), AdcpError> {
    if !grant.allowed_tasks.iter().any(|task| task == spec.name) {
        return Err(
            AdcpError::scope_insufficient().with_detail("introspection_hint", tools::LIST_ACCOUNTS.name)
        );
    }
    if grant.read_only == Some(true) && spec.mutating {
        return Err(AdcpError::read_only_scope());
    }
    let fields = grant.field_scopes.as_ref().and_then(|scopes| scopes.get(spec.name));
    match fields.and_then(|allowed| first_refused(spec, arguments, allowed)) {
        None => Ok(()),
        Some(pointer) => Err(AdcpError::field_not_permitted(field_path(&pointer))),
    }
}

/// The first field outside `allowed`, as a pointer. What the schema requires is free: without it there is no call.
///
/// An entry opens a field with everything in it; `packages.budget` opens one field of every package.
fn first_refused(spec: &'static ToolSpec, arguments: &Value, allowed: &[String]) -> Option<String> {
    let schema = adcp_schemas::input_schema(spec.name).ok();
    let required = schema.as_ref().and_then(|schema| schema.get("required")).and_then(Value::as_array);
    let is_free = |name: &str| {
        FREE.contains(&name) || required.is_some_and(|names| names.iter().any(|required| *required == name))
    };
    let Value::Object(fields) = arguments else { return None };
    fields
        .iter()
        .filter(|(name, value)| !is_free(name) && !value.is_null())
        .find_map(|(name, value)| refused(value, name, &format!("/{}", pointer_token(name)), allowed))
}

fn refused(value: &Value, path: &str, pointer: &str, allowed: &[String]) -> Option<String> {
    if allowed.iter().any(|entry| entry.replace("[]", "") == path) {
        return None;
    }
    let inside =
        |entry: &String| entry.replace("[]", "").strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    if !allowed.iter().any(inside) {
        return Some(pointer.to_owned());
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            refused(value, &format!("{path}.{name}"), &format!("{pointer}/{}", pointer_token(name)), allowed)
        }),
        // An item stands where its array stands: indices are no part of an entry.
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| refused(item, path, &format!("{pointer}/{at}"), allowed)),
        _ => Some(pointer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_outside_a_grant_are_named_exactly() {
        let request = json!({
            "idempotency_key": "k", "account": {"account_id": "a"}, "context": {"x": 1},
            "media_buy_id": "m",
            "packages": [{"package_id": "p", "budget": 5}, {"package_id": "q", "paused": true}],
        });
        let cases: [(&[&str], Option<&str>); 6] = [
            (&["packages"], None),
            (&["packages.package_id", "packages.budget", "packages.paused"], None),
            (&["packages[].package_id", "packages[].budget", "packages[].paused"], None),
            (&["packages.package_id", "packages.budget"], Some("packages[1].paused")),
            (&["pack"], Some("packages")),
            (&[], Some("packages")),
        ];
        for (allowed, expected) in cases {
            let allowed: Vec<String> = allowed.iter().map(|entry| (*entry).to_owned()).collect();
            let found = first_refused(&tools::UPDATE_MEDIA_BUY, &request, &allowed);
            assert_eq!(found.as_deref().map(field_path).as_deref(), expected, "{allowed:?}");
        }
    }
}
