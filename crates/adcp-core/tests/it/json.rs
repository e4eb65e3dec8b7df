//! Canonical JSON against the tables of RFC 8785, and both readers against anything at all.

use std::collections::BTreeMap;

use adcp_core::json::{Limits, ParseError, canonical, number_text, parse};
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

fn text(json: &str) -> String {
    let value = parse(json.as_bytes(), &Limits::new()).unwrap();
    String::from_utf8(canonical(&value).unwrap()).unwrap()
}

/// The rows of appendix B: bits of a double, and what ECMAScript prints.
const APPENDIX_B: [(u64, &str); 24] = [
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
    (0x41b3_de43_5555_5555, "333333333.3333333"),
    (0x41b3_de43_5555_5556, "333333333.3333334"),
    (0x41b3_de43_5555_5557, "333333333.33333343"),
    (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
];

/// Spec: RFC 8785, appendix B.
#[test]
fn numbers_print_as_the_published_table_says() {
    for (bits, want) in APPENDIX_B {
        assert_eq!(number_text(f64::from_bits(bits)), want, "{bits:016x}");
    }
}

/// Spec: RFC 8785, appendix B, the rows that are errors there.
#[test]
fn what_is_no_number_cannot_even_be_built() {
    for bits in [0x7fff_ffff_ffff_ffff, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000_u64] {
        assert_eq!(Number::from_f64(f64::from_bits(bits)), None);
    }
    for spelling in ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "[nan]"] {
        let refused = parse(spelling.as_bytes(), &Limits::new());
        assert!(matches!(refused, Err(ParseError::Syntax { .. })), "{spelling}");
    }
}

/// Rows that are integers beyond 2^53 have a text, but no payload may carry them: it could stand for a neighbour.
#[test]
fn the_rows_that_may_be_roundings_are_refused_inside_a_payload() {
    for (bits, want) in APPENDIX_B {
        let n = f64::from_bits(bits);
        let written = canonical(&json!([n]));
        if n.fract() == 0.0 && n.abs() >= 9_007_199_254_740_992.0 {
            assert_eq!(written.unwrap_err().pointer, "/0", "{want}");
        } else {
            assert_eq!(written.unwrap(), format!("[{want}]").into_bytes());
        }
    }
}

/// Spec: RFC 8785, section 3.2.3.
#[test]
fn keys_follow_the_published_order_of_utf16_units() {
    let json = r#"{"\u20ac":"euro","\r":"return","\ufb33":"dalet","1":"one","\ud83d\ude00":"face",
                   "\u0080":"control","\u00f6":"umlaut"}"#;
    assert_eq!(
        text(json),
        "{\"\\r\":\"return\",\"1\":\"one\",\"\u{80}\":\"control\",\"\u{f6}\":\"umlaut\",\
         \"\u{20ac}\":\"euro\",\"\u{1f600}\":\"face\",\"\u{fb33}\":\"dalet\"}"
    );
}

/// Spec: RFC 8785, sections 3.2.2 and 3.2.2.2.
#[test]
fn the_published_object_has_the_published_text() {
    let json = r#"{
        "numbers": [333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    assert_eq!(
        text(json),
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,4.5,0.002,1e-27],\
         \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
    );
    // The published example has one number more, which no double holds exactly.
    let value = parse(br#"{"numbers":[333333333.33333329,1E30]}"#, &Limits::new()).unwrap();
    assert_eq!(canonical(&value).unwrap_err().pointer, "/numbers/1");
}

#[test]
fn control_characters_are_escaped_the_short_way_where_there_is_one() {
    let short = [(8, "\\b"), (9, "\\t"), (10, "\\n"), (12, "\\f"), (13, "\\r")];
    for code in 0..0x20_u8 {
        let want = short
            .iter()
            .find(|(c, _)| *c == code)
            .map_or_else(|| format!("\\u{code:04x}"), |(_, s)| (*s).to_owned());
        let written = canonical(&Value::String(char::from(code).to_string())).unwrap();
        assert_eq!(written, format!("\"{want}\"").into_bytes());
    }
    assert_eq!(text(r#""\u007f\u2028/""#), "\"\u{7f}\u{2028}/\"");
}

#[test]
fn equal_numbers_share_a_text_however_they_are_spelled() {
    for (spelling, want) in [
        ("1.0", "1"),
        ("1e2", "100"),
        ("2.5e1", "25"),
        ("-0", "0"),
        ("-0.0e7", "0"),
        ("0.10", "0.1"),
        ("1E-7", "1e-7"),
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("9007199254740991.0", "9007199254740991"),
    ] {
        assert_eq!(text(spelling), want);
    }
}

#[test]
fn an_integer_that_others_would_round_is_refused_with_its_place() {
    for spelling in [
        "9007199254740993",
        "-9007199254740993",
        "9007199254740993.0",
        "9007199254740992.5",
        "9.007199254740993e15",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "1e21",
        "1.7976931348623157e308",
    ] {
        let json = format!(r#"{{"packages":[{{"~/":{spelling}}}]}}"#);
        let value = parse(json.as_bytes(), &Limits::new()).unwrap();
        assert_eq!(canonical(&value).unwrap_err().pointer, "/packages/0/~0~1", "{spelling}");
    }
}

/// Any JSON value with a canonical text.
fn values() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<f64>()
            .prop_filter("kept exactly", |n| n.is_finite() && (n.fract() != 0.0 || n.abs() < 9e15))
            .prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(object),
        ]
    })
}

fn object(fields: BTreeMap<String, Value>) -> Value {
    Value::Object(fields.into_iter().collect())
}

/// Another text of the same value: other spaces, other spellings of numbers and characters, keys backwards.
fn respelled(value: &Value, out: &mut String) {
    match value {
        Value::Number(n) => match n.as_i64() {
            Some(n) if n.abs() < 1 << 53 => out.push_str(&format!("{n}.00E+0")),
            Some(n) => out.push_str(&n.to_string()),
            None => out.push_str(&format!("{:.17e}", n.as_f64().unwrap())),
        },
        Value::String(text) => {
            out.push('"');
            text.encode_utf16().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            out.push('"');
        }
        Value::Array(items) => {
            out.push_str("[\t");
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { " ,\n" } else { "" });
                respelled(item, out);
            }
            out.push_str(" ]");
        }
        Value::Object(fields) => {
            out.push_str("{\r\n");
            for (i, (key, item)) in fields.iter().rev().enumerate() {
                out.push_str(if i > 0 { " , " } else { "" });
                respelled(&Value::from(key.as_str()), out);
                out.push_str(" : ");
                respelled(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

proptest! {
    #[test]
    fn every_double_reads_back(bits in any::<u64>()) {
        let n = f64::from_bits(bits);
        prop_assume!(n.is_finite());
        let read: f64 = number_text(n).parse().unwrap();
        prop_assert_eq!(read, if n == 0.0 { 0.0 } else { n });
    }

    #[test]
    fn canonical_text_is_a_fixed_point(value in values()) {
        let once = canonical(&value).unwrap();
        let again = parse(&once, &Limits::new()).unwrap();
        prop_assert_eq!(canonical(&again).unwrap(), once);
    }

    #[test]
    fn spelling_does_not_matter(value in values()) {
        let mut other = String::new();
        respelled(&value, &mut other);
        let again = parse(other.as_bytes(), &Limits::new()).unwrap();
        prop_assert_eq!(canonical(&again).unwrap(), canonical(&value).unwrap());
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(
        mut fields in prop::collection::btree_map(any::<String>(), any::<i32>(), 0..12)
            .prop_map(|fields| fields.into_iter().collect::<Vec<_>>())
            .prop_shuffle(),
    ) {
        let of = |fields: &[(String, i32)]| {
            let map: Map<String, Value> = fields.iter().map(|(k, v)| (k.clone(), Value::from(*v))).collect();
            canonical(&Value::Object(map)).unwrap()
        };
        let first = of(&fields);
        fields.reverse();
        prop_assert_eq!(of(&fields), first);
    }

    #[test]
    fn different_values_have_different_texts(a in values(), b in values()) {
        // A whole double and the same integer are one number, so values are compared as texts are read.
        let read = |v: &Value| parse(&canonical(v).unwrap(), &Limits::new()).unwrap();
        prop_assert_eq!(canonical(&a).unwrap() == canonical(&b).unwrap(), read(&a) == read(&b));
    }

    #[test]
    fn integers_are_exact_or_refused(n in any::<i64>()) {
        match canonical(&Value::from(n)) {
            Ok(written) => prop_assert_eq!(written, n.to_string().into_bytes()),
            Err(refused) => {
                prop_assert!(n.unsigned_abs() > 1 << 53);
                prop_assert_eq!(refused.pointer, "");
            }
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = parse(&bytes, &Limits::new());
    }

    #[test]
    fn nothing_that_looks_like_json_makes_either_panic(text in r#"[\[\]{}:,"\\ue0-9.+\-Ia-f \n]{0,64}"#) {
        if let Ok(value) = parse(text.as_bytes(), &Limits::new().with_max_depth(8)) {
            let _ = canonical(&value);
        }
    }
}
