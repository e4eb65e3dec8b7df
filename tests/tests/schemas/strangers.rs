//! A newer peer's words do not refuse it: unknown values decode and come back.

use serde_json::{Value, json};

use crate::json::{SAMPLES, check, no_complaints, spread};

/// Replaces every text; stays away from the keys.
fn replace_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = "zz_unheard_of".to_owned(),
        Value::Array(items) => items.iter_mut().for_each(replace_texts),
        Value::Object(object) => object.values_mut().for_each(replace_texts),
        _ => {}
    }
}

/// Pointers to every text.
fn texts(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(place.to_owned()),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| texts(item, &format!("{place}/{index}"), found));
        }
        Value::Object(object) => {
            for (key, inner) in object {
                texts(inner, &format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

#[test]
fn unheard_of_texts_survive() {
    let results = spread(&SAMPLES, |_, (path, made)| {
        let mut strangers = Vec::new();
        for sample in &made.samples {
            let mut all = sample.instance.clone();
            replace_texts(&mut all);
            strangers.push(all);
        }
        if let Some(minimal) = made.samples.first() {
            let mut places = Vec::new();
            texts(&minimal.instance, "", &mut places);
            for place in places {
                let mut one = minimal.instance.clone();
                if let Some(text) = one.pointer_mut(&place) {
                    *text = json!("zz_unheard_of");
                }
                strangers.push(one);
            }
        }
        Some(strangers.iter().filter_map(|stranger| check(path, stranger).err()).collect::<Vec<_>>())
    });
    no_complaints(results.into_iter().flatten());
}
