//! Reads `path`, tab, instance from standard input; says which do not come back as they were.
//!
//! Copied beside the types of another version by `cargo xtask codegen-versions`.

use std::io::{BufRead, Write};

use adcp_types::by_schema::round_trip;
use serde_json::Value;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (mut checked, mut failed) = (0, 0);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (path, text) = line.split_once('\t').unwrap_or_default();
        let instance: Value = serde_json::from_str(text)?;
        checked += 1;
        let problem = match round_trip(path, instance.clone()) {
            None => "there is no type".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(encoded)) if same(&instance, &encoded) => continue,
            Some(Ok(encoded)) => format!("comes back as {encoded}"),
        };
        failed += 1;
        writeln!(out, "{path}\t{problem}\t{text}")?;
    }
    writeln!(out, "{checked} {failed}")
}

/// Equality after dropping nulls from objects; numbers by value.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let known = |(key, value): (&String, &Value)| {
                value.is_null() || b.get(key).is_some_and(|other| same(value, other))
            };
            let full = |one: &serde_json::Map<String, Value>| one.values().filter(|v| !v.is_null()).count();
            full(a) == full(b) && a.iter().all(known)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => left == right,
    }
}
