//! How long a receiver asks to be left alone.

use std::time::Duration;

use adcp_core::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Reads `Retry-After`: seconds, or a date. What is neither asks for nothing.
///
/// Spec: RFC 9110 section 10.2.3.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    static DATES: DateTimeParser = DateTimeParser::new();
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = DATES.parse_timestamp(text).ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_that_a_receiver_writes_is_too_much(text in ".*", micros: i64) {
            let _ = retry_after(&text, Timestamp::from_micros(micros));
        }

        #[test]
        fn a_number_of_seconds_is_that_many_whatever_the_time(secs: u64, zeros in "0{0,30}", micros: i64) {
            let found = retry_after(&format!("{zeros}{secs}"), Timestamp::from_micros(micros));
            prop_assert_eq!(found, Some(Duration::from_secs(secs)));
        }

        #[test]
        fn a_date_is_as_far_as_it_is(now in 0_i64..4_000_000_000, ahead in -1_000_000_i64..1_000_000) {
            let at = jiff::Timestamp::from_second(now + ahead).unwrap();
            let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
            let found = retry_after(&text, Timestamp::from_micros(now * 1_000_000));
            prop_assert_eq!(found, Some(Duration::from_secs(u64::try_from(ahead).unwrap_or(0))), "{}", text);
        }
    }

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let now = Timestamp::parse("2026-11-21T08:00:00Z").unwrap();
        for (text, want) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sat, 21 Nov 2026 08:02:30 GMT", Some(150)),
            ("Sat, 21 Nov 2026 07:00:00 GMT", Some(0)),
            ("Sun, 21 Nov 2026 08:02:30 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), want.map(Duration::from_secs), "{text}");
        }
    }
}
