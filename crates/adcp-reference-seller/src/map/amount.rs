//! Money and time between the wire and the ad server.

use adcp_core::{AdcpError, Timestamp};
use rust_decimal::Decimal;

/// A wire number as the decimal a person would write for it; nothing if it is too large for one.
pub(crate) fn decimal(number: f64) -> Option<Decimal> {
    // `Display` of an f64 is its shortest form, without exponent.
    number.to_string().parse().ok()
}

/// A decimal as a wire number.
pub(crate) fn number(amount: Decimal) -> f64 {
    amount.normalize().to_string().parse().expect("a decimal reads as a number")
}

/// A count as a wire number.
pub(crate) fn count(count: u64) -> f64 {
    number(Decimal::from(count))
}

/// A wire time, which must have an offset.
pub(crate) fn time(text: &str, field: impl Into<String>) -> Result<jiff::Timestamp, AdcpError> {
    text.parse().map_err(|_| {
        AdcpError::invalid_request(field, "expected a time with an offset, such as `2027-05-01T12:00:00Z`")
    })
}

/// The ad server's notion of an instant of the SDK.
pub(crate) fn instant(now: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_shortest_form() {
        for text in ["0.1", "19.99", "1250.5", "0.0000001", "123456789.01"] {
            let amount = decimal(text.parse().unwrap()).unwrap();
            assert_eq!(amount, text.parse().unwrap());
            assert_eq!(number(amount), text.parse::<f64>().unwrap());
        }
        assert_eq!(decimal(1e40), None);
        assert_eq!(decimal(f64::NAN), None);
    }

    #[test]
    fn a_time_needs_an_offset() {
        assert!(time("2027-05-01T12:00:00Z", "x").is_ok());
        assert!(time("2027-05-01T12:00:00+02:00", "x").is_ok());
        assert_eq!(time("2027-05-01T12:00:00", "end_time").unwrap_err().field(), Some("end_time"));
    }

    proptest! {
        #[test]
        fn cents_survive_the_wire(cents in 0_i64..1_000_000_000_000) {
            let amount = Decimal::new(cents, 2);
            prop_assert_eq!(decimal(number(amount)), Some(amount));
        }
    }
}
