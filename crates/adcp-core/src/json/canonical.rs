//! Canonical JSON text after RFC 8785, refusing what it would have to round.

use serde_json::{Map, Number, Value};

/// The largest integer that every JSON reader keeps: 2^53.
const EXACT: u64 = 1 << 53;

/// A value without a canonical text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number {number} at `{pointer}` may have been rounded; send integers beyond ±2^53 as strings")]
pub struct NotCanonical {
    /// JSON pointer of the number.
    pub pointer: String,
    /// The number as parsed.
    pub number: String,
}

/// Writes `value` as canonical JSON: keys in UTF-16 order, shortest numbers, no spaces.
///
/// Two payloads with the same text are the same request. An integer beyond ±2^53 would be rounded by
/// other readers, so that two different payloads could get one text: it is refused instead, and so is
/// 2^53 written with a fraction or an exponent, to which 2^53 + 1 rounds in that spelling.
///
/// # Errors
///
/// [`NotCanonical`] for such an integer.
pub fn canonical(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out)
        .map_err(|fault| NotCanonical { pointer: super::pointer(&fault.path), number: fault.number })?;
    Ok(out)
}

struct Fault {
    number: String,
    path: Vec<String>,
}

impl Fault {
    fn within(mut self, segment: impl Into<String>) -> Self {
        self.path.push(segment.into());
        self
    }
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out).map_err(|fault| fault.within(i.to_string()))?;
            }
            out.push(b']');
        }
        Value::Object(fields) => write_object(fields, out)?,
    }
    Ok(())
}

fn write_object(fields: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (i, (key, value)) in sorted.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        write(value, out).map_err(|fault| fault.within(key))?;
    }
    out.push(b'}');
    Ok(())
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), Fault> {
    let refuse = || Fault { number: number.to_string(), path: Vec::new() };
    if let Some(n) = number.as_i64() {
        if n.unsigned_abs() > EXACT {
            return Err(refuse());
        }
        out.extend_from_slice(n.to_string().as_bytes());
        return Ok(());
    }
    match number.as_f64() {
        // Up to 2^53 doubles are at most one apart: below it a whole number was whole before.
        Some(n) if !number.is_u64() && (n.fract() != 0.0 || n.abs() < EXACT as f64) => {
            out.extend_from_slice(number_text(n).as_bytes());
            Ok(())
        }
        _ => Err(refuse()),
    }
}

/// The text of a finite number as ECMAScript prints it: shortest digits that read back the same.
///
/// Not a number and the infinities have no JSON text; they give `null`.
#[must_use]
pub fn number_text(n: f64) -> String {
    if !n.is_finite() {
        return "null".to_owned();
    }
    if n == 0.0 {
        return "0".to_owned();
    }
    let sign = if n < 0.0 { "-" } else { "" };
    let (digits, exponent) = shortest(n.abs());
    let count = digits.len() as i32;
    let point = exponent + 1;
    let body = if (1..=21).contains(&point) && count <= point {
        format!("{digits}{}", "0".repeat((point - count) as usize))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    } else {
        let mark = if exponent < 0 { '-' } else { '+' };
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{first}{dot}{rest}e{mark}{}", exponent.abs())
    };
    format!("{sign}{body}")
}

/// The shortest digits that read back as `n`, and the power of ten of the first.
fn shortest(n: f64) -> (String, i32) {
    // Rust finds them too, but of two that are equally near it takes the upper one, ECMAScript the even one.
    // With up to 15 digits there is never a second.
    let mut scientific = format!("{n:e}");
    let places = scientific.bytes().take_while(|c| *c != b'e').filter(u8::is_ascii_digit).count();
    if places > 15 {
        let even = format!("{n:.*e}", places - 1);
        if even.parse() == Ok(n) {
            scientific = even;
        }
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    (mantissa.chars().filter(|c| *c != '.').collect(), exponent.parse().unwrap_or(0))
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => {
                let mut buffer = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_has_no_text_of_its_own() {
        for n in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(number_text(n), "null");
        }
    }

    #[test]
    fn a_refused_number_keeps_its_place_through_every_level() {
        let value = serde_json::json!({ "a": [0, { "b/c": EXACT + 1 }] });
        let refused = canonical(&value).unwrap_err();
        assert_eq!(refused.pointer, "/a/1/b~1c");
        assert_eq!(refused.number, "9007199254740993");
    }
}
