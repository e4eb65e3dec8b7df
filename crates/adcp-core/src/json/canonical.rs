//! Canonical JSON text after RFC 8785, refusing what it would have to round.

use serde_json::{Map, Number, Value};

/// The largest integer that every JSON reader keeps: 2^53.
const EXACT: u64 = 1 << 53;

/// A value without a canonical text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number {number} at `{pointer}` is an integer beyond ±2^53; send it as a string")]
pub struct NotCanonical {
    /// JSON pointer of the number.
    pub pointer: String,
    /// The number as parsed.
    pub number: String,
}

/// Writes `value` as canonical JSON: keys in UTF-16 order, shortest numbers, no spaces.
///
/// Two payloads with the same text are the same request. An integer beyond ±2^53 would be rounded by
/// other readers, so that two different payloads could get one text: it is refused instead.
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
        Some(n) if !number.is_u64() && (n.fract() != 0.0 || n.abs() <= EXACT as f64) => {
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
    // Rust prints the shortest digits too, but lays them out differently.
    let scientific = format!("{:e}", n.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
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
    use proptest::prelude::*;

    fn text(json: &str) -> Result<String, NotCanonical> {
        let value: Value = serde_json::from_str(json).unwrap();
        canonical(&value).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Bit patterns and their ECMAScript text, as tabulated in RFC 8785, appendix B.
    #[test]
    fn numbers_print_as_ecmascript_prints_them() {
        let cases: [(u64, &str); 19] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
        ];
        for (bits, want) in cases {
            assert_eq!(number_text(f64::from_bits(bits)), want, "{bits:016x}");
        }
    }

    #[test]
    fn keys_sort_by_utf16_units() {
        let sorted =
            text(r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#).unwrap();
        assert_eq!(
            sorted,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn equal_numbers_share_a_text() {
        assert_eq!(text("[25.0, 25, 2.5e1, -0, 0.10]").unwrap(), "[25,25,25,0,0.1]");
    }

    #[test]
    fn an_integer_that_others_would_round_is_refused() {
        for json in
            ["9007199254740993", "-9007199254740993", "18446744073709551615", "18446744073709551616", "1e21"]
        {
            assert!(text(json).is_err(), "{json}");
        }
        let refused = text(r#"{"a":[0,{"b/c":9007199254740993}]}"#).unwrap_err();
        assert_eq!(refused.pointer, "/a/1/b~1c");
        assert_eq!(text("9007199254740992").unwrap(), "9007199254740992");
    }

    proptest! {
        #[test]
        fn every_double_reads_back(bits in any::<u64>()) {
            let n = f64::from_bits(bits);
            prop_assume!(n.is_finite());
            prop_assert_eq!(number_text(n).parse::<f64>().unwrap(), if n == 0.0 { 0.0 } else { n });
        }

        #[test]
        fn canonical_text_is_a_fixed_point(s in ".*", n in any::<i32>(), f in -1e9f64..1e9) {
            let value = serde_json::json!({ s.clone(): [n, f, s] });
            let once = canonical(&value).unwrap();
            let again: Value = serde_json::from_slice(&once).unwrap();
            prop_assert_eq!(canonical(&again).unwrap(), once);
        }
    }
}
