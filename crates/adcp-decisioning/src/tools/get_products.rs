//! What is special to `get_products`.

use serde_json::Value;

use crate::hook::Hook;

/// What is special to `get_products`.
pub(crate) static HOOK: GetProducts = GetProducts;

#[derive(Debug)]
pub(crate) struct GetProducts;

impl Hook for GetProducts {
    fn adapt(&self, request: &mut Value) {
        adapt(request);
    }

    fn at_once(&self, request: &Value) -> Option<&'static str> {
        // A wholesale read is answered at once; what is not ready is named in `incomplete`.
        let wholesale = request.get("buying_mode").and_then(Value::as_str) == Some("wholesale");
        wholesale.then_some("buying_mode")
    }
}

/// Callers of releases without buying modes send none: what else they sent says which one they mean.
///
/// Spec: `media-buy/get-products-request.json`, `buying_mode`.
fn adapt(request: &mut Value) {
    let Value::Object(fields) = request else { return };
    if fields.contains_key("buying_mode") {
        return;
    }
    let mode = if fields.contains_key("refine") {
        "refine"
    } else if fields.get("brief").and_then(Value::as_str).is_some_and(|brief| !brief.is_empty()) {
        "brief"
    } else {
        fields.remove("brief");
        "wholesale"
    };
    fields.insert("buying_mode".into(), mode.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_mode_is_inferred_and_a_given_one_kept() {
        let cases = [
            (json!({}), "wholesale"),
            (json!({"brief": ""}), "wholesale"),
            (json!({"brief": "video"}), "brief"),
            (json!({"refine": []}), "refine"),
            (json!({"brief": "video", "buying_mode": "nonsense"}), "nonsense"),
        ];
        for (mut request, want) in cases {
            adapt(&mut request);
            assert_eq!(request["buying_mode"], want, "{request}");
        }
    }
}
