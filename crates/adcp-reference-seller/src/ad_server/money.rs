//! Currencies and the rounding of amounts.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// A currency by its three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Currency([u8; 3]);

impl Currency {
    /// Reads a code such as `EUR`; anything but three capital letters is no currency.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only capital letters are kept")
    }

    /// Digits after the point of the smallest amount that can be charged.
    pub(crate) fn minor_digits(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"CLP" | b"ISK" | b"VND" => 0,
            b"BHD" | b"KWD" | b"JOD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom("a currency is three capital letters"))
    }
}

/// Rounds a charge towards zero, to the smallest unit of its currency: never charge more than was earned.
pub(crate) fn round_down(amount: Decimal, currency: Currency) -> Decimal {
    amount.round_dp_with_strategy(currency.minor_digits(), RoundingStrategy::ToZero).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_three_capitals() {
        for (code, ok) in
            [("USD", true), ("usd", false), ("US", false), ("USDT", false), ("U$D", false), ("", false)]
        {
            assert_eq!(Currency::parse(code).is_some(), ok, "{code}");
        }
    }

    #[test]
    fn rounds_towards_zero_in_the_minor_unit() {
        for (code, amount, expected) in [
            ("USD", "10.999", "10.99"),
            ("JPY", "10.999", "10"),
            ("KWD", "1.23456", "1.234"),
            ("EUR", "5", "5"),
        ] {
            let currency = Currency::parse(code).unwrap();
            let rounded = round_down(amount.parse().unwrap(), currency);
            assert_eq!(rounded, expected.parse().unwrap(), "{code}");
        }
    }
}
