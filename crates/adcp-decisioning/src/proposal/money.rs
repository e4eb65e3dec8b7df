//! Amounts of money, exact: JSON numbers in, whole minor units, JSON numbers out.

use adcp_core::json::number_text;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Number, Value};

/// The largest whole number that a JSON number carries exactly, in every language.
const MAX_UNITS: i128 = 1 << 53;

/// Digits after the point of the smallest amount of a currency, by ISO 4217; `None` for what is no currency code.
pub(crate) fn minor_digits(currency: &str) -> Option<u32> {
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return None;
    }
    Some(match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    })
}

/// A JSON number as people wrote it: through its shortest decimal form, never through binary digits.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let number = value.as_number()?;
    let text = match number.as_i64() {
        Some(whole) => whole.to_string(),
        None => number_text(number.as_f64()?),
    };
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// How many minor units an amount is; `None` when that is no whole number, or more than JSON carries exactly.
pub(crate) fn units(amount: Decimal, digits: u32) -> Option<i128> {
    let units = amount.checked_mul(Decimal::from(10_u64.pow(digits)))?;
    if !units.is_integer() {
        return None;
    }
    units.to_i128().filter(|units| (0..=MAX_UNITS).contains(units))
}

/// Minor units as an amount.
pub(crate) fn amount(units: i128, digits: u32) -> Value {
    let amount = Decimal::from_i128_with_scale(units, digits).normalize();
    match (amount.to_i64().filter(|_| amount.is_integer()), amount.to_string().parse::<f64>()) {
        (Some(whole), _) => whole.into(),
        (None, Ok(broken)) => Number::from_f64(broken).map_or(Value::Null, Value::Number),
        (None, Err(_)) => Value::Null,
    }
}

/// Splits a whole into parts by weights: each part is rounded down, and what is left over goes, one by one, to the
/// parts that lost most by that, the first of equals. The parts always add up to the whole.
///
/// `None` for weights that weigh nothing, and for numbers too large to be exact.
pub(crate) fn split(whole: i128, weights: &[i128]) -> Option<Vec<i128>> {
    let total: i128 = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(*weight))?;
    if total <= 0 {
        return None;
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut lost = Vec::with_capacity(weights.len());
    for (at, weight) in weights.iter().enumerate() {
        let share = whole.checked_mul(*weight)?;
        parts.push(share / total);
        lost.push((share % total, at));
    }
    let mut left = whole - parts.iter().sum::<i128>();
    lost.sort_by(|(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));
    for (_, at) in lost {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(at) {
            *part += 1;
            left -= 1;
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn amounts_come_and_go_exactly() {
        let cases = [
            (json!(1000), "USD", Some(100_000), json!(1000)),
            (json!(0.1), "USD", Some(10), json!(0.1)),
            (json!(19.99), "EUR", Some(1999), json!(19.99)),
            (json!(1e3), "JPY", Some(1000), json!(1000)),
            (json!(1.5), "JPY", None, json!(null)),
            (json!(0.005), "USD", None, json!(null)),
            (json!(0.005), "KWD", Some(5), json!(0.005)),
            (json!(1e17), "USD", None, json!(null)),
        ];
        for (value, currency, want, back) in cases {
            let digits = minor_digits(currency).unwrap();
            let got = units(decimal(&value).unwrap(), digits);
            assert_eq!(got, want, "{value} {currency}");
            if let Some(got) = got {
                assert_eq!(amount(got, digits), back, "{value} {currency}");
            }
        }
        for code in ["usd", "US", "USDT", "U$D", ""] {
            assert_eq!(minor_digits(code), None, "{code}");
        }
    }

    #[test]
    fn what_is_left_over_goes_to_who_lost_most() {
        assert_eq!(split(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(split(5, &[50, 30, 20]), Some(vec![3, 1, 1]));
        assert_eq!(split(1, &[10, 20, 70]), Some(vec![0, 0, 1]));
        assert_eq!(split(10, &[0, 1]), Some(vec![0, 10]));
        assert_eq!(split(10, &[0, 0]), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_within_one_unit_of_their_share(
            whole in 0_i128..=MAX_UNITS,
            weights in proptest::collection::vec(0_i128..10_000_000, 1..40),
        ) {
            let total: i128 = weights.iter().sum();
            prop_assume!(total > 0);
            let parts = split(whole, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i128>(), whole);
            for (part, weight) in parts.iter().zip(&weights) {
                // |part − whole·weight/total| < 1, without dividing.
                prop_assert!((part * total - whole * weight).abs() < total);
            }
        }
    }
}
