//! What the buyer knows and wants.

use std::time::Duration;

use adcp_core::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};

/// What one step leaves for the next.
pub(super) struct World {
    /// Every product the seller lists.
    pub(super) products: Vec<Value>,
    /// The first order, as it was sent, and what was answered.
    pub(super) order: Value,
    pub(super) bought: Value,
    /// How the task of the order ended that a reviewer approved.
    pub(super) reviewed: Value,
}

impl World {
    pub(super) const fn new() -> Self {
        Self { products: Vec::new(), order: Value::Null, bought: Value::Null, reviewed: Value::Null }
    }

    /// For whom the buyer buys. In a sandbox an account opens when it is first used.
    pub(super) fn account() -> Value {
        json!({ "brand": Self::brand(), "operator": "pinnacle-agency.example", "sandbox": true })
    }

    pub(super) fn brand() -> Value {
        json!({ "domain": "acme-outdoor.example" })
    }

    /// An order of one package that begins now.
    pub(super) fn order(package: &Value, key: &str, lasts: Duration) -> Value {
        let now = SystemClock::new().now();
        json!({
            "idempotency_key": key,
            "account": Self::account(),
            "brand": Self::brand(),
            "start_time": "asap",
            "end_time": now.after(lasts).to_string(),
            "packages": [package],
            "context": { "trace": key },
        })
    }

    /// A listed product of this delivery type, with a fixed CPM price in US dollars.
    pub(super) fn product(&self, delivery: &str) -> Result<(&Value, &Value), Failure> {
        let fixed = |option: &&Value| {
            option["pricing_model"] == "cpm"
                && option["currency"] == "USD"
                && option["fixed_price"].is_number()
        };
        self.products
            .iter()
            .filter(|product| product["delivery_type"] == delivery)
            .find_map(|product| {
                let options = product["pricing_options"].as_array()?;
                options.iter().find(fixed).map(|option| (product, option))
            })
            .ok_or_else(|| {
                Failure::new(Exit::Broken, format!("no {delivery} product has a fixed CPM price in USD"))
            })
    }
}

/// Text at a pointer.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Items at a pointer.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
