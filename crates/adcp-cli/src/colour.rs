//! JSON for eyes: indented, and coloured where a terminal shows it.

use serde_json::Value;

use crate::output::reorders;

const KEY: &str = "\u{1b}[34m";
const TEXT: &str = "\u{1b}[32m";
const NUMBER: &str = "\u{1b}[36m";
const WORD: &str = "\u{1b}[35m";
const END: &str = "\u{1b}[0m";

/// Writes `value` over several lines, in colours when `coloured`.
pub(crate) fn indented(value: &Value, coloured: bool) -> String {
    let mut out = String::new();
    Writer { out: &mut out, coloured }.value(value, 0);
    out
}

/// Writes `value` on one line, without colours.
pub(crate) fn on_one_line(value: &Value) -> String {
    escaped(value.to_string())
}

struct Writer<'a> {
    out: &'a mut String,
    coloured: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    self.line(i, level + 1);
                    self.painted(KEY, &quoted(key));
                    self.out.push_str(": ");
                    self.value(value, level + 1);
                }
                self.line(0, level);
                self.out.push('}');
            }
            Value::Array(items) if !items.is_empty() => {
                self.out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.line(i, level + 1);
                    self.value(item, level + 1);
                }
                self.line(0, level);
                self.out.push(']');
            }
            Value::String(text) => self.painted(TEXT, &quoted(text)),
            Value::Number(number) => self.painted(NUMBER, &number.to_string()),
            Value::Bool(_) | Value::Null => self.painted(WORD, &value.to_string()),
            Value::Object(_) | Value::Array(_) => self.out.push_str(&value.to_string()),
        }
    }

    /// Ends a line, with a comma behind all but the first item, and indents the next.
    fn line(&mut self, item: usize, level: usize) {
        self.out.push_str(if item == 0 { "\n" } else { ",\n" });
        self.out.extend(std::iter::repeat_n("  ", level));
    }

    fn painted(&mut self, colour: &str, text: &str) {
        if self.coloured {
            self.out.push_str(colour);
            self.out.push_str(text);
            self.out.push_str(END);
        } else {
            self.out.push_str(text);
        }
    }
}

/// A JSON string with nothing in it that a terminal would obey.
fn quoted(text: &str) -> String {
    escaped(Value::from(text).to_string())
}

/// JSON whose texts have escapes for what JSON leaves as it is.
fn escaped(json: String) -> String {
    if !json.chars().any(is_control) {
        return json;
    }
    let escape = |c: char| if is_control(c) { format!("\\u{:04x}", c as u32) } else { c.to_string() };
    json.chars().map(escape).collect()
}

/// What JSON leaves as it is, and a terminal would obey: DEL, the C1 block, and what turns a line around.
fn is_control(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}') || reorders(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_text_is_the_same_json_indented() {
        let value = json!({"a": [1, {"b": null}], "c": {}, "d": [], "e": "x\u{1b}[31m\u{9b}31m\u{202e}"});
        let text = indented(&value, false);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.starts_with("{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text:?}");
        let text = on_one_line(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\n']), "{text:?}");
    }

    #[test]
    fn colours_enclose_values_only() {
        let text = indented(&json!({"a": true}), true);
        assert_eq!(text, "{\n  \u{1b}[34m\"a\"\u{1b}[0m: \u{1b}[35mtrue\u{1b}[0m\n}");
    }
}
