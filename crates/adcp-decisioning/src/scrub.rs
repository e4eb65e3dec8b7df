//! Takes out of an answer what the protocol lets in and never out: credentials and bank details.

use adcp_core::AdcpError;
use adcp_types::json::JsonObject;
use serde_json::Value;

/// What is only ever written: below which name, which parts go.
///
/// What a seller gives to a buyer on purpose stands under other names: access to an artifact, credentials for
/// generation, the webhook for approvals, the token of a list.
///
/// Spec: `core/business-entity.json`, `bank`; `core/push-notification-config.json`, `core/reporting-webhook.json`,
/// `core/notification-config.json`, `account/sync-governance-request.json`, `authentication`.
const WRITE_ONLY: [(&str, &[&str]); 6] = [
    ("billing_entity", &["bank"]),
    ("governance_agents", &["authentication"]),
    ("invoice_recipient", &["bank"]),
    ("notification_configs", &["authentication/credentials"]),
    ("push_notification_config", &["authentication", "token"]),
    ("reporting_webhook", &["authentication", "token"]),
];

/// Removes write-only parts at any depth; everything else stays as it is.
pub(crate) fn scrub(body: &mut JsonObject) {
    for (name, value) in body.iter_mut() {
        if let Some((_, parts)) = WRITE_ONLY.iter().find(|(holder, _)| holder == name) {
            strip(value, parts);
        }
        scrub_value(value);
    }
}

/// An error whose details say nothing that is write-only.
pub(crate) fn scrub_error(error: AdcpError) -> AdcpError {
    error.map_details(scrub)
}

fn scrub_value(value: &mut Value) {
    match value {
        Value::Object(object) => scrub(object),
        Value::Array(items) => items.iter_mut().for_each(scrub_value),
        _ => {}
    }
}

/// Removes parts from an object, or from each object of a list.
fn strip(value: &mut Value, parts: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, parts)),
        Value::Object(object) => {
            for part in parts {
                match part.split_once('/') {
                    None => {
                        object.remove(*part);
                    }
                    Some((inner, rest)) => {
                        if let Some(inner) = object.get_mut(inner) {
                            strip(inner, &[rest]);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn scrubbed(mut value: Value) -> Value {
        scrub_value(&mut value);
        value
    }

    #[test]
    fn what_is_write_only_goes_wherever_it_stands() {
        let told = scrubbed(json!({
            "accounts": [{
                "billing_entity": { "legal_name": "Acme", "bank": { "iban": "DE00" } },
                "governance_agents": [{ "url": "https://g.example", "authentication": { "credentials": "x" } }],
                "notification_configs": [{ "url": "u", "authentication": { "schemes": ["Bearer"], "credentials": "x" } }],
            }],
            "ext": { "push_notification_config": { "url": "u", "token": "t", "authentication": {} } },
            "invoice_recipient": { "legal_name": "Acme", "bank": {} },
            "reporting_webhook": { "url": "u", "authentication": {}, "token": "t" },
        }));
        assert_eq!(
            told,
            json!({
                "accounts": [{
                    "billing_entity": { "legal_name": "Acme" },
                    "governance_agents": [{ "url": "https://g.example" }],
                    "notification_configs": [{ "url": "u", "authentication": { "schemes": ["Bearer"] } }],
                }],
                "ext": { "push_notification_config": { "url": "u" } },
                "invoice_recipient": { "legal_name": "Acme" },
                "reporting_webhook": { "url": "u" },
            })
        );
    }

    #[test]
    fn what_a_seller_gives_on_purpose_stays() {
        let given = json!({
            "approval_webhook": { "url": "u", "authentication": { "schemes": ["Bearer"], "credentials": "x" } },
            "generation_credentials": [{ "api_key": "x" }],
            "auth_token": "x",
            "asset_access": { "method": "bearer_token", "token": "x" },
        });
        assert_eq!(scrubbed(given.clone()), given);
    }

    /// JSON whose names are often those that matter.
    fn any_json() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            "[a-z]{1,6}",
            prop::sample::select(vec![
                "authentication",
                "bank",
                "billing_entity",
                "credentials",
                "governance_agents",
                "notification_configs",
                "push_notification_config",
                "token",
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![any::<i64>().prop_map(Value::from), ".{0,8}".prop_map(Value::from)];
        leaf.prop_recursive(5, 48, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Whether some write-only part is left, found in another way than by removing it.
    fn leaks(value: &Value) -> bool {
        let pointers =
            ["/billing_entity/bank", "/push_notification_config/token", "/governance_agents/authentication"];
        let here = pointers.iter().any(|pointer| value.pointer(pointer).is_some());
        here || match value {
            Value::Object(fields) => fields.values().any(leaks),
            Value::Array(items) => items.iter().any(leaks),
            _ => false,
        }
    }

    fn names_a_holder(value: &Value) -> bool {
        match value {
            Value::Object(fields) => fields.iter().any(|(name, inner)| {
                WRITE_ONLY.iter().any(|(holder, _)| holder == name) || names_a_holder(inner)
            }),
            Value::Array(items) => items.iter().any(names_a_holder),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn nothing_leaks_and_nothing_else_changes(value in any_json()) {
            let after = scrubbed(value.clone());
            prop_assert!(!leaks(&after));
            prop_assert_eq!(&scrubbed(after.clone()), &after);
            if !names_a_holder(&value) {
                prop_assert_eq!(after, value);
            }
        }
    }
}
