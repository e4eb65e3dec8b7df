//! Fields nobody has heard of.

use adcp_schemas::Validator;
use serde_json::{Value, json};

/// Name of the injected field.
const NAME: &str = "zz_unheard_of";

/// The instance with an unknown field in every object where the validator lets it stand.
pub(super) fn inject(validator: &Validator, instance: &Value) -> Value {
    let mut strange = instance.clone();
    insert(&mut strange);
    for _round in 0..200 {
        let Err(violations) = validator.validate(&strange) else { return strange };
        let mut removed = false;
        for violation in &violations {
            removed |= remove_above(&mut strange, violation.pointer());
        }
        if !removed {
            break;
        }
    }
    instance.clone()
}

fn insert(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(insert);
            object.insert(NAME.to_owned(), json!({ "deep": [1, "two", null, 3.5], "flag": false }));
        }
        Value::Array(items) => items.iter_mut().for_each(insert),
        _ => {}
    }
}

/// Removes the field at or nearest above the pointer.
fn remove_above(value: &mut Value, pointer: &str) -> bool {
    let mut here = pointer;
    if let Some((front, _)) = pointer.split_once(&format!("/{NAME}")) {
        here = front;
    }
    loop {
        let object = value.pointer_mut(here).and_then(Value::as_object_mut);
        if object.is_some_and(|object| object.remove(NAME).is_some()) {
            return true;
        }
        let Some((parent, _)) = here.rsplit_once('/') else { return false };
        here = parent;
    }
}
