//! Comparing instances, and the samples of all schemas, made once on two threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;

use adcp_schemas::Bundle;
use adcp_types::by_schema::{PATHS, round_trip};
use serde_json::{Value, json};
use xtask::sample::{Sample, Sampler, Samples};

/// Most complaints that are printed.
const SHOWN: usize = 20;

/// The samples of every schema with a type.
pub(crate) static SAMPLES: LazyLock<Vec<(&str, Samples)>> = LazyLock::new(|| {
    let made = spread(PATHS, |sampler, path| {
        Some((*path, sampler.samples(path).expect("the bundle has the schema and it compiles")))
    });
    assert_eq!(made.len(), PATHS.len());
    made
});

/// Works on the items on two threads, each with a sampler of its own.
pub(crate) fn spread<'i, I: Sync, O: Send>(
    items: &'i [I],
    work: impl Fn(&Sampler, &'i I) -> Option<O> + Sync,
) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let sampler = Sampler::new(Bundle::embedded().clone());
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(result) = work(&sampler, item) {
                        done.lock().expect("no thread panicked").push(result);
                    }
                }
            });
        }
    });
    done.into_inner().expect("no thread panicked")
}

/// Panics with the complaints, if there are any.
pub(crate) fn no_complaints(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    let shown = complaints.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} complaints:\n{shown}", complaints.len());
}

/// Equality after dropping nulls from objects; numbers by value.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = |one: &serde_json::Map<String, Value>| one.values().filter(|v| !v.is_null()).count();
            let known = |(key, value): (&String, &Value)| {
                value.is_null() || b.get(key).is_some_and(|other| same(value, other))
            };
            keys(a) == keys(b) && a.iter().all(known)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => left == right,
    }
}

/// Decodes and encodes; says what went wrong.
pub(crate) fn check(path: &str, instance: &Value) -> Result<Value, String> {
    let encoded = match round_trip(path, instance.clone()) {
        None => return Err(format!("{path}: there is no type")),
        Some(Err(error)) => return Err(format!("{path}: {instance} does not decode: {error}")),
        Some(Ok(encoded)) => encoded,
    };
    if same(instance, &encoded) {
        Ok(encoded)
    } else {
        Err(format!("{path}: {instance} comes back as {encoded}"))
    }
}

/// Some samples with a piece replaced by junk.
pub(crate) fn spoilt(samples: &[Sample], most: usize) -> Vec<Value> {
    let junk =
        [json!(null), json!(7), json!("x"), json!([]), json!({}), json!([[1]]), json!({ "status": 3 })];
    let mut all = Vec::new();
    for (number, sample) in samples.iter().take(most).enumerate() {
        for (turn, with) in junk.iter().enumerate() {
            let mut spoilt = sample.instance.clone();
            spoil(&mut spoilt, number * 131 + turn * 17 + 1, with);
            all.push(spoilt);
        }
    }
    all
}

/// Replaces the value at a pseudo-random place of the instance.
fn spoil(instance: &mut Value, mut turn: usize, with: &Value) {
    let mut here = instance;
    loop {
        let size = match &*here {
            Value::Object(object) => object.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if size == 0 || turn.is_multiple_of(5) {
            *here = with.clone();
            return;
        }
        let index = turn % size;
        turn /= 3;
        let inner = match here {
            Value::Object(object) => object.values_mut().nth(index),
            Value::Array(items) => items.get_mut(index),
            _ => None,
        };
        let Some(inner) = inner else { return };
        here = inner;
    }
}
