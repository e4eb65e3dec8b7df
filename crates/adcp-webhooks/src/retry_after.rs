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
