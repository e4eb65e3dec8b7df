//! Who sent an event again, as text.

use serde_json::{Value, json};

use super::{Reader, Unreadable};
use crate::{Redelivery, Timestamp};

/// Writes a list of words, for a statement that takes one.
pub fn write_list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    Value::from_iter(words).to_string()
}

/// Writes redeliveries.
#[must_use]
pub fn write_redeliveries(redeliveries: &[Redelivery]) -> String {
    let entry = |again: &Redelivery| json!({ "at": again.at.as_micros(), "by": again.by });
    Value::Array(redeliveries.iter().map(entry).collect()).to_string()
}

/// Reads redeliveries.
///
/// # Errors
///
/// [`Unreadable`], naming the field that is wrong.
pub fn read_redeliveries(text: &str) -> Result<Vec<Redelivery>, Unreadable> {
    const WHAT: &str = "redeliveries";
    let Ok(Value::Array(entries)) = serde_json::from_str(text) else {
        return Err(Unreadable { what: WHAT, at: "" });
    };
    let entry = |value| {
        let mut reader = Reader::of(WHAT, value)?;
        let at = reader.take("at").and_then(|at| at.as_i64()).ok_or_else(|| reader.wrong("at"))?;
        Ok(Redelivery::new(Timestamp::from_micros(at), reader.text("by")?))
    };
    entries.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redeliveries_read_back() {
        let all = [
            Redelivery::new(Timestamp::from_micros(-5), "a\"b"),
            Redelivery::new(Timestamp::from_micros(7), ""),
        ];
        assert_eq!(read_redeliveries(&write_redeliveries(&all)).unwrap(), all);
        for (bad, at) in [("{}", ""), ("[{\"by\":\"x\"}]", "at"), ("[{\"at\":1}]", "by")] {
            assert_eq!(read_redeliveries(bad).unwrap_err().at, at, "{bad}");
        }
    }
}
